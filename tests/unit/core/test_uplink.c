/* SPDX-License-Identifier: Apache-2.0 */
#include "core/uplink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ip ip(const char *text)
{
	struct ip i = {0};

	if (text && !ip_parse(text, &i))
		fail_msg("%s", text);
	return i;
}

static void add_addr(struct iface *iface, const char *text)
{
	struct iface_addr *a = &iface->addrs[iface->n_addrs++];

	a->permanent = true;
	a->cidr = (struct cidr){.ip = ip(text), .len = 24};
}

/* A host with a bit of everything. */
enum {
	LO,
	ETH0,
	ETH1,
	TUN,
	N_IFACES,
};

struct host {
	struct iface ifaces[N_IFACES];
	struct iface_facts facts;
};

static void host_init(struct host *h)
{
	static const char *const names[N_IFACES] = {"lo", "eth0", "eth1", "tun0"};

	memset(h, 0, sizeof(*h));
	for (uint32_t i = 0; i < N_IFACES; i++) {
		h->ifaces[i].ifindex = i + 1;
		h->ifaces[i].mtu_bytes = 1500;
		h->ifaces[i].up = true;
		text_copy(h->ifaces[i].name, sizeof(h->ifaces[i].name), names[i]);
	}
	add_addr(&h->ifaces[LO], "127.0.0.1");
	add_addr(&h->ifaces[LO], "::1");
	add_addr(&h->ifaces[ETH0], "169.254.9.9");
	add_addr(&h->ifaces[ETH0], "192.168.0.1");
	add_addr(&h->ifaces[ETH0], "192.168.0.2");
	add_addr(&h->ifaces[ETH0], "fe80::1");
	add_addr(&h->ifaces[ETH0], "2001:db8::1");
	add_addr(&h->ifaces[ETH1], "10.1.0.1");
	h->facts = (struct iface_facts){
		.ifaces = h->ifaces,
		.n_ifaces = N_IFACES,
		.default_ifindex = ETH0 + 1,
		.default_ifindex6 = ETH0 + 1,
	};
}

/* Stands for a regular expression: the pattern occurs in the text. */
static bool match(void *arg, size_t i, const char *text)
{
	const struct uplink_policy *p = arg;

	return strstr(text, p->regexes[i]) != NULL;
}

struct row {
	const char *ifaces[3], *regexes[3];
	const char *can_reach, *public_ip, *public_ip6;
	bool dual, v6_only;
	/* What is chosen … */
	const char *name, *ip, *ip6, *public, *public6;
	/* … or why nothing is, or one family is not. */
	const char *problem, *lacks;
};

static size_t count(const char *const list[3])
{
	size_t n = 0;

	while (n < 3 && list[n])
		n++;
	return n;
}

static void assert_ip(const struct ip *have, const char *want)
{
	char buf[IP_STRLEN];

	assert_string_equal(ip_format(have, buf), want ? want : "-");
}

static void check_row(const struct host *h, const struct row *row)
{
	struct uplink_policy p = {
		.ifaces = row->ifaces,
		.n_ifaces = count(row->ifaces),
		.regexes = row->regexes,
		.n_regexes = count(row->regexes),
		.match = match,
		.can_reach = ip(row->can_reach),
		.public_ip = ip(row->public_ip),
		.public_ip6 = ip(row->public_ip6),
		.ipv4 = !row->v6_only,
		.ipv6 = row->dual || row->v6_only,
	};
	struct uplink u = {.ifindex = 77};
	struct err err = {0};
	int r;

	p.match_arg = &p;
	r = uplink_choose(&p, &h->facts, &u, &err);
	if (row->problem) {
		assert_int_equal(r, 1);
		assert_string_equal(err.text, row->problem);
		assert_int_equal(u.ifindex, 77); /* untouched */
		return;
	}
	if (r != (row->lacks ? UPLINK_HALF : 0))
		fail_msg("%d: %s", r, err.text);
	if (row->lacks)
		assert_string_equal(err.text, row->lacks);
	assert_string_equal(u.name, row->name);
	assert_int_equal(u.mtu_bytes, 1500);
	assert_ip(&u.ip, row->ip);
	assert_ip(&u.ip6, row->ip6);
	assert_ip(&u.public_ip, row->public ? row->public : row->ip);
	assert_ip(&u.public_ip6, row->public6 ? row->public6 : row->ip6);
}

