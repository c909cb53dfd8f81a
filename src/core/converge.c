/* SPDX-License-Identifier: Apache-2.0 */
/* The circle: dump, compare, plan, apply, dump again until nothing differs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/brain.h"
#include "core/fw.h"
#include "core/want.h"

/* ---- what is wanted ---- */

/* Both forms work at any number of peers, so that one peer that comes and goes must not turn all routes
 * over: back only below half the threshold. */
static bool choose_spread(const struct brain *b)
{
	size_t n = b->wanted.verdict.n_ok;

	return b->wanted.spread ? n >= b->conf.spread_threshold / 2 : n > b->conf.spread_threshold;
}

/* Until the first dump has shown whether there is a device to adopt. */
static void choose_mac(struct brain *b, bool v6)
{
	struct mac *mac = &b->wanted.mac[v6 ? DEV_VXLAN6 : DEV_VXLAN];
	const struct lease *before;
	struct mac earlier = {0};

	if (mac_is_set(mac))
		return;
	before = leases_find_earlier(&b->learnt.leases, b->learnt.store_id,
				     brain_leading_ip(b, &b->learnt.uplink));
	if (before)
		earlier = lease_half(before, v6).vtep_mac;
	*mac = mac_is_unicast(&earlier) ? earlier : mac_from_random(brain_random(b));
}

static void judge(struct brain *b, const struct netconf *net)
{
	struct learnt *l = &b->learnt;
	struct wanted *w = &b->wanted;
	struct text notes = TEXT(w->notes);
	struct leases_self self = {
		.net = net,
		.own = &l->own,
		.public_ip = l->uplink.public_ip,
		.public_ip6 = l->uplink.public_ip6,
		.vtep_mac = w->mac[DEV_VXLAN],
		.vtep_mac6 = w->mac[DEV_VXLAN6],
		.leads6 = netconf_leads6(&l->net),
	};

	arena_reset(&b->pass.arena);
	leases_judge(&l->leases, &self, &b->pass.arena, &notes, &w->verdict);
	w->spread = choose_spread(b);
	for (int v6 = 0; v6 < 2; v6++) {
		size_t n = w->verdict.n_overwritten[v6] + lease_half(&l->own, v6).overwritten;

		/* Leases alone do not decide about the guard, but for this. */
		if (!n != !w->n_strangers[v6])
			b->changed |= OBJECT_BIT(OBJECT_GUARD);
		w->n_strangers[v6] = n;
	}
}

/* What flanneld left of its firewall is ours to replace, unless one lives here: it would put it back. */
static void set_succession(struct brain *b)
{
	bool heir = b->learnt.have_own && !b->learnt.flanneld.pid;

	b->wanted.rule.masquerades = heir && b->conf.ip_masq;
	b->wanted.rule.accepts = heir && b->conf.forward_rules;
}

static void rebuild(struct brain *b)
{
	struct wanted *w = &b->wanted;
	struct learnt *l = &b->learnt;
	struct netconf net;
	struct want_input in = {
		.conf = &b->conf,
		.net = &net,
		.uplink = &l->uplink,
		.own = l->have_own ? &l->own : NULL,
	};

	brain_net(b, &net);
	if (l->net.ipv4)
		choose_mac(b, false);
	if (l->net.ipv6 && ip_is_set(&l->uplink.public_ip6))
		choose_mac(b, true);
	w->notes[0] = '\0';
	if (l->have_own) {
		judge(b, &net);
		in.peers = l->leases.peers;
		in.n_peers = l->leases.n;
	}
	in.spread = w->spread;
	in.strangers[0] = w->n_strangers[0] > 0;
	in.strangers[1] = w->n_strangers[1] > 0;
	in.vtep_mac = w->mac[DEV_VXLAN];
	in.vtep_mac6 = w->mac[DEV_VXLAN6];
	in.bridge_mac = w->mac[DEV_BRIDGE];
	arena_reset(&w->arena);
	want_build(&in, &w->arena, &w->state);
	w->rule = (struct adopt){
		.network = l->net.network,
		.network6 = l->net.network6,
		.hold = {[FAMILY_V4] = l->net.ipv4 && !net.ipv4,
			 [FAMILY_V6] = l->net.ipv6 && !net.ipv6},
	};
	set_succession(b);
	b->stood6 = b->stood6 && net.ipv6;
	w->stale = false;
	w->generation++;
}

