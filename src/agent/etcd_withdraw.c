/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_withdraw.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/etcd_client.h"
#include "agent/etcd_keys.h"
#include "wire/etcd_lease.h"

#define WITHDRAW_MS 10000
#define KEY_SIZE    (ETCD_KEYS_KEY_SIZE + ETCD_LEASE_KEY_SIZE)

struct job {
	const struct source_withdrawal *w;
	struct loop *loop;
	struct etcd_access access;
	struct etcd_client *client;
	char key[KEY_SIZE];

	bool there; /* the key; then: */
	int64_t mod_revision, lease_id;
	struct ip public_ip; /* unset = what is there is no lease */
	struct etcd_range_reply range;
	struct etcd_txn_reply txn;

	int result; /* if done */
	bool done;
	struct err problem; /* of the last try, if not */
};

static void end(struct job *j, enum source_withdraw result)
{
	j->result = result;
	j->done = true;
	loop_stop(j->loop);
}

static void look(struct job *j);

static void on_deleted(void *arg, enum grpc_code code, const char *problem)
{
	struct job *j = arg;

	if (code != GRPC_OK)
		etcd_client_fail(j->client, problem);
	else if (j->txn.succeeded)
		end(j, SOURCE_WITHDRAW_DONE);
	else
		look(j); /* somebody changed it meanwhile */
}

static void delete (struct job *j)
{
	const struct etcd_txn txn = {
		.compares = {{ETCD_COMPARE_MOD_REVISION, j->key, j->mod_revision}},
		.n_compares = 1,
		.writes = {{j->key, NULL, 0}},
		.n_writes = 1,
	};
	uint8_t buf[2 * KEY_SIZE + 100];
	struct pb_out request = PB_OUT(buf);
	const struct etcd_call_conf call = {
		.method = ETCD_METHOD_TXN,
		.request = &request,
		.wants = etcd_txn_wants,
		.reply = &j->txn,
		.reply_size = sizeof(j->txn),
		.done = on_deleted,
		.arg = j,
	};

	etcd_encode_txn(&txn, &request);
	etcd_client_call(j->client, &call);
}

static void on_kv(void *arg, const struct pb_field *f)
{
	struct job *j = arg;
	struct etcd_kv kv = {0};
	struct lease l = {0};

	j->there = true;
	if (f->type != PB_BYTES || etcd_decode_kv(f->bytes, &kv) < 0 || f->cut)
		return;
	j->mod_revision = kv.mod_revision;
	j->lease_id = kv.lease;
	if (etcd_lease_value_decode(kv.value, &l, NULL) == 0)
		j->public_ip = l.public_ip;
}

static void on_looked(void *arg, enum grpc_code code, const char *problem)
{
	struct job *j = arg;

	if (code != GRPC_OK)
		etcd_client_fail(j->client, problem);
	else if (!j->there)
		end(j, SOURCE_WITHDRAW_NONE);
	else if (!ip_eq(&j->public_ip, &j->w->public_ip))
		end(j, SOURCE_WITHDRAW_FOREIGN);
	else if (j->lease_id == 0)
		end(j, SOURCE_WITHDRAW_RESERVATION);
	else
		delete (j);
}

static void look(struct job *j)
{
	const struct etcd_range range = {.key = {(const uint8_t *)j->key, strlen(j->key)}};
	uint8_t buf[KEY_SIZE + 50];
	struct pb_out request = PB_OUT(buf);
	const struct etcd_call_conf call = {
		.method = ETCD_METHOD_RANGE,
		.request = &request,
		.wants = etcd_range_wants,
		.reply = &j->range,
		.reply_size = sizeof(j->range),
		.repeated = ETCD_RANGE_KVS,
		.item = on_kv,
		.done = on_looked,
		.arg = j,
	};

	j->there = false;
	j->public_ip = (struct ip){0};
	etcd_encode_range(&range, &request);
	etcd_client_call(j->client, &call);
}

static void on_up(void *arg)
{
	look(arg);
}

static void on_lost(void *arg _unused_)
{
}

static void on_failed(void *arg, const char *problem)
{
	struct job *j = arg;

	err_set(&j->problem, 0, "etcd: %s", problem);
}

static void on_deadline(void *arg)
{
	struct job *j = arg;

	loop_stop(j->loop);
}

static void run(struct job *j)
{
	struct loop_watch *deadline;

	j->loop = loop_new();
	deadline = loop_timer(j->loop, on_deadline, j);
	loop_timer_at(deadline, loop_now_ms(j->loop) + WITHDRAW_MS);
	j->client = etcd_client_new(&(struct etcd_client_conf){
		.loop = j->loop,
		.access = &j->access,
		.seed = j->w->seed,
		.up = on_up,
		.lost = on_lost,
		.failed = on_failed,
		.arg = j,
	});
	loop_run(j->loop);
	etcd_client_free(j->client);
	loop_watch_free(deadline);
	loop_free(j->loop);
}

int etcd_withdraw(const struct source_withdrawal *w, struct err *err)
{
	struct job j = {.w = w};
	struct etcd_keys keys;
	char ip[IP_STRLEN];
	int r = etcd_access_from_opts(w->opts, &j.access, err);

	if (r == 0)
		r = etcd_keys_make(w->opts->etcd_prefix, &keys, err);
	if (r < 0)
		return r;
	snprintf(j.key, sizeof(j.key), "%s%s", keys.leases, w->key);
	err_set(&j.problem, 0, "etcd: no answer from %s within %d s", w->opts->etcd_endpoints,
		WITHDRAW_MS / 1000);
	run(&j);
	if (!j.done)
		return err_set(err, -EIO, "%s", j.problem.text);
	if (j.result == SOURCE_WITHDRAW_FOREIGN && ip_is_set(&j.public_ip))
		err_set(err, 0, "%s holds it", ip_format(&j.public_ip, ip));
	else if (j.result == SOURCE_WITHDRAW_FOREIGN)
		err_set(err, 0, "what is there is no lease");
	return (int)j.result;
}
