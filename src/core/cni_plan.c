/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cni_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

const char *const cni_op_names[] = {
	[CNI_OP_BRIDGE_ADD] = "bridge.add",
	[CNI_OP_BRIDGE_SET] = "bridge.set",
	[CNI_OP_ADDR_DEL] = "addr.del",
	[CNI_OP_ADDR_ADD] = "addr.add",
	[CNI_OP_SYSCTL] = "sysctl",
	[CNI_OP_VETH] = "veth.add",
	[CNI_OP_PORT] = "port.set",
	[CNI_OP_ARP_NOTIFY] = "arp_notify",
	[CNI_OP_UP] = "link.up",
	[CNI_OP_ROUTE] = "route.add",
};
static_assert(ARRAY_SIZE(cni_op_names) == CNI_OP__COUNT, "a name for each");

static const char *const link_names[] = {
	[CNI_PLAN_BRIDGE] = "bridge",
	[CNI_PLAN_HOST] = "host",
	[CNI_PLAN_POD] = "pod",
};
static_assert(ARRAY_SIZE(link_names) == CNI_PLAN_LINK__COUNT, "a name for each");

/* ---- whose ---- */

void cni_plan_veth_name(const struct cni_plan_owner *o, unsigned attempt, char ret[LINK_NAME_SIZE])
{
	uint64_t h = HASH_SEED + attempt;

	h = hash_text(h, o->network);
	h = hash_text(h, o->container_id);
	h = hash_text(h, o->ifname);
	/* NetworkManager leaves links alone whose name begins with veth. */
	snprintf(ret, LINK_NAME_SIZE, "veth%08x", (unsigned)(h ^ h >> 32));
}

void cni_plan_alias(const struct cni_plan_owner *o, char ret[CNI_PLAN_ALIAS_SIZE])
{
	snprintf(ret, CNI_PLAN_ALIAS_SIZE, "loden:%s/%s/%s", o->network, o->container_id,
		 o->ifname);
}

/* ---- planning ---- */

#define SCOPE_LINK 253 /* linux/rtnetlink.h: RT_SCOPE_LINK */

struct planning {
	const struct cni_plan_input *in;
	struct arena *a;
	struct cni_plan plan;
	size_t max_ops;
	struct cidr *addrs; /* of the bridge, as they will be */
	size_t n_addrs;
	bool gateway_added;
	bool routed; /* local traffic is */
	bool v4, v6; /* addresses of the pod */
};

static struct cni_op *add(struct planning *p, enum cni_op_type type, enum cni_plan_link link)
{
	struct cni_op *op = &p->plan.ops[p->plan.n++];

	assert(p->plan.n <= p->max_ops);
	op->type = type;
	op->link = link;
	return op;
}

static void add_sysctl(struct planning *p, enum cni_plan_link link, enum cni_op_must must,
		       const char *value, const char *path)
{
	struct cni_op *op = add(p, CNI_OP_SYSCTL, link);

	op->must = must;
	op->value = value;
	snprintf(op->path, sizeof(op->path), "%s", path);
}

static void add_conf(struct planning *p, enum cni_plan_link link, enum cni_op_must must,
		     const char *ifname, const char *key, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/%s", ifname, key);
	add_sysctl(p, link, must, value, path);
}

/* Of a pair of IPv4 switches of which one is enough, for all links and for one: both off. */
static void add_off4(struct planning *p, enum cni_plan_link link, enum cni_op_must must,
		     const char *ifname, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "net/ipv4/conf/all/%s", key);
	add_sysctl(p, link, must, "0", path);
	snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s", ifname, key);
	add_sysctl(p, link, must, "0", path);
}

