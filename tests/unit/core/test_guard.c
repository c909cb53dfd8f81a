/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/want.h"

static struct ip ip(const char *text)
{
	struct ip i = {0};

	if (*text)
		assert_true(ip_parse(text, &i));
	return i;
}

struct row {
	const char *v4, *v6;
	enum peer_state state;
};

struct scene {
	struct brain_conf conf;
	struct netconf net;
	struct uplink uplink;
	struct peer peers[8];
	struct want_input in;
	struct arena arena;
	struct netstate want;
};

static void fill(struct scene *s, const struct row *rows, size_t n)
{
	memset(s, 0, sizeof(*s));
	s->conf.vxlan_guard = true;
	s->net = netconf_defaults();
	s->uplink.ip = s->uplink.public_ip = ip("192.168.0.1");
	s->uplink.ip6 = s->uplink.public_ip6 = ip("fd00::1");
	for (size_t i = 0; i < n; i++)
		s->peers[i] = (struct peer){
			.lease = {.public_ip = ip(rows[i].v4), .public_ip6 = ip(rows[i].v6)},
			.state = rows[i].state,
			.state6 = rows[i].state};
	s->in = (struct want_input){.conf = &s->conf,
				    .net = &s->net,
				    .uplink = &s->uplink,
				    .peers = s->peers,
				    .n_peers = n};
}

/* Everything, a line each. */
static void assert_want(struct scene *s, const char *lines)
{
	char buf[1000] = "";
	struct text t = TEXT(buf);

	arena_init(&s->arena, 0);
	s->want = (struct netstate){0};
	guard_want(&s->in, &s->arena, &s->want);
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		netstate_sort(&s->want, (enum object_kind)kind);
		for (size_t i = 0; i < s->want.of[kind].n; i++) {
			struct object o = netstate_at(&s->want, (enum object_kind)kind, i);

			object_format(&o, NULL, &t);
			text_add(&t, "\n");
		}
	}
	assert_string_equal(buf, lines);
	arena_fini(&s->arena);
}

static const struct row rows[] = {
	{"192.168.0.4", "fd00::4", PEER_OK},	  {"192.168.0.2", "", PEER_OK},
	{"192.168.0.3", "fd00::3", PEER_REFUSED}, {"192.168.0.4", "fd00::4", PEER_OK},
	{"192.168.0.1", "fd00::1", PEER_OURS},	  {"192.168.0.5", "fd00::5", PEER_OTHER},
};

static void peers_alone_once_each(void **state)
{
	struct scene s;

	(void)state;
	fill(&s, rows, ARRAY_SIZE(rows));
	assert_want(&s, "guard_peer 192.168.0.2\n"
			"guard_peer 192.168.0.4\n"
			"guard ip udp port 8472 from peers alone\n");
	s.net.ipv6 = true;
	s.net.vxlan.port = 4789;
	assert_want(&s, "guard_peer 192.168.0.2\n"
			"guard_peer 192.168.0.4\n"
			"guard_peer fd00::4\n"
			"guard ip udp port 4789 from peers alone\n"
			"guard ip6 udp port 4789 from peers alone\n");
}

static void nobody_is_a_peer_at_first(void **state)
{
	struct scene s;

	(void)state;
	fill(&s, rows, 0);
	assert_want(&s, "guard ip udp port 8472 from peers alone\n");
}

static void none_by_flag_or_behind_nat(void **state)
{
	struct scene s;

	(void)state;
	fill(&s, rows, ARRAY_SIZE(rows));
	s.net.ipv6 = true;
	s.conf.vxlan_guard = false;
	assert_want(&s, "");
	s.conf.vxlan_guard = true;
	s.uplink.public_ip = ip("203.0.113.1");
	assert_want(&s, "guard_peer fd00::4\n"
			"guard ip6 udp port 8472 from peers alone\n");
	assert_false(guard_is_wanted(&s.conf, &s.uplink, false));
	assert_true(guard_is_wanted(&s.conf, &s.uplink, true));
}

static void none_while_somebody_sends_from_who_knows_where(void **state)
{
	struct scene s;

	(void)state;
	fill(&s, rows, ARRAY_SIZE(rows));
	s.net.ipv6 = true;
	s.in.strangers[0] = true;
	assert_want(&s, "guard_peer fd00::4\n"
			"guard ip6 udp port 8472 from peers alone\n");
	s.in.strangers[1] = true;
	assert_want(&s, "");
}

static void its_name_is_no_other_table_s(void **state)
{
	struct brain_conf plain = {0}, x = {.instance = "x"}, peers = {.instance = "peers"};
	char name[FW_NAME_SIZE], table[FW_NAME_SIZE];

	(void)state;
	want_guard_name(&plain, name);
	assert_string_equal(name, "loden_peers");
	want_table_name(&peers, table);
	assert_string_not_equal(name, table);
	want_guard_name(&x, name);
	assert_string_equal(name, "loden-x_peers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peers_alone_once_each),
		cmocka_unit_test(nobody_is_a_peer_at_first),
		cmocka_unit_test(none_by_flag_or_behind_nat),
		cmocka_unit_test(none_while_somebody_sends_from_who_knows_where),
		cmocka_unit_test(its_name_is_no_other_table_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