/* ---- dump ---- */

void converge_start(struct brain *b, unsigned kinds, struct update *ret)
{
	if (b->wanted.stale)
		rebuild(b);
	kinds = (kinds | b->changed | look_take(&b->look, b->now_ms)) & brain_kinds(b);
	b->pass.kinds = kinds;
	b->circle = CIRCLE_DUMP;
	ret->flags |= UPDATE_DUMP;
	ret->dump_kinds = kinds;
}

void converge_dump_begin(struct brain *b, unsigned kinds)
{
	struct pass *p = &b->pass;

	if (b->circle != CIRCLE_DUMP)
		return;
	arena_reset(&p->arena);
	p->kinds = kinds & brain_kinds(b);
	p->verifying = p->touched && p->applied_generation == b->wanted.generation;
	p->touched = 0;
	diff_begin(&p->diff, &b->wanted.state, p->kinds, brain_sweep(b), &p->arena);
	if (p->kinds & OBJECT_BIT(OBJECT_FW_CHAIN))
		b->chain_notes[0] = '\0';
	if (p->kinds & OBJECT_BIT(OBJECT_FW_TABLE))
		b->table_notes[0] = '\0';
	if (p->kinds & OBJECT_BIT(OBJECT_ADDR))
		b->addr_notes[0] = '\0';
}

/* A link that is already there and right keeps its MAC: peers (pods) know it by that. */
static void adopt_mac(struct brain *b, const struct link *have)
{
	struct wanted *w = &b->wanted;
	struct object o = {.kind = OBJECT_LINK, .link = have};
	ptrdiff_t i = netstate_find(&w->state, &o);
	struct link *want, as_is;

	if (i < 0 || w->mac_decided[have->dev] || !mac_is_unicast(&have->mac))
		return;
	want = (struct link *)w->state.of[OBJECT_LINK].items + i;
	as_is = *want;
	as_is.mac = have->mac;
	if (link_compare(&as_is, have, NULL) == LINK_RECREATE)
		return;
	want->mac = have->mac;
	w->mac[have->dev] = have->mac;
}

static void note_chain(struct brain *b, const struct fw_chain *have)
{
	struct text t = TEXT(b->chain_notes);

	t.len = strlen(t.buf);
	if (fw_chain_explain(have, &b->learnt.net, &b->conf, &t))
		text_add(&t, "\n");
}

/* What of flannel's firewall stays without one who keeps it. */
static void note_left(struct brain *b, const struct object *have)
{
	bool table = have->kind == OBJECT_FW_TABLE;
	struct text t = table ? TEXT(b->table_notes) : TEXT(b->chain_notes);

	if (b->learnt.flanneld.pid || adopt_may_delete(&b->wanted.rule, have))
		return;
	t.len = strlen(t.buf);
	fw_left_explain(have, &t);
	text_add(&t, "\n");
}

/* What an earlier agent's guard had dropped before us is no news. */
static void note_guard(struct brain *b, const struct guard *have)
{
	bool more = have->n_dropped > b->guard[have->family].n_dropped;

	if (more && b->guard[have->family].seen)
		b->guard[have->family].more_ms = b->now_ms;
	b->guard[have->family].n_dropped = have->n_dropped;
	b->guard[have->family].seen = true;
}