/* Gateways that the IPAM plugin left open, and default routes (cni.md 2.2, step 13). */
static void complete_result(struct planning *p)
{
	const struct bridge_conf *conf = p->in->conf;
	struct cni_result *r = &p->plan.result;
	bool have_default[2] = {false, false};

	for (size_t i = 0; i < r->n_routes; i++) {
		const struct cni_route *route = &r->routes[i];

		if (route->dst.len == 0 && ip_is_set(&route->gw))
			have_default[ip_is_v4(&route->dst.ip)] = true;
	}
	for (size_t i = 0; i < r->n_ips; i++) {
		struct cni_ip *ip = &r->ips[i];
		const bool v4 = ip_is_v4(&ip->address.ip);

		ip->iface = CNI_PLAN_POD;
		if (!ip_is_set(&ip->gateway) && conf->is_gateway) {
			struct cidr net = cidr_masked(&ip->address);

			ip->gateway = ip_add(&net.ip, 1);
		}
		if (!conf->is_default_gateway || have_default[v4])
			continue;
		have_default[v4] = true;
		if (v4)
			r->routes[r->n_routes].dst.ip = ip_from_v4(0);
		r->routes[r->n_routes++].gw = ip->gateway;
	}
}

/* One more gateway address for the bridge. An IPv4 bridge has one; IPv6 may have one per subnet. */
static int add_gateway(struct planning *p, const struct cidr *gw, struct err *err)
{
	const struct bridge_conf *conf = p->in->conf;
	char want[CIDR_STRLEN], have[CIDR_STRLEN];
	size_t kept = 0;

	for (size_t i = 0; i < p->n_addrs; i++) {
		if (cidr_eq(&p->addrs[i], gw))
			return 0;
	}
	for (size_t i = 0; i < p->n_addrs; i++) {
		const struct cidr *old = &p->addrs[i];

		if (ip_is_v4(&old->ip) != ip_is_v4(&gw->ip) ||
		    (!ip_is_v4(&gw->ip) && !cidr_contains(old, &gw->ip) &&
		     !cidr_contains(gw, &old->ip))) {
			p->addrs[kept++] = *old;
		} else if (conf->force_address) {
			add(p, CNI_OP_ADDR_DEL, CNI_PLAN_BRIDGE)->cidr = *old;
		} else {
			cidr_format(gw, want);
			cidr_format(old, have);
			return err_set(
				err, -EINVAL,
				"failed to set bridge addr: \"%s\" already has an IP address "
				"different from %s: it has %s%s%s. Either remove that address "
				"when no pod uses it, or set forceAddress",
				conf->name, want, have,
				p->in->blame ? "; the wanted subnet comes from " : "",
				p->in->blame ? p->in->blame : "");
		}
	}
	p->addrs[kept++] = *gw;
	p->n_addrs = kept;
	p->gateway_added = true;
	add(p, CNI_OP_ADDR_ADD, CNI_PLAN_BRIDGE)->cidr = *gw;
	return 0;
}

static int plan_gateways(struct planning *p, struct err *err)
{
	const struct cni_result *r = &p->plan.result;
	bool v4 = false, v6 = false;

	for (size_t i = 0; i < r->n_ips; i++) {
		const struct cni_ip *ip = &r->ips[i];
		const struct cidr gw = {.ip = ip->gateway, .len = ip->address.len};
		int rc = add_gateway(p, &gw, err);

		if (rc < 0)
			return rc;
		v4 |= ip_is_v4(&ip->address.ip);
		v6 |= !ip_is_v4(&ip->address.ip);
	}
	if (v4)
		add_sysctl(p, CNI_PLAN_BRIDGE, CNI_OP_MUST, "1", "net/ipv4/ip_forward");
	if (v6)
		add_sysctl(p, CNI_PLAN_BRIDGE, CNI_OP_MUST, "1", "net/ipv6/conf/all/forwarding");
	return 0;
}

