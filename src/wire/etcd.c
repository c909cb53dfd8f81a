/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd.h"

#define HEADER_WANTS(type) \
 PB_WANT_INT(1, type, header.cluster_id), PB_WANT_INT(3, type, header.revision), PB_WANT_END

static const struct pb_want range_header[] = {HEADER_WANTS(struct etcd_range_reply)};
static const struct pb_want txn_header[] = {HEADER_WANTS(struct etcd_txn_reply)};
static const struct pb_want lease_header[] = {HEADER_WANTS(struct etcd_lease_reply)};
static const struct pb_want watch_header[] = {HEADER_WANTS(struct etcd_watch_reply)};

const struct pb_want etcd_range_wants[] = {
	PB_WANT_MESSAGE(1, range_header),
	PB_WANT_INT(3, struct etcd_range_reply, more),
	PB_WANT_INT(4, struct etcd_range_reply, count),
	PB_WANT_END,
};

const struct pb_want etcd_txn_wants[] = {
	PB_WANT_MESSAGE(1, txn_header),
	PB_WANT_INT(2, struct etcd_txn_reply, succeeded),
	PB_WANT_END,
};

const struct pb_want etcd_lease_wants[] = {
	PB_WANT_MESSAGE(1, lease_header),
	PB_WANT_INT(2, struct etcd_lease_reply, id),
	PB_WANT_INT(3, struct etcd_lease_reply, ttl_s),
	PB_WANT_END,
};

const struct pb_want etcd_auth_wants[] = {
	PB_WANT_TEXT(2, struct etcd_auth_reply, token),
	PB_WANT_END,
};

const struct pb_want etcd_watch_wants[] = {
	PB_WANT_MESSAGE(1, watch_header),
	PB_WANT_INT(3, struct etcd_watch_reply, created),
	PB_WANT_INT(4, struct etcd_watch_reply, canceled),
	PB_WANT_INT(5, struct etcd_watch_reply, compact_revision),
	PB_WANT_TEXT(6, struct etcd_watch_reply, cancel_reason),
	PB_WANT_END,
};

static const struct pb_want kv_wants[] = {
	PB_WANT_BYTES(1, struct etcd_kv, key),
	PB_WANT_INT(2, struct etcd_kv, create_revision),
	PB_WANT_INT(3, struct etcd_kv, mod_revision),
	PB_WANT_BYTES(5, struct etcd_kv, value),
	PB_WANT_INT(6, struct etcd_kv, lease),
	PB_WANT_END,
};

static const struct pb_want event_kv_wants[] = {
	PB_WANT_BYTES(1, struct etcd_event, kv.key),
	PB_WANT_INT(2, struct etcd_event, kv.create_revision),
	PB_WANT_INT(3, struct etcd_event, kv.mod_revision),
	PB_WANT_BYTES(5, struct etcd_event, kv.value),
	PB_WANT_INT(6, struct etcd_event, kv.lease),
	PB_WANT_END,
};

static const struct pb_want event_wants[] = {
	PB_WANT_INT(1, struct etcd_event, deleted),
	PB_WANT_MESSAGE(2, event_kv_wants),
	PB_WANT_END,
};

int etcd_decode_kv(struct pb_bytes in, struct etcd_kv *ret)
{
	*ret = (struct etcd_kv){0};
	return pb_decode(kv_wants, in, ret);
}

int etcd_decode_event(struct pb_bytes in, struct etcd_event *ret)
{
	*ret = (struct etcd_event){0};
	return pb_decode(event_wants, in, ret);
}

void etcd_encode_range(const struct etcd_range *r, struct pb_out *ret)
{
	pb_put_bytes(ret, 1, r->key);
	if (r->end.n > 0)
		pb_put_bytes(ret, 2, r->end);
	if (r->limit != 0)
		pb_put_int(ret, 3, r->limit);
	if (r->revision != 0)
		pb_put_int(ret, 4, r->revision);
}

static void encode_compare(const struct etcd_compare *c, struct pb_out *ret)
{
	size_t begin = pb_begin(ret, 1);

	/* Field 1, the relation, is left at 0: equal. */
	if (c->target != 0)
		pb_put_int(ret, 2, c->target);
	pb_put_text(ret, 3, c->key);
	switch (c->target) {
	case ETCD_COMPARE_VERSION:
		pb_put_int(ret, 4, c->value);
		break;
	case ETCD_COMPARE_MOD_REVISION:
		pb_put_int(ret, 6, c->value);
		break;
	}
	pb_end(ret, begin);
}

static void encode_write(const struct etcd_write *w, struct pb_out *ret)
{
	size_t op = pb_begin(ret, 2);
	size_t request;

	if (w->value) {
		request = pb_begin(ret, 2); /* PutRequest */
		pb_put_text(ret, 1, w->key);
		pb_put_text(ret, 2, w->value);
		if (w->lease != 0)
			pb_put_int(ret, 3, w->lease);
	} else {
		request = pb_begin(ret, 3); /* DeleteRangeRequest */
		pb_put_text(ret, 1, w->key);
	}
	pb_end(ret, request);
	pb_end(ret, op);
}

void etcd_encode_txn(const struct etcd_txn *t, struct pb_out *ret)
{
	for (size_t i = 0; i < t->n_compares; i++)
		encode_compare(&t->compares[i], ret);
	for (size_t i = 0; i < t->n_writes; i++)
		encode_write(&t->writes[i], ret);
}

void etcd_encode_watch(const struct etcd_range *r, int64_t start_revision, struct pb_out *ret)
{
	size_t begin = pb_begin(ret, 1); /* WatchCreateRequest */

	pb_put_bytes(ret, 1, r->key);
	if (r->end.n > 0)
		pb_put_bytes(ret, 2, r->end);
	pb_put_int(ret, 3, start_revision);
	pb_end(ret, begin);
}

void etcd_encode_lease_grant(int64_t ttl_s, struct pb_out *ret)
{
	pb_put_int(ret, 1, ttl_s);
}

void etcd_encode_lease_id(int64_t lease, struct pb_out *ret)
{
	pb_put_int(ret, 1, lease);
}

void etcd_encode_authenticate(const char *name, const char *password, struct pb_out *ret)
{
	pb_put_text(ret, 1, name);
	pb_put_text(ret, 2, password);
}