/* Addresses on the bridge that are not in our Network are somebody's wish; but they are named. */
static void note_addr(struct brain *b, const struct addr *have)
{
	struct object o = {.kind = OBJECT_ADDR, .addr = have};
	struct text t = TEXT(b->addr_notes);
	char cidr[CIDR_STRLEN], bridge[LINK_NAME_SIZE];

	if (have->dev != DEV_BRIDGE || ip_is_link_local(&have->cidr.ip) ||
	    b->wanted.rule.hold[object_family(&o)] || netstate_find(&b->wanted.state, &o) >= 0 ||
	    adopt_may_delete(&b->wanted.rule, &o))
		return;
	t.len = strlen(t.buf);
	want_link_name(&b->conf, &b->learnt.net, DEV_BRIDGE, bridge);
	text_add(&t, "%s has the foreign address %s; it is left alone\n", bridge,
		 cidr_format(&have->cidr, cidr));
}

void converge_object(struct brain *b, const struct object *have)
{
	if (b->circle != CIRCLE_DUMP)
		return;
	if (have->kind == OBJECT_LINK)
		adopt_mac(b, have->link);
	else if (adopt_is_flannel_firewall(have))
		note_left(b, have);
	else if (have->kind == OBJECT_FW_CHAIN)
		note_chain(b, have->fw_chain);
	else if (have->kind == OBJECT_ADDR)
		note_addr(b, have->addr);
	else if (have->kind == OBJECT_GUARD)
		note_guard(b, have->guard);
	diff_feed(&b->pass.diff, have);
}

/* ---- plan ---- */

/* Kinds in which a difference is somebody's doing: nothing new is wanted of them; or a plan has just made
 * them right, and somebody was seen since. */
static unsigned repair_kinds(const struct brain *b)
{
	unsigned kinds = ~b->changed;

	for (size_t i = 0; b->pass.verifying && i < OBJECT__COUNT; i++) {
		if (b->look.who_ms[i])
			kinds |= OBJECT_BIT(i);
	}
	return kinds;
}

/* Where the kernel's refusals of this op are kept. Packets cross without these sysctls, and /proc/sys is
 * read-only in many containers: that they cannot be set is worth a note, not more. Nor is flannel's
 * firewall beside ours (a chain of it that an administrator jumps to cannot be deleted). */
static struct retry *retry_of(struct brain *b, const struct op *op)
{
	const struct object *o = &op->object;

	bool optional = o->kind == OBJECT_SYSCTL
				? !strstr(o->sysctl->path, "forward") && !sysctl_guards(o->sysctl)
				: adopt_is_flannel_firewall(o);

	if (optional)
		return &b->tolerated;
	return object_family(o) == FAMILY_V6 && brain_leader(b) == FAMILY_V4 ? &b->retry6
									     : &b->retry;
}

static bool is_repair(struct brain *b, const struct op *op)
{
	return (b->pass.repair_kinds & OBJECT_BIT(op->object.kind)) &&
	       !retry_until(retry_of(b, op), &op->object);
}

/* Is the link no use to what lies on it until this op is done? */
static bool is_vital(const struct op *op)
{
	return op->object.kind == OBJECT_LINK && (op->verb != OP_SET || !op->old.link->up);
}

/* Would it make the host a router while a link is about to lose its routes by that? The next dump shows
 * whether the guards took. */
static bool is_unguarded(const struct pass *p, const struct op *op)
{
	return p->unguarded && op->object.kind == OBJECT_SYSCTL &&
	       strcmp(op->object.sysctl->path, WANT_FORWARDING6) == 0;
}

/* May this op run now? If not, it is looked at again in time. */
static bool may_run(struct brain *b, const struct op *op)
{
	struct pass *p = &b->pass;
	uint64_t until;

	if ((p->blocked_devs & 1u << object_dev(&op->object)) || is_unguarded(p, op))
		return false;
	until = retry_until(retry_of(b, op), &op->object);
	if (p->verifying || is_repair(b, op))
		until = MAX(until, contest_held(&b->contest, &op->object, b->now_ms));
	if (until <= b->now_ms)
		return true;
	look_later(&b->look, OBJECT_BIT(op->object.kind), until);
	if (is_vital(op))
		p->blocked_devs |= 1u << op->object.link->dev;
	return false;
}

/* flannel's firewall goes when this dump has shown ours in force, not before: a packet that no rule
 * masquerades leaves with a pod's address, and its connection stays that way. And not while a
 * flanneld lives here. */