static int plan_bridge(struct planning *p, struct err *err)
{
	const struct cni_plan_bridge *have = &p->in->bridge;
	const struct bridge_conf *conf = p->in->conf;
	struct mac mac = {{0}};
	int r;

	if (have->exists && !have->is_bridge)
		return err_set(err, -EINVAL,
			       "failed to create bridge \"%s\": \"%s\" already exists "
			       "but is not a bridge",
			       conf->name, conf->name);
	if (!have->exists) {
		struct cni_op *op = add(p, CNI_OP_BRIDGE_ADD, CNI_PLAN_BRIDGE);

		op->mtu_bytes = conf->mtu_bytes;
		op->mac = p->in->random[CNI_PLAN_BRIDGE];
	}
	add_conf(p, CNI_PLAN_BRIDGE, CNI_OP_TRY, conf->name, "accept_ra", "0");
	if (p->routed && p->v4)
		add_off4(p, CNI_PLAN_BRIDGE, CNI_OP_TRY, conf->name, "send_redirects");
	r = conf->is_gateway ? plan_gateways(p, err) : 0;
	if (r < 0)
		return r;
	/* Until somebody writes one, a bridge takes the lowest MAC of its ports, and every change
	 * makes its neighbours' caches stale. A bridge that lost all its ports has none to keep. */
	if (have->exists && !mac_is_set(&have->mac))
		mac = p->in->random[CNI_PLAN_BRIDGE];
	else if (have->exists && p->gateway_added)
		mac = have->mac;
	if (!have->up || (conf->promisc && !have->promisc) || mac_is_set(&mac)) {
		struct cni_op *op = add(p, CNI_OP_BRIDGE_SET, CNI_PLAN_BRIDGE);

		op->promisc = conf->promisc;
		op->mac = mac;
	}
	return 0;
}

static void plan_veth(struct planning *p)
{
	const struct bridge_conf *conf = p->in->conf;
	struct cni_op *op;

	op = add(p, CNI_OP_VETH, CNI_PLAN_HOST);
	op->mtu_bytes = conf->mtu_bytes;
	op->mac = p->in->random[CNI_PLAN_HOST];
	op->peer_mac = mac_is_set(&conf->mac) ? conf->mac : p->in->random[CNI_PLAN_POD];
	add_conf(p, CNI_PLAN_HOST, CNI_OP_TRY, p->in->host_name, "accept_ra", "0");
	op = add(p, CNI_OP_PORT, CNI_PLAN_HOST);
	op->hairpin = conf->hairpin;
	op->isolated = conf->isolated || p->routed;
}

/* The gateway through which a route without one goes: the first of its family. */
static struct ip route_gateway(const struct cni_result *r, const struct cni_route *route)
{
	if (ip_is_set(&route->gw))
		return route->gw;
	for (size_t i = 0; i < r->n_ips; i++) {
		if (ip_is_set(&r->ips[i].gateway) &&
		    ip_is_v4(&r->ips[i].gateway) == ip_is_v4(&route->dst.ip))
			return r->ips[i].gateway;
	}
	return (struct ip){0};
}

static bool same_route(const struct cni_route *a, const struct cni_route *b)
{
	const struct cidr x = cidr_masked(&a->dst), y = cidr_masked(&b->dst);

	return cidr_eq(&x, &y) && ip_eq(&a->gw, &b->gw) && a->priority == b->priority &&
	       a->has_table == b->has_table && a->table == b->table;
}

/* What the IPAM plugin says twice (a default route without gateway, and isDefaultGateway's) is one. */
static bool is_planned(const struct cni_plan *plan, const struct cni_route *route)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->ops[i].type == CNI_OP_ROUTE && same_route(&plan->ops[i].route, route))
			return true;
	}
	return false;
}

/* To the gateway, and by it to the others of the subnet. */
static void plan_local_routes(struct planning *p, const struct cni_ip *ip)
{
	const bool v4 = ip_is_v4(&ip->gateway); /* IPv6 knows no scopes */
	const struct cni_route routes[] = {
		{.dst = cidr_host(&ip->gateway), .has_scope = v4, .scope = v4 ? SCOPE_LINK : 0},
		{.dst = cidr_masked(&ip->address), .gw = ip->gateway},
	};

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (i > 0 && cidr_contains(&routes[0].dst, &routes[i].dst.ip))
			continue;
		if (!is_planned(&p->plan, &routes[i]))
			add(p, CNI_OP_ROUTE, CNI_PLAN_POD)->route = routes[i];
	}
}

