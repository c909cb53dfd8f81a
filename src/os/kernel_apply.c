/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "os/holder.h"
#include "os/kernel_impl.h"

struct run {
	struct os *os;
	const struct plan *plan;
	struct arena *arena;
	struct op_failure *failures;
	size_t n_failures, room;

	/* The batch being filled. */
	struct nl_buf b;

	struct {
		uint32_t seq;
		size_t op;
	} sent[NLSOCK_BATCH];

	size_t n_sent;
};

static void fail(struct run *run, size_t op, int code, const char *words)
{
	struct op_failure *f;

	if (nl_rt_done(&run->plan->ops[op], code))
		return;
	run->failures = arena_room(run->arena, run->failures, run->n_failures, &run->room,
				   sizeof(*run->failures));
	f = &run->failures[run->n_failures++];
	f->op = op;
	f->code = code;
	snprintf(f->text, sizeof(f->text), "%s", words && words[0] ? words : strerror(-code));
}

/* ---- batches ---- */

static void on_failure(void *arg, const struct nl_ack *ack)
{
	struct run *run = arg;

	for (size_t i = 0; i < run->n_sent; i++) {
		if (run->sent[i].seq == ack->seq)
			fail(run, run->sent[i].op, ack->code, ack->text);
	}
}

static int flush(struct run *run, struct err *err)
{
	int r = 0;

	if (run->n_sent > 0)
		r = nlsock_batch(&run->os->request, &run->b, on_failure, run, err);
	run->b = kernel_tx(run->os);
	run->n_sent = 0;
	return r;
}

static int add(struct run *run, size_t op, struct err *err)
{
	uint32_t seq = nlsock_seq(&run->os->request);
	int r = 0;

	if (run->n_sent == NLSOCK_BATCH)
		r = flush(run, err);
	if (r < 0)
		return r;
	r = nl_rt_encode(&run->b, &run->plan->ops[op], &run->os->map, seq);
	if (r == -ENOBUFS) {
		r = flush(run, err);
		if (r < 0)
			return r;
		r = nl_rt_encode(&run->b, &run->plan->ops[op], &run->os->map, seq);
	}
	if (r < 0) {
		fail(run, op, r, r == -ENODEV ? "its link does not exist" : NULL);
		return 0;
	}
	run->sent[run->n_sent].seq = seq;
	run->sent[run->n_sent].op = op;
	run->n_sent++;
	return 0;
}

/* ---- links: one at a time, because others need their index ---- */

static int request(struct os *os, struct nl_buf *b, int encoded, struct nl_ack *ret_ack)
{
	*ret_ack = (struct nl_ack){.code = encoded};
	return encoded < 0 ? encoded : nlsock_request(&os->request, b, NULL, NULL, ret_ack);
}

static int change_link(struct os *os, const struct link *l, const struct link *old,
		       struct nl_ack *ret_ack)
{
	struct nl_buf b = kernel_tx(os);
	uint32_t ifindex = os->map.dev[l->dev].ifindex;

	return request(os, &b, nl_link_set(&b, l, old, ifindex, nlsock_seq(&os->request)), ret_ack);
}

static int create_link(struct os *os, const struct link *l, struct nl_ack *ret_ack, struct err *err)
{
	struct nl_buf b = kernel_tx(os);
	int r;

	r = request(os, &b, nl_link_create(&b, l, &os->map, nlsock_seq(&os->request)), ret_ack);
	if (r == -ENODEV && ret_ack->seq == 0)
		snprintf(ret_ack->text, sizeof(ret_ack->text), "its lower link does not exist");
	if (r < 0)
		return r;
	r = kernel_roles(os, err);
	if (r < 0)
		return r;
	b = kernel_tx(os);
	return request(
		os, &b,
		nl_link_set(&b, l, NULL, os->map.dev[l->dev].ifindex, nlsock_seq(&os->request)),
		ret_ack);
}

static int delete_link(struct os *os, const struct link *l, struct nl_ack *ret_ack)
{
	struct nl_buf b = kernel_tx(os);

	if (os->map.dev[l->dev].ifindex == 0)
		return 0;
	return request(os, &b,
		       nl_link_del(&b, os->map.dev[l->dev].ifindex, nlsock_seq(&os->request)),
		       ret_ack);
}

static int set_link(struct os *os, const struct op *op, struct nl_ack *ret_ack)
{
	const struct link *l = op->object.link, *old = op->old.link;
	struct link down = *old;
	int r;

	if (os->map.dev[l->dev].ifindex == 0)
		return -ENODEV;
	r = change_link(os, l, old, ret_ack);
	if (r != -EBUSY || strcmp(l->name, old->name) == 0)
		return r;
	/* Before Linux 6.2 a link that is up keeps its name. */
	down.up = false;
	r = change_link(os, &down, old, ret_ack);
	return r < 0 ? r : change_link(os, l, &down, ret_ack);
}

/* The kernel says that somebody is in the way; people want to know who. */
static void fail_link(struct run *run, size_t i, int code, const char *words)
{
	const struct link *l = run->plan->ops[i].object.link;
	struct nl_buf b = kernel_tx(run->os);
	char who[120] = "";

	if (l->kind == LINK_VXLAN && (code == -EADDRINUSE || code == -EEXIST))
		holder_name(&run->os->request, &b, &run->os->map, l, "/proc", &TEXT(who));
	fail(run, i, code, who[0] ? who : words);
}

