/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cni_keep.h"
#include "agent/conf.h"
#include "agent/confine.h"
#include "agent/front.h"
#include "agent/journal.h"
#include "agent/kube_exec.h"
#include "agent/last_good.h"
#include "agent/lease_record.h"
#include "agent/policy.h"
#include "agent/process.h"
#include "agent/source.h"
#include "base/log.h"
#include "core/adopt.h"
#include "core/diff.h"
#include "core/want.h"
#include "os/kernel.h"

#define SYSCTLS_MAX    32
#define TRIM_PAD_BYTES (16 << 10)

struct agent {
	const struct opts *opts;
	struct brain_conf conf;
	struct process process;
	struct policy policy;
	struct ip flags_ip, flags_ip6; /* --public-ip, --public-ipv6 */
	struct loop *loop;
	const struct os_ops *ops;
	struct os *os;
	struct sysctl sysctls[SYSCTLS_MAX]; /* the os borrows them between calls */
	const struct source_ops *source_ops;
	struct source *source;	     /* NULL: none that works */
	struct kube_exec *kube_exec; /* a credential plugin; NULL = none */
	struct brain *brain;
	struct front *front;
	struct last_good *last_good;
	struct cni_keep *cni; /* NULL: not asked for */
	struct journal journal;
	struct loop_watch *timer, *signals, *kernel[OS_WATCH_FDS];
	struct arena arena; /* of the event under way */

	/* What updates asked for and is not done yet. */
	unsigned todo; /* UPDATE_* */
	unsigned dump_kinds;
	struct lease publish;
	uint64_t wake_ms;

	struct status_requests requests;
};

/* --- the kernel --------------------------------------------------------------------------------- */

/* Before the kernel side is asked anything: what plays which role, and what is ours. */
static void tell_names(struct agent *a)
{
	const struct netstate *want = brain_want(a->brain);
	struct os_names names = {
		.nexthop_base = conf_nexthop_base(&a->conf),
		.envfile_path = a->opts->subnet_file,
		.proc_sys = a->opts->proc_sys,
		.sysctls = a->sysctls,
		.host_routes = a->policy.uplink.direct_routing,
		.n_sysctls = MIN(want->of[OBJECT_SYSCTL].n, (size_t)SYSCTLS_MAX),
	};

	assert(want->of[OBJECT_SYSCTL].n <= SYSCTLS_MAX);
	brain_names(a->brain, names.dev);
	want_link_alias(&a->conf, names.link_alias);
	brain_networks(a->brain, names.networks);
	brain_arrival(a->brain, &names.arrival);
	want_table_name(&a->conf, names.fw_table);
	want_guard_name(&a->conf, names.guard_table);
	want_comment(&a->conf, names.fw_comment);
	for (size_t i = 0; i < names.n_sysctls; i++)
		a->sysctls[i] = *netstate_at(want, OBJECT_SYSCTL, i).sysctl;
	a->ops->set_names(a->os, &names);
}

static struct update tell(struct agent *a, struct event ev);

static struct update apply(struct agent *a, const struct update *u)
{
	const struct op_failure *failures = NULL;
	size_t n_failures = 0;
	struct err err = {0};
	int r;

	if (u->repair)
		journal_repair(&a->journal, u->repair);
	journal_slice(&a->journal, &u->plan, a->ops->devmap(a->os));
	tell_names(a);
	r = a->ops->apply(a->os, &u->plan, &a->arena, &failures, &n_failures, &err);
	if (r < 0) { /* nothing was run: each op failed, for the one reason */
		struct op_failure *all = arena_array(&a->arena, struct op_failure, u->plan.n);

		for (size_t i = 0; i < u->plan.n; i++) {
			all[i] = (struct op_failure){.op = i, .code = r};
			text_add(&TEXT(all[i].text), "%s", err.text);
		}
		failures = all;
		n_failures = u->plan.n;
	}
	journal_failures(&u->plan, a->ops->devmap(a->os), failures, n_failures);
	return tell(a, (struct event){.type = EVENT_APPLIED, .applied = {failures, n_failures}});
}

static void on_object(void *arg, const struct object *o)
{
	tell(arg, (struct event){.type = EVENT_OBJECT, .object = {*o}});
}

static struct update dump(struct agent *a)
{
	const unsigned kinds = a->dump_kinds;
	const struct os_dump what = {kinds, on_object, a};
	struct event end = {.type = EVENT_DUMP_END};
	struct os_taken taken = {0};
	struct err err = {0};

