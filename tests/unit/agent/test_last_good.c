/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/last_good.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/leases.h"
#include "os/file.h"
#include "wire/netconf.h"
#include "wire/peers_file.h"

static char root[40], state_dir[60], run_dir[60], subnet_file[60], path[80], other[80];

struct node {
	struct opts opts;
	struct loop *loop;
	struct brain *brain;
	struct last_good *good;
};

static int setup(void **state)
{
	static struct node n;
	const struct brain_conf conf = {.seed = 1, .audit_ms = 30000, .bridge_name = "cni0"};
	char name[] = "x", *argv[] = {name, NULL};

	strcpy(root, "/tmp/test_last_good_XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s/state", root);
	snprintf(run_dir, sizeof(run_dir), "%s/run", root);
	snprintf(subnet_file, sizeof(subnet_file), "%s/subnet.env", root);
	snprintf(path, sizeof(path), "%s/" LAST_GOOD_NAME, state_dir);
	snprintf(other, sizeof(other), "%s/" LAST_GOOD_NAME, run_dir);
	n = (struct node){.loop = loop_new(), .brain = brain_new(&conf)};
	if (opts_parse(1, argv, &n.opts, NULL) < 0)
		return -1;
	n.opts.state_dir = state_dir;
	n.opts.run_dir = run_dir;
	n.opts.subnet_file = subnet_file;
	n.good = last_good_new(n.loop, &n.opts, n.brain);
	*state = &n;
	return 0;
}

static void end(struct node *n)
{
	last_good_free(n->good);
	n->good = NULL;
}

static int teardown(void **state)
{
	struct node *n = *state;
	char command[80];

	end(n);
	brain_free(n->brain);
	loop_free(n->loop);
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command) == 0 ? 0 : -1;
}

static void tell(struct node *n, struct event ev)
{
	struct update u;

	ev.now_ms = loop_now_ms(n->loop);
	step(n->brain, &ev, &u);
	last_good_saw(n->good, &ev);
}

static struct lease lease(const char *subnet, const char *ip)
{
	struct lease l = {.type = BACKEND_VXLAN, .vtep_mac = {{2, 0, 0, 0, 0, 1}}};

	assert_true(cidr_parse(subnet, &l.subnet));
	assert_true(ip_parse(ip, &l.public_ip));
	return l;
}

static void tell_config(struct node *n, const char *json)
{
	char complaints[200] = "";
	struct netconf net;

	assert_int_equal(netconf_decode(json, strlen(json), &net, &TEXT(complaints)), 0);
	tell(n, (struct event){.type = EVENT_CONFIG, .config.conf = &net});
}

static void tell_own(struct node *n, int64_t expires_s)
{
	const struct lease own = lease("10.244.7.0/24", "192.168.0.7");

	tell(n, (struct event){.type = EVENT_OWN,
			       .own = {.state = OWN_HELD, .lease = &own, .expires_s = expires_s}});
}

/* All that a source tells, but for our own lease. */
static void tell_all(struct node *n)
{
	const struct lease peers[] = {lease("10.244.1.0/24", "192.168.0.1"),
				      lease("10.244.2.0/24", "192.168.0.2")};

	tell(n, (struct event){.type = EVENT_STORE, .store.id = 77});
	tell_config(n, "{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"vxlan\","
		       "\"VNI\":9}}");
	tell(n, (struct event){.type = EVENT_LEASES, .leases = {peers, ARRAY_SIZE(peers), 0}});
}

static void what_is_kept_is_found(void **state)
{
	struct node *n = *state;
	struct last_good_found f;

	assert_false(last_good_load(&n->opts, &f));
	tell_all(n);
	tell_own(n, 3600);
	end(n);
	assert_true(last_good_load(&n->opts, &f));
	assert_int_equal(f.event.type, EVENT_RECALLED);
	assert_int_equal(f.event.recalled.n, 2);
	assert_true(lease_eq(&f.event.recalled.leases[0],
			     &(struct lease[]){lease("10.244.1.0/24", "192.168.0.1")}[0]));
	assert_int_equal(f.event.recalled.conf->vxlan.vni, 9);
	assert_true(ip_eq(
		&f.event.recalled.own->public_ip,
		&(struct lease[]) { lease("10.244.7.0/24", "192.168.0.7") } -> public_ip));
	assert_in_range(f.event.recalled.expires_s, 3590, 3600);
	assert_int_equal(f.event.recalled.store_id, 77);
	last_good_found_free(&f);
}

