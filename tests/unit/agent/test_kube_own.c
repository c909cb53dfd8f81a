/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake_kube.h"
#include "fake_loop.h"
#include "model/status.h"

#define MAC "02:00:00:00:00:01"

static struct scene {
	struct loop loop;
	struct opts opts;
	struct source_conf source;
	struct netconf net;
	struct kube_own *own;
	struct kube_node node;
	unsigned version;
	char told[500]; /* as last told, and forgotten when it was looked at */
} scene;

static void on_own(void *arg, const struct event *ev)
{
	char cidr[CIDR_STRLEN], cidr6[CIDR_STRLEN];

	(void)arg;
	assert_int_equal(ev->type, EVENT_OWN);
	if (ev->own.state == OWN_HELD)
		snprintf(scene.told, sizeof(scene.told), "held %s and %s%s",
			 cidr_format(&ev->own.lease->subnet, cidr),
			 cidr_format(&ev->own.lease->subnet6, cidr6),
			 ev->own.lease->overwritten ? ", overwritten" : "");
	else
		snprintf(scene.told, sizeof(scene.told), "%s", ev->own.problem);
}

static void told(const char *part)
{
	if (part[0] ? !strstr(scene.told, part) : scene.told[0] != '\0')
		fail_msg("told: \"%s\", not \"%s\"", scene.told, part);
	scene.told[0] = '\0';
}

/* The Node as the API server has it now; "" = has no podCIDR, or no annotation yet. */
static void node(const char *pod_cidr, const char *public_ip)
{
	struct kube_node *n = &scene.node;

	*n = (struct kube_node){.name = "a", .uid = "uid-1", .n_pod_cidrs = pod_cidr[0] != '\0'};
	snprintf(n->resource_version, sizeof(n->resource_version), "%u", ++scene.version);
	text_copy(n->pod_cidrs[0], sizeof(n->pod_cidrs[0]), pod_cidr);
	if (!public_ip[0])
		return;
	kube_anns_set(&n->anns, KUBE_ANN_SUBNET_MANAGER, "true");
	kube_anns_set(&n->anns, KUBE_ANN_BACKEND_TYPE, "vxlan");
	kube_anns_set(&n->anns, KUBE_ANN_BACKEND_DATA, "{\"VNI\":1,\"VtepMAC\":\"" MAC "\"}");
	kube_anns_set(&n->anns, KUBE_ANN_PUBLIC_IP, public_ip);
}

static void condition(const char *status, const char *reason)
{
	struct kube_condition *c = &scene.node.network_unavailable;

	c->present = true;
	text_copy(c->status, sizeof(c->status), status);
	text_copy(c->reason, sizeof(c->reason), reason);
}

static void see(void)
{
	kube_own_saw(scene.own, &scene.node);
}

static void publish(void)
{
	struct lease l = {.type = BACKEND_VXLAN};

	assert_true(ip_parse("192.168.0.1", &l.public_ip));
	assert_true(mac_parse(MAC, &l.vtep_mac));
	kube_own_publish(scene.own, &l);
}

static void begin(void)
{
	struct text complaints = TEXT(scene.told);

	memset(&kube, 0, sizeof(kube));
	memset(&scene, 0, sizeof(scene));
	kube.up = true;
	scene.loop.now_ms = 1000;
	scene.opts.set_node_network_unavailable = true;
	scene.source = (struct source_conf){.loop = &scene.loop, .seed = 7, .opts = &scene.opts};
	scene.net = netconf_defaults();
	scene.net.backend = BACKEND_VXLAN;
	assert_true(cidr_parse("10.244.0.0/16", &scene.net.network));
	assert_int_equal(netconf_derive(&scene.net, &complaints), 0);
	scene.own = kube_own_new(&(struct kube_own_conf){
		.source = &scene.source,
		.client = &kube,
		.node = "a",
		.prefix = "flannel.alpha.coreos.com/",
		.tell = on_own,
	});
}

