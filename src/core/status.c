/* SPDX-License-Identifier: Apache-2.0 */
/* What the brain has to say about itself. */
#include <inttypes.h>
#include <string.h>

#include "core/brain.h"
#include "core/guard.h"
#include "core/want.h"

#define DROPPED_NEWS_MS (10 * 60 * 1000) /* told for so long after the last */

/* Our lease is not held; and while the source is away that will not change. */
static void say_own(const struct learnt *l, struct text *t)
{
	text_add(t, "%s%s%s", l->own_problem, l->source_problem[0] ? "; " : "", l->source_problem);
}

static void say_no_room6(const struct learnt *l, struct text *t)
{
	text_add(t, "the uplink's MTU %u leaves less than the 1280 that IPv6 needs",
		 l->uplink.mtu_bytes);
}

/* What keeps the phases before PHASE_RUN waiting. */
static void say_waiting(const struct brain *b, struct text *t)
{
	const struct learnt *l = &b->learnt;

	switch (brain_phase(b)) {
	case PHASE_WAIT_CONFIG:
		if (l->config_problem[0])
			text_add(t, "configuration: %s", l->config_problem);
		else if (l->source_problem[0])
			text_add(t, "waiting for the configuration: %s", l->source_problem);
		else
			text_add(t, "waiting for the configuration");
		break;
	case PHASE_WAIT_UPLINK:
		if (l->have_uplink && netconf_leads6(&l->net))
			say_no_room6(l, t);
		else if (l->have_uplink)
			text_add(t, "IPv4, which nodes are known by, has no uplink: %s",
				 l->uplink_lacks);
		else
			text_add(t, "%s",
				 l->uplink_problem[0] ? l->uplink_problem
						      : "looking for the uplink");
		break;
	case PHASE_WAIT_LEASES:
		text_add(t, "waiting for the list of leases%s%s", l->source_problem[0] ? ": " : "",
			 l->source_problem);
		break;
	case PHASE_WAIT_LEASE:
		if (l->own_problem[0])
			say_own(l, t);
		else if (l->net.ipv4 && !ip_is_set(&l->uplink.public_ip))
			text_add(t, "IPv4, which leases go by, has no uplink: %s", l->uplink_lacks);
		else if (b->retry.n)
			text_add(t, "%s", b->retry.first);
		else
			text_add(t, "waiting for a lease of our own%s%s",
				 l->source_problem[0] ? ": " : "", l->source_problem);
		break;
	case PHASE_RUN:
	case PHASE__COUNT:
		break;
	}
}

/* Why the fabric of this node is not as it should be; nothing if it is. A configuration that is refused is
 * no such thing: the earlier one works. */
static void say_fault(const struct brain *b, struct text *t)
{
	const struct learnt *l = &b->learnt;
	bool leads6 = netconf_leads6(&l->net);
	struct lease_half own = lease_half(&l->own, leads6);

	if (l->own_problem[0])
		say_own(l, t);
	else if (!l->uplink.up)
		text_add(t, "the uplink %s is down", l->uplink.name);
	else if (l->net.ipv4 && l->lacks[FAMILY_V4] && l->uplink_lacks[0])
		text_add(t, "IPv4 has no uplink: %s", l->uplink_lacks);
	else if (!cidr_is_set(&own.subnet))
		text_add(t, "our lease has no %s subnet", leads6 ? "IPv6" : "IPv4");
	else if (b->dump_problem[0])
		text_add(t, "cannot read the kernel's state: %s", b->dump_problem);
	else if (b->retry.n > 1)
		text_add(t, "%s (and %zu more)", b->retry.first, b->retry.n - 1);
	else if (b->retry.n)
		text_add(t, "%s", b->retry.first);
	else if (b->fault[FAMILY_BOTH] || b->fault[brain_leader(b)])
		text_add(t, "repairing: %s", b->difference);
	else if (!b->verified_generation)
		text_add(t, "setting up");
}

/* Why IPv6 is not as it should be, though it is wanted beside IPv4; nothing if it is. */
static void say_fault6(const struct brain *b, struct text *t)
{
	const struct learnt *l = &b->learnt;
	char subnet[CIDR_STRLEN];

	if (!l->net.ipv6 || !l->net.ipv4)
		return;
	if (l->uplink_lacks[0] && (l->lacks[FAMILY_V6] || !l->lacks[FAMILY_V4]))
		text_add(t, "%s", l->uplink_lacks);
	else if (!brain_has_room6(b))
		say_no_room6(l, t);
	else if (l->own_problem6[0])
		text_add(t, "%s", l->own_problem6);
	else if (l->have_own && !cidr_is_set(&l->own.subnet6))
		text_add(t, "our lease %s has no IPv6 subnet", cidr_format(&l->own.subnet, subnet));
	else if (b->retry6.n > 1)
		text_add(t, "%s (and %zu more)", b->retry6.first, b->retry6.n - 1);
	else if (b->retry6.n)
		text_add(t, "%s", b->retry6.first);
	else if (b->fault[FAMILY_V6])
		text_add(t, "repairing: %s", b->difference);
	else if (!b->stood6)
		text_add(t, "setting up");
}

