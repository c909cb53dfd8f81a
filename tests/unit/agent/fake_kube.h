/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_AGENT_FAKE_KUBE_H
#define TESTS_UNIT_AGENT_FAKE_KUBE_H
/* agent/kube_client.h without a connection: calls wait until the test answers them. A test that includes this
 * once, behind cmocka.h, defines these functions, and the linker leaves agent/kube_client.c out.
 */

#include <stdlib.h>
#include <string.h>

#include "agent/kube_client.h"

#define FAKE_KUBE_CALLS_MAX 4

struct kube_call {
	struct kube_call_conf conf;
	char path[KUBE_PATH_SIZE];
	char body[2000];
	bool used;
};

struct kube_client {
	bool up;
	bool well;
	char failed[300]; /* why it was left; "" = it was not */
	struct kube_call calls[FAKE_KUBE_CALLS_MAX];
};

static struct kube_client kube;

/* ---- the client ---- */

bool kube_client_is_up(const struct kube_client *c)
{
	return c->up;
}

const char *kube_client_name(const struct kube_client *c)
{
	(void)c;
	return "10.96.0.1:443";
}

void kube_client_well(struct kube_client *c)
{
	c->well = true;
}

void kube_client_fail(struct kube_client *c, const char *problem)
{
	text_copy(c->failed, sizeof(c->failed), problem);
}

struct kube_call *kube_client_call(struct kube_client *c, const struct kube_call_conf *conf)
{
	struct kube_call *call = c->calls;

	while (call < c->calls + FAKE_KUBE_CALLS_MAX && call->used)
		call++;
	assert_true(c->up && call < c->calls + FAKE_KUBE_CALLS_MAX);
	*call = (struct kube_call){.conf = *conf, .used = true};
	text_copy(call->path, sizeof(call->path), conf->path);
	text_copy(call->body, sizeof(call->body), conf->body ? conf->body : "");
	return call;
}

void kube_client_cancel(struct kube_call *call)
{
	if (!call)
		return;
	assert_true(call->used);
	call->used = false;
}

/* ---- the server ---- */

static inline size_t n_calls(void)
{
	size_t n = 0;

	for (size_t i = 0; i < FAKE_KUBE_CALLS_MAX; i++)
		n += kube.calls[i].used;
	return n;
}

/* The call whose path has this in it, that waits for an answer. */
static inline struct kube_call *asked(const char *part)
{
	for (size_t i = 0; i < FAKE_KUBE_CALLS_MAX; i++) {
		if (kube.calls[i].used && strstr(kube.calls[i].path, part))
			return &kube.calls[i];
	}
	fail_msg("nothing with \"%s\" is asked for", part);
	abort();
}

/* 2xx: the answer begins. */
static inline void begin_answer(struct kube_call *call)
{
	assert_true(call->used);
	call->conf.begun(call->conf.arg);
}

static inline void say(struct kube_call *call, enum kube_read_type type, const struct kube_read *r)
{
	struct err err = {"what is wrong with it"};

	assert_true(call->used);
	call->conf.item(call->conf.arg, type, r, &err);
}

static inline void say_node(struct kube_call *call, enum kube_event event, const char *name,
			    const char *version)
{
	static struct kube_read r;

	r = (struct kube_read){.event = event};
	text_copy(r.node.name, sizeof(r.node.name), name);
	text_copy(r.node.uid, sizeof(r.node.uid), name);
	text_copy(r.node.resource_version, sizeof(r.node.resource_version), version);
	say(call, KUBE_READ_NODE, &r);
}

static inline void say_bookmark(struct kube_call *call, const char *version)
{
	static struct kube_read r;

	r = (struct kube_read){0};
	text_copy(r.node.resource_version, sizeof(r.node.resource_version), version);
	say(call, KUBE_READ_BOOKMARK, &r);
}

static inline void say_list_end(struct kube_call *call, const char *version, const char *token)
{
	static struct kube_read r;

	r = (struct kube_read){0};
	text_copy(r.list.resource_version, sizeof(r.list.resource_version), version);
	text_copy(r.list.continue_token, sizeof(r.list.continue_token), token);
	say(call, KUBE_READ_LIST_END, &r);
}

/* An ERROR event. */
static inline void say_status(struct kube_call *call, int64_t code, const char *message)
{
	static struct kube_read r;

	r = (struct kube_read){.status.code = code};
	text_copy(r.status.message, sizeof(r.status.message), message);
	say(call, KUBE_READ_STATUS, &r);
}

/* How it ends; code 0 = as it should. */
static inline void answer(struct kube_call *call, int64_t code, const char *problem)
{
	struct kube_answer a = {.ok = code == 0, .status.code = code, .problem = problem};

	assert_true(call->used);
	call->used = false;
	call->conf.done(call->conf.arg, &a);
}

#endif
