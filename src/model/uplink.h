/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_UPLINK_H
#define MODEL_UPLINK_H
/* The host's interfaces as facts, and the uplink chosen among them.
 *
 * The uplink carries the outer packets. os/probe collects the facts, core/uplink chooses.
 */

#include "model/ip.h"
#include "model/link.h"

#define UPLINK_ADDRS_MAX      16
#define UPLINK_ADVERTISED_MAX 4 /* a host with more routers than that is one itself */
#define LIMIT_IFACES	      4096

/* One address of an interface. */
struct iface_addr {
	struct cidr cidr;
	bool permanent, temporary, deprecated;
};

/* One interface of the host, in index order. */
struct iface {
	uint32_t ifindex;
	char name[LINK_NAME_SIZE];
	uint32_t mtu_bytes;
	bool up;	 /* IFF_UP */
	bool running;	 /* has carrier */
	uint32_t master; /* the bridge whose port it is; 0 = none */
	bool isolated;	 /* as a port */
	bool overlay;	 /* ours, or flannel's: carries pods' addresses, and can be no uplink */
	bool advertised; /* an IPv6 default route by router advertisement goes through it */
	uint8_t n_addrs;
	struct iface_addr addrs[UPLINK_ADDRS_MAX]; /* further addresses are dropped */
};

/* One route of table main, as far as it says where its destinations are. */
struct route_fact {
	struct cidr dst;
	uint32_t metric;
	uint32_t ifindex; /* 0 = it has several devices, or none */
	bool unicast;
	bool on_link; /* its destinations are neighbours: unicast, one device, no gateway */
	bool advertised; /* an IPv6 default route that a router told the kernel, or who listens in its stead */
};

#define LIMIT_ROUTE_FACTS 16384

struct iface_facts {
	const struct iface *ifaces;
	size_t n_ifaces;
	uint32_t
		default_ifindex; /* of the IPv4 default route with the lowest metric in main; 0 = none */
	uint32_t default_ifindex6;
	bool default_multipath; /* a default route exists but names no single device */
	uint32_t reach_ifindex; /* answer of the kernel for --iface-can-reach; 0 = unreachable */
	struct ip reach_src;
	const struct route_fact *routes; /* those outside the cluster's networks, any order */
	size_t n_routes;
	/* Ports of our bridge that are not isolated, while bridged packets do not pass the firewall. */
	uint32_t n_shortcuts;
	bool routes_cut; /* there are more than LIMIT_ROUTE_FACTS */
};

#define SEGMENT_ROUTES_MAX 64

/* Whom the uplink reaches without a router, by core/segment.h: the routes that say so, and those inside
 * of them that say otherwise. */
struct segment {
	struct {
		struct cidr dst;
		bool on_link;
	} routes[SEGMENT_ROUTES_MAX]; /* narrowest first: the first that fits decides */

	uint16_t n;
	bool cut; /* there are more: nobody counts as reached */
};

struct uplink {
	uint32_t ifindex; /* 0 = none */
	char name[LINK_NAME_SIZE];
	uint32_t mtu_bytes;
	bool up;
	struct ip ip, ip6; /* addresses on the interface; unset = none of that family */
	struct ip public_ip, public_ip6; /* advertised to peers */
	struct segment segment;		 /* with DirectRouting; else empty */
	/* Names of interfaces with an IPv6 default route that a router advertised, "" = no more; for all of
	 * the host, because forwarding is switched on for all of it (failures.md I-24). */
	char advertised[UPLINK_ADVERTISED_MAX][LINK_NAME_SIZE];
};

bool uplink_eq(const struct uplink *a, const struct uplink *b);

#endif
