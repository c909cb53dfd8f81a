/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "os/kernel_impl.h"
#include "wire/nl_facts.h"

struct facts {
	struct arena *arena;
	struct iface *ifaces;
	size_t n, room;
	struct route_fact *routes;
	size_t n_routes, n_routes4, routes_room; /* IPv4 comes first */
	struct cidr networks[2]; /* the cluster's: routes inside lead to pods, not to hosts */
	struct iface_facts *ret;
	uint32_t best, best6; /* metrics of the default routes found */
	bool have, have6;
};

static int on_link(void *arg, const struct nl_msg *m)
{
	struct facts *f = arg;
	struct iface iface;
	int r = nl_facts_iface(m, &iface);

	if (r != 0 || f->n == LIMIT_IFACES)
		return MIN(r, 0);
	f->ifaces = arena_room(f->arena, f->ifaces, f->n, &f->room, sizeof(iface));
	f->ifaces[f->n++] = iface;
	return 0;
}

static int by_index(const void *a, const void *b)
{
	const struct iface *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

static struct iface *find_iface(struct facts *f, uint32_t ifindex)
{
	struct iface key = {.ifindex = ifindex};

	return f->n ? bsearch(&key, f->ifaces, f->n, sizeof(key), by_index) : NULL;
}

static int on_addr(void *arg, const struct nl_msg *m)
{
	struct facts *f = arg;
	struct iface_addr addr;
	struct iface *iface;
	uint32_t ifindex;
	int r = nl_facts_addr(m, &ifindex, &addr);

	if (r != 0)
		return MIN(r, 0);
	iface = find_iface(f, ifindex);
	if (iface && iface->n_addrs < UPLINK_ADDRS_MAX)
		iface->addrs[iface->n_addrs++] = addr;
	return 0;
}

static void learn_default(struct facts *f, const struct route_fact *r)
{
	bool v6 = !ip_is_v4(&r->dst.ip);
	bool *have = v6 ? &f->have6 : &f->have;
	uint32_t *best = v6 ? &f->best6 : &f->best;

	if (!r->unicast || (*have && *best <= r->metric))
		return;
	*have = true;
	*best = r->metric;
	if (v6)
		f->ret->default_ifindex6 = r->ifindex;
	else
		f->ret->default_ifindex = r->ifindex;
	if (!v6)
		f->ret->default_multipath = r->ifindex == 0;
}

static bool is_pods(const struct facts *f, const struct cidr *dst)
{
	for (size_t i = 0; i < ARRAY_SIZE(f->networks); i++) {
		if (cidr_is_set(&f->networks[i]) && cidr_covers(&f->networks[i], dst))
			return true;
	}
	return false;
}

static int on_route(void *arg, const struct nl_msg *m)
{
	struct facts *f = arg;
	struct route_fact route;
	struct iface *iface;
	int r = nl_facts_route(m, &route);

	if (r != 0)
		return MIN(r, 0);
	if (route.dst.len == 0)
		learn_default(f, &route);
	iface = route.advertised ? find_iface(f, route.ifindex) : NULL;
	if (iface)
		iface->advertised = true;
	if (is_pods(f, &route.dst))
		return 0;
	if (f->n_routes == LIMIT_ROUTE_FACTS) {
		f->ret->routes_cut = true;
		return 0;
	}
	f->routes = arena_room(f->arena, f->routes, f->n_routes, &f->routes_room, sizeof(route));
	f->routes[f->n_routes++] = route;
	return 0;
}

enum part {
	PART_LINKS,
	PART_ADDRS,
	PART_ROUTES,
	PART_ROUTES6,
};

/* Forgets what an interrupted dump of this part left. */
static void forget(struct facts *f, enum part part)
{
	if (part == PART_LINKS)
		f->n = 0;
	for (size_t i = 0; part == PART_ADDRS && i < f->n; i++)
		f->ifaces[i].n_addrs = 0;
	if (part == PART_ROUTES)
		f->n_routes = f->n_routes4 = 0;
	if (part == PART_ROUTES6)
		f->n_routes = f->n_routes4;
	if (part == PART_ROUTES)
		f->have = false;
	for (size_t i = 0; part == PART_ROUTES6 && i < f->n; i++)
		f->ifaces[i].advertised = false;
	if (part == PART_ROUTES6)
		f->have6 = false;
}

static int collect(struct os *os, struct facts *f, enum part part, struct err *err)
{
	static nlsock_msg_fn *const fns[] = {on_link, on_addr, on_route, on_route};
	int r = NLSOCK_INTERRUPTED;

	for (unsigned i = 0; r == NLSOCK_INTERRUPTED && i < LIMIT_DUMP_TRIES; i++) {
		struct nl_buf b = kernel_tx(os);
		uint32_t seq = nlsock_seq(&os->request);

		if (part == PART_LINKS)
			nl_link_dump(&b, seq);
		else
			nl_rt_dump(&b, part == PART_ADDRS ? OBJECT_ADDR : OBJECT_ROUTE, 0,
				   part == PART_ROUTES6, seq);
		forget(f, part);
		r = nlsock_dump(&os->request, &b, fns[part], f, err);
	}
	if (r == NLSOCK_INTERRUPTED)
		return err_set(err, -EAGAIN, "interfaces keep changing while they are listed");
	return r < 0 ? err_wrap(err, r, "cannot list the host's interfaces") : 0;
}

/* Does the firewall see what bridges pass on? Without br_netfilter there is no such file. */
static bool is_filtered(const char *family)
{
	char path[64], value[4];

	snprintf(path, sizeof(path), "/proc/sys/net/bridge/bridge-nf-call-%s", family);
	return file_read(path, value, sizeof(value), NULL) >= 0 && value[0] == '1';
}

static uint32_t count_shortcuts(const struct os *os, const struct facts *f)
{
	const uint32_t bridge = os->map.dev[DEV_BRIDGE].ifindex;
	uint32_t n = 0;

	if (!bridge || (is_filtered("iptables") &&
			(!cidr_is_set(&os->names.networks[1]) || is_filtered("ip6tables"))))
		return 0;
	for (size_t i = 0; i < f->n; i++)
		n += f->ifaces[i].master == bridge && !f->ifaces[i].isolated;
	return n;
}

struct reach {
	uint32_t ifindex;
	struct ip src;
};

static int on_reach(void *arg, const struct nl_msg *m)
{
	struct reach *reach = arg;

	return MIN(nl_facts_reach(m, &reach->ifindex, &reach->src), 0);
}

/* No way there is an answer, not an error. */
static void find_reach(struct os *os, const struct ip *to, struct iface_facts *facts)
{
	struct nl_buf b = kernel_tx(os);
	struct reach reach = {0};
	struct nl_ack ack;

	nl_facts_ask_reach(&b, to, nlsock_seq(&os->request));
	if (nlsock_request(&os->request, &b, on_reach, &reach, &ack) < 0)
		return;
	facts->reach_ifindex = reach.ifindex;
	facts->reach_src = reach.src;
}

int kernel_facts(struct os *os, const struct ip *reach, struct arena *a,
		 struct iface_facts *ret_facts, struct err *err)
{
	struct iface_facts facts = {0};
	struct facts f = {
		.arena = a,
		.ret = &facts,
		.networks = {os->names.networks[0], os->names.networks[1]},
	};
	int r = kernel_roles(os, err);

	os->seen[DEV_UPLINK] = os->link[DEV_UPLINK]; /* what is shown is this, or newer */
	if (r == 0)
		r = collect(os, &f, PART_LINKS, err);
	if (r == 0 && f.n > 1)
		qsort(f.ifaces, f.n, sizeof(*f.ifaces), by_index);
	if (r == 0)
		r = collect(os, &f, PART_ADDRS, err);
	if (r == 0)
		r = collect(os, &f, PART_ROUTES, err);
	f.n_routes4 = f.n_routes;
	/* A kernel without IPv6 answers with an error or with nothing: then there is no such route. */
	if (r == 0)
		(void)collect(os, &f, PART_ROUTES6, NULL);
	if (r < 0)
		return r;
	if (ip_is_set(reach))
		find_reach(os, reach, &facts);
	facts.n_shortcuts = count_shortcuts(os, &f);
	facts.ifaces = f.ifaces;
	facts.n_ifaces = f.n;
	facts.routes = f.routes;
	facts.n_routes = f.n_routes;
	*ret_facts = facts;
	return 0;
}
