/* SPDX-License-Identifier: Apache-2.0 */
#include "core/step.h"

#include <string.h>

#include "core/backend.h"
#include "core/brain.h"

const char *const event_type_names[] = {
	[EVENT_CONFIG] = "config",	   [EVENT_UPLINK] = "uplink",
	[EVENT_LEASES] = "leases",	   [EVENT_LEASE_PUT] = "lease.put",
	[EVENT_LEASE_GONE] = "lease.gone", [EVENT_OWN] = "own",
	[EVENT_SOURCE] = "source",	   [EVENT_NOTICE] = "notice",
	[EVENT_DUMP_BEGIN] = "dump.begin", [EVENT_OBJECT] = "object",
	[EVENT_DUMP_END] = "dump.end",	   [EVENT_APPLIED] = "applied",
	[EVENT_TIMER] = "timer",	   [EVENT_STORE] = "store",
	[EVENT_RECALLED] = "recalled",
};
static_assert(ARRAY_SIZE(event_type_names) == EVENT__COUNT, "a name for each");

#define UPLINK_STABLE_MS 3000 /* failures.md I-01 */

/* They are wanted otherwise than before; look at once. */
static void change_now(struct brain *b, unsigned kinds)
{
	brain_changed(b, kinds);
	look_now(&b->look, kinds, b->now_ms);
}

