/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ETCD_CLIENT_H
#define AGENT_ETCD_CLIENT_H
/* gRPC calls to one of several etcd endpoints, over a connection kept up for ever (agent/dial.h).
 *
 *	connected ─▶ [log in] ─▶ up ─▶ calls … ─▶ etcd_client_well() ─▶ calls … ─▶ lost
 *
 * With user and password, each connection begins with Authenticate; its token goes with every call. A call
 * that etcd answers with "this token is no longer good" (they live for minutes of silence) waits for a new
 * token and is asked again, once; its owner does not notice.
 */

#include "agent/etcd_access.h"
#include "os/loop.h"
#include "wire/etcd.h"
#include "wire/grpc.h"

/* Answers to anything but a watch must be complete by then; etcd itself gives up after 7 s without
 * a leader, in words worth having. */
#define ETCD_CLIENT_DEADLINE_S 10
/* Longest key + value that is read whole; what is longer is cut (pb_field.cut). */
#define LIMIT_ETCD_KV_BYTES    16384

struct etcd_client;
struct etcd_call;

/* All borrowed for the life of the client. */
struct etcd_client_conf {
	struct loop *loop;
	const struct etcd_access *access;
	uint64_t seed;
	void (*up)(void *arg);
	/* All calls have ended before. */
	void (*lost)(void *arg);
	/* `problem` names each endpoint and what is wrong with it. */
	void (*failed)(void *arg, const char *problem);
	void *arg;
};

/* Starts connecting, from the loop. Never NULL. */
struct etcd_client *etcd_client_new(const struct etcd_client_conf *conf);
/* Ends all calls without a word. */
void etcd_client_free(struct etcd_client *c);

bool etcd_client_is_up(const struct etcd_client *c);
/* "etcd-1:2379", that of the current or next try. */
const char *etcd_client_name(const struct etcd_client *c);
/* This endpoint serves. */
void etcd_client_well(struct etcd_client *c);
/* This endpoint does not serve: on to the next. `lost` is called. Not from a call's callback other
 * than `done`. */
void etcd_client_fail(struct etcd_client *c, const char *problem);

struct etcd_call_conf {
	const char *method;	      /* ETCD_METHOD_… */
	const struct pb_out *request; /* copied */
	const struct pb_want *wants;  /* of the reply */
	void *reply;		      /* struct to fill; zeroed at the start of each message */
	size_t reply_size;
	uint32_t repeated; /* the field that goes to `item`; 0 = none */
	bool watch;	   /* no deadline; the request side stays open */
	/* Borrowed for the call. */
	void (*item)(void *arg, const struct pb_field *f);
	/* A message is complete: `reply` is filled. NULL for calls that wait for one answer only. */
	void (*message)(void *arg);
	/* Once, unless cancelled; the call is gone. On GRPC_OK of a call without `message` the reply is
	 * filled. `problem` is "" then. */
	void (*done)(void *arg, enum grpc_code code, const char *problem);
	void *arg;
};

/* The client must be up. Never NULL. `done` is never called from within. */
struct etcd_call *etcd_client_call(struct etcd_client *c, const struct etcd_call_conf *conf);
/* May be called from any callback. NULL is fine. */
void etcd_client_cancel(struct etcd_call *call);

#endif
