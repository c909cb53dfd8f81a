/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/pod.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cni/call.h"
#include "os/file.h"
#include "os/netns.h"

#define REQUEST_BYTES 1024 /* the largest, a veth with all its attributes, takes 250 */
#define BATCH_BYTES   8192
#define UP_TIMEOUT_MS 5000 /* the reference gives up after 2.55 s */

/* Shared by all sockets; pages that no answer reaches are never touched. */
static uint8_t rx[NLSOCK_RX_BYTES];

int pod_open(struct pod *p, struct err *err)
{
	p->netns_fd = p->host_fd = -1;
	p->host = p->inside = NLSOCK_CLOSED;
	p->bridge = p->veth = p->eth = 0;
	p->created = false;
	return nlsock_open(&p->host, NETLINK_ROUTE, rx, err);
}

void pod_close(struct pod *p)
{
	nlsock_close(&p->host);
	nlsock_close(&p->inside);
	if (p->netns_fd >= 0)
		close(TAKE_FD(p->netns_fd));
	if (p->host_fd >= 0)
		close(TAKE_FD(p->host_fd));
}

int pod_enter(struct pod *p, struct err *err)
{
	int r = netns_open_own(&p->host_fd, err);

	if (r == 0)
		r = netns_enter(p->netns_fd, err);
	return r < 0 ? r : nlsock_open(&p->inside, NETLINK_ROUTE, rx, err);
}

int pod_leave(struct pod *p, struct err *err)
{
	int r;

	if (p->host_fd < 0)
		return 0;
	nlsock_close(&p->inside);
	r = netns_enter(p->host_fd, err);
	close(TAKE_FD(p->host_fd));
	return r;
}

/* ---- requests ---- */

static int explain(int code, const struct nl_ack *ack, const char *what, struct err *err)
{
	return err_set(err, code, "%s: %s%s%s", what, strerror(-code), ack->text[0] ? ": " : "",
		       ack->text);
}

/* One message that was encoded into `b`; `fits` is what its encoder said. */
static int request(struct nlsock *s, struct nl_buf *b, bool fits, const char *what, struct err *err)
{
	struct nl_ack ack = {0};
	int r = fits ? nlsock_request(s, b, NULL, NULL, &ack) : -EMSGSIZE;

	return r < 0 ? explain(r, &ack, what, err) : 0;
}

/* The answer to one question; the socket may also bring news of other links. */
struct looking {
	uint32_t seq, port;
	struct nl_pod_link link;
};

static int on_link(void *arg, const struct nl_msg *m)
{
	struct looking *l = arg;

	if (m->type != RTM_NEWLINK || m->seq != l->seq || m->port != l->port)
		return 0;
	return nl_pod_decode_link(m, &l->link);
}

int pod_link(struct nlsock *s, uint32_t ifindex, const char *name, struct nl_pod_link *ret,
	     struct err *err)
{
	struct looking l = {.seq = nlsock_seq(s), .port = s->port};
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_ack ack;
	int r;

	if (!nl_pod_get(&b, ifindex, name, l.seq))
		return err_set(err, -EMSGSIZE, "cannot look up %s: %s", name, strerror(EMSGSIZE));
	r = nlsock_request(s, &b, on_link, &l, &ack);
	if (r == -ENODEV)
		return POD_NO_LINK;
	if (r < 0) {
		explain(r, &ack, name, err);
		return err_wrap(err, r, "cannot look up");
	}
	*ret = l.link;
	return 0;
}

/* ---- dumps ---- */

/* Objects of one kind, gathered; `item` is asked to write the next one and says if it counts. */
struct gather {
	struct arena *a;
	uint8_t *items;
	size_t n, room, item_bytes;
	uint32_t ifindex; /* 0 = any */
	bool (*decode)(const struct gather *g, const struct nl_msg *m, void *item);
};

static int on_object(void *arg, const struct nl_msg *m)
{
	struct gather *g = arg;

	g->items = arena_room(g->a, g->items, g->n, &g->room, g->item_bytes);
	if (g->decode(g, m, g->items + g->n * g->item_bytes))
		g->n++;
	return 0;
}

static bool decode_addr(const struct gather *g, const struct nl_msg *m, void *item)
{
	struct nl_pod_addr addr;

	if (nl_pod_decode_addr(m, &addr) < 0 || addr.ifindex != g->ifindex)
		return false;
	memcpy(item, &addr.cidr, sizeof(addr.cidr));
	return true;
}

