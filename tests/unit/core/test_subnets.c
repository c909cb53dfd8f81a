/* SPDX-License-Identifier: Apache-2.0 */
#include "core/subnets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/backoff.h"

#define N_MANY 20000

static struct cidr cidr(const char *text)
{
	struct cidr c = {0};

	if (text && !cidr_parse(text, &c))
		fail_msg("%s", text);
	return c;
}

static struct ip ip(const char *text)
{
	struct ip i = {0};

	if (text && !ip_parse(text, &i))
		fail_msg("%s", text);
	return i;
}

static struct netconf network(const char *text, uint32_t len, const char *min, const char *max)
{
	struct netconf c = netconf_defaults();
	char buf[300] = "";
	struct text t = TEXT(buf);

	c.backend = BACKEND_VXLAN;
	c.network = cidr(text);
	c.subnet_len = len;
	c.subnet_min = ip(min);
	c.subnet_max = ip(max);
	if (netconf_derive(&c, &t) != 0)
		fail_msg("%s", buf);
	return c;
}

static struct subnets_entry entry(const char *subnet, const char *public_ip)
{
	struct subnets_entry e = {
		.lease = {.subnet = cidr(subnet),
			  .public_ip = ip(public_ip),
			  .type = BACKEND_VXLAN},
	};

	return e;
}

static void assert_choice(const struct subnets_input *in, enum subnets_verdict verdict,
			  const char *subnet, const char *why)
{
	struct subnets_choice c;
	char buf[CIDR_STRLEN];

	subnets_choose(in, &c);
	assert_string_equal(c.why, why);
	assert_int_equal(c.verdict, verdict);
	if (subnet)
		assert_string_equal(cidr_format(&c.subnet, buf), subnet);
}

/* flannel's TestAcquireLease: a new one in range, the same again, the previous one, no foreign one. */
static void test_reuse_own_by_public_ip(void **state)
{
	struct netconf net = network("10.3.0.0/16", 0, NULL, NULL);
	struct subnets_entry entries[] = {
		entry("10.3.1.0/24", "192.168.0.9"),
		entry("10.3.7.0/24", "192.168.0.1"),
		entry("10.3.9.0/24", "192.168.0.1"),
	};
	struct subnets_input in = {
		.net = &net,
		.entries = entries,
		.n_entries = ARRAY_SIZE(entries),
		.public_ip = ip("192.168.0.1"),
		.previous = cidr("10.3.4.0/24"),
	};
	struct subnets_choice c;

	(void)state;
	assert_choice(&in, SUBNETS_REUSE, "10.3.7.0/24",
		      "lease 10.3.7.0/24 carries our public IP 192.168.0.1");
	in.previous = cidr("10.3.9.0/24"); /* two of ours: the one that pods knew */
	assert_choice(&in, SUBNETS_REUSE, "10.3.9.0/24",
		      "lease 10.3.9.0/24 carries our public IP 192.168.0.1");
	entries[2].reservation = true;
	assert_choice(&in, SUBNETS_REUSE, "10.3.9.0/24",
		      "reservation 10.3.9.0/24 carries our public IP 192.168.0.1");
	subnets_choose(&in, &c);
	assert_true(c.reservation);
	assert_int_equal(c.index, 2);
	assert_false(c.drop_stale);
}

static void test_previous_is_a_preference(void **state)
{
	struct netconf net = network("10.3.0.0/16", 0, "10.3.4.0", "10.3.4.0");
	struct subnets_entry other = entry("10.3.4.0/25", "192.168.0.9");
	struct subnets_input in = {
		.net = &net,
		.public_ip = ip("192.168.0.1"),
		.previous = cidr("10.3.4.0/24"),
	};

	(void)state;
	assert_choice(&in, SUBNETS_CREATE, "10.3.4.0/24",
		      "10.3.4.0/24 was ours before and is free");
	in.previous = cidr("10.3.3.0/24"); /* below SubnetMin */
	assert_choice(&in, SUBNETS_CREATE, "10.3.4.0/24",
		      "picked one of 1 free /24 from 10.3.4.0 to 10.3.4.0");
	in.previous = cidr("10.3.4.0/25"); /* another length */
	assert_choice(&in, SUBNETS_CREATE, "10.3.4.0/24",
		      "picked one of 1 free /24 from 10.3.4.0 to 10.3.4.0");
	in.previous = cidr("10.3.4.0/24");
	in.entries = &other;
	in.n_entries = 1;
	assert_choice(&in, SUBNETS_FULL, NULL,
		      "out of subnets: every /24 from 10.3.4.0 to 10.3.4.0 is taken");
}

