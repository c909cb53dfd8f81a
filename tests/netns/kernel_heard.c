/* SPDX-License-Identifier: Apache-2.0 */
/* os_ops_kernel's watch on the real kernel: what others change is heard, with who it was; what is not ours,
 * what we do ourselves and what was shown already is not. Each test has a network namespace of its own. */

#include <poll.h>

#include "kernel_test.h"

static int read_notice(struct node *n, struct os_notice *ret)
{
	int fds[OS_WATCH_FDS];

	memset(ret, 0, sizeof(*ret));
	os_ops_kernel.watch_fds(n->os, fds);
	return os_ops_kernel.watch_read(n->os, fds[0], ret);
}

static void quiet(struct node *n)
{
	struct os_notice notice;

	usleep(20000); /* work that the kernel put off: duplicate address detection and the like */
	read_notice(n, &notice);
}

static bool readable(struct node *n)
{
	struct pollfd p = {.events = POLLIN};
	int fds[OS_WATCH_FDS];

	os_ops_kernel.watch_fds(n->os, fds);
	p.fd = fds[0];
	return poll(&p, 1, 0) == 1;
}

static void test_foreign_changes_are_heard(void **state)
{
	static const struct {
		const char *command;
		unsigned kinds;
		bool uplink;
	} cases[] = {
		{"ip route del 10.1.1.0/24", ROUTE, false},
		{"ip route replace 10.1.2.0/24 via 192.168.77.9 dev eth0", ROUTE, false},
		{"ip route prepend 10.1.1.0/24 via 192.168.77.8 dev eth0", ROUTE, false},
		{"ip neigh del 10.1.1.0 dev flannel.1", NEIGH, false},
		{"bridge fdb del 0e:01:00:00:01:00 dev flannel.1 dst 172.16.0.2 self", FDB, false},
		{"ip addr del 10.1.0.0/32 dev flannel.1", RT, false},
		{"ip link set flannel.1 down; ip link set flannel.1 up", RT, false},
		{"ip link set flannel.1 mtu 1300", RT, false},
		{"ip link del cni0", RT, false},
		{"ip link set eth0 mtu 1400", RT, true},
		{"ip addr add 192.168.77.3/24 dev eth0", RT, true},
		{"ip route replace default via 192.168.77.253", 0, true},
		{"echo 0 >/proc/sys/net/ipv4/conf/all/forwarding; "
		 "echo 1 >/proc/sys/net/ipv4/conf/all/forwarding",
		 OBJECT_BIT(OBJECT_SYSCTL), false},
	};
	struct node n;

	(void)state;
	start(&n);
	dump(&n, RT);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct os_notice notice;

		quiet(&n);
		sh(cases[i].command);
		assert_true(readable(&n));
		assert_int_equal(read_notice(&n, &notice), 1);
		if ((notice.kinds & cases[i].kinds) != cases[i].kinds ||
		    notice.uplink != cases[i].uplink || notice.lost)
			fail_msg("%s: kinds %x, wanted %x; uplink %d", cases[i].command,
				 notice.kinds, cases[i].kinds, notice.uplink);
	}
	node_close(&n);
}

static void ignore(void *arg, const struct object *o)
{
	(void)arg;
	(void)o;
}

/* Only what the agent was shown may keep a notification from it: a dump of routes shows no links. */
static void test_a_look_elsewhere_hides_no_link(void **state)
{
	struct iface_facts facts;
	struct os_notice notice;
	struct ip nowhere = {0};
	struct node n;
	const struct os_dump peek = {LINK, ignore, NULL, .peek = true};

	(void)state;
	start(&n);
	dump(&n, RT);
	assert_int_equal(os_ops_kernel.facts(n.os, &nowhere, &n.arena, &facts, NULL), 0);
	quiet(&n);
	sh("ip link set flannel.1 down");
	dump(&n, ROUTE);
	assert_int_equal(read_notice(&n, &notice), 1);
	assert_int_equal(notice.kinds & LINK, LINK);
	sh("ip link set eth0 mtu 1400");
	dump(&n, RT);
	assert_int_equal(read_notice(&n, &notice), 1);
	assert_true(notice.uplink);
	sh("ip link set flannel.1 mtu 1300");
	assert_int_equal(os_ops_kernel.dump(n.os, &peek, &n.taken, NULL), 0);
	assert_int_equal(read_notice(&n, &notice), 1);
	assert_int_equal(notice.kinds & LINK, LINK);

	/* What was shown is no news. */
	sh("ip link set flannel.1 up");
	dump(&n, RT);
	sh("ip link set eth0 mtu 1300");
	assert_int_equal(os_ops_kernel.facts(n.os, &nowhere, &n.arena, &facts, NULL), 0);
	while (read_notice(&n, &notice) == 1) {
		assert_int_equal(notice.kinds & LINK, 0);
		assert_false(notice.uplink);
	}
	node_close(&n);
}

