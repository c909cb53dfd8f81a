/* SPDX-License-Identifier: Apache-2.0 */
/* bridge CHECK: is everything still as prevResult says? Texts are the reference plugin's. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cni/applet.h"
#include "cni/delegate.h"
#include "cni/pod.h"
#include "os/netns.h"
#include "wire/cni.h"
#include "wire/cni_conf.h"

struct checking {
	struct call *c;
	const struct cni_result *prev;
	struct bridge_conf conf;
	struct pod *pod;
	struct nl_pod_link bridge, eth;
};

static const char *text_of(const char *s)
{
	return s ? s : "";
}

/* The link that an interface of prevResult names, and that it is where it should be. */
static int find_link(struct nlsock *s, const struct cni_iface *i, bool in_pod,
		     struct nl_pod_link *ret, struct err *err)
{
	int r;

	if (!i || !*i->name)
		return err_set(err, -EINVAL, "Interface name missing");
	r = pod_link(s, 0, i->name, ret, err);
	if (r < 0)
		return r;
	if (r == POD_NO_LINK)
		return err_set(err, -ENODEV, "Interface name %s not found", i->name);
	if (in_pod && !*text_of(i->sandbox))
		return err_set(err, -EINVAL, "Interface %s is expected to be in a sandbox",
			       i->name);
	if (!in_pod && *text_of(i->sandbox))
		return err_set(err, -EINVAL, "Interface %s should not be in sandbox", i->name);
	return 0;
}

static bool mac_differs(const struct cni_iface *i, const struct nl_pod_link *link)
{
	char mac[MAC_STRLEN];

	return *text_of(i->mac) && strcmp(i->mac, mac_format(&link->mac, mac)) != 0;
}

static int check_bridge(struct checking *x, const struct cni_iface *i, struct err *err)
{
	int r = find_link(&x->pod->host, i, false, &x->bridge, err);

	if (r < 0)
		return r;
	if (x->bridge.kind != NL_POD_BRIDGE)
		return err_set(err, -EINVAL, "Interface %s does not have link type of bridge",
			       i->name);
	if (mac_differs(i, &x->bridge))
		return err_set(err, -EINVAL, "Bridge interface %s Mac doesn't match: %s", i->name,
			       i->mac);
	if (x->bridge.promisc != x->conf.promisc)
		return err_set(
			err, -EINVAL,
			"Bridge interface %s configured Promisc Mode %s doesn't match current "
			"state: %s",
			i->name, x->conf.promisc ? "true" : "false",
			x->bridge.promisc ? "true" : "false");
	return 0;
}

static int check_pod_link(struct checking *x, const struct cni_iface *i, struct err *err)
{
	char mac[MAC_STRLEN];
	int r = find_link(&x->pod->inside, i, true, &x->eth, err);

	if (r < 0)
		return r;
	if (x->eth.kind != NL_POD_VETH)
		return err_set(err, -EINVAL, "Error: Container interface %s not of type veth",
			       i->name);
	if (mac_differs(i, &x->eth))
		return err_set(err, -EINVAL, "Interface %s Mac %s doesn't match container Mac: %s",
			       i->name, i->mac, mac_format(&x->eth.mac, mac));
	return 0;
}

/* One of the other interfaces must be the host's end. What is no veth is not CNI's work. */
static int check_host_end(struct checking *x, const struct cni_iface *bridge,
			  const struct cni_iface *eth, struct err *err)
{
	for (size_t i = 0; i < x->prev->n_ifaces; i++) {
		const struct cni_iface *iface = &x->prev->ifaces[i];
		struct nl_pod_link link;
		int r;

		if (strcmp(iface->name, bridge->name) == 0 || strcmp(iface->name, eth->name) == 0)
			continue;
		r = find_link(&x->pod->host, iface, false, &link, err);
		if (r < 0)
			return r;
		if (link.kind != NL_POD_VETH || link.ifindex != x->eth.peer ||
		    link.peer != x->eth.ifindex || link.master != x->bridge.ifindex)
			continue;
		if (mac_differs(iface, &link))
			return err_set(err, -EINVAL, "Interface %s Mac doesn't match: %s not found",
				       iface->name, iface->mac);
		return 0;
	}
	return err_set(err, -ENODEV, "CNI veth created for bridge %s was not found", x->conf.name);
}

/* Any gateway will do if `gw` is unset. */
static bool has_route(const struct nl_pod_route *routes, size_t n, const struct cidr *dst, bool v6,
		      const struct ip *gw, uint32_t table)
{
	const struct cidr want = cidr_masked(dst);

	for (size_t i = 0; i < n; i++) {
		if (routes[i].v6 == v6 && routes[i].table == table &&
		    cidr_eq(&routes[i].dst, &want) && (!ip_is_set(gw) || ip_eq(gw, &routes[i].gw)))
			return true;
	}
	return false;
}

