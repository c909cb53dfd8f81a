/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_list.h"

#include <stdlib.h>
#include <string.h>

/* 500 leases are 100 kB: etcd answers in a millisecond or two and serves others in between. */
#define PAGE_KEYS 500
/* Ours have 100 or so; others are only passed over. */
#define KEY_SIZE  1024

struct etcd_list {
	struct etcd_client *client;
	struct etcd_list_conf conf;
	struct etcd_call *call;
	struct etcd_range_reply page;
	struct etcd_header header; /* of the first page */
	bool first_done;
	bool moved;		/* this page had keys */
	uint8_t next[KEY_SIZE]; /* where the next page begins */
	size_t n_next;
};

static void page_start(struct etcd_list *l);

static void on_item(void *arg, const struct pb_field *f)
{
	struct etcd_list *l = arg;
	struct etcd_kv kv;
	bool broken = f->type != PB_BYTES || etcd_decode_kv(f->bytes, &kv) < 0 || f->cut;

	if (f->type != PB_BYTES)
		kv = (struct etcd_kv){0};
	/* The least key behind this one: a zero byte more. Behind a key that is too long to keep, all
	 * that begin like it are skipped. */
	if (kv.key.n > 0) {
		l->n_next = MIN(kv.key.n, sizeof(l->next) - 1);
		memcpy(l->next, kv.key.p, l->n_next);
		l->next[l->n_next] = l->n_next < kv.key.n ? 0xff : 0;
		l->n_next++;
		l->moved = true;
	}
	l->conf.kv(l->conf.arg, &kv, broken);
}

static void on_done(void *arg, enum grpc_code code, const char *problem)
{
	struct etcd_list *l = arg;

	l->call = NULL;
	if (code == GRPC_OK && !l->first_done) {
		l->header = l->page.header;
		l->first_done = true;
	}
	if (code == GRPC_OK && l->page.more && l->moved) {
		page_start(l);
		return;
	}
	l->conf.done(l->conf.arg, &l->header, code, problem);
	free(l);
}

static void page_start(struct etcd_list *l)
{
	const char *to = l->conf.to;
	const struct etcd_range range = {
		.key = {l->next, l->n_next},
		.end = {(const uint8_t *)to, strlen(to)},
		.limit = PAGE_KEYS,
		.revision = l->header.revision,
	};
	uint8_t buf[2 * KEY_SIZE + 64];
	struct pb_out request = PB_OUT(buf);
	const struct etcd_call_conf call = {
		.method = ETCD_METHOD_RANGE,
		.request = &request,
		.wants = etcd_range_wants,
		.reply = &l->page,
		.reply_size = sizeof(l->page),
		.repeated = ETCD_RANGE_KVS,
		.item = on_item,
		.done = on_done,
		.arg = l,
	};

	l->moved = false;
	etcd_encode_range(&range, &request);
	l->call = etcd_client_call(l->client, &call);
}

struct etcd_list *etcd_list_start(struct etcd_client *c, const struct etcd_list_conf *conf)
{
	struct etcd_list *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->client = c;
	l->conf = *conf;
	l->n_next = strlen(conf->from);
	assert(l->n_next < sizeof(l->next) && strlen(conf->to) < KEY_SIZE);
	memcpy(l->next, conf->from, l->n_next);
	page_start(l);
	return l;
}

const struct etcd_header *etcd_list_header(const struct etcd_list *l)
{
	return l->first_done ? &l->header : &l->page.header;
}

void etcd_list_cancel(struct etcd_list *l)
{
	if (!l)
		return;
	etcd_client_cancel(l->call);
	free(l);
}
