/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"
#include "wire/nl_rt.h"

const char sentence[] =
	"Notifications of routes, addresses and of new neighbours carry the netlink port "
	"of who asked; those of FDB entries, and the last one of a neighbour's removal, carry 0.";

static struct watcher w;
static struct devmap map;

static void run(enum op_verb verb, struct object o)
{
	struct op op = {.verb = verb, .object = o};
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_ack ack;

	check(nl_rt_encode(&b, &op, &map, nlsock_seq(&request)) == 0, "encode");
	check(nlsock_request(&request, &b, NULL, NULL, &ack) == 0, "kind %d: %s", o.kind, ack.text);
	hear(&w);
}

/* Of the last message heard of a type. */
static uint32_t port_of(uint16_t type)
{
	uint32_t port = UINT32_MAX;

	for (size_t i = 0; i < w.n; i++) {
		if (w.heard[i].type == type)
			port = w.heard[i].port;
	}
	check(port != UINT32_MAX, "nothing of type %u was announced", type);
	return port;
}

void prove(void)
{
	static const unsigned groups[] = {RTNLGRP_NEIGH, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_IFADDR};
	struct ip peer = ip_from_v4(0x0a010100);
	struct mac mac = {{2, 0, 0, 0, 0, 1}};
	struct addr addr = {DEV_VXLAN, cidr_host(&peer)};
	struct neigh neigh = {DEV_VXLAN, peer, mac, true};
	struct fdb fdb = {DEV_VXLAN, mac, peer, true};
	struct route route = {.dst = {peer, 24},
			      .proto = ROUTE_PROTO_LODEN,
			      .dev = DEV_VXLAN,
			      .via = peer,
			      .onlink = true};

	const struct {
		struct object o;
		uint16_t add, del;
		bool add_named, del_named;
	} kinds[] = {
		{{.kind = OBJECT_ADDR, .addr = &addr}, RTM_NEWADDR, RTM_DELADDR, true, true},
		{{.kind = OBJECT_NEIGH, .neigh = &neigh}, RTM_NEWNEIGH, RTM_DELNEIGH, true, false},
		{{.kind = OBJECT_FDB, .fdb = &fdb}, RTM_NEWNEIGH, RTM_DELNEIGH, false, false},
	};
	struct object rt = {.kind = OBJECT_ROUTE, .route = &route};

	map.dev[DEV_VXLAN].ifindex = ifindex("flannel.1");
	watch(&w, groups, ARRAY_SIZE(groups));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		run(OP_ADD, kinds[i].o);
		check(port_of(kinds[i].add) == (kinds[i].add_named ? request.port : 0),
		      "adding kind %d: port %u", kinds[i].o.kind, port_of(kinds[i].add));
		run(OP_DEL, kinds[i].o);
		check(port_of(kinds[i].del) == (kinds[i].del_named ? request.port : 0),
		      "removing kind %d: port %u", kinds[i].o.kind, port_of(kinds[i].del));
	}
	run(OP_ADD, rt);
	check(port_of(RTM_NEWROUTE) == request.port, "new route");
	run(OP_DEL, rt);
	check(port_of(RTM_DELROUTE) == request.port, "removed route");
}
