/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kube_lease.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DATA  "{\"VNI\":1,\"VtepMAC\":\"c6:d2:32:6f:8f:44\"}"
#define DATA6 "{\"VNI\":1,\"VtepMAC\":\"c6:d2:32:6f:8f:45\"}"
#define V4    "10.244.1.0/24 via 192.168.64.1 mac c6:d2:32:6f:8f:44"
#define V6    "fd00:244:1::/64 via fd00:64::1 mac c6:d2:32:6f:8f:45"
#define TOO_LONG                                                                                \
 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* "podCIDR podCIDRs…", "" = none. */
struct cidrs {
	const char *one;
	unsigned n;
	const char *two[2];
};

static void node_set_cidrs(struct kube_node *n, const struct cidrs *c)
{
	text_copy(n->pod_cidr, sizeof(n->pod_cidr), c->one);
	n->n_pod_cidrs = c->n;
	for (unsigned i = 0; i < MIN(c->n, 2); i++)
		text_copy(n->pod_cidrs[i], sizeof(n->pod_cidrs[i]), c->two[i]);
}

/* "0 <subnet> <subnet6>", or the outcome and the story. */
static const struct {
	struct cidrs cidrs;
	const char *want;
} cidr_rows[] = {
	{{"10.244.1.0/24", 0, {0}}, "0 10.244.1.0/24 -"},
	{{"fd00:1::/64", 0, {0}}, "0 - fd00:1::/64"},
	{{"", 1, {"10.244.1.0/24"}}, "0 10.244.1.0/24 -"},
	{{"10.9.9.0/24", 1, {"10.244.1.0/24"}}, "0 10.244.1.0/24 -"},
	{{"", 2, {"10.244.1.0/24", "fd00:1::/64"}}, "0 10.244.1.0/24 fd00:1::/64"},
	{{"", 2, {"fd00:1::/64", "10.244.1.0/24"}}, "0 10.244.1.0/24 fd00:1::/64"},
	/* As Go's net.ParseCIDR. */
	{{"10.244.1.7/24", 0, {0}}, "0 10.244.1.0/24 -"},
	{{"", 0, {0}}, "3 node \"n\\x0a\": podCIDR: not assigned: \"\""},
	{{"10.244.1.0", 0, {0}},
	 "-22 node \"n\\x0a\": podCIDR: no network of the form 10.244.1.0/24: \"10.244.1.0\""},
	{{"", 1, {"x\ny"}},
	 "-22 node \"n\\x0a\": podCIDRs: no network of the form 10.244.1.0/24: \"x\\x0ay\""},
	{{"", 2, {"10.244.1.0/24", "fd00::/129"}},
	 "1 node \"n\\x0a\": podCIDRs: no network of the form 10.244.1.0/24: \"fd00::/129\""},
	{{"", 2, {"10.244.1.0/33", "fd00:1::/64"}},
	 "1 node \"n\\x0a\": podCIDRs: no network of the form 10.244.1.0/24: \"10.244.1.0/33\""},
	{{"", 2, {"", "::/0"}},
	 "-22 node \"n\\x0a\": podCIDRs: no network of the form 10.244.1.0/24: \"\"; node \"n\\x0a\": "
	 "podCIDRs: no network of the form 10.244.1.0/24: \"::/0\""},
	{{"", 2, {"10.244.1.0/24", "10.244.2.0/24"}},
	 "-22 node \"n\\x0a\": podCIDRs: two networks of one family: \"10.244.2.0/24\""},
	{{"10.244.1.0/24", 3, {"10.244.1.0/24", "fd00:1::/64"}},
	 "-22 node \"n\\x0a\": podCIDRs: more than one network of each family: \"3\""},
};

static void reads_networks(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(cidr_rows); i++) {
		struct kube_node n = {.name = "n\n"};
		char got[500], subnet[CIDR_STRLEN], subnet6[CIDR_STRLEN];
		struct cidr v4 = {.len = 99}, v6 = {.len = 99};
		struct err err = {""};
		int r;

		node_set_cidrs(&n, &cidr_rows[i].cidrs);
		r = kube_lease_cidrs(&n, &v4, &v6, &err);
		if (r == 0)
			snprintf(got, sizeof(got), "0 %s %s", cidr_format(&v4, subnet),
				 cidr_format(&v6, subnet6));
		else
			snprintf(got, sizeof(got), "%d %s", r, err.text);
		if (strcmp(got, cidr_rows[i].want) != 0)
			fail_msg("row %zu: got %s, want %s", i, got, cidr_rows[i].want);
		if (r == KUBE_LEASE_HALF)
			assert_true(cidr_is_set(&v4) != cidr_is_set(&v6));
		if (r < 0)
			assert_int_equal(v4.len, 99);
	}
}