	a->todo &= ~UPDATE_DUMP;
	a->dump_kinds = 0;
	tell_names(a);
	tell(a, (struct event){.type = EVENT_DUMP_BEGIN, .dump_begin = {kinds}});
	end.dump_end.code = a->ops->dump(a->os, &what, &taken, &err);
	end.dump_end.devs = a->ops->devmap(a->os);
	end.dump_end.flanneld = taken.flanneld.pid ? &taken.flanneld : NULL;
	end.dump_end.problem = err.text;
	if (end.dump_end.code < 0)
		log_warn("dump.failed", "code=%d why=\"%s\"", end.dump_end.code, err.text);
	return tell(a, end);
}

/* --- the circle --------------------------------------------------------------------------------- */

/* One step. What the update asks for is kept for feed(), but for a plan: that must be run at once. */
static struct update tell(struct agent *a, struct event ev)
{
	struct update u;

	ev.now_ms = loop_now_ms(a->loop);
	step(a->brain, &ev, &u);
	a->todo |= u.flags & ~(unsigned)UPDATE_PLAN;
	if (u.flags & UPDATE_DUMP)
		a->dump_kinds |= u.dump_kinds;
	if (u.flags & UPDATE_PUBLISH)
		a->publish = u.publish;
	if (u.dropped)
		log_warn("last_good.dropped", "why=\"%s\"", u.dropped);
	a->wake_ms = u.wake_ms;
	return u;
}

static bool take_todo(struct agent *a, unsigned flag)
{
	const bool was = a->todo & flag;

	a->todo &= ~flag;
	return was;
}

static void choose_uplink(struct agent *a);

/* Whoever waits for the network: pods may come, and the source may say so. */
static void tell_ready(struct agent *a)
{
	const bool source = a->source && a->source_ops->ready;
	struct status s;

	if (!source && !a->cni)
		return;
	brain_status(a->brain, loop_now_ms(a->loop), &s);
	if (s.ready == READY_YES)
		cni_keep_ready(a->cni);
	if (source)
		a->source_ops->ready(a->source, s.ready, s.problem);
}

/* One event in, and all that follows from it. The source may answer from within publish() and
 * relist() with further events: by then nothing of this one is left that they could disturb. */
static void feed(struct agent *a, struct event ev)
{
	struct update u = tell(a, ev);
	bool dumped = false;

	for (;;) {
		if (u.flags & UPDATE_PLAN) {
			u = apply(a, &u);
			continue;
		}
		journal_end(&a->journal);
		if (!(a->todo & UPDATE_DUMP))
			break;
		u = dump(a);
		dumped = true;
	}
	arena_reset(&a->arena);
	if (dumped)
		malloc_trim(TRIM_PAD_BYTES); /* what only that needed lies between other things */
	loop_timer_at(a->timer, a->wake_ms);
	if (take_todo(a, UPDATE_UPLINK))
		choose_uplink(a);
	if (a->source && take_todo(a, UPDATE_PUBLISH)) {
		const struct lease publish = a->publish;

		a->source_ops->publish(a->source, &publish);
	}
	if (a->source && take_todo(a, UPDATE_RELIST))
		a->source_ops->relist(a->source);
	if (take_todo(a, UPDATE_STATUS)) {
		front_changed(a->front);
		tell_ready(a);
	}
}

static void choose_uplink(struct agent *a)
{
	struct event ev = {.type = EVENT_UPLINK};
	struct iface_facts facts;
	struct uplink uplink;
	struct err err = {0};
	struct arena arena;
	int r;

	arena_init(&arena, 0);
	tell_names(a); /* whose bridge, which networks */
	r = a->ops->facts(a->os, &a->policy.uplink.can_reach, &arena, &facts, &err);
	if (r == 0)
		ev.uplink.n_shortcuts = facts.n_shortcuts;
	if (r == 0)
		r = uplink_choose(&a->policy.uplink, &facts, &uplink, &err);
	arena_fini(&arena);
	if (r == 0 || r == UPLINK_HALF)
		ev.uplink.uplink = &uplink;
	if (r != 0)
		ev.uplink.problem = err.text;
	feed(a, ev);
}

/* What of the configuration decides about the uplink. */
static void use_conf(struct agent *a, const struct netconf *conf)
{
	a->policy.uplink.ipv4 = conf->ipv4;
	a->policy.uplink.ipv6 = conf->ipv6;
	a->policy.uplink.direct_routing = conf->vxlan.direct_routing;
}

static void on_source(void *arg, const struct event *ev)
{
	struct agent *a = arg;

	if (ev->type == EVENT_CONFIG && ev->config.conf)
		use_conf(a, ev->config.conf);
	if (ev->type == EVENT_OWN && ev->own.state == OWN_HELD)
		lease_record_save(a->opts, ev->own.lease);
	feed(a, *ev);
	last_good_saw(a->last_good, ev);
}