static bool decode_route(const struct gather *g, const struct nl_msg *m, void *item)
{
	(void)g;
	return nl_pod_decode_route(m, item) == 0;
}

/* Gathers a dump whole: what the kernel interrupted is asked for again. */
static int dump(struct nlsock *s, const struct nl_buf *request, struct gather *g, struct err *err)
{
	const size_t n = g->n;
	int r = NLSOCK_INTERRUPTED;

	for (int i = 0; i < LIMIT_DUMP_TRIES && r == NLSOCK_INTERRUPTED; i++) {
		struct nl_buf b = *request;

		g->n = n;
		r = nlsock_dump(s, &b, on_object, g, err);
	}
	if (r == NLSOCK_INTERRUPTED)
		return err_set(err, -EAGAIN, "netlink dump: interrupted %d times",
			       LIMIT_DUMP_TRIES);
	return r;
}

int pod_addrs(struct nlsock *s, uint32_t ifindex, bool v6, struct arena *a, struct pod_addrs *ret,
	      struct err *err)
{
	struct gather g = {
		.a = a,
		.item_bytes = sizeof(struct cidr),
		.ifindex = ifindex,
		.decode = decode_addr,
	};
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	int r;

	nl_pod_dump_addrs(&b, v6, ifindex, nlsock_seq(s));
	r = dump(s, &b, &g, err);
	*ret = (struct pod_addrs){.v = (struct cidr *)(void *)g.items, .n = g.n};
	return r;
}

int pod_routes(struct nlsock *s, struct arena *a, struct nl_pod_route **ret, size_t *ret_n,
	       struct err *err)
{
	struct gather g = {
		.a = a,
		.item_bytes = sizeof(struct nl_pod_route),
		.decode = decode_route,
	};
	int r = 0;

	for (int v6 = 0; r == 0 && v6 < 2; v6++) {
		uint8_t bytes[REQUEST_BYTES];
		struct nl_buf b = NL_BUF(bytes);

		nl_pod_dump_routes(&b, v6, nlsock_seq(s));
		r = dump(s, &b, &g, err);
	}
	*ret = (struct nl_pod_route *)(void *)g.items;
	*ret_n = g.n;
	return r;
}

/* ---- running a plan ---- */

struct run {
	struct pod *p;
	const struct cni_plan *plan;
	const struct pod_names *names;
	/* Ops inside the pod go as one batch. */
	struct nl_buf batch;
	uint8_t bytes[BATCH_BYTES];
	uint32_t first_seq;
	size_t first_op;
	struct err *err;
	int code; /* of the first op of the batch that failed */
};

static void describe(const struct cni_op *op, char buf[CNI_PLAN_ALIAS_SIZE])
{
	struct text t = {.buf = buf, .size_bytes = CNI_PLAN_ALIAS_SIZE};

	cni_op_format(op, &t);
}

static void on_failure(void *arg, const struct nl_ack *ack)
{
	char what[CNI_PLAN_ALIAS_SIZE] = "batch";
	struct run *r = arg;
	size_t i = r->first_op + (ack->seq - r->first_seq);

	if (r->code < 0)
		return;
	if (i < r->plan->n)
		describe(&r->plan->ops[i], what);
	r->code = explain(ack->code, ack, what, r->err);
}

static int flush(struct run *r)
{
	int rc;

	if (r->batch.len == 0)
		return 0;
	rc = nlsock_batch(&r->p->inside, &r->batch, on_failure, r, r->err);
	r->batch.len = 0;
	return rc < 0 ? rc : r->code;
}

static bool encode_inside(struct run *r, const struct cni_op *op, uint32_t seq)
{
	switch (op->type) {
	case CNI_OP_ARP_NOTIFY:
		return nl_pod_set_arp_notify(&r->batch, r->p->eth, seq);
	case CNI_OP_ADDR_ADD:
		return nl_pod_add_addr(&r->batch, r->p->eth, &op->cidr, op->no_prefix_route, seq);
	case CNI_OP_UP:
		return nl_pod_set_up(&r->batch, r->p->eth, true, seq);
	case CNI_OP_ROUTE:
		return nl_pod_add_route(&r->batch, r->p->eth, &op->route, seq);
	case CNI_OP_BRIDGE_ADD:
	case CNI_OP_BRIDGE_SET:
	case CNI_OP_ADDR_DEL:
	case CNI_OP_SYSCTL:
	case CNI_OP_VETH:
	case CNI_OP_PORT:
	case CNI_OP__COUNT:
		break;
	}
	assert(!"an op of the pod");
	return false;
}