/* Annotations over those of a good dual-stack node; NULL = as there, "-" = absent. */
static const struct {
	struct cidrs cidrs;
	const char *anns[KUBE_ANN__COUNT];
	const char *want; /* outcome and lease; " | " and the story */
} rows[] = {

#define DUAL                          \
 {                                    \
  "", 2,                              \
  {                                   \
   "10.244.1.0/24", "fd00:244:1::/64" \
  }                                   \
 }
#define IPV4          \
 {                    \
  "10.244.1.0/24", 0, \
  {                   \
   0                  \
  }                   \
 }
#define NONE \
 {           \
  "", 0,     \
  {          \
   0         \
  }          \
 }
	{DUAL, {0}, "0 " V4 ", " V6},
	{IPV4, {0}, "0 " V4},
	{{"fd00:244:1::/64", 0, {0}}, {0}, "0 " V6},
	/* Not flannel's, or not yet. */
	{DUAL, {[KUBE_ANN_SUBNET_MANAGER] = "-"}, "2 "},
	{DUAL, {[KUBE_ANN_SUBNET_MANAGER] = "True"}, "2 "},
	{NONE, {[KUBE_ANN_SUBNET_MANAGER] = ""}, "2 "},
	{NONE, {0}, "3  | node \"n\": podCIDR: not assigned: \"\""},
	/* A dual-stack cluster whose flannel is IPv4 only. */
	{DUAL, {[KUBE_ANN_PUBLIC_IPV6] = "-", [KUBE_ANN_BACKEND_V6_DATA] = "-"}, "0 " V4},
	{DUAL, {[KUBE_ANN_PUBLIC_IP] = "-", [KUBE_ANN_BACKEND_DATA] = "-"}, "0 " V6},
	/* What Go reads. */
	{IPV4,
	 {[KUBE_ANN_BACKEND_DATA] =
		  " {\"x\":[], \"vtepmac\" : \"C6:D2:32:6F:8F:44\", \"VNI\":null} "},
	 "0 " V4},
	/* Halves. */
	{DUAL,
	 {[KUBE_ANN_PUBLIC_IPV6] = "-"},
	 "1 " V4 " | node \"n\": public-ipv6: the annotation is missing: \"\""},
	{DUAL,
	 {[KUBE_ANN_PUBLIC_IPV6] = "1.2.3.4"},
	 "1 " V4 " | node \"n\": public-ipv6: no IPv6 address: \"1.2.3.4\""},
	{DUAL,
	 {[KUBE_ANN_BACKEND_V6_DATA] = "null"},
	 "1 " V4 " | node \"n\": backend-v6-data: VtepMAC is no MAC address: \"null\""},
	{DUAL,
	 {[KUBE_ANN_BACKEND_V6_DATA] = "-"},
	 "1 " V4 " | node \"n\": backend-v6-data: the annotation is missing: \"\""},
	{DUAL,
	 {[KUBE_ANN_BACKEND_DATA] = "{}"},
	 "1 " V6 " | node \"n\": backend-data: VtepMAC is no MAC address: \"{}\""},
	{DUAL,
	 {[KUBE_ANN_BACKEND_DATA] = "{\"VtepMAC\":7}"},
	 "1 " V6
	 " | node \"n\": backend-data: VtepMAC is no MAC address: \"{\\x22VtepMAC\\x22:7}\""},
	{DUAL,
	 {[KUBE_ANN_PUBLIC_IP] = "fd00::1\n"},
	 "1 " V6 " | node \"n\": public-ip: no IPv4 address: \"fd00::1\\x0a\""},
	{{"", 2, {"10.244.1.0/24", "bad"}},
	 {0},
	 "1 " V4 " | node \"n\": podCIDRs: no network of the form 10.244.1.0/24: \"bad\""},
	/* Nothing is left. */
	{IPV4, {[KUBE_ANN_BACKEND_DATA] = "{"}, "-22  | node \"n\": backend-data: no JSON: \"{\""},
	{IPV4, {[KUBE_ANN_BACKEND_DATA] = ""}, "-22  | node \"n\": backend-data: no JSON: \"\""},
	{IPV4,
	 {[KUBE_ANN_PUBLIC_IP] = "-", [KUBE_ANN_BACKEND_DATA] = "-"},
	 "-22  | node \"n\": public-ip: the annotation is missing: \"\""},
	{DUAL,
	 {[KUBE_ANN_PUBLIC_IP] = "x", [KUBE_ANN_PUBLIC_IPV6] = "y"},
	 "-22  | node \"n\": public-ip: no IPv4 address: \"x\"; node \"n\": public-ipv6: no IPv6 "
	 "address: \"y\""},
	{DUAL,
	 {[KUBE_ANN_PUBLIC_IP] = "x",
	  [KUBE_ANN_PUBLIC_IPV6] = "-",
	  [KUBE_ANN_BACKEND_V6_DATA] = "-"},
	 "-22  | node \"n\": public-ip: no IPv4 address: \"x\""},
	{{"", 2, {"10.244.1.0/24", "bad"}},
	 {[KUBE_ANN_PUBLIC_IP] = "x"},
	 "-22  | node \"n\": podCIDRs: no network of the form 10.244.1.0/24: \"bad\"; node \"n\": "
	 "public-ip: no IPv4 address: \"x\""},
	{{"bad", 0, {0}},
	 {0},
	 "-22  | node \"n\": podCIDR: no network of the form 10.244.1.0/24: \"bad\""},
	/* Other backends hold their networks, whatever they say of them. */
	{DUAL,
	 {[KUBE_ANN_BACKEND_TYPE] = "host-gw", [KUBE_ANN_BACKEND_DATA] = "null"},
	 "0 10.244.1.0/24 via -, fd00:244:1::/64 via -"},
	{IPV4, {[KUBE_ANN_BACKEND_TYPE] = ""}, "0 10.244.1.0/24 via -"},
	{IPV4, {[KUBE_ANN_BACKEND_TYPE] = "VXLAN"}, "0 10.244.1.0/24 via -"},
	{IPV4, {[KUBE_ANN_BACKEND_TYPE] = "-"}, "0 10.244.1.0/24 via -"},
};

