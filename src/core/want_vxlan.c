/* SPDX-License-Identifier: Apache-2.0 */
/* The vxlan backend (flannel.md 6.1): one device for each family; for each peer a neighbour that knows its
 * inner MAC, an FDB entry that knows its outer address, and a route to its subnet. With DirectRouting a
 * peer on the uplink's own segment has nothing but a route through its public address. */
#include "core/want.h"

#include <stdlib.h>
#include <string.h>

#include "core/segment.h"

/* IPv4 20 or IPv6 40, UDP 8, VXLAN 8, inner Ethernet 14. Flannel takes 50 off for IPv6 too, and the
 * kernel lowers its device to what we ask for at once. */
#define VXLAN_OVERHEAD_BYTES  50
#define VXLAN_OVERHEAD6_BYTES 70
#define VXLAN_PORT	      8472 /* the kernel's default (linux/drivers/net/vxlan), flannel's too */

uint16_t want_port(const struct netconf *net)
{
	return net->vxlan.port ? net->vxlan.port : VXLAN_PORT;
}

/* One family's overlay, and the number of peers in it. */
struct side {
	const struct want_input *in;
	enum dev dev;
	bool v6;
	size_t n, n_overlaid;
};

static void want_device(const struct side *s, struct arena *a, struct netstate *ret)
{
	struct link *l = want_append(ret, OBJECT_LINK, 1, a);
	const struct want_input *in = s->in;

	*l = (struct link){
		.dev = s->dev,
		.kind = LINK_VXLAN,
		.mac = s->v6 ? in->vtep_mac6 : in->vtep_mac,
		.mtu_bytes = want_mtu(in->net, in->uplink, s->v6),
		.up = true,
		.vxlan =
			{
				.vni = in->net->vxlan.vni,
				.port = want_port(in->net),
				.local = s->v6 ? in->uplink->public_ip6 : in->uplink->public_ip,
				.lower = DEV_UPLINK,
				.learning = in->net->vxlan.learning,
				.gbp = in->net->vxlan.gbp,
			},
	};
	want_link_name(in->conf, in->net, s->dev, l->name);
	want_link_alias(in->conf, l->alias);
}

static bool is_ok(const struct side *s, size_t i)
{
	return leases_state(&s->in->peers[i], s->v6) == PEER_OK;
}

static bool is_direct(const struct side *s, const struct peer *p)
{
	struct lease_half l = lease_half(&p->lease, s->v6);

	return s->in->net->vxlan.direct_routing &&
	       segment_holds(&s->in->uplink->segment, &l.public_ip);
}

static bool is_overlaid(const struct side *s, size_t i)
{
	return is_ok(s, i) && !is_direct(s, &s->in->peers[i]);
}

/* The peer as a router. For IPv4 flannel's choice: its subnet's own address. For IPv6 the link-local
 * address that the kernel gives its device (RFC 4291 appendix A), as routers are known by in IPv6: a
 * gateway within the subnet is refused, onlink or not, once another route of the host leads to that
 * (ip6_route_check_nh_onlink). */
static struct ip gateway(const struct side *s, const struct lease_half *l)
{
	const uint8_t *m = l->vtep_mac.b;

	if (!s->v6)
		return l->subnet.ip;
	return (struct ip){{0xfe, 0x80, [8] = m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}};
}

static int neigh_cmp(const void *a, const void *b)
{
	return ip_cmp(&((const struct neigh *)a)->ip, &((const struct neigh *)b)->ip);
}

/* A node may hold two subnets with one MAC (its earlier lease still lives): one entry serves both, here
 * and in the FDB. */
static void want_neighs(const struct side *s, struct arena *a, struct netstate *ret)
{
	struct neigh *neigh = want_append(ret, OBJECT_NEIGH, s->n_overlaid, a);
	size_t n_kept = 0, n_filled = 0;

	for (size_t i = 0; i < s->in->n_peers; i++) {
		struct lease_half l = lease_half(&s->in->peers[i].lease, s->v6);

		if (is_overlaid(s, i))
			neigh[n_filled++] = (struct neigh){.dev = s->dev,
							   .ip = gateway(s, &l),
							   .mac = l.vtep_mac,
							   .permanent = true};
	}
	if (!s->v6)
		return;
	qsort(neigh, s->n_overlaid, sizeof(*neigh), neigh_cmp);
	for (size_t i = 0; i < s->n_overlaid; i++) {
		if (!n_kept || !ip_eq(&neigh[n_kept - 1].ip, &neigh[i].ip))
			neigh[n_kept++] = neigh[i];
	}
	ret->of[OBJECT_NEIGH].n -= s->n_overlaid - n_kept;
}