/* Everything is known; what is patched is the caller's. */
static void begin_all(const char *pod_cidr, const char *public_ip)
{
	begin();
	node(pod_cidr, public_ip);
	see();
	kube_own_synced(scene.own, true);
	kube_own_net(scene.own, &scene.net);
	publish();
}

static void end(void)
{
	kube_own_free(scene.own);
	assert_null(scene.loop.timers);
	assert_int_equal(n_calls(), 0);
}

/* The patch that waits for its answer. */
static struct kube_call *patch(const char *part)
{
	struct kube_call *call = asked("/api/v1/nodes/a/status");

	assert_string_equal(call->conf.method, "PATCH");
	if (!strstr(call->body, part))
		fail_msg("patched: %s, not %s", call->body, part);
	return call;
}

static void test_annotates_and_holds(void **state)
{
	struct kube_read r = {.event = KUBE_EVENT_LISTED};
	struct kube_call *call;

	(void)state;
	begin_all("10.244.1.0/24", "");
	call = patch("\"flannel.alpha.coreos.com/public-ip\":\"192.168.0.1\"");
	patch("\\\"VtepMAC\\\":\\\"" MAC "\\\"");
	told(""); /* not before peers can know */
	node("10.244.1.0/24", "192.168.0.1");
	r.node = scene.node;
	say(call, KUBE_READ_NODE, &r);
	answer(call, 0, "");
	told("held 10.244.1.0/24");
	assert_int_equal(n_calls(), 0);
	/* Again, and an event from before the patch. */
	publish();
	see();
	scene.version = 0;
	node("10.244.1.0/24", "");
	see();
	assert_int_equal(n_calls(), 0);
	told("");
	/* Somebody changes it. */
	scene.version = 10;
	node("10.244.1.0/24", "192.0.2.1");
	see();
	call = patch("\"flannel.alpha.coreos.com/public-ip\":\"192.168.0.1\"");
	assert_null(strstr(call->body, "backend-data")); /* what is right is not said */
	end();
}

static void test_what_is_right_is_not_patched(void **state)
{
	(void)state;
	begin_all("10.244.1.0/24", "192.168.0.1");
	told("held 10.244.1.0/24");
	assert_int_equal(n_calls(), 0);
	/* The operator's: what is published, not what we send from. */
	node("10.244.1.0/24", "198.51.100.1");
	kube_anns_set(&scene.node.anns, KUBE_ANN_PUBLIC_IP_OVERWRITE, "198.51.100.1");
	see();
	assert_int_equal(n_calls(), 0);
	told("held 10.244.1.0/24 and -, overwritten");
	see();
	told("");
	end();
}

static void test_no_lease(void **state)
{
	(void)state;
	begin_all("", "");
	told("Node a has no podCIDR yet: does kube-controller-manager run with "
	     "--allocate-node-cidrs");
	node("10.99.1.0/24", "");
	see();
	told("podCIDR 10.99.1.0/24 of Node a lies outside Network 10.244.0.0/16");
	node("fd00::/64", "");
	see();
	told("has no IPv4 podCIDR");
	node("10.244.1.0", "");
	see();
	told("10.244.1.0");
	kube_own_saw(scene.own, NULL);
	told("there is no Node a");
	kube_own_saw(scene.own, NULL);
	told(""); /* once per cause */
	assert_int_equal(n_calls(), 0);
	node("10.244.1.0/24", "192.168.0.1");
	see();
	told("held 10.244.1.0/24");
	end();
}

