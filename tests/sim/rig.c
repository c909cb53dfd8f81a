/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <errno.h>
#include <stdlib.h>

void rig_init(struct rig *r, const struct brain_conf *conf, struct sim *kernel)
{
	*r = (struct rig){.brain = brain_new(conf), .conf = *conf, .kernel = kernel};
	r->now_ms = 1;
	r->wake_ms = UINT64_MAX;
}

void rig_fini(struct rig *r)
{
	brain_free(r->brain);
}

static struct update tell(struct rig *r, struct event ev)
{
	struct update u;

	ev.now_ms = r->now_ms;
	step(r->brain, &ev, &u);
	if (ev.type != EVENT_OBJECT)
		r->wake_ms = u.wake_ms;
	if (u.dropped && r->hooks.dropped)
		r->hooks.dropped(r->hooks.arg, u.dropped);
	return u;
}

static void tell_object(void *arg, const struct object *o)
{
	tell(arg, (struct event){.type = EVENT_OBJECT, .object = {*o}});
}

static struct update dump(struct rig *r, unsigned kinds)
{
	char names[DEV__COUNT][LINK_NAME_SIZE];
	bool fails;

	r->n_dumps++;
	fails = r->n_dumps >= r->fail_at && r->n_dumps - r->fail_at < r->fail_n;
	brain_names(r->brain, names);
	sim_names(r->kernel, names);
	if (r->hooks.dump)
		r->hooks.dump(r->hooks.arg, kinds);
	tell(r, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {kinds}});
	/* What was shown before it broke off is the least of what could confuse. */
	sim_dump(r->kernel, fails ? kinds & OBJECT_BIT(OBJECT_LINK) : kinds, tell_object, r);
	return tell(
		r, (struct event){.type = EVENT_DUMP_END,
				  .dump_end = {.code = fails ? r->fail_code : 0,
					       .problem = "broken off",
					       .devs = &r->kernel->devs,
					       .flanneld = r->flanneld.pid ? &r->flanneld : NULL}});
}

static struct update apply(struct rig *r, const struct update *u)
{
	struct op_failure *failures = calloc(u->plan.n, sizeof(*failures));
	struct update next = {.wake_ms = UINT64_MAX};
	size_t n = 0;

	r->n_plans++;
	if (r->hooks.plan)
		r->hooks.plan(r->hooks.arg, &u->plan, u->repair);
	r->dead = !sim_apply(r->kernel, &u->plan, failures, &n);
	for (size_t i = 0; i < n && r->hooks.failure; i++)
		r->hooks.failure(r->hooks.arg, &u->plan.ops[failures[i].op], &failures[i]);
	if (!r->dead)
		next = tell(r, (struct event){.type = EVENT_APPLIED, .applied = {failures, n}});
	free(failures);
	return next;
}

void rig_own(struct rig *r)
{
	struct lease own = r->published;

	own.subnet = r->subnet;
	own.subnet6 = r->subnet6;
	rig_feed(r, (struct event){.type = EVENT_OWN,
				   .own = {.state = OWN_HELD, .lease = &own, .expires_s = 86400}});
}

void rig_uplink(struct rig *r)
{
	bool have = r->uplink.ifindex;

	rig_feed(r, (struct event){.type = EVENT_UPLINK,
				   .uplink = {have ? &r->uplink : NULL,
					      have ? r->lacks : r->no_uplink, r->n_shortcuts}});
}

void rig_feed(struct rig *r, struct event ev)
{
	struct update u = tell(r, ev);
	unsigned todo = u.flags;
	struct lease publish = u.publish;
	size_t n_rounds = 0;

	while (!r->dead && (u.flags & (UPDATE_PLAN | UPDATE_DUMP))) {
		if (++n_rounds > 1000)
			abort(); /* it would go round for ever */
		u = u.flags & UPDATE_PLAN ? apply(r, &u) : dump(r, u.dump_kinds);
		todo |= u.flags;
		if (u.flags & UPDATE_PUBLISH)
			publish = u.publish;
	}
	if (r->dead)
		return;
	if (todo & UPDATE_UPLINK)
		rig_uplink(r);
	if (todo & UPDATE_PUBLISH) {
		r->published = publish;
		r->is_published = true;
		if (r->hooks.publish)
			r->hooks.publish(r->hooks.arg, &publish);
		if (cidr_is_set(&r->subnet) || cidr_is_set(&r->subnet6))
			rig_own(r);
	}
	if ((todo & UPDATE_RELIST) && r->hooks.relist)
		r->hooks.relist(r->hooks.arg);
}

void rig_run(struct rig *r, uint64_t until_ms)
{
	size_t n_at_once = 0;

	while (!r->dead && r->wake_ms <= until_ms) {
		n_at_once = r->wake_ms <= r->now_ms ? n_at_once + 1 : 0;
		if (n_at_once > 100)
			abort(); /* a busy loop */
		r->now_ms = r->now_ms > r->wake_ms ? r->now_ms : r->wake_ms;
		r->n_wakes++;
		rig_feed(r, (struct event){.type = EVENT_TIMER});
	}
	if (r->now_ms < until_ms)
		r->now_ms = until_ms;
}
