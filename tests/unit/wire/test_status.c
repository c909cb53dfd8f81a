/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define NOW_MS 1000000

static struct cidr net(const char *text)
{
	struct cidr c = {0};

	assert_true(cidr_parse(text, &c));
	return c;
}

static struct ip addr(const char *text)
{
	struct ip ip = {0};

	assert_true(ip_parse(text, &ip));
	return ip;
}

static struct status running(void)
{
	struct status s = {
		.ready = READY_YES,
		.have_config = true,
		.config = netconf_defaults(),
		.uplink = {.ifindex = 2, .name = "eth0", .mtu_bytes = 1500, .up = true},
		.have_lease = true,
		.lease_expires_s = 86000,
		.source_up = true,
		.source = "etcd http://192.0.2.9:2379",
		.n_peers = 2,
		.n_verified = 2,
		.generation = 17,
		.verified_generation = 17,
		.verified_at_ms = NOW_MS - 1250,
		.now_ms = NOW_MS,
		.started_ms = NOW_MS - 300000,
		.source_seen_ms = NOW_MS,
		.n_repairs = 1,
		.n_refused = 3,
		.n_heals = 2,
		.heals = {{.kind = OBJECT_LINK}, {.kind = OBJECT_ROUTE, .actor = "ip\n\"", .n = 4}},
		.n_contested = {[OBJECT_ROUTE] = 5},
		.requests = {2, {{200, 8}, {0, 1}}},
		.rss_bytes = 3 << 20,
		.n_recent = 1,
		.overlay_mtu_bytes = 1450,
		.vtep_mac = {{2, 0, 0, 0, 0, 1}},
	};

	s.config.network = net("10.244.0.0/16");
	s.config.backend = BACKEND_VXLAN;
	s.own.subnet = net("10.244.1.0/24");
	s.uplink.ip = s.uplink.public_ip = addr("192.0.2.1");
	s.recent[0] = (struct repair){
		.at_ms = NOW_MS - 12000,
		.n_ops = 3,
		.what = "route.add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink",
		.who = {.pid = 812, .comm = "ip\n\xff\"", .unit = "session-3.scope"},
	};
	return s;
}

static void json_has_the_facts(void **state)
{
	struct status s = running();
	char *text = status_encode(&s);
	json_t *o = json_loads(text, 0, NULL), *repair;

	(void)state;
	assert_non_null(o);
	assert_true(json_is_true(json_object_get(o, "ready")));
	assert_string_equal(json_string_value(json_object_get(o, "network")), "10.244.0.0/16");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(o, "lease"), "subnet")),
		"10.244.1.0/24");
	assert_string_equal(json_string_value(json_object_get(json_object_get(o, "uplink"), "ip")),
			    "192.0.2.1");
	assert_int_equal(json_integer_value(json_object_get(o, "peers_verified")), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "verified_age_ms")), 1250);
	repair = json_array_get(json_object_get(o, "recent_repairs"), 0);
	assert_string_equal(json_string_value(json_object_get(repair, "comm")),
			    "ip\\x0a\\xff\\x22");
	assert_int_equal(json_integer_value(json_object_get(o, "peers_refused")), 3);
	assert_int_equal(json_array_size(json_object_get(o, "heals")), 1);
	repair = json_array_get(json_object_get(o, "heals"), 0);
	assert_string_equal(json_string_value(json_object_get(repair, "kind")), "route");
	assert_string_equal(json_string_value(json_object_get(repair, "by")), "ip\\x0a\\x22");
	assert_int_equal(json_integer_value(json_object_get(repair, "n")), 4);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(o, "contested"), "route")), 5);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(o, "source"), "seen_age_ms")),
		0);
	assert_int_equal(json_integer_value(json_object_get(o, "rss_bytes")), 3 << 20);
	repair = json_object_get(o, "api_requests");
	assert_int_equal(json_integer_value(json_object_get(repair, "200")), 8);
	assert_int_equal(json_integer_value(json_object_get(repair, "none")), 1);
	json_decref(o);
	free(text);
}

static void nothing_known_is_null(void **state)
{
	struct status s = {.problem = "no config", .notes = "one\n\ntwo\n"};
	char *text = status_encode(&s);
	json_t *o = json_loads(text, 0, NULL);

	(void)state;
	assert_true(json_is_false(json_object_get(o, "ready")));
	for (size_t i = 0; i < 5; i++)
		assert_true(json_is_null(
			json_object_get(o, (const char *[]){"network", "lease", "uplink", "backend",
							    "verified_age_ms"}[i])));
	assert_int_equal(json_array_size(json_object_get(o, "notes")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "notes"), 1)),
			    "two");
	json_decref(o);
	free(text);
}