/* The leading family, which each node has, decides about ready; that IPv6 does not work is said beside it. */
enum ready status_judge(const struct brain *b, struct text *problem)
{
	char why[sizeof(((struct status_family *)0)->problem)] = "";
	struct text ipv6 = TEXT(why);

	if (brain_phase(b) != PHASE_RUN) {
		say_waiting(b, problem);
		return READY_NO;
	}
	if (b->learnt.config_problem[0] && !b->learnt.own_problem[0])
		text_add(problem, "configuration: %s; the earlier one stays in force",
			 b->learnt.config_problem);
	else
		say_fault(b, problem);
	if (problem->len)
		return READY_NO;
	say_fault6(b, &ipv6);
	if (ipv6.len)
		text_add(problem, "IPv6 does not work: %s", ipv6.buf);
	else if (b->learnt.recall.leases)
		text_add(problem, "peers are from disk, as of %s: %s", b->learnt.recall.when,
			 b->learnt.source_problem[0] ? b->learnt.source_problem
						     : "the source has not answered yet");
	else if (!b->learnt.source_up && b->learnt.source_problem[0])
		text_add(problem, "peers may be out of date: %s", b->learnt.source_problem);
	else if (b->learnt.flanneld.pid)
		text_add(problem, "flanneld runs on this node, too (pid %u): stop one of the two",
			 b->learnt.flanneld.pid);
	return READY_YES;
}

static void say_flanneld(const struct culprit *who, struct text *t)
{
	if (!who->pid)
		return;
	text_add(t, "flanneld (pid %u", who->pid);
	if (who->unit[0]) {
		text_add(t, ", ");
		text_add_escaped(t, who->unit, strnlen(who->unit, sizeof(who->unit)));
	}
	text_add(
		t,
		") keeps this node's network, too: its firewall rules are left to it. One of the two "
		"has to go. To stay with Loden, stop flanneld (systemctl disable --now flanneld, or "
		"delete its DaemonSet); what it leaves is then taken over\n");
}

static void say_strangers(size_t n, bool v6, struct text *t)
{
	if (n)
		text_add(
			t,
			"the VXLAN port is not guarded: %zu Node(s) have the annotation "
			"public-ip%s-overwrite, and which addresses these send from is not known\n",
			n, v6 ? "v6" : "");
}

static void say_guard(const struct brain *b, struct text *t)
{
	const struct learnt *l = &b->learnt;
	char ours[IP_STRLEN], published[IP_STRLEN];

	if (!b->conf.vxlan_guard || !l->have_config || !l->have_uplink)
		return;
	for (int v6 = 0; v6 < 2; v6++) {
		if (!(v6 ? l->net.ipv6 : l->net.ipv4))
			continue;
		if (guard_is_wanted(&b->conf, &l->uplink, v6)) {
			say_strangers(b->wanted.n_strangers[v6], v6, t);
			continue;
		}
		text_add(
			t,
			"the VXLAN port is not guarded: this node publishes %s and sends from %s, so "
			"the addresses that peers send from are not known either\n",
			ip_format(v6 ? &l->uplink.public_ip6 : &l->uplink.public_ip, published),
			ip_format(v6 ? &l->uplink.ip6 : &l->uplink.ip, ours));
	}
}

/* A peer that sends from another address than it publishes is dropped, too: that must not be a riddle. */
static void say_dropped(const struct brain *b, uint64_t now_ms, struct text *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(b->guard); i++) {
		uint64_t more_ms = b->guard[i].more_ms;

		if (!more_ms || now_ms - more_ms > DROPPED_NEWS_MS)
			continue;
		text_add(t,
			 "%" PRIu64 " packets to the VXLAN port came from addresses that no node "
			 "publishes, and were dropped, some of them %" PRIu64 " s ago. If they are "
			 "those of a node that sends from another address than it publishes (NAT, "
			 "several interfaces): --vxlan-guard=false\n",
			 b->guard[i].n_dropped, (now_ms - more_ms) / 1000);
	}
}

