/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_ETCD_H
#define WIRE_ETCD_H
/* etcd's v3 messages: requests out, responses in. Only what is used, only wanted fields.
 *
 * Field numbers are those of etcd's rpc.proto and kv.proto (3.0 to 3.6 agree on them). All reads are
 * ranges, all writes are transactions: a write that is not conditional could overwrite what somebody
 * else put there. Ranges come in pages that name one revision, so that they are one snapshot.
 *
 * A response is decoded field by field as it arrives (pb_stream_next): scalars go through the
 * response's table by pb_apply(); the repeated ones (ETCD_RANGE_KVS, ETCD_WATCH_EVENTS) are the
 * caller's to decode, one at a time. Every response's field 1 is the header.
 */

#include "wire/pb.h"

#define ETCD_METHOD_RANGE	 "/etcdserverpb.KV/Range"
#define ETCD_METHOD_TXN		 "/etcdserverpb.KV/Txn"
#define ETCD_METHOD_WATCH	 "/etcdserverpb.Watch/Watch"
#define ETCD_METHOD_LEASE_GRANT	 "/etcdserverpb.Lease/LeaseGrant"
#define ETCD_METHOD_LEASE_REVOKE "/etcdserverpb.Lease/LeaseRevoke"
#define ETCD_METHOD_LEASE_RENEW	 "/etcdserverpb.Lease/LeaseKeepAlive"
#define ETCD_METHOD_LEASE_TTL	 "/etcdserverpb.Lease/LeaseTimeToLive"
#define ETCD_METHOD_AUTHENTICATE "/etcdserverpb.Auth/Authenticate"

struct etcd_header {
	uint64_t cluster_id;
	int64_t revision; /* of the whole store */
};

/* A key with its value; both borrowed. */
struct etcd_kv {
	struct pb_bytes key, value;
	int64_t create_revision, mod_revision;
	int64_t lease; /* 0 = never expires: a reservation */
};

/* ---- requests: each writes one whole message ---- */

/* From `key` up to, not including, `end`; end.n 0 = that key alone. */
struct etcd_range {
	struct pb_bytes key, end;
	int64_t limit;	  /* 0 = none */
	int64_t revision; /* 0 = the newest */
};

enum etcd_compare_target {
	ETCD_COMPARE_VERSION = 0, /* 0 = the key does not exist */
	ETCD_COMPARE_MOD_REVISION = 2,
};

/* Holds if the target of `key` equals `value`. */
struct etcd_compare {
	enum etcd_compare_target target;
	const char *key;
	int64_t value;
};

struct etcd_write {
	const char *key;
	const char *value; /* NULL = delete the key */
	int64_t lease;
};

/* All writes if all compares hold, else nothing. */
struct etcd_txn {
	struct etcd_compare compares[2];
	size_t n_compares;
	struct etcd_write writes[2];
	size_t n_writes;
};

void etcd_encode_range(const struct etcd_range *r, struct pb_out *ret);
void etcd_encode_txn(const struct etcd_txn *t, struct pb_out *ret);
/* Events of the range (limit and revision unused) from `start_revision` on. */
void etcd_encode_watch(const struct etcd_range *r, int64_t start_revision, struct pb_out *ret);
void etcd_encode_lease_grant(int64_t ttl_s, struct pb_out *ret);
/* For LEASE_REVOKE, LEASE_RENEW, LEASE_TTL: they all begin with the id. */
void etcd_encode_lease_id(int64_t lease, struct pb_out *ret);

void etcd_encode_authenticate(const char *name, const char *password, struct pb_out *ret);

/* ---- responses ---- */

#define ETCD_RANGE_KVS 2

struct etcd_range_reply {
	struct etcd_header header;
	int64_t more;  /* the limit left some out */
	int64_t count; /* of all keys in the range, whatever the limit */
};

struct etcd_txn_reply {
	struct etcd_header header;
	int64_t succeeded; /* all compares held; header.revision is then the keys' mod_revision */
};

/* Of GRANT, RENEW and TTL. RENEW of a lease that is gone: ttl_s 0; TTL of one: -1. */
struct etcd_lease_reply {
	struct etcd_header header;
	int64_t id;
	int64_t ttl_s;
};

/* Simple tokens have some 20 characters, JSON web tokens many hundred. */
#define ETCD_TOKEN_SIZE 4096

struct etcd_auth_reply {
	char token[ETCD_TOKEN_SIZE]; /* full to its end: it was longer, and is of no use */
};

#define ETCD_WATCH_EVENTS 11

struct etcd_watch_reply {
	struct etcd_header header;
	int64_t created;
	int64_t canceled;
	int64_t compact_revision; /* with canceled: the start is no longer to be had */
	char cancel_reason[100];  /* not escaped */
};

extern const struct pb_want etcd_range_wants[];
extern const struct pb_want etcd_txn_wants[];
extern const struct pb_want etcd_lease_wants[];
extern const struct pb_want etcd_auth_wants[];
extern const struct pb_want etcd_watch_wants[];

/* The bytes of one ETCD_RANGE_KVS. 0 or -EBADMSG; ret->key is then set if it came that far. */
int etcd_decode_kv(struct pb_bytes in, struct etcd_kv *ret);

struct etcd_event {
	int64_t deleted;   /* else put */
	struct etcd_kv kv; /* of a deletion: key and mod_revision only */
};

/* The bytes of one ETCD_WATCH_EVENTS; failures as above. */
int etcd_decode_event(struct pb_bytes in, struct etcd_event *ret);

#endif
