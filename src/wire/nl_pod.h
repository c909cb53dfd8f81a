/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NL_POD_H
#define WIRE_NL_POD_H
/* rtnetlink messages that attach a pod: bridge, veth pair, port, and what stands inside the pod.
 *
 * The agent speaks of roles (wire/nl_link.h); a plugin has links that come and go with pods, so
 * here they are called by index, and by name where there is no index yet. Encoders append one message;
 * false if it does not fit.
 */

#include "model/cni.h"
#include "wire/nl.h"

#define NL_POD_ALIAS_SIZE 256 /* IFALIASZ */

enum nl_pod_kind {
	NL_POD_OTHER,
	NL_POD_BRIDGE,
	NL_POD_VETH,
};

struct nl_pod_link {
	uint32_t ifindex, peer, master; /* peer: index of a veth's other end, in its namespace */
	uint32_t mtu_bytes;
	bool up, promisc; /* IFF_UP, IFF_PROMISC */
	bool operational; /* operstate is UP */
	uint8_t operstate;
	enum nl_pod_kind kind;
	struct mac mac;
	char name[LINK_NAME_SIZE], alias[NL_POD_ALIAS_SIZE];
};

/* RTM_NEWLINK or RTM_DELLINK. -EBADMSG, also for news of a link as a bridge's port. */
int nl_pod_decode_link(const struct nl_msg *m, struct nl_pod_link *ret);
/* RFC 2863 state as REF and `ip` call it: "up", "lower-layer-down" … */
const char *nl_pod_operstate_name(uint8_t operstate);

/* By index, or if that is 0 by name. The answer is RTM_NEWLINK, or -ENODEV. */
bool nl_pod_get(struct nl_buf *b, uint32_t ifindex, const char *name, uint32_t seq);
bool nl_pod_del(struct nl_buf *b, uint32_t ifindex, uint32_t seq);
/* Admin state of a link. */
bool nl_pod_set_up(struct nl_buf *b, uint32_t ifindex, bool up, uint32_t seq);

/* Creates a bridge; mtu_bytes 0 = the kernel's. An address given here is never changed by ports. */
bool nl_pod_add_bridge(struct nl_buf *b, const char *name, uint32_t mtu_bytes,
		       const struct mac *mac, uint32_t seq);
/* Up, and promiscuous and a MAC if asked for (mac unset = leave it). */
bool nl_pod_set_bridge(struct nl_buf *b, uint32_t ifindex, bool promisc, const struct mac *mac,
		       uint32_t seq);

/* Both ends of a veth pair. */
struct nl_pod_veth {
	const char *host_name, *pod_name;
	struct mac host_mac, pod_mac;
	uint32_t mtu_bytes; /* 0 = the kernel's */
	uint32_t master;    /* of the host's end; 0 = none */
	int netns_fd;	    /* of the pod */
};

/* The host's end here and up, the pod's end there and down (it cannot be created up). Linux >= 6.2
 * answers with the host's end (RTM_NEWLINK) before it acknowledges. */
bool nl_pod_add_veth(struct nl_buf *b, const struct nl_pod_veth *v, uint32_t seq);
/* Alias and bridge port of the host's end; false flags are what a new port has anyway. */
bool nl_pod_set_port(struct nl_buf *b, uint32_t ifindex, const char *alias, bool hairpin,
		     bool isolated, uint32_t seq);

/* net.ipv4.conf.<link>.arp_notify = 1: announces addresses when the link comes up, or is given a MAC. */
bool nl_pod_set_arp_notify(struct nl_buf *b, uint32_t ifindex, uint32_t seq);
bool nl_pod_set_mac(struct nl_buf *b, uint32_t ifindex, const struct mac *mac, uint32_t seq);
/* Adds an address: IPv4 with its broadcast address, IPv6 without duplicate detection. A
 * route to its subnet comes with it (scope link) unless told otherwise (Linux >= 4.18). */
bool nl_pod_add_addr(struct nl_buf *b, uint32_t ifindex, const struct cidr *c, bool no_prefix_route,
		     uint32_t seq);
bool nl_pod_del_addr(struct nl_buf *b, uint32_t ifindex, const struct cidr *c, uint32_t seq);
/* Adds a route: through r->gw, which the caller has filled in, or on the link if that is unset. A
 * like route that is there already is -EEXIST. */
bool nl_pod_add_route(struct nl_buf *b, uint32_t ifindex, const struct cni_route *r, uint32_t seq);

/* Dumps of the addresses of one link (IPv4, IPv6) and of the routes of all tables. The kernel filters
 * if it can: callers check again. */
bool nl_pod_dump_addrs(struct nl_buf *b, bool v6, uint32_t ifindex, uint32_t seq);
bool nl_pod_dump_routes(struct nl_buf *b, bool v6, uint32_t seq);

struct nl_pod_addr {
	uint32_t ifindex;
	struct cidr cidr;
};

/* RTM_NEWADDR. -EBADMSG. */
int nl_pod_decode_addr(const struct nl_msg *m, struct nl_pod_addr *ret);

/* A route as CHECK compares it. */
struct nl_pod_route {
	uint32_t ifindex, table;
	bool v6;
	struct cidr dst; /* ::/0 is unset, see struct cidr */
	struct ip gw;	 /* unset = none */
};

/* RTM_NEWROUTE. -EBADMSG. */
int nl_pod_decode_route(const struct nl_msg *m, struct nl_pod_route *ret);

#endif
