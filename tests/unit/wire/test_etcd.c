/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What etcd 3.4.23 and its etcdctl really said to each other, in hex. Requests without prefix; replies
 * with r_. */
#define PREFIX "/coreos.com/network"
#define KEY_54 PREFIX "/subnets/10.5.54.0-24"
#define LEASE  0x694da1fe588fe906

static const char range_page[] =
	"0a1c2f636f72656f732e636f6d2f6e6574776f726b2f7375626e6574732f121c2f636f72"
	"656f732e636f6d2f6e6574776f726b2f7375626e6574733018012003";

static const char txn_create[] =
	"0a2c1a282f636f72656f732e636f6d2f6e6574776f726b2f7375626e6574732f31302e35"
	"2e35342e302d32342000123f123d0a282f636f72656f732e636f6d2f6e6574776f726b2f"
	"7375626e6574732f31302e352e35342e302d323412077b2261223a317d1886d2bfc4e5bf"
	"e8a669";

static const char txn_delete[] =
	"0a2f10021a282f636f72656f732e636f6d2f6e6574776f726b2f7375626e6574732f3130"
	"2e352e35342e302d323430e707122c1a2a0a282f636f72656f732e636f6d2f6e6574776f"
	"726b2f7375626e6574732f31302e352e35342e302d3234";

static const char watch[] =
	"0a3c0a1a2f636f72656f732e636f6d2f6e6574776f726b2f636f6e666967121c2f636f72"
	"656f732e636f6d2f6e6574776f726b2f7375626e657473301802";

static const char r_page[] =
	"0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e011804200212b5010a282f636f"
	"72656f732e636f6d2f6e6574776f726b2f7375626e6574732f31302e352e35322e302d32"
	"341003180320012a797b225075626c69634950223a223139322e3136382e36342e33222c"
	"225075626c696349507636223a6e756c6c2c224261636b656e6454797065223a2276786c"
	"616e222c224261636b656e6444617461223a7b22564e49223a312c22567465704d414322"
	"3a2263363a64323a33323a36663a38663a3434227d7d3086d2bfc4e5bfe8a6692001";

static const char r_txn_yes[] =
	"0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e011805200210011a0612040a02"
	"1805";

static const char r_txn_no[] = "0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e0118052002";

static const char r_ttl_gone[] =
	"0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e011805200210b42418ffffffff"
	"ffffffffff01";

static const char r_ttl[] =
	"0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e01180520021086d2bfc4e5bfe8"
	"a66918ffa2052080a305";

static const char r_watch_created[] =
	"0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e01180520021801";

static const char r_watch_delete[] =
	"0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e01180620025a300801122c0a28"
	"2f636f72656f732e636f6d2f6e6574776f726b2f7375626e6574732f31302e352e35332e"
	"302d32341806";

static const char r_watch_compacted[] =
	"0a1808b298eaf1948386fccd0110cdd2918bd2b881cf8e01200220012805";

static const char r_watch_puts[] =
	"0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e01180520025a5a12580a1a2f63"
	"6f72656f732e636f6d2f6e6574776f726b2f636f6e6669671002180220012a347b224e65"
	"74776f726b223a2231302e352e302e302f3136222c224261636b656e64223a7b22547970"
	"65223a2276786c616e227d7d5ab80112b5010a282f636f72656f732e636f6d2f6e657477"
	"6f726b2f7375626e6574732f31302e352e35322e302d32341003180320012a797b225075"
	"626c69634950223a223139322e3136382e36342e33222c225075626c696349507636223a"
	"6e756c6c2c224261636b656e6454797065223a2276786c616e222c224261636b656e6444"
	"617461223a7b22564e49223a312c22567465704d4143223a2263363a64323a33323a3666"
	"3a38663a3434227d7d3086d2bfc4e5bfe8a6695aae0112ab010a282f636f72656f732e63"
	"6f6d2f6e6574776f726b2f7375626e6574732f31302e352e35332e302d32341004180420"
	"012a797b225075626c69634950223a223139322e3136382e36342e33222c225075626c69"
	"6349507636223a6e756c6c2c224261636b656e6454797065223a2276786c616e222c2242"
	"61636b656e6444617461223a7b22564e49223a312c22567465704d4143223a2263363a64"
	"323a33323a36663a38663a3434227d7d5a4512430a282f636f72656f732e636f6d2f6e65"
	"74776f726b2f7375626e6574732f31302e352e35342e302d32341005180520012a077b22"
	"61223a317d3086d2bfc4e5bfe8a669";