/* flannel's TestConfigChanged: our lease no longer fits and is replaced. */
static void test_stale_lease_is_dropped(void **state)
{
	struct netconf net = network("10.4.0.0/16", 0, NULL, NULL);
	struct subnets_entry entries[] = {
		entry("10.3.7.0/24", "192.168.0.1"),
		entry("10.4.7.0/25", "192.168.0.1"),
	};
	struct subnets_input in = {
		.net = &net,
		.entries = entries,
		.n_entries = ARRAY_SIZE(entries),
		.public_ip = ip("192.168.0.1"),
		.previous = cidr("10.3.7.0/24"),
	};
	struct subnets_choice c;

	(void)state;
	subnets_choose(&in, &c);
	assert_int_equal(c.verdict, SUBNETS_CREATE);
	assert_true(cidr_covers(&net.network, &c.subnet));
	assert_true(c.drop_stale);
	assert_int_equal(c.stale, 0);
	entries[0].reservation = true; /* the operator's: stays */
	subnets_choose(&in, &c);
	assert_true(c.drop_stale);
	assert_int_equal(c.stale, 1);
	entries[1].reservation = true;
	subnets_choose(&in, &c);
	assert_int_equal(c.verdict, SUBNETS_CREATE);
	assert_false(c.drop_stale);
	/* The stale one's addresses are free again. */
	net = network("10.4.0.0/16", 0, "10.4.7.0", "10.4.7.0");
	entries[1].reservation = false;
	assert_choice(&in, SUBNETS_CREATE, "10.4.7.0/24",
		      "picked one of 1 free /24 from 10.4.7.0 to 10.4.7.0");
}

static void test_ipv6_half_must_match_the_config(void **state)
{
	struct netconf net = network("10.3.0.0/16", 0, NULL, NULL);
	struct subnets_entry e = entry("10.3.7.0/24", "192.168.0.1");
	struct subnets_input in = {
		.net = &net, .entries = &e, .n_entries = 1, .public_ip = ip("192.168.0.1")};
	struct subnets_choice c;

	(void)state;
	e.lease.subnet6 = cidr("fd00:10:244:1::/64");
	subnets_choose(&in, &c);
	assert_int_equal(c.verdict, SUBNETS_CREATE);
	net.ipv6 = true;
	net.subnet_len6 = 64;
	net.subnet_min6 = ip("fd00:10:244:1::");
	net.subnet_max6 = ip("fd00:10:244:ff::");
	subnets_choose(&in, &c);
	assert_int_equal(c.verdict, SUBNETS_REUSE);
	e.lease.subnet6 = cidr(NULL); /* we have no IPv6 now: as good as any */
	subnets_choose(&in, &c);
	assert_int_equal(c.verdict, SUBNETS_REUSE);
	in.public_ip = ip("192.168.0.2");
	net.ipv4 = false;
	assert_choice(&in, SUBNETS_FULL, NULL, "leases go by IPv4 subnets, IPv4 is not enabled");
}

static struct netconf dual_network(const char *min6, const char *max6)
{
	struct netconf net = network("10.3.0.0/16", 0, NULL, NULL);
	char buf[300] = "";
	struct text t = TEXT(buf);

	net.ipv6 = true;
	net.network6 = cidr("fd00:10:3::/48");
	net.subnet_min6 = ip(min6);
	net.subnet_max6 = ip(max6);
	if (netconf_derive(&net, &t) != 0)
		fail_msg("%s", buf);
	return net;
}

static void assert_choice6(const struct subnets_input *in, enum subnets_verdict verdict,
			   const char *subnet, const char *subnet6, bool drop_stale)
{
	struct subnets_choice c;
	char buf[CIDR_STRLEN];

	subnets_choose(in, &c);
	if (c.verdict != verdict || c.drop_stale != drop_stale)
		fail_msg("%s, %d: %s", subnets_verdict_names[c.verdict], c.drop_stale, c.why);
	if (subnet)
		assert_string_equal(cidr_format(&c.subnet, buf), subnet);
	assert_string_equal(cidr_format(&c.subnet6, buf), subnet6);
}