static void screen_when_ready(void **state)
{
	struct status s = running();
	char screen[4096] = "";
	struct text t = TEXT(screen);

	(void)state;
	status_format(&s, &t);
	assert_string_equal(
		screen,
		"READY      the kernel equalled the plan 1.2 s ago\n"
		"subnet     10.244.1.0/24, leased for 23 h 53 min, network 10.244.0.0/16\n"
		"source     etcd http://192.0.2.9:2379, answers\n"
		"uplink     eth0, 192.0.2.1, MTU 1500\n"
		"backend    vxlan, VNI 1, port 8472, MTU 1450, MAC 02:00:00:00:00:01\n"
		"peers      2, 2 of them verified\n"
		"repairs    1 since start 5 min ago; latest first:\n"
		"           12 s ago: route.add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink "
		"and 2 more; by ip\\x0a\\xff\\x22 (pid 812, session-3.scope)\n");
}

static void screen_when_not(void **state)
{
	struct status s = {
		.problem = "etcd does not answer: Connection refused",
		.notes = "firewalld may drop packets\nrun: firewall-cmd …\n",
		.source = "etcd http://192.0.2.9:2379",
		.now_ms = NOW_MS,
		.started_ms = NOW_MS - 9000,
	};
	char screen[4096] = "";
	struct text t = TEXT(screen);

	(void)state;
	status_format(&s, &t);
	assert_string_equal(screen, "NOT READY  etcd does not answer: Connection refused\n"
				    "note       firewalld may drop packets\n"
				    "           run: firewall-cmd …\n"
				    "subnet     none yet\n"
				    "source     etcd http://192.0.2.9:2379, DOES NOT ANSWER\n"
				    "uplink     none yet\n"
				    "peers      0, 0 of them verified\n"
				    "repairs    0 since start 9.0 s ago\n");
}

static const char *screen_of(const struct status *s)
{
	static char screen[4096];
	struct text t = TEXT(screen);

	screen[0] = '\0';
	status_format(s, &t);
	return screen;
}

/* The line that begins with `label`, without it. */
static const char *line_of(const char *screen, const char *label)
{
	static char line[400];
	const size_t n = strlen(label);

	for (const char *at = screen; *at; at += strcspn(at, "\n") + 1) {
		if (strncmp(at, label, n) != 0 || at[n] != ' ')
			continue;
		at += n + strspn(at + n, " ");
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		return line;
	}
	return "(no such line)";
}

/* Two families, a NAT in front of both, and a lease without end. */
static void screen_of_two_families(void **state)
{
	struct status s = running();
	const char *screen;

	(void)state;
	s.config.ipv6 = true;
	s.config.network6 = net("fd00:10::/48");
	s.own.subnet6 = net("fd00:10:0:1::/64");
	s.lease_expires_s = -1;
	s.uplink.public_ip = addr("203.0.113.7");
	s.uplink.ip6 = addr("2001:db8::1");
	s.uplink.public_ip6 = addr("2001:db8::7");
	s.uplink.up = false;
	s.overlay_mtu6_bytes = 1430;
	s.vtep_mac6 = (struct mac){{2, 0, 0, 0, 0, 6}};
	s.config.vxlan.port = 0;
	strcpy(s.recalled, "2026-01-02 03:04:05Z");
	strcpy(s.problem, "IPv6: eth0 has no address");
	screen = screen_of(&s);
	assert_string_equal(line_of(screen, "problem"), "IPv6: eth0 has no address");
	assert_string_equal(line_of(screen, "subnet"),
			    "10.244.1.0/24 and fd00:10:0:1::/64, reserved without end, "
			    "network 10.244.0.0/16 and fd00:10::/48");
	s.own.node = 7;
	assert_string_equal(line_of(screen_of(&s), "subnet"),
			    "10.244.1.0/24 and fd00:10:0:1::/64, podCIDR of our Node, "
			    "network 10.244.0.0/16 and fd00:10::/48");
	assert_string_equal(line_of(screen, "uplink"),
			    "eth0 (DOWN), 192.0.2.1, advertised as 203.0.113.7, 2001:db8::1, "
			    "advertised as 2001:db8::7, MTU 1500");
	assert_string_equal(line_of(screen, "backend"),
			    "vxlan, VNI 1, port 8472, MTU 1450, MAC 02:00:00:00:00:01; "
			    "IPv6: MTU 1430, MAC 02:00:00:00:00:06");
	assert_string_equal(line_of(screen, "peers"),
			    "2, 2 of them verified; from disk, as of 2026-01-02 03:04:05Z");
}

