/* SPDX-License-Identifier: Apache-2.0 */
#include "core/want.h"

#include <stdio.h>
#include <string.h>

#include "core/envfile.h"
#include "core/fw.h"
#include "core/guard.h"

static const struct backend *const backends[] = {
	&backend_vxlan,
};

const struct backend *backend_find(enum backend_type type)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		if (backends[i]->type == type)
			return backends[i];
	}
	return NULL;
}

void want_link_alias(const struct brain_conf *conf, char ret_alias[LINK_ALIAS_SIZE])
{
	snprintf(ret_alias, LINK_ALIAS_SIZE, "loden%s%s", conf->instance[0] ? ":" : "",
		 conf->instance);
}

void want_table_name(const struct brain_conf *conf, char ret_name[FW_NAME_SIZE])
{
	snprintf(ret_name, FW_NAME_SIZE, "loden%s%s", conf->instance[0] ? "-" : "", conf->instance);
}

void want_guard_name(const struct brain_conf *conf, char ret_name[FW_NAME_SIZE])
{
	snprintf(ret_name, FW_NAME_SIZE, "loden%s%.16s_peers", conf->instance[0] ? "-" : "",
		 conf->instance);
}

void want_comment(const struct brain_conf *conf, char ret_comment[FW_COMMENT_SIZE])
{
	snprintf(ret_comment, FW_COMMENT_SIZE, "loden%s%s: " WANT_COMMENT_FORWARD,
		 conf->instance[0] ? "-" : "", conf->instance);
}

void want_link_name(const struct brain_conf *conf, const struct netconf *net, enum dev dev,
		    char ret_name[LINK_NAME_SIZE])
{
	ret_name[0] = '\0';
	switch (dev) {
	case DEV_VXLAN:
		if (net->ipv4)
			snprintf(ret_name, LINK_NAME_SIZE, "flannel.%u", net->vxlan.vni);
		break;
	case DEV_VXLAN6:
		if (net->ipv6)
			snprintf(ret_name, LINK_NAME_SIZE, "flannel-v6.%u", net->vxlan.vni);
		break;
	case DEV_BRIDGE:
		if (conf->bridge)
			snprintf(ret_name, LINK_NAME_SIZE, "%s", conf->bridge_name);
		break;
	case DEV_NONE:
	case DEV_UPLINK:
	case DEV__COUNT:
		break;
	}
}

uint32_t want_mtu(const struct netconf *net, const struct uplink *uplink, bool v6)
{
	const struct backend *backend = backend_find(net->backend);
	uint32_t overhead = 0, base = uplink->mtu_bytes;

	if (backend)
		overhead = v6 ? backend->overhead6_bytes : backend->overhead_bytes;

	if (net->vxlan.mtu_bytes && net->vxlan.mtu_bytes < base)
		base = net->vxlan.mtu_bytes;
	return base > overhead ? base - overhead : 0;
}

void *want_append(struct netstate *s, enum object_kind kind, size_t n, struct arena *a)
{
	size_t size = object_size(kind), before = s->of[kind].n;
	char *items = arena_calloc(a, before + n, size);

	if (before)
		memcpy(items, s->of[kind].items, before * size);
	s->of[kind].items = items;
	s->of[kind].n += n;
	return items + before * size;
}

/* The address that pods use as their gateway: the first of our subnet. */
static struct cidr gateway(const struct cidr *subnet)
{
	return (struct cidr){.ip = ip_add(&subnet->ip, 1), .len = subnet->len};
}

/* 0a:58 and the gateway's four bytes: the same after every boot, so pods' ARP caches stay true, and the
 * scheme that CNI plugins are known by. An IPv6 address has more bytes: folded, they take part, all of them. */
static struct mac bridge_mac(const struct cidr *gw)
{
	struct mac mac = {.b = {0x0a, 0x58}};
	size_t n;
	const uint8_t *ip = ip_bytes(&gw->ip, &n);

	for (size_t i = 0; i < n; i++)
		mac.b[2 + i % 4] ^= ip[i];
	return mac;
}

static void want_bridge(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	struct cidr gw = gateway(in->net->ipv4 ? &in->own->subnet : &in->own->subnet6);
	struct link *l = want_append(ret, OBJECT_LINK, 1, a);

	*l = (struct link){
		.dev = DEV_BRIDGE,
		.kind = LINK_BRIDGE,
		.mac = mac_is_set(&in->bridge_mac) ? in->bridge_mac : bridge_mac(&gw),
		.mtu_bytes = want_mtu(in->net, in->uplink, false),
		.up = true,
	};
	want_link_name(in->conf, in->net, DEV_BRIDGE, l->name);
	want_link_alias(in->conf, l->alias);
	if (in->net->ipv4)
		*(struct addr *)want_append(ret, OBJECT_ADDR, 1, a) =
			(struct addr){.dev = DEV_BRIDGE, .cidr = gw};
	if (in->net->ipv6)
		*(struct addr *)want_append(ret, OBJECT_ADDR, 1, a) =
			(struct addr){.dev = DEV_BRIDGE, .cidr = gateway(&in->own->subnet6)};
}

