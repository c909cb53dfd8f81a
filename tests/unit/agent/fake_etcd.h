/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_AGENT_FAKE_ETCD_H
#define TESTS_UNIT_AGENT_FAKE_ETCD_H
/* agent/etcd_client.h without a connection: calls wait until the test answers them. A test that includes
 * this once, behind cmocka.h, defines these functions, and the linker leaves agent/etcd_client.c out.
 */

#include <stdio.h>
#include <string.h>

#include "agent/etcd_client.h"

#define FAKE_ETCD_CALLS_MAX 4
#define FAKE_ETCD_KEYS_MAX  8
#define FAKE_ETCD_FROM	    "/n/subnets/" /* where all keys begin */

struct etcd_call {
	struct etcd_call_conf conf;
	uint8_t request[4096];
	size_t n_request;
	bool used;
};

/* What a range answers. */
struct stored {
	const char *key, *value; /* key behind FAKE_ETCD_FROM */
	int64_t mod_revision, lease;
};

struct etcd_client {
	bool up;
	struct etcd_call calls[FAKE_ETCD_CALLS_MAX];
	struct stored keys[FAKE_ETCD_KEYS_MAX];
	size_t n_keys;
};

static struct etcd_client etcd;

/* ---- the client ---- */

bool etcd_client_is_up(const struct etcd_client *c)
{
	return c->up;
}

struct etcd_call *etcd_client_call(struct etcd_client *c, const struct etcd_call_conf *conf)
{
	struct etcd_call *call = c->calls;

	while (call < c->calls + FAKE_ETCD_CALLS_MAX && call->used)
		call++;
	assert_true(c->up && call < c->calls + FAKE_ETCD_CALLS_MAX);
	assert_true(conf->request->n <= sizeof(call->request) && !conf->request->cut);
	*call = (struct etcd_call){.conf = *conf, .n_request = conf->request->n, .used = true};
	memcpy(call->request, conf->request->buf, conf->request->n);
	return call;
}

void etcd_client_cancel(struct etcd_call *call)
{
	if (!call)
		return;
	assert_true(call->used);
	call->used = false;
}

/* ---- etcd ---- */

static inline size_t n_calls(void)
{
	size_t n = 0;

	for (size_t i = 0; i < FAKE_ETCD_CALLS_MAX; i++)
		n += etcd.calls[i].used;
	return n;
}

/* The call of this method that waits for an answer. */
static struct etcd_call *asked(const char *method)
{
	for (size_t i = 0; i < FAKE_ETCD_CALLS_MAX; i++) {
		struct etcd_call *call = &etcd.calls[i];

		if (call->used && strcmp(call->conf.method, method) == 0)
			return call;
	}
	fail_msg("%s was not called", method);
	return NULL;
}

static void answer(const char *method, enum grpc_code code, const char *problem)
{
	struct etcd_call *call = asked(method);

	call->used = false;
	call->conf.done(call->conf.arg, code, problem);
}

/* The answer to a range: all keys there are. */
static void answer_list(void)
{
	struct etcd_call *call = asked(ETCD_METHOD_RANGE);
	struct etcd_range_reply *reply = call->conf.reply;

	*reply = (struct etcd_range_reply){.header.revision = 9};
	for (size_t i = 0; i < etcd.n_keys; i++) {
		const struct stored *s = &etcd.keys[i];
		uint8_t buf[600];
		struct pb_out kv = PB_OUT(buf);
		char key[60];

		snprintf(key, sizeof(key), FAKE_ETCD_FROM "%s", s->key);
		pb_put_text(&kv, 1, key);
		pb_put_int(&kv, 3, s->mod_revision);
		pb_put_text(&kv, 5, s->value);
		pb_put_int(&kv, 6, s->lease);
		call->conf.item(call->conf.arg, &(struct pb_field){
							.number = ETCD_RANGE_KVS,
							.type = PB_BYTES,
							.bytes = {buf, kv.n},
						});
	}
	answer(ETCD_METHOD_RANGE, GRPC_OK, "");
}

static void want_request(const struct etcd_call *call, const struct pb_out *want)
{
	assert_int_equal(call->n_request, want->n);
	assert_memory_equal(call->request, want->buf, want->n);
}

static inline void want_id(const char *method, int64_t id)
{
	uint8_t buf[16];
	struct pb_out want = PB_OUT(buf);

	etcd_encode_lease_id(id, &want);
	want_request(asked(method), &want);
}

static inline void answer_lease(const char *method, int64_t id, int64_t ttl_s)
{
	struct etcd_lease_reply *reply = asked(method)->conf.reply;

	*reply = (struct etcd_lease_reply){.id = id, .ttl_s = ttl_s};
	answer(method, GRPC_OK, "");
}

/* A transaction that writes `value` (NULL = deletes) to `key` if it is as it was at mod_revision. */
static void want_write(const char *key, int64_t mod_revision, const char *value, int64_t lease)
{
	char full[60];
	struct etcd_txn txn = {
		.compares = {{ETCD_COMPARE_MOD_REVISION, full, mod_revision}},
		.n_compares = 1,
		.writes = {{full, value, lease}},
		.n_writes = 1,
	};
	uint8_t buf[1000];
	struct pb_out want = PB_OUT(buf);

	if (mod_revision == 0)
		txn.compares[0].target = ETCD_COMPARE_VERSION;
	snprintf(full, sizeof(full), FAKE_ETCD_FROM "%s", key);
	etcd_encode_txn(&txn, &want);
	want_request(asked(ETCD_METHOD_TXN), &want);
}

static void answer_txn(bool succeeded, int64_t revision)
{
	struct etcd_txn_reply *reply = asked(ETCD_METHOD_TXN)->conf.reply;

	*reply = (struct etcd_txn_reply){.header.revision = revision, .succeeded = succeeded};
	answer(ETCD_METHOD_TXN, GRPC_OK, "");
}

/* A key as a watch tells it; until the next call. */
static inline struct etcd_kv kv(const char *key, const char *value, int64_t mod_revision,
				int64_t lease)
{
	static char full[60];

	snprintf(full, sizeof(full), FAKE_ETCD_FROM "%s", key);
	return (struct etcd_kv){
		.key = {(const uint8_t *)full, strlen(full)},
		.value = {(const uint8_t *)value, strlen(value)},
		.mod_revision = mod_revision,
		.lease = lease,
	};
}

#endif