/* Each family chooses by itself; a key without IPv6 is taken if there is none here, and exchanged later. */
static void test_both_families(void **state)
{
	struct netconf net = dual_network("fd00:10:3:7::", "fd00:10:3:8::");
	struct subnets_entry entries[] = {
		entry("10.3.7.0/24", "192.168.0.9"),
		entry("10.3.8.0/24", "192.168.0.1"),
	};
	struct subnets_input in = {
		.net = &net, .entries = entries, .n_entries = 1, .public_ip = ip("192.168.0.1")};
	struct subnets_choice c;

	(void)state;
	assert_choice6(&in, SUBNETS_CREATE, NULL, "-", false); /* no public IPv6 address */
	in.public_ip6 = ip("2001:db8::1");
	entries[0].lease.subnet6 = cidr("fd00:10:3:7::/64");
	assert_choice6(&in, SUBNETS_CREATE, NULL, "fd00:10:3:8::/64", false);
	subnets_choose(&in, &c);
	assert_non_null(strstr(c.why, "; IPv6: picked one of 1 free /64 from fd00:10:3:7:: to"));
	in.previous6 = cidr("fd00:10:3:7::/64"); /* somebody has it */
	assert_choice6(&in, SUBNETS_CREATE, NULL, "fd00:10:3:8::/64", false);
	entries[0].lease.public_ip6 = ip("fd00:10:3:8::77"); /* inside what is left */
	assert_choice6(&in, SUBNETS_CREATE, NULL, "-", false);
	subnets_choose(&in, &c);
	assert_non_null(strstr(c.why, "; IPv6: out of IPv6 subnets: every /64 from "));
	entries[0].lease.public_ip6 = ip(NULL);
	net.subnet_min6 = ip("fd00:10:3:1::"); /* room again: by preference the previous one */
	in.previous6 = cidr("fd00:10:3:4::/64");
	assert_choice6(&in, SUBNETS_CREATE, NULL, "fd00:10:3:4::/64", false);

	/* Our own IPv4 subnet stays the same whatever becomes of IPv6. */
	in.n_entries = 2;
	assert_choice6(&in, SUBNETS_CREATE, "10.3.8.0/24", "fd00:10:3:4::/64", true);
	in.held = cidr("10.3.8.0/24");
	assert_choice6(&in, SUBNETS_CREATE, "10.3.8.0/24", "fd00:10:3:4::/64", true);
	in.held6 = cidr("fd00:10:3:5::/64");
	assert_choice6(&in, SUBNETS_CREATE, "10.3.8.0/24", "fd00:10:3:5::/64", true);
	entries[1].lease.subnet6 = cidr("fd00:10:3:5::/64");
	assert_choice6(&in, SUBNETS_REUSE, "10.3.8.0/24", "fd00:10:3:5::/64", false);
	in.public_ip6 = ip(NULL); /* gone since: what we hold stays */
	assert_choice6(&in, SUBNETS_REUSE, "10.3.8.0/24", "fd00:10:3:5::/64", false);
	in.public_ip6 = ip("2001:db8::1");
	entries[1].lease.subnet6 = cidr(NULL);
	entries[0].lease.subnet6 = cidr("fd00:10:3::/48");	       /* somebody else holds all */
	assert_choice6(&in, SUBNETS_REUSE, "10.3.8.0/24", "-", false); /* not worth a new key */
	entries[0].lease.subnet6 = cidr("fd00:10:3:7::/64");
	in.held = in.held6 = cidr(NULL);
	entries[1].reservation = true; /* the operator's word: IPv4 alone, then */
	assert_choice6(&in, SUBNETS_REUSE, "10.3.8.0/24", "-", false);
	entries[1].lease.subnet6 = cidr("fd00:99::/64"); /* does not fit, nor goes */
	subnets_choose(&in, &c);
	assert_int_equal(c.verdict, SUBNETS_CREATE);
	assert_false(c.drop_stale);
}

/* The pool may hold 2^80 subnets, and one lease cover most of it. */
static void test_ipv6_pool_is_wide(void **state)
{
	struct netconf net = dual_network(NULL, NULL);
	struct subnets_entry e = entry("10.3.7.0/24", "192.168.0.9");
	struct subnets_input in = {.net = &net,
				   .entries = &e,
				   .n_entries = 1,
				   .public_ip = ip("192.168.0.1"),
				   .public_ip6 = ip("2001:db8::1")};

	(void)state;
	assert_choice6(&in, SUBNETS_CREATE, NULL, "fd00:10:3:1::/64", false);
	in.seed = 99ull << 32;
	assert_choice6(&in, SUBNETS_CREATE, NULL, "fd00:10:3:64::/64", false);
	in.seed = 0;
	net.network6 = cidr("fd00::/8");
	net.subnet_min6 = ip("fd00::4");
	net.subnet_max6 = ip("fdff:ffff:ffff:ffff:ffff:ffff:ffff:fffc");
	net.subnet_len6 = 126;
	assert_choice6(&in, SUBNETS_CREATE, NULL, "fd00::4/126", false);
	e.lease.subnet6 = cidr("fd00::/10");
	assert_choice6(&in, SUBNETS_CREATE, NULL, "fd40::/126", false);
	e.lease.subnet6 = cidr("fd00::/8");
	assert_choice6(&in, SUBNETS_CREATE, NULL, "-", false);
}