#define THERE_IS                                                                  \
 "; there is lo 127.0.0.1 ::1, eth0 169.254.9.9 192.168.0.1 192.168.0.2 fe80::1 " \
 "2001:db8::1, eth1 10.1.0.1, tun0"

static void test_ways(void **state)
{
	static const struct row rows[] = {
		/* flannel's TestLookupExtIface, and what its source says besides. */
		{.name = "eth0", .ip = "192.168.0.1"},
		{.dual = true, .name = "eth0", .ip = "192.168.0.1", .ip6 = "2001:db8::1"},
		{.v6_only = true, .name = "eth0", .ip6 = "2001:db8::1"},
		{.ifaces = {"eth1"}, .name = "eth1", .ip = "10.1.0.1"},
		{.ifaces = {"192.168.0.2"}, .name = "eth0", .ip = "192.168.0.2"},
		{.ifaces = {"192.168.0.2"},
		 .dual = true,
		 .name = "eth0",
		 .ip = "192.168.0.2",
		 .ip6 = "2001:db8::1"},
		{.ifaces = {"2001:db8::1"},
		 .dual = true,
		 .name = "eth0",
		 .ip = "192.168.0.1",
		 .ip6 = "2001:db8::1"},
		{.ifaces = {"eth9", "eth1"}, .name = "eth1", .ip = "10.1.0.1"},
		{.ifaces = {"tun0", "eth1"}, .name = "eth1", .ip = "10.1.0.1"},
		{.regexes = {"10.1."}, .name = "eth1", .ip = "10.1.0.1"},
		{.regexes = {"0.2"}, .name = "eth0", .ip = "192.168.0.2"},
		{.regexes = {"eth"}, .name = "eth0", .ip = "192.168.0.1"},
		{.regexes = {"1"},
		 .dual = true,
		 .name = "eth0",
		 .ip = "192.168.0.1",
		 .ip6 = "2001:db8::1"},
		{.regexes = {"172.", "eth1"}, .name = "eth1", .ip = "10.1.0.1"},
		{.ifaces = {"eth9"}, .regexes = {"10.1."}, .name = "eth1", .ip = "10.1.0.1"},
		{.can_reach = "10.1.0.9", .name = "eth1", .ip = "10.1.0.1"},
		{.public_ip = "192.168.0.2", .name = "eth0", .ip = "192.168.0.2"},
		{.ifaces = {"eth0"},
		 .public_ip = "203.0.113.7",
		 .name = "eth0",
		 .ip = "192.168.0.1",
		 .public = "203.0.113.7"},
		{.regexes = {"eth0"},
		 .public_ip = "192.168.0.2",
		 .name = "eth0",
		 .ip = "192.168.0.1",
		 .public = "192.168.0.2"},
		/* Nothing suits. */
		{.ifaces = {"eth9", "1.2.3.4"},
		 .regexes = {"wg"},
		 .problem =
			 "--iface eth9: no such interface; --iface 1.2.3.4: no interface has this "
			 "address; --iface-regex wg: matches no address and no name" THERE_IS},
		{.ifaces = {"tun0"},
		 .problem = "--iface tun0: tun0 has no usable IPv4 address" THERE_IS},
		{.ifaces = {"lo"}, .problem = "--iface lo: lo has no usable IPv4 address" THERE_IS},
		/* One family alone. */
		{.ifaces = {"eth1"},
		 .dual = true,
		 .name = "eth1",
		 .ip = "10.1.0.1",
		 .lacks = "--iface eth1: eth1 has no usable IPv6 address"},
		{.ifaces = {"eth1"},
		 .regexes = {"10."},
		 .dual = true,
		 .name = "eth1",
		 .ip = "10.1.0.1",
		 .lacks = "--iface eth1: eth1 has no usable IPv6 address; --iface-regex 10.: "
			  "matches no address and no name"},
		/* Both on the one that has both, though the first named has IPv4. */
		{.ifaces = {"eth1", "eth0"},
		 .dual = true,
		 .name = "eth0",
		 .ip = "192.168.0.1",
		 .ip6 = "2001:db8::1"},
		{.public_ip = "192.168.0.2",
		 .public_ip6 = "2001:db8::1",
		 .dual = true,
		 .name = "eth0",
		 .ip = "192.168.0.2",
		 .ip6 = "2001:db8::1"},
		{.public_ip6 = "2001:db8::1",
		 .dual = true,
		 .name = "eth0",
		 .ip = "192.168.0.1",
		 .ip6 = "2001:db8::1"},
		{.ifaces = {"eth0"},
		 .public_ip6 = "2001:db8:77::7",
		 .dual = true,
		 .name = "eth0",
		 .ip = "192.168.0.1",
		 .ip6 = "2001:db8::1",
		 .public6 = "2001:db8:77::7"},
		{.ifaces = {"10.1.0.1"},
		 .public_ip6 = "2001:db8::1",
		 .dual = true,
		 .name = "eth1",
		 .ip = "10.1.0.1",
		 .lacks = "--iface 10.1.0.1: it is on eth1, --public-ipv6 2001:db8::1 is on eth0, "
			  "they must agree"},
		{.public_ip = "203.0.113.7",
		 .problem = "--public-ip 203.0.113.7: no interface has this address, name the "
			    "interface with --iface to advertise a NAT address" THERE_IS},
	};
	struct host h;

	(void)state;
	host_init(&h);
	h.facts.reach_ifindex = ETH1 + 1;
	h.facts.reach_src = ip("10.1.0.1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(&h, &rows[i]);
}

static void test_nothing_yet(void **state)
{
	struct host h;

	(void)state;
	host_init(&h);
	check_row(&h,
		  &(struct row){.can_reach = "10.9.9.9",
				.problem = "--iface-can-reach 10.9.9.9: the kernel has no route "
					   "there" THERE_IS});
	h.facts.default_ifindex6 = ETH1 + 1;
	check_row(&h, &(struct row){.dual = true,
				    .name = "eth0",
				    .ip = "192.168.0.1",
				    .lacks = "default route: IPv4 uses eth0, IPv6 uses eth1, they "
					     "must agree"});
	h.facts.default_ifindex6 = 0; /* peers may be on the link all the same */
	check_row(&h,
		  &(struct row){
			  .dual = true, .name = "eth0", .ip = "192.168.0.1", .ip6 = "2001:db8::1"});
	h.facts.default_ifindex = 0;
	h.facts.default_ifindex6 = ETH0 + 1;
	check_row(&h,
		  &(struct row){
			  .dual = true, .name = "eth0", .ip = "192.168.0.1", .ip6 = "2001:db8::1"});
	check_row(&h,
		  &(struct row){.problem = "default route: there is none in table main" THERE_IS});
	h.facts.default_multipath = true;
	check_row(&h, &(struct row){.problem = "default route: it names no single interface, use "
					       "--iface" THERE_IS});
	h.facts.n_ifaces = 0;
	check_row(&h, &(struct row){.problem = "default route: it names no single interface, use "
					       "--iface; there is no interface at all"});
}

/* Every link has a link-local address: peers refuse it. */
static void test_halves(void **state)
{
	struct host h;

	(void)state;
	host_init(&h);
	h.ifaces[ETH0].addrs[4].deprecated = true; /* 2001:db8::1 */
	check_row(&h, &(struct row){.dual = true,
				    .name = "eth0",
				    .ip = "192.168.0.1",
				    .lacks = "default route: eth0 has no usable IPv6 address"});
	h.ifaces[ETH0].addrs[4].deprecated = false;
	for (size_t i = 0; i < 3; i++)
		h.ifaces[ETH0].addrs[i].deprecated = true;
	check_row(&h, &(struct row){.dual = true,
				    .name = "eth0",
				    .ip6 = "2001:db8::1",
				    .lacks = "default route: eth0 has no usable IPv4 address"});
}

/* Of all interfaces: forwarding is switched on for the whole host. */
static void test_advertised(void **state)
{
	struct uplink_policy p = {.ipv4 = true, .ipv6 = true};
	struct uplink u;
	struct err err;
	struct host h;

	(void)state;
	host_init(&h);
	h.ifaces[ETH0].advertised = h.ifaces[TUN].advertised = true;
	assert_int_equal(uplink_choose(&p, &h.facts, &u, &err), 0);
	assert_string_equal(u.advertised[0], "eth0");
	assert_string_equal(u.advertised[1], "tun0");
	assert_string_equal(u.advertised[2], "");
	p.ipv6 = false; /* then we do not make a router of it */
	assert_int_equal(uplink_choose(&p, &h.facts, &u, &err), 0);
	assert_string_equal(u.advertised[0], "");
}

/* Before the configuration is read no family is known; found by an agent that lost its default route
 * at that moment. */
static void test_no_family(void **state)
{
	const struct uplink_policy p = {0};
	struct host h;
	struct uplink u;
	struct err err;

	(void)state;
	host_init(&h);
	h.facts.default_ifindex = h.facts.default_ifindex6 = 0;
	assert_int_equal(uplink_choose(&p, &h.facts, &u, &err), 1);
	assert_string_equal(err.text, "neither IPv4 nor IPv6 is enabled");
}

static void test_address_order(void **state)
{
	struct host h;
	struct iface_addr *eth0;

	(void)state;
	host_init(&h);
	eth0 = h.ifaces[ETH0].addrs;
	eth0[1].deprecated = true;
	check_row(&h, &(struct row){.name = "eth0", .ip = "192.168.0.2"});
	eth0[1].deprecated = false;
	eth0[1].temporary = true;
	check_row(&h, &(struct row){.name = "eth0", .ip = "192.168.0.2"});
	eth0[2].permanent = false; /* weighs more than temporary */
	check_row(&h, &(struct row){.name = "eth0", .ip = "192.168.0.1"});
	eth0[1].deprecated = eth0[2].deprecated = true; /* link-local is better than nothing */
	check_row(&h, &(struct row){.name = "eth0", .ip = "169.254.9.9"});
	h.ifaces[ETH0].mtu_bytes = 0;
	check_row(&h, &(struct row){.problem = "default route: eth0 has no MTU" THERE_IS});
}

static bool matches_ten(void *arg, size_t i, const char *text)
{
	(void)arg;
	(void)i;
	return strncmp(text, "10.", 3) == 0 || strcmp(text, "tun0") == 0;
}

static void test_pattern_passes_the_overlay_by(void **state)
{
	static const char *const regexes[] = {"10."};
	struct uplink_policy p = {
		.n_regexes = 1, .regexes = regexes, .match = matches_ten, .ipv4 = true};
	struct uplink u;
	struct err err;
	struct host h;

	(void)state;
	host_init(&h);
	add_addr(&h.ifaces[ETH0], "10.244.1.0");
	assert_int_equal(uplink_choose(&p, &h.facts, &u, &err), 0);
	assert_string_equal(u.name, "eth0");
	h.ifaces[ETH0].overlay = true;
	assert_int_equal(uplink_choose(&p, &h.facts, &u, &err), 0);
	assert_string_equal(u.name, "eth1");
	h.ifaces[ETH1].overlay = true;
	add_addr(&h.ifaces[TUN], "172.16.0.1");
	assert_int_equal(uplink_choose(&p, &h.facts, &u, &err), 0);
	assert_string_equal(u.name, "tun0");
	h.ifaces[TUN].overlay = true;
	assert_int_equal(uplink_choose(&p, &h.facts, &u, &err), 1);
}

/* Who is near is found out for those who ask, and only for them. */
static void test_the_segment_comes_with_direct_routing(void **state)
{
	struct route_fact routes[] = {{.ifindex = ETH0 + 1, .unicast = true, .on_link = true}};

	(void)state;
	assert_true(cidr_parse("192.168.0.0/24", &routes[0].dst));
	for (int direct = 0; direct < 2; direct++) {
		const struct uplink_policy p = {.ipv4 = true, .direct_routing = direct};
		struct uplink u = {0};
		struct host h;

		host_init(&h);
		h.facts.routes = routes;
		h.facts.n_routes = ARRAY_SIZE(routes);
		assert_int_equal(uplink_choose(&p, &h.facts, &u, NULL), 0);
		assert_string_equal(u.name, "eth0");
		assert_int_equal(u.segment.n, direct);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_advertised),
		cmocka_unit_test(test_no_family),
		cmocka_unit_test(test_address_order),
		cmocka_unit_test(test_pattern_passes_the_overlay_by),
		cmocka_unit_test(test_the_segment_comes_with_direct_routing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