static int run_link(struct run *run, size_t i, struct err *err)
{
	const struct op *op = &run->plan->ops[i];
	const struct link *l = op->object.link;
	struct nl_ack ack = {0};
	int r = 0;

	switch (op->verb) {
	case OP_ADD:
		r = create_link(run->os, l, &ack, err);
		break;
	case OP_SET:
		r = set_link(run->os, op, &ack);
		break;
	case OP_RECREATE:
		r = delete_link(run->os, l, &ack);
		if (r == 0 || r == -ENODEV)
			r = create_link(run->os, l, &ack, err);
		break;
	case OP_DEL:
		r = delete_link(run->os, l, &ack);
		break;
	case OP__COUNT:
		assert(!"verb");
	}
	if (r < 0)
		fail_link(run, i, r, ack.text);
	r = kernel_roles(run->os, err);
	run->os->seen[l->dev] = run->os->link[l->dev];
	return r;
}

/* ---- files ---- */

static void run_file(struct run *run, size_t i)
{
	const struct op *op = &run->plan->ops[i];
	const char *env = run->os->names.envfile_path;
	struct err err = {0};
	char path[FILE_PATH_SIZE];
	int r = 0;

	if (op->object.kind == OBJECT_SYSCTL) {
		kernel_sysctl_path(run->os, op->object.sysctl->path, path);
		if (op->verb != OP_DEL)
			r = file_write(path, op->object.sysctl->value, &err);
	} else if (!env) {
		r = -EINVAL;
	} else if (op->verb == OP_DEL) {
		r = file_remove(env, &err);
	} else {
		r = file_replace(env, op->object.envfile->text, &err);
	}
	if (op->object.kind == OBJECT_ENVFILE &&
	    env) { /* that was us; the next dump looks anyway */
		filewatch_arm(&run->os->envfile, env);
		filewatch_read(&run->os->envfile);
	}
	if (r < 0)
		fail(run, i, r, err.text);
}

/* ---- the plan ---- */

static int run_op(struct run *run, size_t i, struct err *err)
{
	const struct op *op = &run->plan->ops[i];
	char text[120] = "";
	int r;

	switch (op->object.kind) {
	case OBJECT_ADDR:
	case OBJECT_NEXTHOP:
	case OBJECT_NEIGH:
	case OBJECT_FDB:
	case OBJECT_ROUTE:
		return add(run, i, err);
	case OBJECT_LINK:
	case OBJECT_SYSCTL:
	case OBJECT_FW_TABLE:
	case OBJECT_FW_CHAIN:
	case OBJECT_GUARD_PEER:
	case OBJECT_GUARD:
	case OBJECT_ENVFILE:
	case OBJECT__COUNT:
		break;
	}
	r = flush(run, err);
	if (r < 0)
		return r;
	if (op->object.kind == OBJECT_LINK)
		return run_link(run, i, err);
	if (op->object.kind == OBJECT_SYSCTL || op->object.kind == OBJECT_ENVFILE) {
		run_file(run, i);
		return 0;
	}
	r = nft_apply(run->os->nft, &run->os->names, op, text, err);
	if (r < 0)
		fail(run, i, r, text);
	return 0;
}

/* As many from `i` on as go into one transaction: *ret_n. */
static int run_peers(struct run *run, size_t i, size_t *ret_n, struct err *err)
{
	const struct plan rest = {run->plan->ops + i, run->plan->n - i};
	char text[120] = "";
	int r = flush(run, err);

	if (r < 0)
		return r;
	r = nft_apply_peers(run->os->nft, &run->os->names, &rest, ret_n, text, err);
	for (size_t k = 0; r < 0 && k < *ret_n; k++)
		fail(run, i + k, r, text);
	return 0;
}

static unsigned kinds_of(const struct plan *p)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < p->n; i++)
		kinds |= OBJECT_BIT(p->ops[i].object.kind);
	return kinds;
}

int kernel_apply(struct os *os, const struct plan *plan, struct arena *a,
		 const struct op_failure **ret_failures, size_t *ret_n_failures, struct err *err)
{
	struct run run = {.os = os, .plan = plan, .arena = a, .b = kernel_tx(os)};
	unsigned hush = kinds_of(plan) & (OBJECT_BIT(OBJECT_FDB) | OBJECT_BIT(OBJECT_NEIGH));
	int r = os->roles_known ? 0 : kernel_roles(os, err);

	if (hush)
		kernel_watch_filter(os, hush);
	for (size_t i = 0, n = 1; i < plan->n && r == 0; i += n) {
		n = 1;
		if (plan->ops[i].object.kind == OBJECT_GUARD_PEER)
			r = run_peers(&run, i, &n, err);
		else
			r = run_op(&run, i, err);
	}
	if (r == 0)
		r = flush(&run, err);
	if (hush)
		kernel_watch_filter(os, 0);
	if (r < 0)
		return err_wrap(err, r, "cannot change the kernel");
	*ret_failures = run.failures;
	*ret_n_failures = run.n_failures;
	return 0;
}