static void say(char *field, size_t size_bytes, const char *problem, const char *otherwise)
{
	struct text t = {.buf = field, .size_bytes = size_bytes};
	const char *line = problem && problem[0] ? problem : otherwise;

	/* Complaints come one a line; a problem is one line. */
	field[0] = '\0';
	while (*line) {
		const size_t n = strcspn(line, "\n");

		if (n)
			text_add(&t, "%s%.*s", t.len ? "; " : "", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

#define SAY(field, problem, otherwise) say(field, sizeof(field), problem, otherwise)

/* ---- what each event teaches ---- */

/* Following it would cut off every pod of this node. */
static bool loses_own(const struct netconf *net, const struct lease *own, struct text *ret_why)
{
	char network[CIDR_STRLEN], subnet[CIDR_STRLEN];

	for (int v6 = 0; v6 < 2; v6++) {
		const struct cidr *within = v6 ? &net->network6 : &net->network;
		struct cidr held = lease_half(own, v6).subnet;

		if (!(v6 ? net->ipv6 : net->ipv4) || !cidr_is_set(&held) ||
		    cidr_covers(within, &held))
			continue;
		text_add(ret_why, "%s: %s does not hold our subnet %s, which pods use",
			 v6 ? "IPv6Network" : "Network", cidr_format(within, network),
			 cidr_format(&held, subnet));
		return true;
	}
	return false;
}

static void on_config(struct brain *b, const struct event *ev, struct update *ret)
{
	const struct netconf *net = ev->config.conf;
	struct learnt *l = &b->learnt;
	char problem[sizeof(l->config_problem)];
	bool loses;

	if (!net) {
		SAY(l->config_problem, ev->config.problem, "cannot be read");
		return;
	}
	assert(backend_find(net->backend)); /* netconf_derive() refuses others */
	loses = l->have_own && loses_own(net, &l->own, &TEXT(problem));
	if (loses && !l->recall.own) {
		SAY(l->config_problem, problem, "");
		l->strange = true;
		return;
	}
	if (loses) {
		l->have_own = l->recall.own = false; /* recalled: then the source gives another */
		change_now(b, OBJECT_ALL);
	}
	if (l->strange) /* what went by meanwhile was not looked at */
		ret->flags |= UPDATE_RELIST;
	l->strange = false;
	l->config_problem[0] = '\0';
	l->recall.conf = false;
	if (l->have_config && netconf_eq(&l->net, net))
		return;
	l->have_config = true;
	l->net = *net;
	l->version++;
	ret->flags |= UPDATE_UPLINK; /* families may have changed */
	change_now(b, OBJECT_ALL);
}

static void adopt_uplink(struct brain *b, const struct uplink *u)
{
	struct learnt *l = &b->learnt;

	l->have_uplink = true;
	l->uplink = *u;
	l->uplink_problem[0] = l->uplink_lacks[0] = '\0';
	l->next_ms = LOOK_NEVER;
	change_now(b, OBJECT_ALL);
	recall_check_node(b);
}

/* What a family has built on addresses that are gone stays as it is: nothing is touched. And a link once
 * guarded stays guarded: its routes are gone when somebody made the host a router before us. */
static void keep_what_is_gone(const struct learnt *l, struct uplink *u)
{
	const struct uplink *old = &l->uplink;
	struct uplink new = *u;
	size_t n = 0;

	if (strcmp(old->name, u->name) != 0)
		return;
	if (l->net.ipv4 && !ip_is_set(&u->public_ip)) {
		u->ip = old->ip;
		u->public_ip = old->public_ip;
	}
	if (l->net.ipv6 && !ip_is_set(&u->public_ip6)) {
		u->ip6 = old->ip6;
		u->public_ip6 = old->public_ip6;
	}
	memcpy(u->advertised, old->advertised, sizeof(u->advertised));
	while (n < UPLINK_ADVERTISED_MAX && u->advertised[n][0])
		n++;
	for (size_t i = 0; i < UPLINK_ADVERTISED_MAX && n < UPLINK_ADVERTISED_MAX; i++) {
		bool have = !new.advertised[i][0];

		for (size_t j = 0; j < n; j++)
			have = have || strcmp(u->advertised[j], new.advertised[i]) == 0;
		if (!have)
			memcpy(u->advertised[n++], new.advertised[i], LINK_NAME_SIZE);
	}
}

/* Nothing else than before, but perhaps for the first time. */
static bool fits(const struct ip *old, const struct ip *ip)
{
	return !ip_is_set(old) || ip_eq(old, ip);
}

static bool fits4(const struct learnt *l, const struct uplink *u)
{
	return !l->net.ipv4 ||
	       (fits(&l->uplink.ip, &u->ip) && fits(&l->uplink.public_ip, &u->public_ip));
}

static bool fits6(const struct learnt *l, const struct uplink *u)
{
	return !l->net.ipv6 ||
	       (fits(&l->uplink.ip6, &u->ip6) && fits(&l->uplink.public_ip6, &u->public_ip6));
}

static void on_other_uplink(struct brain *b, const struct uplink *u)
{
	struct learnt *l = &b->learnt;
	char from[IP_STRLEN], to[IP_STRLEN];
	bool same = strcmp(l->uplink.name, u->name) == 0;
	bool only6 = same && l->net.ipv4 && fits4(l, u); /* IPv4 goes on meanwhile */
	struct text t = only6 ? TEXT(l->uplink_lacks) : TEXT(l->uplink_problem);

	l->next = *u;
	l->next_ms = b->now_ms + UPLINK_STABLE_MS;
	l->have_uplink = only6;
	if (only6)
		text_add(&t,
			 "the IPv6 address of %s changes from %s to %s: waiting whether it stays",
			 u->name, ip_format(&l->uplink.public_ip6, from),
			 ip_format(&u->public_ip6, to));
	else
		text_add(&t, "the uplink changes from %s %s to %s %s: waiting whether it stays",
			 l->uplink.name, ip_format(brain_leading_ip(b, &l->uplink), from), u->name,
			 ip_format(brain_leading_ip(b, u), to));
}

static void on_uplink(struct brain *b, const struct event *ev)
{
	struct learnt *l = &b->learnt;
	struct uplink u;

	l->n_shortcuts = ev->uplink.n_shortcuts;
	if (!ev->uplink.uplink) {
		l->have_uplink = false;
		l->next_ms = LOOK_NEVER;
		SAY(l->uplink_problem, ev->uplink.problem, "no uplink");
		return;
	}
	u = *ev->uplink.uplink;
	l->lacks[FAMILY_V4] = !ip_is_set(&u.public_ip);
	l->lacks[FAMILY_V6] = !ip_is_set(&u.public_ip6);
	keep_what_is_gone(l, &u);
	if (l->have_uplink && uplink_eq(&l->uplink, &u)) {
		l->next_ms = LOOK_NEVER;
		l->uplink_lacks[0] = '\0';
	} else if (!l->uplink.ifindex ||
		   (strcmp(l->uplink.name, u.name) == 0 && fits4(l, &u) && fits6(l, &u))) {
		/* The same in other clothes: MTU, carrier, index, one more family. */
		adopt_uplink(b, &u);
	} else if (l->next_ms == LOOK_NEVER || !uplink_eq(&l->next, &u)) {
		on_other_uplink(b, &u);
	}
	if (ev->uplink.problem)
		SAY(l->uplink_lacks, ev->uplink.problem, "");
}

static void on_leases(struct brain *b, const struct event *ev)
{
	struct learnt *l = &b->learnt;

	if (l->strange)
		return;
	leases_settle(&l->leases);
	shrink_listed(&l->shrink, l->leases.n, ev->leases.n, b->now_ms);
	leases_replace(&l->leases, ev->leases.leases, ev->leases.n);
	l->n_malformed = ev->leases.n_malformed;
	l->version++;
	l->recall.leases = false;
	l->recall.dropped[0] = '\0';
	if (l->listed) {
		change_now(b, PEER_KINDS);
	} else {
		l->listed = true;
		change_now(b, OBJECT_ALL);
	}
}

/* Pods have addresses of the old one. */
static bool is_moved(const struct cidr *from, const struct cidr *to)
{
	return cidr_is_set(from) && !cidr_eq(from, to);
}

/* One of a burst, perhaps: wait as long as for a burst of notices. */
static void on_lease(struct brain *b)
{
	b->learnt.version++;
	brain_changed(b, PEER_KINDS);
	look_notice(&b->look, PEER_KINDS, NULL, b->now_ms);
}

static void on_put(struct brain *b, const struct lease *lease)
{
	if (!leases_put(&b->learnt.leases, lease))
		return;
	shrink_put(&b->learnt.shrink);
	on_lease(b);
}

static void on_gone(struct brain *b, const struct event *ev)
{
	struct learnt *l = &b->learnt;
	size_t before;

	if (shrink_counts(&l->shrink, b->now_ms))
		leases_settle(&l->leases);
	before = l->leases.n;
	if (!leases_gone(&l->leases, ev->gone.lease))
		return;
	shrink_gone(&l->shrink, before, b->now_ms);
	on_lease(b);
}

static bool own_eq(const struct lease *a, const struct lease *b)
{
	return cidr_eq(&a->subnet, &b->subnet) && cidr_eq(&a->subnet6, &b->subnet6) &&
	       a->overwritten == b->overwritten && a->overwritten6 == b->overwritten6;
}

/* The leading half of what is held now counts, and IPv6's beside it by itself: pods have addresses of the
 * one that they use, whichever the lease has now, or none. */
static void keep_ipv6(struct learnt *l, struct lease *own)
{
	char ours[CIDR_STRLEN], theirs[CIDR_STRLEN];
	struct text t = TEXT(l->own_problem6);
	bool lost = !cidr_is_set(&own->subnet6);

	l->own_problem6[0] = '\0';
	if (!is_moved(&l->own.subnet6, &own->subnet6))
		return;
	text_add(&t, "the lease is for %s now, but pods use %s: keeping that",
		 lost ? "IPv4 alone" : cidr_format(&own->subnet6, theirs),
		 cidr_format(&l->own.subnet6, ours));
	if (!lost)
		text_add(&t, "; to move, drain the node and restart");
	own->subnet6 = l->own.subnet6;
}

static void on_held(struct brain *b, const struct event *ev)
{
	struct lease own = *ev->own.lease;
	struct learnt *l = &b->learnt;
	char ours[CIDR_STRLEN], theirs[CIDR_STRLEN];
	struct text t = TEXT(l->own_problem);
	struct cidr held = lease_half(&l->own, netconf_leads6(&l->net)).subnet;
	struct cidr held_now = lease_half(&own, netconf_leads6(&l->net)).subnet;
	bool pods_use = l->have_own && !l->recall.own;
	bool other;

	l->recall.own = false;
	if (pods_use && is_moved(&held, &held_now)) {
		text_add(&t,
			 "the lease is for %s now, but pods use %s: keeping that; to move, "
			 "drain the node and restart",
			 cidr_format(&held_now, theirs), cidr_format(&held, ours));
		return;
	}
	if (pods_use)
		keep_ipv6(l, &own);
	other = !l->have_own || !own_eq(&l->own, &own);
	l->version++;
	l->have_own = true;
	l->own = own;
	l->own_problem[0] = '\0';
	l->own_expires_ms =
		ev->own.expires_s < 0 ? -1 : (int64_t)b->now_ms + ev->own.expires_s * 1000;
	if (other)
		change_now(b, OBJECT_ALL);
}

static void on_notice(struct brain *b, const struct event *ev)
{
	unsigned kinds = ev->notice.kinds;

	if (kinds & (OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_ADDR)))
		kinds |= LINK_FALLOUT;
	look_notice(&b->look, kinds & brain_kinds(b), ev->notice.who, b->now_ms);
	if (ev->notice.uplink)
		b->learnt.facts_ms = MIN(b->learnt.facts_ms, b->now_ms + LOOK_BURST_MS);
}

static void learn(struct brain *b, const struct event *ev, struct update *ret)
{
	struct learnt *l = &b->learnt;

	switch (ev->type) {
	case EVENT_CONFIG:
		on_config(b, ev, ret);
		break;
	case EVENT_UPLINK:
		on_uplink(b, ev);
		break;
	case EVENT_LEASES:
		on_leases(b, ev);
		break;
	case EVENT_LEASE_PUT:
		if (!l->strange)
			on_put(b, ev->put.lease);
		break;
	case EVENT_LEASE_GONE:
		if (!l->strange)
			on_gone(b, ev);
		break;
	case EVENT_OWN:
		if (ev->own.state == OWN_HELD)
			on_held(b, ev);
		else
			SAY(l->own_problem, ev->own.problem, "our lease is not ours");
		break;
	case EVENT_SOURCE:
		if (l->source_up)
			l->source_seen_ms = ev->now_ms;
		l->source_up = ev->source.up;
		SAY(l->source, ev->source.name, "");
		SAY(l->source_problem, ev->source.up ? "" : ev->source.problem, "");
		break;
	case EVENT_STORE:
		l->store_id = ev->store.id;
		recall_check_store(b, ev->store.id, ev->store.of_node);
		break;
	case EVENT_RECALLED:
		recall_take(b, ev);
		if (l->recall.conf)
			ret->flags |= UPDATE_UPLINK;
		break;
	case EVENT_NOTICE:
		on_notice(b, ev);
		break;
	case EVENT_DUMP_BEGIN:
		converge_dump_begin(b, ev->dump_begin.kinds);
		break;
	case EVENT_OBJECT:
		converge_object(b, &ev->object.object);
		break;
	case EVENT_DUMP_END:
		converge_dump_end(b, ev, ret);
		break;
	case EVENT_APPLIED:
		converge_applied(b, ev->applied.failures, ev->applied.n_failures, ret);
		break;
	case EVENT_TIMER:
	case EVENT__COUNT:
		break;
	}
}

/* ---- what follows ---- */

/* The interval ± 20 %, so that nodes do not march in step. */
static void plan_audit(struct brain *b)
{
	uint64_t fifth = b->conf.audit_ms / 5;

	b->look.audit_ms = b->now_ms + b->conf.audit_ms - fifth + brain_random(b) % (2 * fifth + 1);
}

static void run_timers(struct brain *b, struct update *ret)
{
	struct learnt *l = &b->learnt;

	if (l->next_ms <= b->now_ms)
		adopt_uplink(b, &l->next);
	if (shrink_wants_list(&l->shrink, b->now_ms))
		ret->flags |= UPDATE_RELIST;
	if (shrink_burst_over(&l->shrink, b->now_ms))
		change_now(b, PEER_KINDS);
	if (b->look.audit_ms == LOOK_NEVER) {
		plan_audit(b);
	} else if (b->look.audit_ms <= b->now_ms) {
		plan_audit(b);
		look_now(&b->look, OBJECT_ALL, b->now_ms);
		l->facts_ms = b->now_ms;
		b->n_audits++;
	}
	if (l->facts_ms <= b->now_ms) {
		ret->flags |= UPDATE_UPLINK;
		l->facts_ms = LOOK_NEVER;
	}
}

/* Once the device is right, peers may know of it. IPv6's, if it can be had at all, comes with the leading
 * family's: leases go by that. */
static void publish(struct brain *b, struct update *ret)
{
	const struct learnt *l = &b->learnt;
	enum dev leading = netconf_leads6(&l->net) ? DEV_VXLAN6 : DEV_VXLAN;
	struct lease mine = {.type = l->net.backend};

	if (l->net.ipv4) {
		mine.public_ip = l->uplink.public_ip;
		mine.vtep_mac = b->wanted.mac[DEV_VXLAN];
	}
	if (l->net.ipv6 && brain_has_room6(b) && mac_is_set(&b->wanted.mac[DEV_VXLAN6])) {
		mine.public_ip6 = l->uplink.public_ip6;
		mine.vtep_mac6 = b->wanted.mac[DEV_VXLAN6];
	}
	if (!brain_kinds(b) || !b->wanted.mac_decided[leading] ||
	    !ip_is_set(brain_leading_ip(b, &l->uplink)) ||
	    ((b->changed | b->bad[brain_leader(b)]) & OBJECT_BIT(OBJECT_LINK)) ||
	    lease_eq(&mine, &b->published))
		return;
	b->published = mine;
	ret->publish = mine;
	ret->flags |= UPDATE_PUBLISH;
}

static void tell(struct brain *b, struct update *ret)
{
	char problem[sizeof(b->told_problem)] = "";
	struct text t = TEXT(problem);
	enum ready ready = status_judge(b, &t);

	if (ready == b->told_ready && strcmp(problem, b->told_problem) == 0)
		return;
	b->told_ready = ready;
	memcpy(b->told_problem, problem, sizeof(problem));
	ret->flags |= UPDATE_STATUS;
}

static uint64_t next_wake(const struct brain *b)
{
	uint64_t wake =
		MIN(b->learnt.next_ms, MIN(shrink_next_ms(&b->learnt.shrink), b->learnt.facts_ms));

	if (b->circle != CIRCLE_IDLE)
		return wake; /* the circle's next event comes by itself */
	/* Before there is anything to keep, what is due stays due until there is. */
	return MIN(wake, brain_kinds(b) ? look_next_ms(&b->look) : b->look.audit_ms);
}

/* What happened to the uplink is learnt before what lies on it is looked at: else routes that went with
 * its addresses would be put back, in vain. The answer to UPDATE_UPLINK is the next event. */
static bool facts_first(struct brain *b, struct update *ret)
{
	if (b->learnt.facts_ms != LOOK_NEVER && look_next_ms(&b->look) <= b->now_ms) {
		ret->flags |= UPDATE_UPLINK;
		b->learnt.facts_ms = LOOK_NEVER;
	}
	return ret->flags & UPDATE_UPLINK;
}

void step(struct brain *b, const struct event *ev, struct update *ret)
{
	*ret = (struct update){.wake_ms = LOOK_NEVER};
	b->now_ms = MAX(b->now_ms, ev->now_ms);
	if (!b->started_ms)
		b->started_ms = b->now_ms;
	learn(b, ev, ret);
	if (ev->type == EVENT_OBJECT)
		return;
	run_timers(b, ret);
	if (b->circle == CIRCLE_IDLE && brain_kinds(b) && !facts_first(b, ret)) {
		unsigned due = look_take(&b->look, b->now_ms) & brain_kinds(b);

		if (due)
			converge_start(b, due, ret);
	}
	if (b->learnt.recall.tell_dropped)
		ret->dropped = b->learnt.recall.dropped;
	b->learnt.recall.tell_dropped = false;
	publish(b, ret);
	tell(b, ret);
	ret->wake_ms = next_wake(b);
}