#define TEXT_BYTES(s) ((struct pb_bytes){(const uint8_t *)(s), sizeof(s) - 1})

static struct pb_bytes unhex(const char *hex, uint8_t *buf)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &buf[i]), 1);
	return (struct pb_bytes){buf, n};
}

static void assert_encoded(const char *name, const struct pb_out *o, const char *hex)
{
	uint8_t buf[600];
	struct pb_bytes want = unhex(hex, buf);

	if (o->cut || o->n != want.n || memcmp(o->buf, want.p, want.n) != 0)
		fail_msg("%s differs from what etcdctl sends", name);
}

static void requests_are_etcdctls(void **state _unused_)
{
	uint8_t buf[600];
	struct pb_out o = PB_OUT(buf);
	const struct etcd_range page = {
		.key = TEXT_BYTES(PREFIX "/subnets/"),
		.end = TEXT_BYTES(PREFIX "/subnets0"),
		.limit = 1,
		.revision = 3,
	};
	const struct etcd_range config = {
		.key = TEXT_BYTES(PREFIX "/config"),
		.end = TEXT_BYTES(PREFIX "/subnets0"),
	};
	const struct etcd_txn create = {
		.compares = {{ETCD_COMPARE_VERSION, KEY_54, 0}},
		.n_compares = 1,
		.writes = {{KEY_54, "{\"a\":1}", LEASE}},
		.n_writes = 1,
	};
	const struct etcd_txn delete = {
		.compares = {{ETCD_COMPARE_MOD_REVISION, KEY_54, 999}},
		.n_compares = 1,
		.writes = {{KEY_54, NULL, 0}},
		.n_writes = 1,
	};

	etcd_encode_range(&page, &o);
	assert_encoded("range", &o, range_page);
	o.n = 0;
	etcd_encode_txn(&create, &o);
	assert_encoded("create", &o, txn_create);
	o.n = 0;
	etcd_encode_txn(&delete, &o);
	assert_encoded("delete", &o, txn_delete);
	o.n = 0;
	etcd_encode_watch(&config, 2, &o);
	assert_encoded("watch", &o, watch);
	o.n = 0;
	etcd_encode_lease_grant(86400, &o);
	assert_encoded("grant", &o, "0880a305");
	o.n = 0;
	etcd_encode_lease_id(LEASE, &o);
	assert_encoded("lease id", &o, "0886d2bfc4e5bfe8a669");
	o.n = 0;
	etcd_encode_authenticate("ab", "xyz", &o);
	assert_encoded("authenticate", &o, "0a026162120378797a");
}

static void reads_a_page(void **state _unused_)
{
	struct etcd_range_reply reply = {0};
	struct etcd_kv kv = {0};
	struct pb_field f;
	struct pb_bytes in;
	uint8_t buf[600];
	size_t n = 0;

	in = unhex(r_page, buf);
	while (pb_next(&in, &f) > 0) {
		if (f.number == ETCD_RANGE_KVS) {
			assert_int_equal(etcd_decode_kv(f.bytes, &kv), 0);
			n++;
		} else {
			assert_int_equal(pb_apply(etcd_range_wants, &f, &reply), 0);
		}
	}
	assert_int_equal(n, 1);
	assert_int_equal(reply.header.revision, 4);
	assert_true(reply.header.cluster_id != 0);
	assert_int_equal(reply.count, 1);
	assert_int_equal(reply.more, 0);
	assert_int_equal(kv.create_revision, 3);
	assert_int_equal(kv.mod_revision, 3);
	assert_true(kv.lease == LEASE);
	assert_int_equal(kv.key.n, strlen(KEY_54));
	assert_memory_equal(kv.key.p, PREFIX "/subnets/10.5.52.0-24", kv.key.n);
	assert_memory_equal(kv.value.p, "{\"PublicIP\":\"192.168.64.3\"", 26);
}

