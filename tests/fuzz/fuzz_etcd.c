/* SPDX-License-Identifier: Apache-2.0 */
/* etcd: responses, lease keys and lease values. First byte: which; then the bytes. What is accepted
 * of a key or value must come out the same when it is written and read again.
 */

#include "wire/etcd.h"
#include "wire/etcd_lease.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void range(struct pb_bytes in)
{
	struct etcd_range_reply reply = {0};
	struct pb_field f;
	struct etcd_kv kv;
	struct lease l;
	struct err err;

	while (pb_next(&in, &f) > 0) {
		if (pb_apply(etcd_range_wants, &f, &reply) < 0)
			return;
		if (f.number == ETCD_RANGE_KVS && etcd_decode_kv(f.bytes, &kv) == 0)
			etcd_lease_decode(kv.key, kv.value, &l, &err);
	}
}

static void watch(struct pb_bytes in)
{
	struct etcd_watch_reply reply = {0};
	struct pb_field f;
	struct etcd_event ev;
	struct lease l;
	struct err err;

	while (pb_next(&in, &f) > 0) {
		if (pb_apply(etcd_watch_wants, &f, &reply) < 0)
			return;
		if (f.number == ETCD_WATCH_EVENTS && etcd_decode_event(f.bytes, &ev) == 0)
			etcd_lease_decode(ev.kv.key, ev.kv.value, &l, &err);
	}
	must(memchr(reply.cancel_reason, '\0', sizeof(reply.cancel_reason)) != NULL);
}

static void key(struct pb_bytes in)
{
	char buf[ETCD_LEASE_KEY_SIZE];
	struct text t = TEXT(buf);
	struct lease l = {0}, again = {0};

	if (etcd_lease_key_parse(in, &l, NULL) < 0)
		return;
	etcd_lease_key_format(&l, &t);
	must(!t.cut);
	must(etcd_lease_key_parse((struct pb_bytes){(uint8_t *)buf, t.len}, &again, NULL) == 0);
	must(lease_eq(&l, &again));
}

static void value(struct pb_bytes in)
{
	char buf[ETCD_LEASE_VALUE_SIZE];
	struct text t = TEXT(buf);
	struct lease l = {0}, again = {0};

	if (etcd_lease_value_decode(in, &l, NULL) < 0)
		return;
	etcd_lease_value_format(&l, 1, &t);
	must(!t.cut);
	must(etcd_lease_value_decode((struct pb_bytes){(uint8_t *)buf, t.len}, &again, NULL) == 0);
	/* "PublicIP" is always written. */
	if (ip_is_set(&l.public_ip))
		must(lease_eq(&l, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct etcd_txn_reply txn = {0};
	struct etcd_lease_reply lease = {0};
	struct pb_bytes in;

	if (size == 0)
		return 0;
	in = (struct pb_bytes){data + 1, size - 1};
	switch (data[0]) {
	case 'r':
		range(in);
		break;
	case 'w':
		watch(in);
		break;
	case 't':
		pb_decode(etcd_txn_wants, in, &txn);
		break;
	case 'l':
		pb_decode(etcd_lease_wants, in, &lease);
		break;
	case 'k':
		key(in);
		break;
	case 'v':
		value(in);
		break;
	}
	return 0;
}