/* The source said by which address we are reached: the next start goes by it before the source can say so. */
static void what_was_told_of_us_is_kept(void **state)
{
	struct node *n = *state;
	struct last_good_found f;
	struct ip ip, ip6 = {0};

	assert_true(ip_parse("192.168.0.7", &ip));
	tell_all(n);
	tell_own(n, 3600);
	last_good_told(n->good, &ip, &ip6);
	end(n);
	assert_true(last_good_load(&n->opts, &f));
	assert_true(ip_eq(&f.told_ip, &ip));
	assert_false(ip_is_set(&f.told_ip6));
	last_good_found_free(&f);
}

/* A disk that came from the machine of another Node. */
static void of_another_node_nothing_is_used(void **state)
{
	struct node *n = *state;
	struct last_good_found f;

	n->opts.kube_subnet_mgr = true;
	setenv("NODE_NAME", "a", 1);
	tell_all(n);
	tell_own(n, 3600);
	end(n);
	setenv("NODE_NAME", "b", 1);
	assert_false(last_good_load(&n->opts, &f));
	setenv("NODE_NAME", "a", 1);
	assert_true(last_good_load(&n->opts, &f));
	last_good_found_free(&f);
	unsetenv("NODE_NAME");
}

/* Own lease and peers with all that IPv6 needs. And another IPv6 subnet in subnet.env is as good a reason not
 * to use the file as another IPv4 one; none is none. */
static void both_families_are_kept(void **state)
{
	static const char env4[] = "FLANNEL_SUBNET=10.244.7.1/24\n";
	struct node *n = *state;
	struct lease own = lease("10.244.7.0/24", "192.168.0.7");
	struct last_good_found f;
	char env[200];

	assert_true(cidr_parse("fd00:10:244:7::/64", &own.subnet6));
	assert_true(ip_parse("fd77::7", &own.public_ip6));
	own.vtep_mac6 = (struct mac){{2, 0, 0, 0, 6, 7}};
	tell_all(n);
	tell_config(n, "{\"Network\":\"10.244.0.0/16\",\"EnableIPv6\":true,\"IPv6Network\":"
		       "\"fd00:10:244::/56\",\"Backend\":{\"Type\":\"vxlan\"}}");
	tell(n, (struct event){.type = EVENT_LEASE_PUT, .put.lease = &own});
	tell(n, (struct event){.type = EVENT_OWN,
			       .own = {.state = OWN_HELD, .lease = &own, .expires_s = 60}});
	end(n);
	for (int i = 0; i < 3; i++) {
		snprintf(env, sizeof(env), "%sFLANNEL_IPV6_SUBNET=fd00:10:244:%d::1/64\n", env4,
			 6 + i);
		assert_int_equal(file_replace(subnet_file, i < 2 ? env : env4, NULL), 0);
		assert_int_equal(last_good_load(&n->opts, &f), i > 0);
		if (i == 0)
			continue;
		assert_true(lease_eq(f.event.recalled.own, &own));
		assert_int_equal(f.event.recalled.n, 3);
		assert_true(lease_eq(&f.event.recalled.leases[2], &own));
		assert_true(f.event.recalled.conf->ipv6);
		last_good_found_free(&f);
	}
}

static void nothing_half_known_is_kept(void **state)
{
	struct node *n = *state;
	const struct event lost = {.type = EVENT_OWN,
				   .own = {.state = OWN_LOST, .problem = "lost"}};

	end(n);
	n->good = last_good_new(n->loop, &n->opts, n->brain);
	tell_all(n);
	end(n);
	assert_int_equal(access(path, F_OK), -1); /* no lease of our own */
	n->good = last_good_new(n->loop, &n->opts, n->brain);
	tell_own(n, 3600);
	tell(n, lost);
	end(n);
	assert_int_equal(access(path, F_OK), -1);
	n->good = last_good_new(n->loop, &n->opts, n->brain);
	tell_own(n, 3600);
	end(n);
	assert_int_equal(access(path, F_OK), 0);
}