static bool must_stay(const struct brain *b, const struct op *op)
{
	const struct diff *d = &b->pass.diff;

	return op->verb == OP_DEL && adopt_is_flannel_firewall(&op->object) &&
	       (b->learnt.flanneld.pid || !diff_stands(d, OBJECT_FW_TABLE) ||
		!diff_stands(d, OBJECT_FW_CHAIN));
}

/* Whether ours stands shows a look at both kinds: now, or after this plan. */
static void wait_for_ours(struct brain *b)
{
	if (b->learnt.flanneld.pid)
		return;
	if ((b->pass.kinds & FIREWALL_KINDS) == FIREWALL_KINDS)
		b->changed |= FIREWALL_KINDS;
	else
		look_now(&b->look, FIREWALL_KINDS, b->now_ms);
}

struct survey {
	unsigned run[FAMILY__COUNT], held[FAMILY__COUNT]; /* kinds */
	size_t n_repairs;
	unsigned repaired; /* kinds */
	struct op first_repair;
};

/* Walks all ops of the dump that just ended, without handing them out. */
static void survey(struct brain *b, struct survey *ret)
{
	struct pass *p = &b->pass;
	struct text t = TEXT(b->difference);
	bool first = true;
	struct op op;

	*ret = (struct survey){0};
	contest_begin(&b->contest);
	memset(p->n_run, 0, sizeof(p->n_run));
	p->blocked_devs = 0;
	p->unguarded = false;
	p->repair_kinds = repair_kinds(b);
	for (size_t i = 0; i < OBJECT__COUNT; i++) {
		for (size_t f = 0; f < FAMILY__COUNT && p->kinds & OBJECT_BIT(i); f++)
			b->n_bad_peers[f][i] = 0;
	}
	while (diff_next(&p->diff, &op, 1)) {
		enum ip_family family = object_family(&op.object);
		enum object_kind kind = op.object.kind;

		retry_still(retry_of(b, &op), &op.object);
		if (must_stay(b, &op)) {
			wait_for_ours(b);
			continue;
		}
		p->unguarded |= kind == OBJECT_SYSCTL && sysctl_guards(op.object.sysctl);
		if (!may_run(b, &op) && retry_of(b, &op) == &b->tolerated)
			continue;
		if (first)
			op_format(&op, &p->devs, &t);
		first = false;
		/* What stands in a wanted slot keeps a peer away, too. */
		if (op.verb != OP_DEL || netstate_find(&b->wanted.state, &op.object) >= 0)
			b->n_bad_peers[family][kind]++;
		if (!may_run(b, &op)) {
			ret->held[family] |= OBJECT_BIT(kind);
			continue;
		}
		ret->run[family] |= OBJECT_BIT(kind);
		p->n_run[kind]++;
		if (!is_repair(b, &op))
			continue;
		if (!ret->n_repairs++)
			ret->first_repair = op;
		ret->repaired |= OBJECT_BIT(kind);
		b->fault[family] = true;
	}
	for (size_t f = 0; f < FAMILY__COUNT; f++)
		b->fault[f] |= ret->held[f] || (p->verifying && ret->run[f]);
	diff_rewind(&p->diff);
	p->blocked_devs = 0;
}

/* Remembers the repair for the status and the log. */
static void record(struct brain *b, const struct survey *s)
{
	struct repair *r = &b->pass.repair;
	struct text t = TEXT(r->what);

	*r = (struct repair){.at_ms = b->now_ms, .n_ops = (uint32_t)s->n_repairs};
	op_format(&s->first_repair, &b->pass.devs, &t);
	r->who = look_who(&b->look, b->pass.kinds);
	b->recent[b->n_recent++ % STATUS_REPAIRS_MAX] = *r;
	b->n_repairs++;
	heals_add(&b->heals, s->repaired, &r->who);
}