/* Appends op i to the batch; sends what is there first if it does not fit, or if a sequence number
 * would not say any more which op it is. */
static int append(struct run *r, size_t i)
{
	const struct cni_op *op = &r->plan->ops[i];
	uint32_t seq = nlsock_seq(&r->p->inside);
	int rc;

	if (r->batch.len > 0 && encode_inside(r, op, seq))
		return 0;
	rc = flush(r);
	if (rc < 0)
		return rc;
	r->first_seq = seq;
	r->first_op = i;
	return encode_inside(r, op, seq) ? 0 : err_set(r->err, -EMSGSIZE, "op too large");
}

static int write_sysctl(const struct cni_op *op, struct err *err)
{
	char path[96], now[16];
	size_t n;
	int r;

	snprintf(path, sizeof(path), "/proc/sys/%s", op->path);
	if (op->must == CNI_OP_TRY) {
		file_write(path, op->value, NULL);
		return 0;
	}
	r = file_read(path, now, sizeof(now), err);
	if (r < 0)
		return op->must == CNI_OP_MUST ? r : 0;
	n = strlen(op->value);
	if (strncmp(now, op->value, n) == 0 && strcmp(now + n, "\n") == 0)
		return 0;
	return file_write(path, op->value, err);
}

static int add_bridge(struct run *r, const struct cni_op *op)
{
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_pod_link link;
	bool fits;
	int rc;

	fits = nl_pod_add_bridge(&b, r->names->bridge, op->mtu_bytes, &op->mac,
				 nlsock_seq(&r->p->host));
	rc = request(&r->p->host, &b, fits, r->names->bridge, r->err);
	/* Another first pod of this node was quicker. */
	if (rc < 0 && rc != -EEXIST)
		return err_wrap(r->err, rc, "could not add bridge");
	rc = pod_link(&r->p->host, 0, r->names->bridge, &link, r->err);
	if (rc != 0)
		return err_set(r->err, -ENODEV, "bridge %s went away", r->names->bridge);
	r->p->bridge = link.ifindex;
	return 0;
}

/* EEXIST on creating a veth does not say which end it means. */
static int whose_name(struct run *r)
{
	struct nl_pod_link link;
	int rc;

	rc = pod_enter(r->p, r->err);
	if (rc == 0)
		rc = pod_link(&r->p->inside, 0, r->names->ifname, &link, r->err);
	if (rc == POD_NO_LINK) {
		rc = pod_leave(r->p, r->err);
		return rc < 0 ? rc : POD_NAME_TAKEN;
	}
	if (rc < 0)
		return rc;
	return err_set(r->err, -EEXIST,
		       "container veth name (\"%s\") peer provided (\"%s\") already exists",
		       r->names->ifname, r->names->host);
}

static int add_veth(struct run *r, const struct cni_op *op)
{
	const struct nl_pod_veth veth = {
		.host_name = r->names->host,
		.pod_name = r->names->ifname,
		.host_mac = op->mac,
		.pod_mac = op->peer_mac,
		.mtu_bytes = op->mtu_bytes,
		.master = r->p->bridge,
		.netns_fd = r->p->netns_fd,
	};
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	struct looking made = {0};
	struct nl_ack ack;
	int rc;

	made.seq = nlsock_seq(&r->p->host);
	made.port = r->p->host.port;
	if (!nl_pod_add_veth(&b, &veth, made.seq))
		return err_set(r->err, -EMSGSIZE, "failed to make veth pair");
	rc = nlsock_request(&r->p->host, &b, on_link, &made, &ack);
	if (rc == -EEXIST)
		return whose_name(r);
	if (rc < 0)
		return explain(rc, &ack, "failed to make veth pair", r->err);
	r->p->created = true;
	r->p->made = made.link;
	/* Before Linux 6.2 the kernel does not echo. */
	rc = made.link.ifindex ? 0 : pod_link(&r->p->host, 0, r->names->host, &r->p->made, r->err);
	if (rc != 0)
		return rc < 0 ? rc : err_set(r->err, -ENODEV, "%s went away", r->names->host);
	r->p->veth = r->p->made.ifindex;
	r->p->eth = r->p->made.peer;
	return 0;
}