static void what_is_not_ours_is_not_used(void **state)
{
	struct node *n = *state;
	const struct opts ours = n->opts;
	struct last_good_found f;
	struct opts o = ours;

	tell_all(n);
	tell_own(n, 3600);
	end(n);
	o.etcd_prefix = "/another";
	assert_false(last_good_load(&o, &f));
	o = ours;
	o.etcd_endpoints = "http://10.0.0.1:2379";
	assert_false(last_good_load(&o, &f));
	/* subnet.env, by us or by flanneld, is about what pods use now. */
	assert_int_equal(file_replace(subnet_file, "FLANNEL_SUBNET=10.244.8.1/24\n", NULL), 0);
	assert_false(last_good_load(&ours, &f));
	assert_int_equal(file_replace(subnet_file, "FLANNEL_SUBNET=10.244.7.1/24\n", NULL), 0);
	assert_true(last_good_load(&ours, &f));
	last_good_found_free(&f);
	assert_int_equal(truncate(path, 100), 0);
	assert_false(last_good_load(&ours, &f));
}

/* A disk that cannot be written: into the run directory, and what is there is found. */
static void in_the_run_directory_instead(void **state)
{
	struct node *n = *state;
	struct last_good_found f;
	char text[8];

	assert_int_equal(file_replace(state_dir, "a file", NULL), 0);
	tell_all(n);
	tell_own(n, -1);
	end(n);
	assert_int_equal(access(other, F_OK), 0);
	assert_true(last_good_load(&n->opts, &f));
	assert_int_equal(f.event.recalled.expires_s, -1);
	last_good_found_free(&f);
	assert_int_equal(file_read(state_dir, text, sizeof(text), NULL), 0);
	/* Where it can be written again, the other goes. */
	assert_int_equal(file_remove(state_dir, NULL), 0);
	n->good = last_good_new(n->loop, &n->opts, n->brain);
	tell_own(n, -1);
	end(n);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(other, F_OK), -1);
}

static int into_file(void *arg, const void *bytes, size_t n)
{
	return fwrite(bytes, 1, n, arg) == n ? 0 : -EIO;
}

/* As another run would have, at another time. */
static void plant(const char *at, int64_t written_s, int64_t expires_s, const char *json)
{
	uint8_t *bytes;
	struct peers_file head;
	struct peers_file_out out;
	size_t size;
	FILE *f;

	assert_int_equal(file_load(path, LIMIT_PEERS_FILE_BYTES, &bytes, &size, NULL), 0);
	assert_int_equal(peers_file_decode((struct pb_bytes){bytes, size}, &head, NULL), 0);
	head.written_s = written_s;
	head.own_expires_s = expires_s;
	head.netconf = (struct pb_bytes){(const uint8_t *)json, strlen(json)};
	head.n_leases = 0;
	file_make_parents(at, NULL);
	f = fopen(at, "w");
	assert_non_null(f);
	peers_file_begin(&out, &head, into_file, f);
	assert_int_equal(peers_file_end(&out), 0);
	assert_int_equal(fclose(f), 0);
	free(bytes);
}

#define NET "{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}"

static void times_and_clocks(void **state)
{
	struct node *n = *state;
	const int64_t now_s = (int64_t)time(NULL);

	const struct {
		int64_t written_s, expires_s, low, high; /* found within */
	} rows[] = {
		{now_s - 1000, now_s + 500, 490, 500},
		{now_s - 1000, now_s - 10, 0, 0},	/* it has expired */
		{now_s - 1000, -1, -1, -1},		/* a reservation */
		{now_s + 9000, now_s + 9600, 600, 600}, /* our clock went back */
	};
	struct last_good_found f;

	tell_all(n);
	tell_own(n, 3600);
	end(n);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		plant(path, rows[i].written_s, rows[i].expires_s, NET);
		assert_true(last_good_load(&n->opts, &f));
		assert_true(f.event.recalled.expires_s >= rows[i].low &&
			    f.event.recalled.expires_s <= rows[i].high);
		last_good_found_free(&f);
	}
	/* Of two files the later. */
	plant(other, 1795262400, -1, NET);
	plant(path, 1795262399, -1, NET);
	assert_true(last_good_load(&n->opts, &f));
	assert_string_equal(f.event.recalled.when, "2026-11-21 12:00:00Z");
	last_good_found_free(&f);
	/* A configuration that this version refuses. */
	plant(other, 1795262400, -1, "{\"Network\":\"10.244.0.0/16\"}");
	assert_false(last_good_load(&n->opts, &f));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_told_of_us_is_kept),	 T(of_another_node_nothing_is_used),
		T(what_is_kept_is_found),	 T(both_families_are_kept),
		T(nothing_half_known_is_kept),	 T(what_is_not_ours_is_not_used),
		T(in_the_run_directory_instead), T(times_and_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