static void plan_pod(struct planning *p)
{
	const struct cni_result *r = &p->plan.result;
	const char *ifname = p->in->owner.ifname;

	add_conf(p, CNI_PLAN_POD, CNI_OP_TRY, ifname, "accept_dad", "0");
	/* IPv6 has no switch against giving such advice, so the pod does not take it. */
	if (p->routed && p->v4)
		add_off4(p, CNI_PLAN_POD, CNI_OP_IF_READABLE, ifname, "accept_redirects");
	if (p->routed && p->v6)
		add_conf(p, CNI_PLAN_POD, CNI_OP_IF_READABLE, ifname, "accept_redirects", "0");
	if (p->v6) {
		add_conf(p, CNI_PLAN_POD, CNI_OP_IF_READABLE, "lo", "disable_ipv6", "0");
		add_conf(p, CNI_PLAN_POD, CNI_OP_IF_READABLE, ifname, "disable_ipv6", "0");
		add_conf(p, CNI_PLAN_POD, CNI_OP_MUST, ifname, "keep_addr_on_down", "1");
	}
	add(p, CNI_OP_ARP_NOTIFY, CNI_PLAN_POD);
	for (size_t i = 0; i < r->n_ips; i++) {
		struct cni_op *op = add(p, CNI_OP_ADDR_ADD, CNI_PLAN_POD);

		op->cidr = r->ips[i].address;
		op->no_prefix_route = p->routed;
	}
	add(p, CNI_OP_UP, CNI_PLAN_POD);
	for (size_t i = 0; p->routed && i < r->n_ips; i++)
		plan_local_routes(p, &r->ips[i]);
	for (size_t i = 0; i < r->n_routes; i++) {
		struct cni_route route = r->routes[i];

		route.gw = route_gateway(r, &route);
		if (!is_planned(&p->plan, &route))
			add(p, CNI_OP_ROUTE, CNI_PLAN_POD)->route = route;
	}
}

/* Must the pod's traffic to its neighbours pass the gateway? By itself only where services are reached
 * through it, and where nobody has already decided about the port. */
static bool is_routed(const struct planning *p)
{
	const struct cni_plan_input *in = p->in;
	const bool filtered = (!p->v4 || in->bridged_filtered) && (!p->v6 || in->bridged_filtered6);

	switch (in->conf->local_traffic) {
	case LOCAL_TRAFFIC_AUTO:
		return in->conf->is_default_gateway && !in->conf->isolated && !filtered;
	case LOCAL_TRAFFIC_ROUTED:
		return true;
	case LOCAL_TRAFFIC_BRIDGED:
	case LOCAL_TRAFFIC__COUNT:
		break;
	}
	return false;
}

/* Copies what grows or changes; the rest stays the IPAM plugin's. */
static void begin_result(struct planning *p)
{
	static const struct cni_result none;
	const struct cni_result *ipam = p->in->ipam ? p->in->ipam : &none;
	struct cni_result *r = &p->plan.result;

	r->ifaces = arena_array(p->a, struct cni_iface, CNI_PLAN_LINK__COUNT);
	r->n_ifaces = CNI_PLAN_LINK__COUNT;
	r->ifaces[CNI_PLAN_POD].sandbox = p->in->sandbox;
	r->ips = arena_array(p->a, struct cni_ip, ipam->n_ips);
	r->n_ips = ipam->n_ips;
	r->routes = arena_array(p->a, struct cni_route, ipam->n_routes + 2);
	r->n_routes = ipam->n_routes;
	for (size_t i = 0; i < r->n_ips; i++)
		r->ips[i] = ipam->ips[i];
	for (size_t i = 0; i < r->n_routes; i++)
		r->routes[i] = ipam->routes[i];
	r->dns = p->in->conf->has_dns ? p->in->conf->dns : ipam->dns;
}