static int fdb_cmp(const void *a, const void *b)
{
	return mac_cmp(&((const struct fdb *)a)->mac, &((const struct fdb *)b)->mac);
}

static void want_fdb(const struct side *s, struct arena *a, struct netstate *ret)
{
	struct fdb *fdb = want_append(ret, OBJECT_FDB, s->n_overlaid, a);
	size_t n_kept = 0, n_filled = 0;

	for (size_t i = 0; i < s->in->n_peers; i++) {
		struct lease_half l = lease_half(&s->in->peers[i].lease, s->v6);

		if (is_overlaid(s, i))
			fdb[n_filled++] = (struct fdb){.dev = s->dev,
						       .mac = l.vtep_mac,
						       .dst = l.public_ip,
						       .permanent = true};
	}
	qsort(fdb, s->n_overlaid, sizeof(*fdb), fdb_cmp);
	for (size_t i = 0; i < s->n_overlaid; i++) {
		if (!n_kept || !mac_eq(&fdb[n_kept - 1].mac, &fdb[i].mac))
			fdb[n_kept++] = fdb[i];
	}
	ret->of[OBJECT_FDB].n -= s->n_overlaid - n_kept;
}

/* What routes say the kernel keeps in a hash of protocol, scope, preferred source, metric and device, not
 * of the gateway (fib_info_hashfn): all peers' routes would be in one chain, which each insertion walks.
 * Scopes below that of a site (RT_SCOPE_SITE, 200) are for anybody to use, and mean to packets what 0 does
 * (docs/decisions/0022). */
#define SCOPES 199

static uint8_t scope(const struct side *s, const struct cidr *subnet)
{
	if (!s->in->spread || s->v6)
		return 0;
	return (uint8_t)(1 + ((uint64_t)ip_to_v4(&subnet->ip) >> (32 - subnet->len)) % SCOPES);
}

static void want_routes(const struct side *s, struct arena *a, struct netstate *ret)
{
	struct route *route = want_append(ret, OBJECT_ROUTE, s->n, a);

	for (size_t i = 0; i < s->in->n_peers; i++) {
		const struct peer *p = &s->in->peers[i];
		struct lease_half l = lease_half(&p->lease, s->v6);

		if (!is_ok(s, i))
			continue;
		*route = (struct route){.dst = l.subnet,
					.type = ROUTE_UNICAST,
					.proto = ROUTE_PROTO_LODEN,
					.metric = s->v6 ? ROUTE_METRIC6 : 0,
					.scope = scope(s, &l.subnet),
					.dev = s->dev,
					.via = gateway(s, &l),
					.onlink = !s->v6};
		if (is_direct(s, p)) {
			route->dev = DEV_UPLINK;
			route->via = l.public_ip;
			route->onlink = false;
		}
		route++;
	}
}

static void want_side(const struct want_input *in, bool v6, struct arena *a, struct netstate *ret)
{
	struct side s = {.in = in, .dev = v6 ? DEV_VXLAN6 : DEV_VXLAN, .v6 = v6};
	struct ip ip;

	want_device(&s, a, ret);
	if (!in->own)
		return;
	ip = lease_half(in->own, v6).subnet.ip;
	*(struct addr *)want_append(ret, OBJECT_ADDR, 1, a) =
		(struct addr){.dev = s.dev, .cidr = cidr_host(&ip)};
	for (size_t i = 0; i < in->n_peers; i++) {
		s.n += is_ok(&s, i);
		s.n_overlaid += is_overlaid(&s, i);
	}
	want_neighs(&s, a, ret);
	want_fdb(&s, a, ret);
	want_routes(&s, a, ret);
}

static void want_vxlan(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	if (in->net->ipv4)
		want_side(in, false, a, ret);
	if (in->net->ipv6)
		want_side(in, true, a, ret);
}

const struct backend backend_vxlan = {
	.type = BACKEND_VXLAN,
	.overhead_bytes = VXLAN_OVERHEAD_BYTES,
	.overhead6_bytes = VXLAN_OVERHEAD6_BYTES,
	.want = want_vxlan,
};
