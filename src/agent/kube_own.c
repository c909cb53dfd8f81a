/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_own.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "core/backoff.h"
#include "wire/kube_lease.h"
#include "wire/kube_patch.h"

#define UP_REASON   "FlannelIsUp" /* flannel's words: other software looks for them */
#define UP_MESSAGE  "Flannel is running on this node"
#define DOWN_REASON "NetworkNotReady"

struct kube_own {
	struct kube_own_conf conf;
	bool synced;
	bool have_net, have_publish;
	struct netconf net;
	struct lease publish;

	bool have_node;
	struct kube_node node;
	char unreadable[sizeof(((struct err *)0)->text)]; /* "" = it is not */

	bool held;
	struct lease lease; /* as last told */
	char problem[500];  /* as last told; "" = held, or nothing told yet */

	bool ready_known, ready;
	char unready[sizeof(((struct kube_condition *)0)->message)];
	uint64_t unready_ms; /* since when */

	struct kube_call *call;
	struct loop_watch *timer;
	uint64_t retry_ms; /* not before */
	struct backoff backoff;
	uint64_t random;
};

static void work(struct kube_own *o);

static uint64_t now_ms(const struct kube_own *o)
{
	return loop_now_ms(o->conf.source->loop);
}

/* ---- what is told ---- */

static void tell_lost(struct kube_own *o, const char *problem)
{
	struct event ev = {.type = EVENT_OWN, .own = {.state = OWN_LOST, .problem = o->problem}};

	if (strcmp(o->problem, problem) == 0)
		return;
	text_add(&TEXT(o->problem), "%s", problem);
	o->held = false;
	o->conf.tell(o->conf.arg, &ev);
}

static void tell_held(struct kube_own *o, const struct lease *l)
{
	struct event ev = {.type = EVENT_OWN,
			   .own = {.state = OWN_HELD, .lease = &o->lease, .expires_s = -1}};

	if (o->held && lease_eq(&o->lease, l))
		return;
	o->held = true;
	o->problem[0] = '\0';
	o->lease = *l;
	o->conf.tell(o->conf.arg, &ev);
}

/* ---- patches ---- */

static void on_patched_node(void *arg, enum kube_read_type type, const struct kube_read *r,
			    const struct err *err)
{
	struct kube_own *o = arg;

	(void)err;
	if (type == KUBE_READ_NODE)
		kube_own_saw(o, &r->node);
}

static void on_patched(void *arg, const struct kube_answer *answer)
{
	struct kube_own *o = arg;
	char words[sizeof(o->problem)];
	uint64_t wait_ms;

	o->call = NULL;
	if (answer->ok) {
		backoff_reset(&o->backoff);
		work(o);
		return;
	}
	if (!kube_client_is_up(o->conf.client))
		return;
	text_add(&TEXT(words), "Node %s cannot be written to: %s", o->conf.node, answer->problem);
	log_warn("kube.patch_failed", "why=\"%s\"", words);
	if (!o->held)
		tell_lost(o, words);
	wait_ms = backoff_next_ms(&o->backoff, backoff_random(&o->random));
	o->retry_ms = now_ms(o) + MAX(wait_ms, answer->status.retry_after_s * 1000ull);
	loop_timer_at(o->timer, o->retry_ms);
}

static void patch(struct kube_own *o, const char *body)
{
	char path[KUBE_NAME_SIZE + 40];
	struct text t = TEXT(path);

	text_add(&t, "/api/v1/nodes/%s/status", o->conf.node);
	o->call = kube_client_call(o->conf.client, &(struct kube_call_conf){
							   .method = "PATCH",
							   .path = path,
							   .accept = KUBE_ACCEPT,
							   .body = body,
							   .item = on_patched_node,
							   .done = on_patched,
							   .arg = o,
						   });
}

/* True: a patch is on its way. */
static bool patch_annotations(struct kube_own *o, const struct lease *l)
{
	char body[KUBE_PATCH_SIZE];
	struct text t = TEXT(body);
	struct kube_anns want = {0};
	unsigned bits;

	kube_lease_annotations(l, o->net.vxlan.vni, &o->node.anns, &want);
	bits = kube_anns_differ(&want, &o->node.anns);
	if (!bits)
		return false;
	kube_patch_annotations(o->conf.prefix, &want, bits, &t);
	log_info("kube.annotate", "node=%s patch=%s", o->conf.node, body);
	patch(o, body);
	return true;
}

static bool condition_is_right(const struct kube_own *o, bool unavailable)
{
	const struct kube_condition *c = &o->node.network_unavailable;

	if (!unavailable)
		return c->present && strcmp(c->status, "False") == 0;
	/* Not each new wording of a cause is worth a patch. */
	return c->present && strcmp(c->status, "True") == 0 && strcmp(c->reason, DOWN_REASON) == 0;
}

static void patch_condition(struct kube_own *o)
{
	bool unavailable = !o->ready;
	uint64_t due_ms = o->unready_ms + KUBE_OWN_UNREADY_S * 1000ull;
	char body[KUBE_PATCH_SIZE];
	struct text t = TEXT(body);
	int64_t now_s = (int64_t)time(NULL);

	if (!o->conf.source->opts->set_node_network_unavailable || !o->ready_known ||
	    condition_is_right(o, unavailable))
		return;
	if (unavailable && now_ms(o) < due_ms) {
		loop_timer_at(o->timer, due_ms);
		return;
	}
	kube_patch_condition(
		&(struct kube_patch_condition){
			.unavailable = unavailable,
			.reason = unavailable ? DOWN_REASON : UP_REASON,
			.message = unavailable ? o->unready : UP_MESSAGE,
			.now_s = now_s,
			.transition_s = now_s,
		},
		&t);
	log_info("kube.condition", "node=%s unavailable=%s", o->conf.node,
		 unavailable ? "True" : "False");
	patch(o, body);
}