int cni_plan_attach(const struct cni_plan_input *in, struct arena *a, struct cni_plan *ret,
		    struct err *err)
{
	const struct cni_plan_bridge *bridge = &in->bridge;
	const size_t n_ips = in->ipam ? in->ipam->n_ips : 0;
	const size_t n_routes = in->ipam ? in->ipam->n_routes : 0;
	struct planning p = {.in = in, .a = a};
	int r;

	/* 18: ops besides addresses and routes; each gateway may replace every address before it. */
	p.max_ops = 18 + bridge->n_addrs + 5 * n_ips + n_routes + 2;
	p.plan.ops = arena_array(a, struct cni_op, p.max_ops);
	p.addrs = arena_array(a, struct cidr, bridge->n_addrs + n_ips);
	p.n_addrs = bridge->n_addrs;
	for (size_t i = 0; i < p.n_addrs; i++)
		p.addrs[i] = bridge->addrs[i];
	if (in->ipam && n_ips == 0)
		return err_set(err, -EINVAL, "IPAM plugin returned missing IP config");
	begin_result(&p);
	complete_result(&p);
	for (size_t i = 0; i < n_ips; i++) {
		p.v4 |= ip_is_v4(&p.plan.result.ips[i].address.ip);
		p.v6 |= !ip_is_v4(&p.plan.result.ips[i].address.ip);
	}
	p.routed = n_ips > 0 && is_routed(&p);
	r = plan_bridge(&p, err);
	if (r < 0)
		return r;
	plan_veth(&p);
	if (in->ipam)
		plan_pod(&p);
	else if (!in->conf->disable_iface)
		add(&p, CNI_OP_UP, CNI_PLAN_POD);
	*ret = p.plan;
	return 0;
}

/* ---- text ---- */

static void format_mac(const struct mac *m, const char *what, struct text *t)
{
	char buf[MAC_STRLEN];

	if (mac_is_set(m))
		text_add(t, " %s %s", what, mac_format(m, buf));
}

static void format_route(const struct cni_route *r, struct text *t)
{
	char dst[CIDR_STRLEN], gw[IP_STRLEN];

	text_add(t, " %s", cidr_is_set(&r->dst) ? cidr_format(&r->dst, dst) : "::/0");
	if (ip_is_set(&r->gw))
		text_add(t, " via %s", ip_format(&r->gw, gw));
	if (r->priority)
		text_add(t, " metric %d", r->priority);
	if (r->has_table)
		text_add(t, " table %d", r->table);
	if (r->has_scope)
		text_add(t, " scope %d", r->scope);
}

void cni_op_format(const struct cni_op *op, struct text *t)
{
	char buf[CIDR_STRLEN];

	text_add(t, "%s", cni_op_names[op->type]);
	if (op->type == CNI_OP_ADDR_ADD || op->type == CNI_OP_ADDR_DEL)
		text_add(t, " %s", cidr_format(&op->cidr, buf));
	if (op->type == CNI_OP_ROUTE)
		format_route(&op->route, t);
	if (op->type == CNI_OP_SYSCTL)
		text_add(t, " %s=%s", op->path, op->value);
	text_add(t, " %s", link_names[op->link]);
	if (op->mtu_bytes)
		text_add(t, " mtu %u", op->mtu_bytes);
	format_mac(&op->mac, "mac", t);
	format_mac(&op->peer_mac, "peer", t);
	text_add(t, "%s%s%s%s", op->promisc ? " promisc" : "", op->hairpin ? " hairpin" : "",
		 op->isolated ? " isolated" : "", op->no_prefix_route ? " noprefixroute" : "");
}
