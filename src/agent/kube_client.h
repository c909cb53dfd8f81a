/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_KUBE_CLIENT_H
#define AGENT_KUBE_CLIENT_H
/* Requests to the Kubernetes API server, over a connection kept up for ever (agent/dial.h).
 *
 * What it answers is read as it comes (wire/kube_read.h) and handed on object by object. A token is asked
 * for with each request, so that one that was rotated is used at once.
 *
 * A server that is silent is as good as none: a request that hears nothing for KUBE_CLIENT_SILENCE_S, or a
 * watch for twice the time between two bookmarks, ends the connection, and the next place is tried.
 */

#include "agent/kube_access.h"
#include "model/status.h"
#include "os/loop.h"
#include "wire/kube_read.h"

#define KUBE_CLIENT_SILENCE_S 30
/* Bookmarks come about every minute (k8s.io/apiserver, cacher.go: bookmarkFrequency). */
#define KUBE_WATCH_SILENCE_S  120
#define KUBE_PATH_SIZE	      1024 /* the longest has a namespace and two names */

#define KUBE_ACCEPT "application/vnd.kubernetes.protobuf"

struct kube_client;
struct kube_call;

/* All borrowed for the life of the client. */
struct kube_client_conf {
	struct loop *loop;
	struct kube_access *access;
	struct status_requests *requests; /* counted; NULL = nobody asks */
	const char *prefix;		  /* of annotations, from kube_prefix_parse() */
	uint64_t seed;
	void (*up)(void *arg);
	/* All calls have ended before. */
	void (*lost)(void *arg);
	/* `problem` names each place and what is wrong with it. */
	void (*failed)(void *arg, const char *problem);
	void *arg;
};

/* Starts connecting, from the loop. Never NULL. */
struct kube_client *kube_client_new(const struct kube_client_conf *conf);
/* Ends all calls without a word. NULL is fine. */
void kube_client_free(struct kube_client *c);

bool kube_client_is_up(const struct kube_client *c);
/* The server of the current or next try. */
const char *kube_client_name(const struct kube_client *c);
/* This server serves. */
void kube_client_well(struct kube_client *c);
/* This server does not serve: on to the next. `lost` is called. Not from a call's callback other than `done`. */
void kube_client_fail(struct kube_client *c, const char *problem);

/* How a call ended. All borrowed. */
struct kube_answer {
	bool ok; /* 2xx, and all of it came; of a watch: the server has ended it */
	struct kube_status status; /* otherwise; code 0 = it was not the server that said no */
	const char *problem;	   /* one line; "" if ok */
};

struct kube_call_conf {
	const char *method; /* "GET", "PATCH" */
	const char *path;   /* copied */
	const char *accept; /* KUBE_ACCEPT… */
	const char *body;   /* copied; NULL = none. A KUBE_PATCH_TYPE */
	bool watch;
	/* The server has begun to answer, with 2xx. May be NULL. */
	void (*begun)(void *arg);
	/* Each thing found in the answer; `err` is a story for KUBE_READ_BAD. May be NULL. */
	void (*item)(void *arg, enum kube_read_type type, const struct kube_read *r,
		     const struct err *err);
	/* Once, unless cancelled; the call is gone. Never from within kube_client_call(). */
	void (*done)(void *arg, const struct kube_answer *answer);
	void *arg;
};

/* The client must be up. Never NULL. */
struct kube_call *kube_client_call(struct kube_client *c, const struct kube_call_conf *conf);
/* May be called from any callback. NULL is fine. */
void kube_client_cancel(struct kube_call *call);

#endif