/* The source's word goes before the flags', as in flannel. */
static void use_public_ip(struct agent *a, const struct ip *ip, const struct ip *ip6)
{
	a->policy.uplink.public_ip = ip_is_set(ip) ? *ip : a->flags_ip;
	a->policy.uplink.public_ip6 = ip_is_set(ip6) ? *ip6 : a->flags_ip6;
	last_good_told(a->last_good, ip, ip6);
}

static void on_public_ip(void *arg, const struct ip *ip, const struct ip *ip6)
{
	use_public_ip(arg, ip, ip6);
	choose_uplink(arg);
}

static void on_timer(void *arg)
{
	feed(arg, (struct event){.type = EVENT_TIMER});
}

static void on_kernel(void *arg, int fd)
{
	struct os_notice n = {.kinds = OBJECT_ALL, .uplink = true}; /* after a failure: look */
	struct agent *a = arg;
	int r = a->ops->watch_read(a->os, fd, &n);

	if (r < 0)
		log_warn("kernel.unheard", "why=\"%s\"", strerror(-r));
	if (r != 0)
		feed(a, (struct event){.type = EVENT_NOTICE,
				       .notice = {n.kinds, n.uplink, n.who.pid ? &n.who : NULL}});
}

static void on_signal(void *arg, int fd)
{
	struct agent *a = arg;

	(void)fd;
	process_stopping(&a->process);
	loop_stop(a->loop);
}

/* --- what front asks ---------------------------------------------------------------------------- */

static void give_status(void *arg, struct status *ret)
{
	struct agent *a = arg;
	const char *problem = last_good_problem(a->last_good);
	struct text notes;

	brain_status(a->brain, loop_now_ms(a->loop), ret);
	ret->rss_bytes = process_rss_bytes();
	ret->requests = a->requests;
	notes = (struct text){
		.buf = ret->notes, .size_bytes = sizeof(ret->notes), .len = strlen(ret->notes)};
	if (problem[0])
		text_add(&notes, "%s\n", problem);
	text_add(&notes, "%s", cni_keep_problems(a->cni));
}

static void feed_diff(void *arg, const struct object *o)
{
	diff_feed(arg, o);
}

/* The same want, dump and diff as in the circle, but told instead of run. */
static bool tell_plan(void *arg, FILE *out)
{
	struct agent *a = arg;
	struct arena arena;
	struct err err = {0};
	struct diff diff;
	const struct os_dump what = {OBJECT_ALL, feed_diff, &diff, .peek = true};
	struct os_taken taken;
	struct status s;
	struct op ops[64];
	size_t n, n_ops = 0;
	int r;

	arena_init(&arena, 0);
	tell_names(a);
	diff_begin(&diff, brain_want(a->brain), OBJECT_ALL, brain_sweep(a->brain), &arena);
	r = a->ops->dump(a->os, &what, &taken, &err);
	if (r < 0)
		fprintf(out, "The kernel cannot be read: %s\n", err.text);
	do {
		n = r < 0 ? 0 : diff_next(&diff, ops, ARRAY_SIZE(ops));
		for (size_t i = 0; i < n; i++) {
			char line[OP_STRLEN];
			struct text t = TEXT(line);

			op_format(&ops[i], a->ops->devmap(a->os), &t);
			fprintf(out, "would %s\n", line);
		}
		n_ops += n;
	} while (n == ARRAY_SIZE(ops));
	arena_fini(&arena);
	if (brain_phase(a->brain) != PHASE_RUN) {
		give_status(a, &s);
		fprintf(out, "Not everything is kept yet: %s\n", s.problem);
	}
	fprintf(out, "%zu change%s.\n", n_ops, n_ops == 1 ? "" : "s");
	return n_ops > 0 || r < 0;
}

/* --- start and end ------------------------------------------------------------------------------ */

