/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_NETCONF_H
#define MODEL_NETCONF_H
/* The cluster's network configuration: what net-conf.json, or <prefix>/config in etcd, says.
 *
 * wire/netconf.h decodes the JSON; netconf_derive() checks the result and fills in what was left
 * open, with flannel's rules (flannel.md 2, 2.1). Names of fields in complaints are the JSON keys.
 */

#include "base/text.h"
#include "model/ip.h"

enum _packed_ backend_type {
	BACKEND_NONE, /* missing, or one that this build does not have */
	BACKEND_VXLAN,
	BACKEND__COUNT,
};

extern const char *const backend_type_names[BACKEND__COUNT];

struct vxlan_conf {
	uint32_t vni;	    /* 1..2^24-1; default 1 */
	uint16_t port;	    /* 0 = kernel default, 8472 */
	uint32_t mtu_bytes; /* 0 = the uplink's */
	bool gbp;
	bool learning;
	bool direct_routing; /* peers on the uplink's segment are reached without the overlay */
};

struct netconf {
	bool ipv4, ipv6;
	bool nftables; /* EnableNFTables: accepted; we are always nf_tables */
	struct cidr network, network6;
	uint32_t subnet_len, subnet_len6; /* 0 = derive */
	struct ip subnet_min, subnet_max; /* unset = derive */
	struct ip subnet_min6, subnet_max6;
	bool given; /* nodes' subnets are somebody else's to choose: the six above are unset */
	enum backend_type backend;
	char backend_text[32]; /* Type as written, for complaints; cut if longer */
	struct vxlan_conf vxlan;
};

/* What stands before the JSON is read: flannel's defaults. */
struct netconf netconf_defaults(void);

/* With c->given what Subnet* keys say is dropped unchecked, as in flannel where Kubernetes allots podCIDRs.
 * Checks all of `c` and derives the open fields in place. Each complaint is one line
 * "<Field>: <what is wrong>: <value>\n" appended to `complaints`; returns how many.
 * All complaints are made, not just the first. */
int netconf_derive(struct netconf *c, struct text *complaints);

bool netconf_eq(const struct netconf *a, const struct netconf *b);

/* Which family leads: says which node is which, and decides about ready. IPv4 wherever there is IPv4; true
 * = there is none. */
static inline bool netconf_leads6(const struct netconf *c)
{
	return c->ipv6 && !c->ipv4;
}

#endif