static void test_held_or_nothing(void **state)
{
	struct netconf net = network("10.3.0.0/16", 0, NULL, NULL);
	struct subnets_entry entries[] = {
		entry("10.3.7.0/24", "192.168.0.9"),
		entry("10.3.8.0/24", "192.168.0.1"),
		entry("10.3.9.0/24", "192.168.0.1"),
		entry("10.3.32.0/20", "192.168.0.3"),
	};
	struct subnets_input in = {
		.net = &net,
		.entries = entries,
		.n_entries = ARRAY_SIZE(entries),
		.public_ip = ip("192.168.0.1"),
		.previous = cidr("10.3.8.0/24"),
	};
	struct subnets_choice c;

	(void)state;
	in.held = cidr("10.3.7.0/24");
	assert_choice(&in, SUBNETS_TAKEN, "10.3.7.0/24",
		      "pods use 10.3.7.0/24, but 192.168.0.9 holds 10.3.7.0/24");
	in.held = cidr("10.3.33.0/24");
	assert_choice(&in, SUBNETS_TAKEN, "10.3.33.0/24",
		      "pods use 10.3.33.0/24, but 192.168.0.3 holds 10.3.32.0/20");
	subnets_choose(&in, &c);
	assert_int_equal(c.index, 3);
	in.held = cidr("10.3.9.0/24"); /* not the first of ours, nor the previous */
	assert_choice(&in, SUBNETS_REUSE, "10.3.9.0/24",
		      "pods use 10.3.9.0/24 and it is still ours");
	in.held = cidr("10.3.10.0/24");
	assert_choice(&in, SUBNETS_CREATE, "10.3.10.0/24",
		      "pods use 10.3.10.0/24 and nobody holds it");
	in.held = cidr("10.3.10.0/25");
	assert_choice(
		&in, SUBNETS_CREATE, "10.3.10.0/25",
		"pods use 10.3.10.0/25 and nobody holds it, though it does not fit the config");
	in.held = cidr("10.9.1.0/24");
	assert_choice(&in, SUBNETS_FOREIGN, NULL,
		      "pods use 10.9.1.0/24, which is not in Network 10.3.0.0/16 and not leased: "
		      "another cluster's etcd? Nothing is written there");
	subnets_choose(&in, &c);
	assert_false(c.drop_stale);
}

static void test_no_subnet_around_a_node(void **state)
{
	struct netconf net = network("10.3.0.0/16", 0, "10.3.1.0", "10.3.3.0");
	struct subnets_entry peer = entry("10.3.9.0/24", "10.3.1.77");
	struct subnets_input in = {
		.net = &net, .entries = &peer, .n_entries = 1, .public_ip = ip("10.3.2.5")};

	(void)state;
	assert_choice(&in, SUBNETS_CREATE, "10.3.3.0/24",
		      "picked one of 1 free /24 from 10.3.1.0 to 10.3.3.0");
}

static void test_pick_is_uniform_among_the_first_hundred(void **state)
{
	struct netconf net = network("10.3.0.0/16", 0, NULL, NULL);
	struct subnets_entry e = entry("10.3.2.0/24", "192.168.0.9");
	struct subnets_input in = {
		.net = &net, .entries = &e, .n_entries = 1, .public_ip = ip("192.168.0.1")};
	unsigned seen[256] = {0};
	uint64_t random = 42;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct subnets_choice c;

		in.seed = backoff_random(&random);
		subnets_choose(&in, &c);
		assert_int_equal(c.verdict, SUBNETS_CREATE);
		seen[c.subnet.ip.b[14]]++;
	}
	for (unsigned i = 0; i < 256; i++) {
		bool candidate = i >= 1 && i <= 101 && i != 2;

		if (candidate)
			assert_in_range(seen[i], 130, 270); /* 200 ± 5 sigma */
		else
			assert_int_equal(seen[i], 0);
	}
}