static void screen_of_ipv6_alone(void **state)
{
	struct status s = running();
	const char *screen;

	(void)state;
	s.config.ipv4 = false;
	s.config.ipv6 = true;
	s.config.network6 = net("fd00:10::/48");
	s.own.subnet = (struct cidr){0};
	s.own.subnet6 = net("fd00:10:0:1::/64");
	s.own.node = 7;
	s.uplink.ip = s.uplink.public_ip = (struct ip){0};
	s.uplink.ip6 = s.uplink.public_ip6 = addr("2001:db8::1");
	s.overlay_mtu6_bytes = 1430;
	s.vtep_mac = (struct mac){0};
	s.vtep_mac6 = (struct mac){{2, 0, 0, 0, 0, 6}};
	screen = screen_of(&s);
	assert_string_equal(line_of(screen, "subnet"),
			    "fd00:10:0:1::/64, podCIDR of our Node, network fd00:10::/48");
	assert_string_equal(line_of(screen, "uplink"), "eth0, 2001:db8::1, MTU 1500");
	assert_string_equal(
		line_of(screen, "backend"),
		"vxlan, VNI 1, port 8472, MTU 1450; IPv6: MTU 1430, MAC 02:00:00:00:00:06");
}

/* Before anything is chosen. */
static void screen_without_details(void **state)
{
	struct status s = {
		.have_config = true,
		.config = netconf_defaults(),
		.now_ms = NOW_MS,
		.started_ms = NOW_MS,
		.n_recent = 3,
		.recent = {{.at_ms = NOW_MS, .n_ops = 1, .what = "one"},
			   {.at_ms = NOW_MS, .n_ops = 2, .what = "two", .who = {.comm = "nft"}},
			   {.at_ms = NOW_MS, .n_ops = 1, .what = "three", .who = {.pid = 9}}},
	};
	const char *screen = screen_of(&s);

	(void)state;
	assert_string_equal(line_of(screen, "NOT READY"), "not verified yet");
	assert_string_equal(line_of(screen, "source"), "none, DOES NOT ANSWER");
	assert_string_equal(line_of(screen, "backend"), backend_type_names[s.config.backend]);
	assert_non_null(strstr(screen, "ago: one\n"));
	assert_non_null(strstr(screen, "ago: two and 1 more; by nft (pid 0)\n"));
	assert_non_null(strstr(screen, "ago: three; by  (pid 9)\n"));
}

static void durations_are_rounded_to_what_matters(void **state)
{
	static const struct {
		uint64_t ms;
		const char *want;
	} cases[] = {
		{0, "0.0 s"},		{9999, "9.9 s"},
		{10000, "10 s"},	{119999, "119 s"},
		{120000, "2 min"},	{7199999, "119 min"},
		{7200000, "2 h 0 min"}, {172799999, "47 h 59 min"},
		{172800000, "2 d 0 h"}, {31535999999, "364 d 23 h"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct status s = running();
		char want[80];

		s.now_ms = 40000000000;
		s.verified_at_ms = s.now_ms - cases[i].ms;
		snprintf(want, sizeof(want), "the kernel equalled the plan %s ago", cases[i].want);
		assert_string_equal(line_of(screen_of(&s), "READY"), want);
	}
}

static void json_of_two_families(void **state)
{
	struct status s = running();
	json_t *o, *part;
	char *text;

	(void)state;
	s.config.ipv6 = true;
	s.config.network6 = net("fd00:10::/48");
	s.own.subnet6 = net("fd00:10:0:1::/64");
	s.lease_expires_s = -1;
	s.overlay_mtu6_bytes = 1430;
	s.vtep_mac6 = (struct mac){{2, 0, 0, 0, 0, 6}};
	strcpy(s.recalled, "2026-01-02 03:04:05Z");
	s.families[FAMILY_V4] = (struct status_family){.enabled = true, .works = true};
	s.families[FAMILY_V6] = (struct status_family){.enabled = true, .problem = "no address"};
	text = status_encode(&s);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "network6")), "fd00:10::/48");
	assert_string_equal(json_string_value(json_object_get(o, "from_disk_of")),
			    "2026-01-02 03:04:05Z");
	part = json_object_get(o, "lease");
	assert_string_equal(json_string_value(json_object_get(part, "subnet6")),
			    "fd00:10:0:1::/64");
	assert_true(json_is_null(json_object_get(part, "expires_s")));
	part = json_object_get(o, "backend");
	assert_int_equal(json_integer_value(json_object_get(part, "mtu6")), 1430);
	assert_string_equal(json_string_value(json_object_get(part, "vtep_mac6")),
			    "02:00:00:00:00:06");
	part = json_object_get(o, "families");
	assert_true(json_is_true(json_object_get(json_object_get(part, "ipv4"), "works")));
	part = json_object_get(part, "ipv6");
	assert_true(json_is_true(json_object_get(part, "enabled")));
	assert_true(json_is_false(json_object_get(part, "works")));
	assert_string_equal(json_string_value(json_object_get(part, "problem")), "no address");
	json_decref(o);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_the_facts),
		cmocka_unit_test(nothing_known_is_null),
		cmocka_unit_test(screen_when_ready),
		cmocka_unit_test(screen_when_not),
		cmocka_unit_test(screen_of_two_families),
		cmocka_unit_test(screen_of_ipv6_alone),
		cmocka_unit_test(screen_without_details),
		cmocka_unit_test(durations_are_rounded_to_what_matters),
		cmocka_unit_test(json_of_two_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