static int run_on_host(struct run *r, const struct cni_op *op)
{
	struct nlsock *s = &r->p->host;
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	char what[CNI_PLAN_ALIAS_SIZE];
	bool fits = false;
	int rc;

	switch (op->type) {
	case CNI_OP_BRIDGE_ADD:
		return add_bridge(r, op);
	case CNI_OP_VETH:
		return add_veth(r, op);
	case CNI_OP_SYSCTL:
		return write_sysctl(op, r->err);
	case CNI_OP_BRIDGE_SET:
		fits = nl_pod_set_bridge(&b, r->p->bridge, op->promisc, &op->mac, nlsock_seq(s));
		break;
	case CNI_OP_ADDR_DEL:
		fits = nl_pod_del_addr(&b, r->p->bridge, &op->cidr, nlsock_seq(s));
		break;
	case CNI_OP_ADDR_ADD:
		fits = nl_pod_add_addr(&b, r->p->bridge, &op->cidr, op->no_prefix_route,
				       nlsock_seq(s));
		break;
	case CNI_OP_PORT:
		fits = nl_pod_set_port(&b, r->p->veth, r->names->alias, op->hairpin, op->isolated,
				       nlsock_seq(s));
		break;
	case CNI_OP_ARP_NOTIFY:
	case CNI_OP_UP:
	case CNI_OP_ROUTE:
	case CNI_OP__COUNT:
		break;
	}
	describe(op, what);
	rc = request(s, &b, fits, what, r->err);
	/* Parallel calls give the bridge the same address, and take the same old one away. */
	if ((op->type == CNI_OP_ADDR_ADD && rc == -EEXIST) ||
	    (op->type == CNI_OP_ADDR_DEL && rc == -EADDRNOTAVAIL))
		rc = 0;
	return rc;
}

int pod_run(struct pod *p, const struct cni_plan *plan, const struct pod_names *names,
	    struct err *err)
{
	struct run r = {.p = p, .plan = plan, .names = names, .err = err};
	int rc = 0;

	r.batch = NL_BUF(r.bytes);
	for (size_t i = 0; rc == 0 && i < plan->n; i++) {
		const struct cni_op *op = &plan->ops[i];

		if (call_stopped())
			return err_set(err, -EINTR, "stopped by a signal");
		if (op->link == CNI_PLAN_POD && p->inside.fd < 0)
			rc = pod_enter(p, err);
		if (rc < 0)
			return rc;
		if (op->link != CNI_PLAN_POD)
			rc = run_on_host(&r, op);
		else if (op->type != CNI_OP_SYSCTL)
			rc = append(&r, i);
		else if ((rc = flush(&r)) == 0)
			rc = write_sysctl(op, err);
	}
	return rc != 0 ? rc : flush(&r);
}

/* ---- waiting ---- */

static int ignore(void *arg, const struct nl_msg *m)
{
	(void)arg;
	(void)m;
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int pod_wait_up(struct pod *p, struct nl_pod_link *ret, struct err *err)
{
	const uint64_t end_ms = now_ms() + UP_TIMEOUT_MS;
	bool watching = false;

	for (;;) {
		struct pollfd fd = {.fd = p->host.fd, .events = POLLIN};
		uint64_t t = now_ms();
		int r = pod_link(&p->host, p->veth, "the veth", ret, err);

		if (r != 0)
			return r < 0 ? r : err_set(err, -ENODEV, "the veth went away");
		if (ret->operational)
			return 0;
		if (t >= end_ms)
			return err_set(err, -ETIMEDOUT, "bridge port in error state: %s",
				       nl_pod_operstate_name(ret->operstate));
		/* First join, then look again: what happened in between is seen. */
		if (!watching) {
			r = nlsock_join(&p->host, RTNLGRP_LINK, err);
			if (r < 0)
				return r;
			watching = true;
			continue;
		}
		if (call_stopped())
			return err_set(err, -EINTR, "stopped by a signal");
		poll(&fd, 1, (int)(end_ms - t));
		/* Lost ones do not matter: the next look tells. */
		nlsock_drain(&p->host, ignore, NULL);
	}
}

/* The kernel announces addresses when the link comes up (arp_notify), which is mostly a moment before
 * the bridge forwards for the port. It does so again when the link is given a MAC, be it the one that it
 * has: inetdev_event() on NETDEV_CHANGEADDR. */
void pod_announce(struct pod *p, const struct mac *mac)
{
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	bool fits = nl_pod_set_mac(&b, p->eth, mac, nlsock_seq(&p->inside));

	request(&p->inside, &b, fits, "announcing", NULL);
}
