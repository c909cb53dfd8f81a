/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_UPLINK_H
#define MODEL_UPLINK_H
/* The host's interfaces as facts, and the uplink chosen among them.
 *
 * The uplink carries the outer packets. os/probe collects the facts, core/uplink chooses.
 */

#include "model/ip.h"
#include "model/link.h"

#define UPLINK_ADDRS_MAX 16
#define LIMIT_IFACES	 4096

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
	bool up;      /* IFF_UP */
	bool running; /* has carrier */
	bool overlay; /* ours, or flannel's: carries pods' addresses, and can be no uplink */
	uint8_t n_addrs;
	struct iface_addr addrs[UPLINK_ADDRS_MAX]; /* further addresses are dropped */
};

struct iface_facts {
	const struct iface *ifaces;
	size_t n_ifaces;
	uint32_t
		default_ifindex; /* of the IPv4 default route with the lowest metric in main; 0 = none */
	uint32_t default_ifindex6;
	bool default_multipath; /* a default route exists but names no single device */
	uint32_t reach_ifindex; /* answer of the kernel for --iface-can-reach; 0 = unreachable */
	struct ip reach_src;
};

struct uplink {
	uint32_t ifindex; /* 0 = none */
	char name[LINK_NAME_SIZE];
	uint32_t mtu_bytes;
	bool up;
	struct ip ip, ip6;		 /* addresses on the interface */
	struct ip public_ip, public_ip6; /* advertised to peers */
};

bool uplink_eq(const struct uplink *a, const struct uplink *b);

#endif
