/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_AGENT_OWN_SCENE_H
#define TESTS_UNIT_AGENT_OWN_SCENE_H
/* Our own lease, against an etcd that the test plays: fake_etcd.h stands for the client, and
 * fake_loop.h for time. Each test says what etcd answers and checks what was asked, told and waited for.
 * Included once in a program.
 */
#include "agent/etcd_own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "wire/etcd_lease.h"
#include "wire/netconf.h"

#include "fake_etcd.h"
#include "fake_loop.h"

#define TTL_S	 86400
#define MARGIN_S 3600
#define VALUE(ip_, mac_)                                                    \
 "{\"PublicIP\":\"" ip_ "\",\"PublicIPv6\":null,\"BackendType\":\"vxlan\"," \
 "\"BackendData\":{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:00:" mac_ "\"}}"
#define OURS   VALUE("192.168.0.1", "01")
#define THEIRS VALUE("192.168.0.9", "09")
#define HELD   "held 10.5.77.0/24 expires=86400; "

static struct {
	struct loop loop;
	struct source_conf source;
	struct netconf net;
	struct lease lease;
	struct etcd_own *own;
	char line[1000]; /* what was told, in words */
	struct text told;
} scene;

/* ---- etcd ---- */

static inline void answer_grant(int64_t id, int64_t ttl_s)
{
	uint8_t buf[16];
	struct pb_out want = PB_OUT(buf);

	etcd_encode_lease_grant(scene.source.lease_ttl_s, &want);
	want_request(asked(ETCD_METHOD_LEASE_GRANT), &want);
	answer_lease(ETCD_METHOD_LEASE_GRANT, id, ttl_s);
}

static inline void saw(const char *key, const char *value, int64_t mod_revision, int64_t lease)
{
	const struct etcd_kv seen = kv(key, value, mod_revision, lease);

	etcd_own_saw(scene.own, &seen);
}

static inline void saw_gone(const char *key, int64_t mod_revision)
{
	const struct etcd_kv seen = kv(key, "", mod_revision, 0);

	etcd_own_saw_gone(scene.own, &seen);
}

/* ---- the source ---- */

static inline void on_tell(void *arg _unused_, const struct event *ev)
{
	char subnet[2 * CIDR_STRLEN] = "", buf[CIDR_STRLEN];
	struct text t = TEXT(subnet);

	assert_int_equal(ev->type, EVENT_OWN);
	if (ev->own.lease)
		text_add(&t, "%s", cidr_format(&ev->own.lease->subnet, buf));
	if (ev->own.lease && cidr_is_set(&ev->own.lease->subnet6))
		text_add(&t, " %s", cidr_format(&ev->own.lease->subnet6, buf));
	if (ev->own.state == OWN_HELD)
		text_add(&scene.told, "held %s expires=%lld; ", subnet,
			 (long long)ev->own.expires_s);
	else
		text_add(&scene.told, "%s %s: %s; ", ev->own.state == OWN_TAKEN ? "taken" : "lost",
			 subnet, ev->own.problem);
}

static inline void want_told(const char *want)
{
	assert_string_equal(scene.line, want);
	scene.line[0] = '\0';
	scene.told = (struct text)TEXT(scene.line);
}

static inline void pass_s(uint64_t s)
{
	fake_loop_pass(&scene.loop, s * 1000);
}

/* Nothing happens for so long; afterwards it does. */
static inline void pass_idle(uint64_t min_ms, uint64_t max_ms)
{
	const uint64_t idle_ms = fake_loop_idle_ms(&scene.loop);

	assert_int_equal(n_calls(), 0);
	assert_in_range(idle_ms, min_ms, max_ms);
	fake_loop_pass(&scene.loop, idle_ms);
}

/* The n-th wait of a back-off. */
static inline void pass_backoff(unsigned n)
{
	pass_idle(375u << n, 625u << n);
}

static inline void lose_connection(void)
{
	etcd.up = false;
	etcd_own_synced(scene.own, false);
}

static inline void start(void)
{
	etcd.up = true;
	etcd_own_net(scene.own, &scene.net);
	etcd_own_publish(scene.own, &scene.lease);
	etcd_own_synced(scene.own, true);
}

/* From here on 10.5.77.0/24 is held, by etcd's lease 7, since revision 10. */
static inline void acquire(void)
{
	start();
	answer_list();
	answer_grant(7, TTL_S);
	want_write("10.5.77.0-24", 0, OURS, 7);
	answer_txn(true, 10);
	want_told(HELD);
	assert_int_equal(n_calls(), 0);
}

static inline int setup(void **state _unused_)
{
	static const char conf[] = "{\"Network\":\"10.5.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}";
	char complaints[200] = "";

	memset(&etcd, 0, sizeof(etcd));
	memset(&scene, 0, sizeof(scene));
	scene.loop.now_ms = 1000000;
	scene.told = (struct text)TEXT(scene.line);
	scene.source = (struct source_conf){
		.loop = &scene.loop,
		.seed = 42,
		.renew_margin_min = MARGIN_S / 60,
		.lease_ttl_s = TTL_S,
	};
	assert_true(cidr_parse("10.5.77.0/24", &scene.source.previous));
	netconf_decode(conf, sizeof(conf) - 1, &scene.net, &TEXT(complaints));
	assert_string_equal(complaints, "");
	scene.lease.type = BACKEND_VXLAN;
	scene.lease.vtep_mac = (struct mac){{2, 0, 0, 0, 0, 1}};
	assert_true(ip_parse("192.168.0.1", &scene.lease.public_ip));
	scene.own = etcd_own_new(&(struct etcd_own_conf){
		.source = &scene.source,
		.client = &etcd,
		.from = FAKE_ETCD_FROM,
		.to = "/n/subnets0",
		.tell = on_tell,
	});
	return 0;
}

static inline int teardown(void **state _unused_)
{
	etcd_own_free(scene.own);
	return scene.loop.timers || n_calls() ? -1 : 0;
}

#endif