/* Hands out the next ops that may run. False if there are none left. */
static bool next_slice(struct brain *b, struct update *ret)
{
	struct pass *p = &b->pass;
	size_t n;

	p->n_ops = 0;
	do {
		n = diff_next(&p->diff, p->ops, SLICE_OPS);
		for (size_t i = 0; i < n; i++) {
			struct op *op = &p->ops[i];
			size_t *n_run = &p->n_run[op->object.kind];
			bool repair = is_repair(b, op);

			if (must_stay(b, op) || !may_run(b, op))
				continue;
			b->n_sweeps += op->verb == OP_DEL && !repair;
			p->touched |= OBJECT_BIT(op->object.kind);
			/* A crowd counts once; its size is forgotten, so that only the first does. */
			if ((repair || p->verifying) && *n_run)
				contest_healed(&b->contest, op, *n_run > CONTEST_CROWD, &p->devs,
					       &p->repair.who, b->now_ms);
			if (*n_run > CONTEST_CROWD)
				*n_run = 0;
			p->ops[p->n_ops++] = *op;
		}
	} while (!p->n_ops && n == SLICE_OPS);
	if (!p->n_ops)
		return false;
	b->circle = CIRCLE_APPLY;
	ret->flags |= UPDATE_PLAN;
	ret->plan = (struct plan){.ops = p->ops, .n = p->n_ops};
	return true;
}

/* Nothing is to be done now: what the dump showed stands. */
static void settle(struct brain *b, const unsigned held[FAMILY__COUNT])
{
	unsigned kinds = b->pass.kinds, bad = 0;

	b->circle = CIRCLE_IDLE;
	arena_reset(&b->pass.arena);
	b->changed &= ~kinds;
	for (size_t f = 0; f < FAMILY__COUNT; f++) {
		b->bad[f] = (b->bad[f] & ~kinds) | held[f];
		bad |= b->bad[f];
		b->fault[f] = b->fault[f] && (b->changed || b->bad[f]);
	}
	for (size_t i = 0; i < b->wanted.state.of[OBJECT_LINK].n; i++) {
		if (kinds & OBJECT_BIT(OBJECT_LINK))
			b->wanted.mac_decided[netstate_at(&b->wanted.state, OBJECT_LINK, i)
						      .link->dev] = true;
	}
	if (!b->changed && !b->bad[FAMILY_BOTH] && !b->bad[FAMILY_V6])
		b->stood6 = true;
	if (b->changed || b->bad[FAMILY_BOTH] || b->bad[brain_leader(b)])
		return;
	if (!bad)
		b->difference[0] = '\0';
	b->verified_generation = b->wanted.generation;
	b->verified_ms = b->now_ms;
}

/* Whether it still lives nobody tells us. */
static void learn_flanneld(struct brain *b, const struct culprit *who)
{
	struct culprit *known = &b->learnt.flanneld;

	if (!who && known->pid)
		look_now(&b->look, FIREWALL_KINDS, b->now_ms); /* what it kept is left behind now */
	*known = who ? *who : (struct culprit){0};
	if (who)
		look_later(&b->look, FIREWALL_KINDS & brain_kinds(b), b->now_ms + FLANNELD_MS);
	set_succession(b);
}

/* The dump is worth nothing; soon another one. */
static void dump_failed(struct brain *b, const char *problem)
{
	struct text t = TEXT(b->dump_problem);

	text_add(&t, "%s", problem);
	b->circle = CIRCLE_IDLE;
	look_later(&b->look, b->pass.kinds,
		   b->now_ms + backoff_next_ms(&b->dump_backoff, brain_random(b)));
}

/* Is a link gone that we want, and this dump did not look at links? The kernel announces what lay on it
 * before the link itself. */
static bool misses_link(const struct brain *b)
{
	const struct netstate *want = &b->wanted.state;

	if (b->pass.kinds & OBJECT_BIT(OBJECT_LINK))
		return false;
	for (size_t i = 0; i < want->of[OBJECT_LINK].n; i++) {
		if (!b->pass.devs.dev[netstate_at(want, OBJECT_LINK, i).link->dev].ifindex)
			return true;
	}
	return false;
}