static void add_sysctl(struct netstate *ret, struct arena *a, const char *path, const char *value)
{
	struct sysctl *s = want_append(ret, OBJECT_SYSCTL, 1, a);

	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->value, sizeof(s->value), "%s", value);
}

/* `family` is ipv4 or ipv6. */
static void add_link_sysctl(struct netstate *ret, struct arena *a, const char *family,
			    const char *link, const char *name, const char *value)
{
	char path[sizeof(((struct sysctl *)0)->path)];

	snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, link, name);
	add_sysctl(ret, a, path, value);
}

static void want_sysctls4(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	char vxlan[LINK_NAME_SIZE], bridge[LINK_NAME_SIZE];

	want_link_name(in->conf, in->net, DEV_VXLAN, vxlan);
	want_link_name(in->conf, in->net, DEV_BRIDGE, bridge);
	add_sysctl(ret, a, "net/ipv4/ip_forward", "1");
	/* Hosts may forward in general and yet not on new links (conf/default/forwarding). */
	add_link_sysctl(ret, a, "ipv4", vxlan, "forwarding", "1");
	/* Peers' hosts may send from their uplink address, whose way back is not this link: strict
	 * reverse path filtering drops that. The kernel takes the greater of this and conf/all, which is
	 * often 1 (strict), so 0 would not help and 2 (loose) does. */
	add_link_sysctl(ret, a, "ipv4", vxlan, "rp_filter", "2");
	/* A peer must not make itself our IPv6 router (flannel.md 6.1.1). */
	add_link_sysctl(ret, a, "ipv6", vxlan, "accept_ra", "0");
	if (bridge[0])
		add_link_sysctl(ret, a, "ipv4", bridge, "forwarding", "1");
	if (in->net->vxlan.direct_routing) {
		/* Pods' packets come in plain. The peer may have judged otherwise than we, or not yet
		 * anew: then the way back is the overlay, and strict filtering drops them. */
		add_link_sysctl(ret, a, "ipv4", in->uplink->name, "forwarding", "1");
		add_link_sysctl(ret, a, "ipv4", in->uplink->name, "rp_filter", "2");
	}
}

static void want_link_sysctls6(const struct want_input *in, enum dev dev, struct arena *a,
			       struct netstate *ret)
{
	char link[LINK_NAME_SIZE];

	want_link_name(in->conf, in->net, dev, link);
	if (!link[0])
		return;
	add_link_sysctl(ret, a, "ipv6", link, "accept_ra", "0");
	/* Hosts may switch IPv6 off on new links (conf/default/disable_ipv6). */
	add_link_sysctl(ret, a, "ipv6", link, "disable_ipv6", "0");
}

static void want_sysctls6(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	const struct uplink *u = in->uplink;

	/* Before forwarding: it makes the kernel forget what routers advertised, but for links with 2
	 * (failures.md I-24). Where it is 0 somebody else listens to routers: that will do (core/diff.c). */
	for (size_t i = 0; i < UPLINK_ADVERTISED_MAX && u->advertised[i][0]; i++)
		add_link_sysctl(ret, a, "ipv6", u->advertised[i], "accept_ra", "2");
	/* IPv6 has no switch per link: this one makes all of the host a router. */
	add_sysctl(ret, a, WANT_FORWARDING6, "1");
	want_link_sysctls6(in, DEV_VXLAN6, a, ret);
	want_link_sysctls6(in, DEV_BRIDGE, a, ret);
}

/* Packets to pods of ours that do not exist must not leave by the default route (flannel.md 8.3). With a
 * metric, because the bridge's own route to the subnet has none: in its slot one of the two would go. */
#define BLACKHOLE_METRIC 4096

static void want_blackhole(const struct cidr *subnet, struct arena *a, struct netstate *ret)
{
	struct route *r = want_append(ret, OBJECT_ROUTE, 1, a);

	*r = (struct route){
		.dst = *subnet,
		.type = ROUTE_BLACKHOLE,
		.proto = ROUTE_PROTO_LODEN,
		.metric = BLACKHOLE_METRIC,
	};
}

static void want_envfile(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	struct envfile *e = want_append(ret, OBJECT_ENVFILE, 1, a);
	struct text t = TEXT(e->text);

	envfile_write(in->net, in->own, want_mtu(in->net, in->uplink, false), in->conf->ip_masq,
		      &t);
}

void want_build(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	*ret = (struct netstate){0};
	if (in->own) {
		if (in->conf->bridge)
			want_bridge(in, a, ret);
		if (in->net->ipv4)
			want_sysctls4(in, a, ret);
		if (in->net->ipv6)
			want_sysctls6(in, a, ret);
		if (in->conf->blackhole_route && in->net->ipv4)
			want_blackhole(&in->own->subnet, a, ret);
		if (in->conf->blackhole_route && in->net->ipv6)
			want_blackhole(&in->own->subnet6, a, ret);
		fw_want(in, a, ret);
		guard_want(in, a, ret);
		want_envfile(in, a, ret);
	}
	backend_find(in->net->backend)->want(in, a, ret); /* last: few objects move for its many */
	for (int kind = 0; kind < OBJECT__COUNT; kind++)
		netstate_sort(ret, (enum object_kind)kind);
}