static void say_notes(const struct brain *b, uint64_t now_ms, struct text *t)
{
	const struct learnt *l = &b->learnt;

	say_flanneld(&b->learnt.flanneld, t);
	text_add(t, "%s%s", b->table_notes, b->chain_notes);
	contest_notes(&b->contest, now_ms, t);
	text_add(t, "%s%s", b->wanted.notes, b->addr_notes);
	if (l->recall.dropped[0])
		text_add(t, "what is on disk is not used: %s\n", l->recall.dropped);
	if (l->have_own && l->own_expires_ms >= 0 && (int64_t)now_ms >= l->own_expires_ms)
		text_add(t, "our lease has expired: another node may hold our subnet by now\n");
	if (l->shrink.from)
		text_add(t,
			 "the list of leases shrank from %zu to %zu: nothing is removed until a "
			 "second list confirms it\n",
			 l->shrink.from, l->shrink.to);
	if (l->n_shortcuts)
		text_add(
			t,
			"%u port(s) of %s are not isolated, and br_netfilter is absent or off: their "
			"pods cannot reach services whose pod is on this node; restart these pods, or "
			"run: modprobe br_netfilter && sysctl net.bridge.bridge-nf-call-iptables=1\n",
			l->n_shortcuts, b->conf.bridge_name);
	if (l->n_malformed)
		text_add(t, "%zu malformed lease(s) were skipped\n", l->n_malformed);
	if (b->tolerated.n)
		text_add(t, "done without: %s\n", b->tolerated.first);
	if (l->have_config && l->net.vxlan.direct_routing && l->uplink.segment.cut)
		text_add(t,
			 "DirectRouting: too many routes tell who is on %s's segment: all peers "
			 "go through the overlay\n",
			 l->uplink.name);
	say_guard(b, t);
	say_dropped(b, now_ms, t);
	if (l->have_config && l->have_uplink && l->net.vxlan.mtu_bytes > l->uplink.mtu_bytes)
		text_add(t, "Backend.MTU %u is more than the uplink's %u and was lowered\n",
			 l->net.vxlan.mtu_bytes, l->uplink.mtu_bytes);
}

static void say_families(const struct brain *b, struct status *s)
{
	bool leads6 = netconf_leads6(&b->learnt.net);
	struct status_family *leading = &s->families[leads6 ? FAMILY_V6 : FAMILY_V4];
	struct status_family *other = &s->families[leads6 ? FAMILY_V4 : FAMILY_V6];
	struct text t = TEXT(leading->problem), t_other = TEXT(other->problem);
	bool runs = brain_phase(b) == PHASE_RUN;

	s->families[FAMILY_V4].enabled = b->learnt.net.ipv4;
	s->families[FAMILY_V6].enabled = b->learnt.net.ipv6;
	if (!runs) {
		say_waiting(b, &t);
		memcpy(other->problem, leading->problem,
		       other->enabled ? sizeof(other->problem) : 1);
		return;
	}
	say_fault(b, &t);
	say_fault6(b, &t_other);
	leading->works = leading->enabled && !t.len;
	other->works = other->enabled && !t_other.len;
}

/* Peers that some op was missing for in the last dumps: at least as many as the kind that misses most. */
static size_t count_bad(const struct brain *b)
{
	size_t n = 0;

	for (size_t f = 0; f < FAMILY__COUNT; f++) {
		for (size_t kind = 0; kind < OBJECT__COUNT; kind++) {
			if (PEER_KINDS & OBJECT_BIT(kind))
				n = MAX(n, b->n_bad_peers[f][kind]);
		}
	}
	return n;
}

void status_fill(const struct brain *b, uint64_t now_ms, struct status *ret)
{
	const struct learnt *l = &b->learnt;
	struct text problem, notes;

	*ret = (struct status){
		.have_config = l->have_config,
		.config = l->net,
		.uplink = l->uplink,
		.have_lease = l->have_own,
		.own = l->own,
		.lease_expires_s = -1,
		.source_up = l->source_up,
		.source_seen_ms = l->source_up ? now_ms : l->source_seen_ms,
		.generation = b->wanted.generation,
		.verified_generation = b->verified_generation,
		.verified_at_ms = b->verified_ms,
		.now_ms = now_ms,
		.started_ms = b->started_ms,
		.n_repairs = b->n_repairs,
		.n_sweeps = b->n_sweeps,
		.n_audits = b->n_audits,
		.n_heals = b->heals.n,
		.n_recent = MIN(b->n_recent, STATUS_REPAIRS_MAX),
		.vtep_mac = b->wanted.mac[DEV_VXLAN],
		.vtep_mac6 = b->wanted.mac[DEV_VXLAN6],
	};
	problem = TEXT(ret->problem);
	ret->ready = status_judge(b, &problem);
	notes = TEXT(ret->notes);
	say_notes(b, now_ms, &notes);
	memcpy(ret->source, l->source, sizeof(ret->source));
	if (l->recall.leases)
		memcpy(ret->recalled, l->recall.when, sizeof(ret->recalled));
	if (l->have_own && l->own_expires_ms >= 0)
		ret->lease_expires_s = MAX(0, (l->own_expires_ms - (int64_t)now_ms) / 1000);
	if (l->have_config && l->uplink.ifindex) {
		ret->overlay_mtu_bytes = want_mtu(&l->net, &l->uplink, false);
		ret->overlay_mtu6_bytes = l->net.ipv6 ? want_mtu(&l->net, &l->uplink, true) : 0;
	}
	say_families(b, ret);
	memcpy(ret->heals, b->heals.of, sizeof(ret->heals));
	contest_count(&b->contest, now_ms, ret->n_contested);
	for (size_t i = 0; i < ret->n_recent; i++)
		ret->recent[i] = b->recent[(b->n_recent - 1 - i) % STATUS_REPAIRS_MAX];
	if (!l->have_own)
		return;
	ret->n_peers = b->wanted.verdict.n_ok;
	ret->n_refused = b->wanted.verdict.n_refused;
	if (b->verified_generation)
		ret->n_verified = ret->n_peers - MIN(count_bad(b), ret->n_peers);
}