/* What is on in net-conf.json, and the networks that the Node has. */
static void scene_of(bool ipv4, bool ipv6, const char *pod_cidr, const char *second)
{
	struct lease l = {.type = BACKEND_VXLAN};

	begin();
	scene.net.ipv4 = ipv4;
	scene.net.ipv6 = ipv6;
	assert_true(cidr_parse("fd00:10:244::/56", &scene.net.network6));
	node(pod_cidr, "");
	text_copy(scene.node.pod_cidrs[1], sizeof(scene.node.pod_cidrs[1]), second);
	scene.node.n_pod_cidrs = second[0] ? 2 : 1;
	see();
	kube_own_synced(scene.own, true);
	kube_own_net(scene.own, &scene.net);
	if (ipv4) {
		assert_true(ip_parse("192.168.0.1", &l.public_ip));
		assert_true(mac_parse(MAC, &l.vtep_mac));
	}
	if (ipv6) {
		assert_true(ip_parse("2001:db8::1", &l.public_ip6));
		assert_true(mac_parse(MAC, &l.vtep_mac6));
	}
	kube_own_publish(scene.own, &l);
}

#define V6_WORDS "public-ipv6\":\"2001:db8::1\""
#define V4_WORDS "public-ip\":\"192.168.0.1\""

static void test_families(void **state)
{
	static const struct {
		bool ipv4, ipv6;
		const char *first, *second;
		const char *patched, *not_patched; /* "" = nothing */
		const char *told;
	} rows[] = {
		{false, true, "fd00:10:244:1::/64", "", V6_WORDS, V4_WORDS,
		 "held - and fd00:10:244:1::/64"},
		{false, true, "10.244.1.0/24", "fd00:10:244:1::/64", V6_WORDS, V4_WORDS,
		 "held - and fd00:10:244:1::/64"},
		{false, true, "10.244.1.0/24", "", "", "",
		 "Node a has no IPv6 podCIDR, and IPv6Network is fd00:10:244::/56"},
		{false, true, "fd00:99::/64", "", "", "",
		 "podCIDR fd00:99::/64 of Node a lies outside IPv6Network fd00:10:244::/56 of "
		 "net-conf.json: make IPv6Network the --cluster-cidr"},
		{true, true, "fd00:10:244:1::/64", "10.244.1.0/24", V4_WORDS, "nothing",
		 "held 10.244.1.0/24 and fd00:10:244:1::/64"},
		{true, true, "10.244.1.0/24", "", V4_WORDS, "nothing", "held 10.244.1.0/24 and -"},
		{true, true, "fd00:10:244:1::/64", "", "", "",
		 "Node a has no IPv4 podCIDR, and Network is 10.244.0.0/16"},
		{true, false, "fd00:10:244:1::/64", "10.244.1.0/24", V4_WORDS, V6_WORDS,
		 "held 10.244.1.0/24 and -"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kube_read r = {.event = KUBE_EVENT_LISTED};
		struct kube_call *call;

		scene_of(rows[i].ipv4, rows[i].ipv6, rows[i].first, rows[i].second);
		if (rows[i].patched[0]) {
			call = patch(rows[i].patched);
			assert_null(strstr(call->body, rows[i].not_patched));
			told("");
			/* As it comes back: what we want is there now. */
			kube_anns_set(&scene.node.anns, KUBE_ANN_SUBNET_MANAGER, "true");
			kube_anns_set(&scene.node.anns, KUBE_ANN_BACKEND_TYPE, "vxlan");
			if (rows[i].ipv4) {
				kube_anns_set(&scene.node.anns, KUBE_ANN_PUBLIC_IP, "192.168.0.1");
				kube_anns_set(&scene.node.anns, KUBE_ANN_BACKEND_DATA,
					      "{\"VNI\":1,\"VtepMAC\":\"" MAC "\"}");
			}
			if (rows[i].ipv6) {
				kube_anns_set(&scene.node.anns, KUBE_ANN_PUBLIC_IPV6,
					      "2001:db8::1");
				kube_anns_set(&scene.node.anns, KUBE_ANN_BACKEND_V6_DATA,
					      "{\"VNI\":1,\"VtepMAC\":\"" MAC "\"}");
			}
			snprintf(scene.node.resource_version, sizeof(scene.node.resource_version),
				 "%u", ++scene.version);
			r.node = scene.node;
			say(call, KUBE_READ_NODE, &r);
			answer(call, 0, "");
		}
		told(rows[i].told);
		end();
	}
}

static void test_patch_fails(void **state)
{
	struct kube_call *call;

	(void)state;
	begin_all("10.244.1.0/24", "");
	answer(patch("public-ip"), 403, "403 Forbidden: no");
	told("Node a cannot be written to: 403 Forbidden: no");
	assert_int_equal(n_calls(), 0);
	fake_loop_pass(&scene.loop, 1000);
	answer(patch("public-ip"), 403, "403 Forbidden: no");
	told("");
	fake_loop_pass(&scene.loop, 400);
	assert_int_equal(n_calls(), 0); /* later each time */
	fake_loop_pass(&scene.loop, 2000);
	/* The connection goes: it is asked again when there is one. */
	call = patch("public-ip");
	kube.up = false;
	answer(call, -1, "connection reset");
	kube_own_synced(scene.own, false);
	fake_loop_pass(&scene.loop, 60000);
	assert_int_equal(n_calls(), 0);
	kube.up = true;
	kube_own_synced(scene.own, true);
	patch("public-ip");
	end();
}

static void test_condition(void **state)
{
	struct kube_read r = {.event = KUBE_EVENT_LISTED};
	struct kube_call *call;

	(void)state;
	begin_all("10.244.1.0/24", "192.168.0.1");
	kube_own_ready(scene.own, false, "waiting for the list of leases");
	fake_loop_pass(&scene.loop, 1000);
	assert_int_equal(n_calls(), 0); /* not with each restart */
	kube_own_ready(scene.own, true, "");
	call = patch("\"type\":\"NetworkUnavailable\"");
	patch("\"status\":\"False\"");
	patch("\"reason\":\"FlannelIsUp\"");
	node("10.244.1.0/24", "192.168.0.1");
	condition("False", "FlannelIsUp");
	r.node = scene.node;
	say(call, KUBE_READ_NODE, &r);
	answer(call, 0, "");
	assert_int_equal(n_calls(), 0);

	/* Others' words for the same. */
	node("10.244.1.0/24", "192.168.0.1");
	condition("False", "RouteCreated");
	see();
	assert_int_equal(n_calls(), 0);

	kube_own_ready(scene.own, false, "flannel.1 cannot be made");
	fake_loop_pass(&scene.loop, 29000);
	assert_int_equal(n_calls(), 0);
	fake_loop_pass(&scene.loop, 1500);
	call = patch("\"status\":\"True\"");
	patch("flannel.1 cannot be made");
	node("10.244.1.0/24", "192.168.0.1");
	condition("True", "NetworkNotReady");
	r.node = scene.node;
	say(call, KUBE_READ_NODE, &r);
	answer(call, 0, "");
	/* Another wording, another minute: no patch. */
	kube_own_ready(scene.own, false, "flannel.1 still cannot be made");
	fake_loop_pass(&scene.loop, 300000);
	assert_int_equal(n_calls(), 0);
	kube_own_ready(scene.own, true, "");
	patch("\"status\":\"False\"");
	end();
}

/* The longest cause that the status has: a reader of the Node gets all of it. */
static void test_condition_of_a_long_cause(void **state)
{
	char cause[sizeof(((struct status *)0)->problem)] = "";

	(void)state;
	memset(cause, 'x', sizeof(cause) - 1);
	begin_all("10.244.1.0/24", "192.168.0.1");
	kube_own_ready(scene.own, false, cause);
	fake_loop_pass(&scene.loop, 31000);
	patch(cause);
	end();
}

static void test_condition_is_not_wanted(void **state)
{
	(void)state;
	begin_all("10.244.1.0/24", "192.168.0.1");
	scene.opts.set_node_network_unavailable = false;
	kube_own_ready(scene.own, true, "");
	assert_int_equal(n_calls(), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_annotates_and_holds),
		cmocka_unit_test(test_what_is_right_is_not_patched),
		cmocka_unit_test(test_no_lease),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_patch_fails),
		cmocka_unit_test(test_condition),
		cmocka_unit_test(test_condition_of_a_long_cause),
		cmocka_unit_test(test_condition_is_not_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