static void test_the_file_is_watched(void **state)
{
	struct envfile first = {"FLANNEL_MTU=1450\n"}, second = {"FLANNEL_MTU=1400\n"};
	struct os_notice notice;
	int fds[OS_WATCH_FDS];
	struct node n;

	(void)state;
	node_open(&n);
	n.names.envfile_path = "/run/loden-test/flannel/subnet.env"; /* the sandbox's own /run */
	os_ops_kernel.set_names(n.os, &n.names);
	os_ops_kernel.watch_fds(n.os, fds);
	apply_one(&n, OP_ADD, OBJECT_ENVFILE, &first, NULL);
	apply_one(&n, OP_SET, OBJECT_ENVFILE, &second, &first);
	assert_int_equal(os_ops_kernel.watch_read(n.os, fds[2], &notice), 0); /* that was us */
	unlink(n.names.envfile_path);
	assert_int_equal(os_ops_kernel.watch_read(n.os, fds[2], &notice), 1);
	assert_int_equal(notice.kinds, OBJECT_BIT(OBJECT_ENVFILE));
	assert_int_equal(os_ops_kernel.watch_read(n.os, fds[2], &notice), 0);
	node_close(&n);
}

static void test_what_is_not_ours_does_not_wake_us(void **state)
{
	static const char *const commands[] = {
		"ip neigh add 192.168.77.50 lladdr 02:00:00:00:00:50 dev eth0",
		"ip route add 172.30.0.0/16 via 192.168.77.9 table 77",
	};
	/* These wake, and are dropped then. */
	static const char *const others[] = {
		"ip route add 172.30.0.0/16 via 192.168.77.9",
		"ip route add 10.1.2.9/32 via 192.168.77.9",
		"ip route replace 172.30.0.0/16 via 192.168.77.8",
		"ip link add z type veth peer name zp",
		"ip addr add 10.77.0.1/24 dev z",
		"ip link set z master cni0",
		"ip nexthop add id 12 via 192.168.77.9 dev eth0",
	};
	struct os_notice notice;
	struct node n;

	(void)state;
	start(&n);
	dump(&n, RT);
	quiet(&n);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		sh(commands[i]);
		if (i == 0)
			assert_false(readable(&n));
		assert_int_equal(read_notice(&n, &notice), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		sh(others[i]);
		if (read_notice(&n, &notice) != 0)
			fail_msg("%s: kinds %x uplink %d", others[i], notice.kinds, notice.uplink);
	}
	node_close(&n);
}

static void test_own_changes_are_not_heard(void **state)
{
	struct os_notice notice;
	struct plan p;
	struct node n;

	(void)state;
	start(&n);
	dump(&n, RT);
	quiet(&n);
	n.want.of[OBJECT_LINK].n = 0;
	n.want.of[OBJECT_ADDR].n = 0;
	p = plan_of(&n, &n.want, OP_DEL);
	apply_ok(&n, &p);
	assert_int_equal(read_notice(&n, &notice), 0);
	p = plan_of(&n, &n.want, OP_ADD);
	apply_ok(&n, &p);
	assert_int_equal(read_notice(&n, &notice), 0);
	/* Deaf only while we write. */
	sh("bridge fdb del 0e:01:00:00:01:00 dev flannel.1 dst 172.16.0.2 self");
	assert_int_equal(read_notice(&n, &notice), 1);
	assert_int_equal(notice.kinds, FDB);
	node_close(&n);
}

static void test_culprit_is_named(void **state)
{
	struct os_notice notice;
	struct node n;
	FILE *f;
	int pid;

	(void)state;
	start(&n);
	quiet(&n);
	/* `ip -batch -` lives until its input ends. */
	f = popen("exec ip -batch -", "w");
	assert_non_null(f);
	fputs("route del 10.1.1.0/24\n", f);
	fflush(f);
	while (!readable(&n))
		usleep(1000);
	assert_int_equal(read_notice(&n, &notice), 1);
	pid = (int)notice.who.pid;
	pclose(f);
	assert_true(pid > 0);
	assert_string_equal(notice.who.comm, "ip");
	/* One that is gone keeps its number at least. */
	sh("ip route del 10.1.2.0/24");
	assert_int_equal(read_notice(&n, &notice), 1);
	assert_true(notice.who.pid > 0 && (int)notice.who.pid != pid);
	node_close(&n);
}

static void test_overrun_means_look_at_everything(void **state)
{
	struct os_notice notice;
	struct node n;
	FILE *f;

	(void)state;
	start(&n);
	quiet(&n);
	f = popen("ip -batch -", "w");
	for (int i = 0; i < 8000; i++)
		fprintf(f, "route add 172.%d.%d.0/24 dev eth0 proto static\n", 32 + i / 256,
			i % 256);
	pclose(f);
	assert_int_equal(read_notice(&n, &notice), 1);
	assert_true(notice.lost && notice.uplink);
	assert_int_equal(notice.kinds, OBJECT_ALL);
	assert_int_equal(read_notice(&n, &notice), 0);
	/* Grown: the same flood is now taken whole. */
	f = popen("ip -batch -", "w");
	for (int i = 0; i < 8000; i++)
		fprintf(f, "route del 172.%d.%d.0/24\n", 32 + i / 256, i % 256);
	pclose(f);
	assert_int_equal(read_notice(&n, &notice), 0);
	node_close(&n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign_changes_are_heard),
		cmocka_unit_test(test_a_look_elsewhere_hides_no_link),
		cmocka_unit_test(test_the_file_is_watched),
		cmocka_unit_test(test_what_is_not_ours_does_not_wake_us),
		cmocka_unit_test(test_own_changes_are_not_heard),
		cmocka_unit_test(test_culprit_is_named),
		cmocka_unit_test(test_overrun_means_look_at_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
