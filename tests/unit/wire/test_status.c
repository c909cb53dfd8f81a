/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/status.h"

#include <setjmp.h>
#include <stdarg.h>
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
		.n_repairs = 1,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_the_facts),
		cmocka_unit_test(nothing_known_is_null),
		cmocka_unit_test(screen_when_ready),
		cmocka_unit_test(screen_when_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