static int check_addrs(struct checking *x, const struct nl_pod_route *routes, size_t n_routes,
		       struct err *err)
{
	struct arena *a = x->c->arena;
	struct pod_addrs addrs[2];
	int r = 0;

	for (int v6 = 0; r == 0 && v6 < 2; v6++)
		r = pod_addrs(&x->pod->inside, x->eth.ifindex, v6, a, &addrs[v6], err);
	for (size_t i = 0; r == 0 && i < x->prev->n_ips; i++) {
		const struct cni_ip *ip = &x->prev->ips[i];
		const int v6 = !ip_is_v4(&ip->address.ip);
		char text[CIDR_STRLEN];
		bool found = false;

		for (size_t j = 0; j < addrs[v6].n; j++)
			found |= cidr_eq(&addrs[v6].v[j], &ip->address);
		if (!found)
			return err_set(err, -EINVAL, "Failed to match addr %s on interface %s",
				       cidr_format(&ip->address, text), x->c->env.ifname);
		if (!has_route(routes, n_routes, &ip->address, v6, &(struct ip){{0}},
			       RT_TABLE_MAIN))
			return err_set(err, -EINVAL, "Failed to find Gateway %s for interface %s",
				       ip_format(&ip->gateway, text), x->c->env.ifname);
	}
	return r;
}

static int check_routes(struct checking *x, const struct nl_pod_route *routes, size_t n,
			struct err *err)
{
	for (size_t i = 0; i < x->prev->n_routes; i++) {
		const struct cni_route *want = &x->prev->routes[i];
		const struct ip any = {{0}}, *gw = want->dst.len == 0 ? &any : &want->gw;
		char dst[CIDR_STRLEN], via[IP_STRLEN];

		if (!has_route(routes, n, &want->dst, !ip_is_v4(&want->dst.ip), gw,
			       want->has_table ? (uint32_t)want->table : RT_TABLE_MAIN))
			return err_set(err, -EINVAL,
				       "Expected Route {%s via %s} not found in routing table",
				       cidr_is_set(&want->dst) ? cidr_format(&want->dst, dst)
							       : "::/0",
				       ip_format(&want->gw, via));
	}
	return 0;
}

static int check(struct checking *x, struct err *err)
{
	const struct cni_iface *bridge = NULL, *eth = NULL;
	struct nl_pod_route *routes;
	size_t n_routes;
	int r;

	for (size_t i = 0; i < x->prev->n_ifaces; i++) {
		const struct cni_iface *iface = &x->prev->ifaces[i];

		if (strcmp(iface->name, x->conf.name) == 0)
			bridge = iface;
		else if (strcmp(iface->name, x->c->env.ifname) == 0 &&
			 strcmp(text_of(iface->sandbox), x->c->env.netns) == 0)
			eth = iface;
	}
	r = check_bridge(x, bridge, err);
	if (r < 0)
		return r;
	if (!eth)
		return err_set(err, -EINVAL,
			       "Sandbox in prevResult  doesn't match configured netns: %s",
			       x->c->env.netns);
	if ((r = pod_enter(x->pod, err)) < 0 || (r = check_pod_link(x, eth, err)) < 0 ||
	    (r = check_host_end(x, bridge, eth, err)) < 0 ||
	    (r = pod_routes(&x->pod->inside, x->c->arena, &routes, &n_routes, err)) < 0 ||
	    (r = check_addrs(x, routes, n_routes, err)) < 0)
		return r;
	return check_routes(x, routes, n_routes, err);
}

int bridge_check(struct call *c)
{
	struct checking x = {
		.c = c,
		.prev = &c->conf.prev,
		.pod = arena_new(c->arena, struct pod),
	};
	struct err err = {0};
	int r;

	if (cni_conf_bridge(c->root, c->env.args, c->arena, &x.conf, &err) < 0)
		return call_fail(c, &err);
	r = pod_open(x.pod, &err);
	if (r == 0)
		r = netns_open(c->env.netns, &x.pod->netns_fd, &err);
	if (r != 0) {
		pod_close(x.pod);
		return cni_fail(c->error, CNI_CODE_PLAIN, "failed to open netns \"%s\": %s",
				c->env.netns, err.text);
	}
	r = delegate_run(c, CNI_CHECK, c->conf.ipam_type);
	if (r < 0) {
		pod_close(x.pod);
		return r;
	}
	r = cni_decode_prev(c->root, c->arena, &c->conf, &err);
	if (r == 0)
		r = c->conf.has_prev ? check(&x, &err)
				     : err_set(&err, -EINVAL, "Required prevResult missing");
	pod_close(x.pod);
	return r < 0 ? call_fail(c, &err) : 0;
}