static void node_set_anns(struct kube_node *n, const char *const anns[KUBE_ANN__COUNT])
{
	static const char *const good[KUBE_ANN__COUNT] = {
		[KUBE_ANN_SUBNET_MANAGER] = "true",    [KUBE_ANN_BACKEND_TYPE] = "vxlan",
		[KUBE_ANN_BACKEND_DATA] = DATA,	       [KUBE_ANN_BACKEND_V6_DATA] = DATA6,
		[KUBE_ANN_PUBLIC_IP] = "192.168.64.1", [KUBE_ANN_PUBLIC_IPV6] = "fd00:64::1",
	};

	for (unsigned i = 0; i < KUBE_ANN__COUNT; i++) {
		const char *value = anns[i] ? anns[i] : good[i];

		if (value && strcmp(value, "-") != 0)
			kube_anns_set(&n->anns, (enum kube_ann)i, value);
	}
}

static void reads_leases(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kube_node n = {.name = "n", .created_s = 12};
		struct lease l = {.since = 99}, untouched = l;
		char got[900], text[LEASE_STRLEN] = "";
		struct err err = {""};
		int r;

		node_set_cidrs(&n, &rows[i].cidrs);
		node_set_anns(&n, rows[i].anns);
		r = kube_lease_decode(&n, &l, &err);
		if (r == KUBE_LEASE_WHOLE || r == KUBE_LEASE_HALF) {
			lease_format(&l, text);
			assert_int_equal(l.since, 12);
		} else {
			assert_memory_equal(&l, &untouched, sizeof(l));
		}
		snprintf(got, sizeof(got), "%d %s%s%s", r, text, err.text[0] ? " | " : "",
			 err.text);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: got\n%s, want\n%s", i, got, rows[i].want);
	}
}

static void what_was_cut_is_never_used(void **state _unused_)
{
	const char *const anns[KUBE_ANN__COUNT] = {[KUBE_ANN_BACKEND_DATA] = TOO_LONG};
	struct kube_node n = {.name = "n", .pod_cidr = "10.244.1.0/24"};
	struct lease l = {0};
	struct err err = {""};

	node_set_anns(&n, anns);
	assert_int_equal(kube_lease_decode(&n, &l, &err), -EINVAL);
	assert_string_equal(err.text, "node \"n\": backend-data: too long: \"\"");
}

/* The networks of a Node whose metadata alone was read. */
static void takes_networks_from_elsewhere(void **state _unused_)
{
	const char *const anns[KUBE_ANN__COUNT] = {0};
	struct kube_node n = {.name = "n", .metadata_only = true, .created_s = -1};
	struct cidr subnet, subnet6;
	char text[LEASE_STRLEN];
	struct lease l;

	node_set_anns(&n, anns);
	assert_int_equal(kube_lease_cidrs(&n, &subnet, &subnet6, NULL), KUBE_LEASE_UNASSIGNED);
	assert_true(cidr_parse("10.244.1.0/24", &subnet));
	assert_true(cidr_parse("fd00:244:1::/64", &subnet6));
	assert_int_equal(kube_lease_of(&n, &subnet, &subnet6, &l, NULL), KUBE_LEASE_WHOLE);
	assert_string_equal(lease_format(&l, text), V4 ", " V6);
	assert_int_equal(l.since, 0);
	kube_anns_set(&n.anns, KUBE_ANN_SUBNET_MANAGER, "false");
	assert_int_equal(kube_lease_of(&n, &subnet, &subnet6, &l, NULL), KUBE_LEASE_IGNORED);
}

