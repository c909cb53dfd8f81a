/* SPDX-License-Identifier: Apache-2.0 */
/* The vxlan backend, IPv4 (flannel.md 6.1): one device; for each peer a neighbour that knows its inner
 * MAC, an FDB entry that knows its outer address, and a route to its subnet. With DirectRouting a peer
 * on the uplink's own segment has nothing but a route through its public address. */
#include "core/want.h"

#include <stdlib.h>
#include <string.h>

#include "core/segment.h"

#define VXLAN_OVERHEAD_BYTES 50	  /* IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 */
#define VXLAN_PORT	     8472 /* the kernel's default (linux/drivers/net/vxlan), flannel's too */

uint16_t want_port(const struct netconf *net)
{
	return net->vxlan.port ? net->vxlan.port : VXLAN_PORT;
}

static void want_device(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	struct link *l = want_append(ret, OBJECT_LINK, 1, a);

	*l = (struct link){
		.dev = DEV_VXLAN,
		.kind = LINK_VXLAN,
		.mac = in->vtep_mac,
		.mtu_bytes = want_mtu(in->net, in->uplink),
		.up = true,
		.vxlan =
			{
				.vni = in->net->vxlan.vni,
				.port = want_port(in->net),
				.local = in->uplink->public_ip,
				.lower = DEV_UPLINK,
				.learning = in->net->vxlan.learning,
				.gbp = in->net->vxlan.gbp,
			},
	};
	want_link_name(in->conf, in->net, DEV_VXLAN, l->name);
	want_link_alias(in->conf, l->alias);
}

static bool is_direct(const struct want_input *in, const struct peer *p)
{
	return in->net->vxlan.direct_routing &&
	       segment_holds(&in->uplink->segment, &p->lease.public_ip);
}

static bool is_overlaid(const struct want_input *in, const struct peer *p)
{
	return p->state == PEER_OK && !is_direct(in, p);
}

static void want_neighs(const struct want_input *in, size_t n, struct arena *a,
			struct netstate *ret)
{
	struct neigh *neigh = want_append(ret, OBJECT_NEIGH, n, a);

	for (size_t i = 0; i < in->n_peers; i++) {
		const struct lease *l = &in->peers[i].lease;

		if (is_overlaid(in, &in->peers[i]))
			*neigh++ = (struct neigh){.dev = DEV_VXLAN,
						  .ip = l->subnet.ip,
						  .mac = l->vtep_mac,
						  .permanent = true};
	}
}

static int fdb_cmp(const void *a, const void *b)
{
	return mac_cmp(&((const struct fdb *)a)->mac, &((const struct fdb *)b)->mac);
}

/* A node may hold two subnets with one MAC (its earlier lease still lives): one entry serves both. */
static void want_fdb(const struct want_input *in, size_t n, struct arena *a, struct netstate *ret)
{
	struct fdb *fdb = want_append(ret, OBJECT_FDB, n, a);
	size_t n_kept = 0, n_filled = 0;

	for (size_t i = 0; i < in->n_peers; i++) {
		const struct lease *l = &in->peers[i].lease;

		if (is_overlaid(in, &in->peers[i]))
			fdb[n_filled++] = (struct fdb){.dev = DEV_VXLAN,
						       .mac = l->vtep_mac,
						       .dst = l->public_ip,
						       .permanent = true};
	}
	qsort(fdb, n, sizeof(*fdb), fdb_cmp);
	for (size_t i = 0; i < n; i++) {
		if (!n_kept || !mac_eq(&fdb[n_kept - 1].mac, &fdb[i].mac))
			fdb[n_kept++] = fdb[i];
	}
	ret->of[OBJECT_FDB].n -= n - n_kept;
}

/* With nexthop objects a route costs the kernel the same whatever their number; without, each insert
 * walks all routes of the device (limits.md A). A peer without a free id gets a plain route.
 *
 * So does a direct peer, whatever their number: if its nexthop object were changed in place, which comes
 * before neighbours and FDB entries, it would lead into the overlay before these are there. This way
 * a peer that moves is either here or there, and the route's replacement is the moment. */
static void want_routes(const struct want_input *in, size_t n, struct arena *a,
			struct netstate *ret)
{
	struct route *route = want_append(ret, OBJECT_ROUTE, n, a);
	struct nexthop *nexthop = NULL;
	size_t n_nexthops = 0;

	if (in->nexthops)
		nexthop = want_append(ret, OBJECT_NEXTHOP, n, a);
	for (size_t i = 0; i < in->n_peers; i++) {
		const struct lease *l = &in->peers[i].lease;
		uint32_t id = 0;

		if (in->peers[i].state != PEER_OK)
			continue;
		if (in->nexthops && !is_direct(in, &in->peers[i]))
			id = want_nexthop_id(in, &l->subnet);
		*route = (struct route){.dst = l->subnet,
					.type = ROUTE_UNICAST,
					.proto = ROUTE_PROTO_LODEN,
					.nhid = id};
		if (id) {
			nexthop[n_nexthops++] = (struct nexthop){
				.id = id, .via = l->subnet.ip, .dev = DEV_VXLAN, .onlink = true};
		} else if (is_direct(in, &in->peers[i])) {
			route->dev = DEV_UPLINK;
			route->via = l->public_ip;
		} else {
			route->dev = DEV_VXLAN;
			route->via = l->subnet.ip;
			route->onlink = true;
		}
		route++;
	}
	if (in->nexthops)
		ret->of[OBJECT_NEXTHOP].n -= n - n_nexthops;
}

static void want_vxlan(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	size_t n = 0, n_overlaid = 0;

	want_device(in, a, ret);
	if (!in->own)
		return;
	*(struct addr *)want_append(ret, OBJECT_ADDR, 1, a) =
		(struct addr){.dev = DEV_VXLAN, .cidr = cidr_host(&in->own->subnet.ip)};
	for (size_t i = 0; i < in->n_peers; i++) {
		n += in->peers[i].state == PEER_OK;
		n_overlaid += is_overlaid(in, &in->peers[i]);
	}
	want_neighs(in, n_overlaid, a, ret);
	want_fdb(in, n_overlaid, a, ret);
	want_routes(in, n, a, ret);
}

const struct backend backend_vxlan = {
	.type = BACKEND_VXLAN,
	.overhead_bytes = VXLAN_OVERHEAD_BYTES,
	.want = want_vxlan,
};