/* Random networks and leases of all lengths: what is chosen is free, in range, aligned, not first. */
static void test_never_overlaps(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct subnets_entry entries[40] = {0};
		struct netconf net = netconf_defaults();
		struct subnets_input in = {.net = &net, .entries = entries};
		struct subnets_choice c;
		char buf[200] = "";
		struct text t = TEXT(buf);

		net.backend = BACKEND_VXLAN;
		net.network = (struct cidr){.ip = ip("10.64.0.0"), .len = 24};
		net.network.len = (uint8_t)(18 + backoff_random(&random) % 7);
		net.subnet_len = net.network.len + 2 + (uint32_t)(backoff_random(&random) % 4);
		assert_int_equal(netconf_derive(&net, &t), 0);
		in.n_entries = backoff_random(&random) % ARRAY_SIZE(entries);
		in.seed = backoff_random(&random);
		for (size_t i = 0; i < in.n_entries; i++) {
			struct cidr s = {
				.ip = ip_add(&net.network.ip, backoff_random(&random) % 16384)};

			s.len = (uint8_t)(20 + backoff_random(&random) % 12);
			entries[i].lease.subnet = cidr_masked(&s);
			entries[i].lease.public_ip = ip("192.168.0.9");
		}
		subnets_choose(&in, &c);
		for (size_t i = 0; i < in.n_entries && c.verdict == SUBNETS_CREATE; i++)
			assert_false(cidr_overlaps(&c.subnet, &entries[i].lease.subnet));
		if (c.verdict == SUBNETS_CREATE) {
			struct cidr masked = cidr_masked(&c.subnet);

			assert_int_equal(c.subnet.len, net.subnet_len);
			assert_true(cidr_eq(&c.subnet, &masked));
			assert_true(cidr_covers(&net.network, &c.subnet));
			assert_true(ip_cmp(&c.subnet.ip, &net.network.ip) > 0);
			continue;
		}
		/* Full: then every candidate is indeed held by someone. */
		assert_int_equal(c.verdict, SUBNETS_FULL);
		for (struct cidr s = {net.subnet_min, (uint8_t)net.subnet_len};
		     ip_cmp(&s.ip, &net.subnet_max) <= 0;
		     s.ip = ip_add(&s.ip, 1u << (32 - s.len))) {
			bool held = false;

			for (size_t i = 0; i < in.n_entries; i++)
				held = held || cidr_overlaps(&s, &entries[i].lease.subnet);
			assert_true(held);
		}
	}
}

static void test_many_leases(void **state)
{
	struct netconf net = network("10.0.0.0/8", 24, NULL, NULL);
	struct subnets_entry *entries = calloc(N_MANY, sizeof(*entries));
	struct subnets_input in = {.net = &net,
				   .entries = entries,
				   .n_entries = N_MANY,
				   .public_ip = ip("192.168.0.1")};
	struct subnets_choice c;

	(void)state;
	assert_non_null(entries);
	for (uint32_t i = 0; i < N_MANY; i++)
		entries[i] = (struct subnets_entry){
			.lease = {.subnet = {ip_from_v4(0x0a000100 + (i << 8)), 24},
				  .public_ip = ip_from_v4(0xac100000 + i)}};
	subnets_choose(&in, &c);
	assert_int_equal(c.verdict, SUBNETS_CREATE);
	assert_int_equal(ip_to_v4(&c.subnet.ip), 0x0a000100 + (N_MANY << 8));

	/* More candidates than one window holds, all of the first taken at once. */
	net = network("10.0.0.0/8", 26, NULL, NULL);
	entries[0] = entry("10.0.0.0/9", "192.168.0.9");
	in.n_entries = 1;
	subnets_choose(&in, &c);
	assert_int_equal(ip_to_v4(&c.subnet.ip), 0x0a800000);
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse_own_by_public_ip),
		cmocka_unit_test(test_previous_is_a_preference),
		cmocka_unit_test(test_stale_lease_is_dropped),
		cmocka_unit_test(test_ipv6_half_must_match_the_config),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_ipv6_pool_is_wide),
		cmocka_unit_test(test_held_or_nothing),
		cmocka_unit_test(test_no_subnet_around_a_node),
		cmocka_unit_test(test_pick_is_uniform_among_the_first_hundred),
		cmocka_unit_test(test_never_overlaps),
		cmocka_unit_test(test_many_leases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