static int open_source(struct agent *a, const struct last_good_found *found, struct err *err)
{
	const struct opts *o = a->opts;
	struct envfile_previous previous;
	struct status s;
	struct source_conf conf = {
		.loop = a->loop,
		.fn = on_source,
		.public_ip = on_public_ip,
		.arg = a,
		.seed = a->conf.seed ^ 1,
		.opts = o,
		.kube_exec = a->kube_exec,
		.requests = &a->requests,
		.renew_margin_min = (uint32_t)o->subnet_lease_renew_margin_min,
		.lease_ttl_s = (uint32_t)o->etcd_lease_ttl_s,
		.known = found->leases,
		.n_known = found->event.recalled.n,
		.told_ip = found->told_ip,
		.told_ip6 = found->told_ip6,
	};

	conf_previous(o, &previous);
	conf.previous = previous.subnet;
	conf.previous6 = previous.subnet6;
	give_status(a, &s);
	/* From disk: subnet.env does not outlive a reboot. */
	if (s.have_lease && s.uplink.ifindex) {
		conf.previous = s.own.subnet;
		conf.previous6 = s.own.subnet6;
	}
	a->source_ops = o->kube_subnet_mgr ? &source_kube : &source_etcd;
	return a->source_ops->open(&conf, &a->source, err);
}

/* What is on disk first: it needs nobody. */
static int start(struct agent *a, struct err *err)
{
	struct last_good_found found = {0};
	int r;

	if (last_good_load(a->opts, &found)) {
		use_conf(a, &found.conf);
		use_public_ip(a, &found.told_ip, &found.told_ip6);
		feed(a, found.event);
	}
	r = open_source(a, &found, err);
	last_good_found_free(&found);
	return r;
}

static int agent_open(struct agent *a, struct err *err)
{
	const struct front_conf front = {.loop = a->loop,
					 .opts = a->opts,
					 .arg = a,
					 .status = give_status,
					 .plan = tell_plan};
	int fds[OS_WATCH_FDS], r;

	r = process_lock(&a->process, a->opts->run_dir, err);
	if (r > 0)
		return r;
	if (r < 0) /* a directory that cannot be written to is no reason to leave the pods alone */
		log_warn("agent.no_lock", "why=\"%s\"", err->text);
	else
		process_last_exit_log(&a->process);
	if (process_state_dir(a->opts->state_dir, err) != 0)
		log_warn("agent.no_state_dir", "why=\"%s\"", err->text);
	r = process_signals(&a->process, err);
	if (r < 0)
		return r;
	r = kernel_open(&a->os, err);
	if (r < 0)
		return r;
	if (a->conf.vxlan_guard && !kernel_has_nf_tables(a->os)) {
		log_warn("guard.impossible", "why=\"this kernel has no nf_tables: anybody who "
					     "reaches the VXLAN port can send to pods\"");
		a->conf.vxlan_guard = false;
	}
	a->brain = brain_new(&a->conf);
	a->signals = loop_readable(a->loop, a->process.signal_fd, on_signal, a);
	a->ops->watch_fds(a->os, fds);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		a->kernel[i] = fds[i] < 0 ? NULL : loop_readable(a->loop, fds[i], on_kernel, a);
	a->last_good = last_good_new(a->loop, a->opts, a->brain);
	a->front = front_new(&front);
	a->cni = cni_keep_new(a->loop, a->opts);
	r = start(a, err);
	return r < 0 ? AGENT_BAD_OPTION : 0;
}

static void agent_close(struct agent *a)
{
	if (a->source)
		a->source_ops->close(a->source);
	kube_exec_free(a->kube_exec);
	front_free(a->front);
	cni_keep_free(a->cni);
	last_good_free(a->last_good);
	for (size_t i = 0; i < ARRAY_SIZE(a->kernel); i++)
		loop_watch_free(a->kernel[i]);
	loop_watch_free(a->signals);
	loop_watch_free(a->timer);
	kernel_close(a->os);
	brain_free(a->brain);
	arena_fini(&a->arena);
	loop_free(a->loop);
	process_fini(&a->process);
	policy_fini(&a->policy);
}

int agent_run(const struct opts *o, struct err *err)
{
	struct agent a = {.opts = o,
			  .ops = &os_ops_kernel,
			  .process = PROCESS_INIT,
			  .journal.verbose = o->verbosity > 0};
	int r;

	if (conf_from_opts(o, &a.conf, err) < 0)
		return AGENT_BAD_OPTION;
	if (policy_init(&a.policy, o, err) < 0) {
		policy_fini(&a.policy);
		return AGENT_BAD_OPTION;
	}
	if (o->kube_subnet_mgr && kube_exec_new(o, &a.kube_exec, err) < 0) {
		policy_fini(&a.policy);
		return AGENT_BAD_OPTION;
	}
	a.flags_ip = a.policy.uplink.public_ip;
	a.flags_ip6 = a.policy.uplink.public_ip6;
	confine_agent(o);
	arena_init(&a.arena, 0);
	a.loop = loop_new();
	a.timer = loop_timer(a.loop, on_timer, &a);
	r = agent_open(&a, err);
	if (r == 0)
		loop_run(a.loop);
	agent_close(&a);
	return r;
}