static const struct {
	const char *hex;
	int64_t succeeded, revision;
} txns[] = {
	{r_txn_yes, 1, 5},
	{r_txn_no, 0, 5},
};

static void reads_what_became_of_a_transaction(void **state _unused_)
{
	uint8_t buf[600];

	for (size_t i = 0; i < ARRAY_SIZE(txns); i++) {
		struct etcd_txn_reply reply = {0};

		assert_int_equal(pb_decode(etcd_txn_wants, unhex(txns[i].hex, buf), &reply), 0);
		assert_int_equal(reply.succeeded, txns[i].succeeded);
		assert_int_equal(reply.header.revision, txns[i].revision);
	}
}

static const struct {
	const char *hex;
	int64_t id, ttl_s;
} leases[] = {
	{r_ttl, LEASE, 86399},
	{r_ttl_gone, 0x1234, -1},
};

static void reads_leases(void **state _unused_)
{
	uint8_t buf[600];

	for (size_t i = 0; i < ARRAY_SIZE(leases); i++) {
		struct etcd_lease_reply reply = {0};

		assert_int_equal(pb_decode(etcd_lease_wants, unhex(leases[i].hex, buf), &reply), 0);
		assert_true(reply.id == leases[i].id);
		assert_int_equal(reply.ttl_s, leases[i].ttl_s);
	}
}

static const struct {
	const char *hex;
	const char *
		want; /* flags, header revision, events: "-" or "+", key after the prefix @ revision */
} watches[] = {
	{r_watch_created, "created 5"},
	{r_watch_puts,
	 "5 +/config@2 +/subnets/10.5.52.0-24@3 +/subnets/10.5.53.0-24@4 +/subnets/10.5.54.0-24@5"},
	{r_watch_delete, "6 -/subnets/10.5.53.0-24@6"},
	/* Note the header without revision. */
	{r_watch_compacted, "canceled 0 compact 5"},
};

static void reads_watches(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(watches); i++) {
		struct etcd_watch_reply reply = {0};
		char events[300] = "", line[400];
		struct etcd_event ev;
		struct pb_field f;
		uint8_t buf[600];
		struct pb_bytes in = unhex(watches[i].hex, buf);
		size_t n = 0;

		while (pb_next(&in, &f) > 0) {
			if (f.number != ETCD_WATCH_EVENTS) {
				assert_int_equal(pb_apply(etcd_watch_wants, &f, &reply), 0);
				continue;
			}
			assert_int_equal(etcd_decode_event(f.bytes, &ev), 0);
			n += (size_t)snprintf(events + n, sizeof(events) - n, " %c%.*s@%d",
					      ev.deleted ? '-' : '+',
					      (int)(ev.kv.key.n - strlen(PREFIX)),
					      (const char *)ev.kv.key.p + strlen(PREFIX),
					      (int)ev.kv.mod_revision);
		}
		snprintf(line, sizeof(line), "%s%s%d%s%s", reply.created ? "created " : "",
			 reply.canceled ? "canceled " : "", (int)reply.header.revision,
			 reply.compact_revision == 5 ? " compact 5" : "", events);
		assert_string_equal(line, watches[i].want);
	}
}

static void names_the_key_of_a_broken_pair(void **state _unused_)
{
	struct etcd_kv kv;

	/* The value claims 9 bytes, three are there. */
	assert_int_equal(etcd_decode_kv(TEXT_BYTES("\x0a\x03key\x2a\x09val"), &kv), -EBADMSG);
	assert_int_equal(kv.key.n, 3);
	assert_memory_equal(kv.key.p, "key", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_etcdctls),
		cmocka_unit_test(reads_a_page),
		cmocka_unit_test(reads_what_became_of_a_transaction),
		cmocka_unit_test(reads_leases),
		cmocka_unit_test(reads_watches),
		cmocka_unit_test(names_the_key_of_a_broken_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