void converge_dump_end(struct brain *b, const struct event *ev, struct update *ret)
{
	struct pass *p = &b->pass;
	struct survey s;
	unsigned run;

	if (b->circle != CIRCLE_DUMP)
		return;
	if (!(p->kinds & brain_kinds(b))) {
		b->circle = CIRCLE_IDLE; /* the uplink went meanwhile: nothing is touched */
		return;
	}
	if (ev->dump_end.code) {
		dump_failed(b, ev->dump_end.problem ? ev->dump_end.problem : "no reason given");
		return;
	}
	learn_flanneld(b, ev->dump_end.flanneld);
	p->devs = *ev->dump_end.devs;
	if (!p->devs.dev[DEV_UPLINK].ifindex) {
		/* Compared with that, our own device would look wrong. */
		dump_failed(b, "the uplink is not there");
		ret->flags |= UPDATE_UPLINK;
		return;
	}
	b->dump_problem[0] = '\0';
	backoff_reset(&b->dump_backoff);
	if (misses_link(b)) {
		converge_start(b, OBJECT_ALL, ret);
		return;
	}
	survey(b, &s);
	retry_settle(&b->retry, p->kinds);
	retry_settle(&b->retry6, p->kinds);
	retry_settle(&b->tolerated, p->kinds);
	p->repair = (struct repair){0};
	if (s.n_repairs) {
		record(b, &s);
		ret->repair = &p->repair;
	}
	look_forget_who(&b->look, p->kinds);
	run = s.run[FAMILY_BOTH] | s.run[FAMILY_V4] | s.run[FAMILY_V6];
	p->ops = arena_array(&p->arena, struct op, run ? SLICE_OPS : 0);
	if (!run || !next_slice(b, ret))
		settle(b, s.held);
}

/* ---- apply ---- */

/* What was to be deleted is gone already. */
static bool is_fine(const struct op *op, int code)
{
	return op->verb == OP_DEL && (code == -ENOENT || code == -ESRCH || code == -ENODEV ||
				      code == -EADDRNOTAVAIL || code == -ENXIO);
}

/* The ground moved while we were at it: the verifying dump will tell, no back-off. */
static bool is_passing(const struct op *op, int code)
{
	if (is_vital(op))
		return false;
	return code == -ENODEV || code == -ENETDOWN || code == -ENETUNREACH || code == -EINTR ||
	       code == -EAGAIN || code == -ESRCH || code == -ENOENT;
}

/* Returns whether the rest of the plan is worth trying. */
static bool learn_failures(struct brain *b, const struct op_failure *failures, size_t n)
{
	unsigned dead_devs = 0;
	char number[32];

	for (size_t i = 0; i < n; i++) {
		const struct op_failure *f = &failures[i];
		const struct op *op = &b->pass.ops[f->op];

		if (is_fine(op, f->code) || (dead_devs & 1u << object_dev(&op->object)))
			continue;
		if (is_passing(op, f->code)) {
			b->pass.touched |= LINK_FALLOUT; /* look there again */
			continue;
		}
		if (is_vital(op)) /* whatever else fails on that link fails for this */
			dead_devs |= 1u << op->object.link->dev;
		snprintf(number, sizeof(number), "errno %d", -f->code);
		retry_refused(retry_of(b, op), op, &b->pass.devs, f->text[0] ? f->text : number,
			      b->now_ms, brain_random(b));
		b->fault[object_family(&op->object)] |= retry_of(b, op) != &b->tolerated;
	}
	return !dead_devs;
}

void converge_applied(struct brain *b, const struct op_failure *failures, size_t n_failures,
		      struct update *ret)
{
	struct pass *p = &b->pass;
	unsigned kinds;

	if (b->circle != CIRCLE_APPLY)
		return;
	if (learn_failures(b, failures, n_failures) && next_slice(b, ret))
		return;
	kinds = p->touched;
	if (kinds & (OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_ADDR)))
		kinds |= LINK_FALLOUT;
	b->changed |= kinds & brain_kinds(b);
	p->applied_generation = b->wanted.stale ? 0 : b->wanted.generation;
	converge_start(b, kinds, ret);
}