/* All ten, as "suffix=value ". */
static void print_anns(const struct kube_anns *a, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size_bytes = size};

	buf[0] = '\0';
	for (unsigned i = 0; i < KUBE_ANN__COUNT; i++)
		if (kube_anns_get(a, (enum kube_ann)i))
			text_add(&t, "%s=%s ", kube_ann_suffixes[i], a->value[i]);
}

static void publishes_what_flannel_would(void **state _unused_)
{
	struct kube_anns have = {0}, anns;
	char got[600];
	struct lease l = {
		.type = BACKEND_VXLAN,
		.public_ip = ip_from_v4(0xc0a84001),
		.vtep_mac = {{0xc6, 0xd2, 0x32, 0x6f, 0x8f, 0x44}},
	};

	kube_lease_annotations(&l, 1, &have, &anns);
	print_anns(&anns, got, sizeof(got));
	assert_string_equal(got, "kube-subnet-manager=true backend-type=vxlan backend-data=" DATA
				 " public-ip=192.168.64.1 ");
	assert_true(ip_parse("fd00:64::1", &l.public_ip6));
	l.vtep_mac6 = (struct mac){{0xc6, 0xd2, 0x32, 0x6f, 0x8f, 0x45}};
	kube_anns_set(&have, KUBE_ANN_PUBLIC_IP_OVERWRITE, "203.0.113.9");
	kube_anns_set(&have, KUBE_ANN_PUBLIC_IPV6_OVERWRITE, "");
	kube_lease_annotations(&l, 1, &have, &anns);
	print_anns(&anns, got, sizeof(got));
	assert_string_equal(got, "kube-subnet-manager=true backend-type=vxlan backend-data=" DATA
				 " backend-v6-data=" DATA6
				 " public-ip=203.0.113.9 public-ipv6=fd00:64::1 ");
	/* IPv6 alone says nothing of IPv4. */
	l.vtep_mac = (struct mac){0};
	kube_lease_annotations(&l, 1, &have, &anns);
	assert_null(kube_anns_get(&anns, KUBE_ANN_PUBLIC_IP));
	assert_null(kube_anns_get(&anns, KUBE_ANN_BACKEND_DATA));
}

/* Whose published address is the operator's word: of a peer, and of ourselves at 192.168.0.1. */
static void knows_overwrites(void **state _unused_)
{
	static const struct {
		const char *value; /* NULL = absent */
		bool peers, ours;
	} words[] = {
		{NULL, false, false},	     {"", false, false},       {"192.168.0.1", true, false},
		{"203.0.113.9", true, true}, {"nonsense", true, true},
	};
	struct cidr subnet, subnet6;
	struct ip ours;

	assert_true(cidr_parse("10.244.1.0/24", &subnet));
	assert_true(cidr_parse("fd00:244:1::/64", &subnet6));
	assert_true(ip_parse("192.168.0.1", &ours));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct kube_node n = {.name = "n"};
		struct lease l;
		struct err err;

		kube_anns_set(&n.anns, KUBE_ANN_SUBNET_MANAGER, "true");
		kube_anns_set(&n.anns, KUBE_ANN_BACKEND_TYPE, "vxlan");
		kube_anns_set(&n.anns, KUBE_ANN_PUBLIC_IP, "192.168.0.7");
		kube_anns_set(&n.anns, KUBE_ANN_PUBLIC_IPV6, "2001:db8::7");
		kube_anns_set(&n.anns, KUBE_ANN_BACKEND_DATA,
			      "{\"VtepMAC\":\"02:00:00:00:00:01\"}");
		kube_anns_set(&n.anns, KUBE_ANN_BACKEND_V6_DATA,
			      "{\"VtepMAC\":\"02:00:00:00:00:02\"}");
		if (words[i].value)
			kube_anns_set(&n.anns, KUBE_ANN_PUBLIC_IP_OVERWRITE, words[i].value);
		assert_int_equal(kube_lease_of(&n, &subnet, &subnet6, &l, &err), 0);
		assert_int_equal(l.overwritten, words[i].peers);
		assert_false(l.overwritten6);
		assert_int_equal(kube_lease_is_overwritten(&n.anns, false, &ours), words[i].ours);
		assert_false(kube_lease_is_overwritten(&n.anns, true, &ours));
		kube_anns_set(&n.anns, KUBE_ANN_PUBLIC_IPV6_OVERWRITE, "2001:db8::8");
		assert_int_equal(kube_lease_of(&n, &subnet, &subnet6, &l, &err), 0);
		assert_true(l.overwritten6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_overwrites),
		cmocka_unit_test(reads_networks),
		cmocka_unit_test(reads_leases),
		cmocka_unit_test(what_was_cut_is_never_used),
		cmocka_unit_test(takes_networks_from_elsewhere),
		cmocka_unit_test(publishes_what_flannel_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