/* ---- our lease ---- */

/* The leading family's network; the other may be missing. */
static void check_leading(const struct kube_own *o, const struct lease *l, struct text *t)
{
	bool v6 = netconf_leads6(&o->net);
	const struct cidr *network = v6 ? &o->net.network6 : &o->net.network;
	const struct cidr *subnet = v6 ? &l->subnet6 : &l->subnet;
	const char *key = v6 ? "IPv6Network" : "Network";
	char net[CIDR_STRLEN], cidr[CIDR_STRLEN];

	if (!cidr_is_set(subnet))
		text_add(t, "Node %s has no IPv%d podCIDR, and %s is %s", o->conf.node, v6 ? 6 : 4,
			 key, cidr_format(network, net));
	else if (!cidr_covers(network, subnet))
		text_add(t,
			 "podCIDR %s of Node %s lies outside %s %s of net-conf.json: make %s "
			 "the --cluster-cidr of kube-controller-manager",
			 cidr_format(subnet, cidr), o->conf.node, key, cidr_format(network, net),
			 key);
}

/* The networks that the Node gives us. False: told why not. */
static bool choose(struct kube_own *o, struct lease *ret)
{
	char words[sizeof(o->problem)] = "";
	struct text t = TEXT(words);
	struct lease l = o->publish;
	struct err err = {""};
	int r = kube_lease_cidrs(&o->node, &l.subnet, &l.subnet6, &err);

	if (r == KUBE_LEASE_UNASSIGNED)
		text_add(
			&t,
			"Node %s has no podCIDR yet: does kube-controller-manager run with "
			"--allocate-node-cidrs=true and --cluster-cidr, and are there networks left?",
			o->conf.node);
	else if (r < 0)
		text_add(&t, "%s", err.text);
	else
		check_leading(o, &l, &t);
	if (t.len) {
		tell_lost(o, words);
		return false;
	}
	if (!o->net.ipv4)
		l.subnet = (struct cidr){0};
	if (!o->net.ipv6 || !cidr_covers(&o->net.network6, &l.subnet6))
		l.subnet6 = (struct cidr){0};
	l.node = kube_uid_id(o->node.uid);
	l.overwritten = cidr_is_set(&l.subnet) &&
			kube_lease_is_overwritten(&o->node.anns, false, &l.public_ip);
	l.overwritten6 = cidr_is_set(&l.subnet6) &&
			 kube_lease_is_overwritten(&o->node.anns, true, &l.public_ip6);
	*ret = l;
	return true;
}

static void work(struct kube_own *o)
{
	char words[sizeof(o->problem)] = "";
	struct lease l;

	if (!o->synced || o->call || now_ms(o) < o->retry_ms)
		return;
	if (!o->have_node && o->unreadable[0]) {
		tell_lost(o, o->unreadable);
		return;
	}
	if (!o->have_node) {
		text_add(&TEXT(words),
			 "there is no Node %s: is that what the kubelet calls this machine "
			 "(NODE_NAME), and has it registered?",
			 o->conf.node);
		tell_lost(o, words);
		return;
	}
	if (!o->have_net)
		return;
	if (o->have_publish && choose(o, &l)) {
		if (patch_annotations(o, &l))
			return;
		tell_held(o, &l);
	}
	if (!o->call)
		patch_condition(o);
}

static void on_timer(void *arg)
{
	work(arg);
}

/* ---- what is heard ---- */

void kube_own_net(struct kube_own *o, const struct netconf *net)
{
	o->have_net = true;
	o->net = *net;
	work(o);
}

void kube_own_publish(struct kube_own *o, const struct lease *l)
{
	if (o->have_publish && lease_eq(&o->publish, l))
		return;
	o->have_publish = true;
	o->publish = *l;
	work(o);
}

void kube_own_ready(struct kube_own *o, bool ready, const char *problem)
{
	if (!ready && (o->ready || !o->ready_known))
		o->unready_ms = now_ms(o);
	o->ready_known = true;
	o->ready = ready;
	text_add(&TEXT(o->unready), "%s", ready ? "" : problem);
	work(o);
}

void kube_own_saw(struct kube_own *o, const struct kube_node *n)
{
	/* Our patch was answered, and what came before it is still on its way. */
	if (n && o->have_node && strcmp(n->uid, o->node.uid) == 0 &&
	    kube_version_is_older(n->resource_version, o->node.resource_version))
		return;
	o->have_node = n;
	o->unreadable[0] = '\0';
	if (n)
		o->node = *n;
	work(o);
}

void kube_own_unreadable(struct kube_own *o, const char *problem)
{
	text_copy(o->unreadable, sizeof(o->unreadable), problem);
	work(o);
}

void kube_own_synced(struct kube_own *o, bool synced)
{
	o->synced = synced;
	if (!synced)
		kube_client_cancel(TAKE_PTR(o->call));
	work(o);
}

struct kube_own *kube_own_new(const struct kube_own_conf *conf)
{
	struct kube_own *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->conf = *conf;
	o->random = conf->source->seed | 1; /* never 0 */
	o->timer = loop_timer(conf->source->loop, on_timer, o);
	return o;
}

void kube_own_free(struct kube_own *o)
{
	if (!o)
		return;
	kube_client_cancel(o->call);
	loop_watch_free(o->timer);
	free(o);
}
