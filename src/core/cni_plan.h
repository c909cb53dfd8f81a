/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CNI_PLAN_H
#define CORE_CNI_PLAN_H
/* What attaching a pod to a bridge takes, and what the runtime will be told about it.
 *
 * The address is reserved before; the rest follows from configuration, address and what the bridge
 * looks like now. The plan is a list of ops in the order in which they must run, first on the host,
 * then in the pod. Each op prints as one line. Only two things are the pod's own and have to go
 * again if anything fails: the veth pair (with it goes all that is in the pod) and the
 * reservation. The bridge is the node's and stays.
 *
 * A pod that talks to a service may be answered by a pod of the same node. The answer has to come back
 * through the host's firewall, which knows the connection: else the pod hears from somebody whom it did
 * not ask. The bridge would take the short cut, past the firewall unless br_netfilter is there and
 * on. Where it is not, pods' local traffic is routed: ports are isolated from each other, and in the pod
 * its own subnet leads through the gateway like everything else (failures.md 1, finding 7). Addresses
 * have no route of their own there, and nobody may advise the pod of a shorter way, which does not exist.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "model/cni.h"

#define CNI_PLAN_ALIAS_SIZE 256 /* IFALIASZ */

/* The links of an attachment; also their places in the result. */
enum cni_plan_link {
	CNI_PLAN_BRIDGE,
	CNI_PLAN_HOST, /* the veth's end on the bridge */
	CNI_PLAN_POD,  /* its end in the pod */
	CNI_PLAN_LINK__COUNT,
};

/* Whose a veth is can be told from these alone: a DEL may have nothing else. */
struct cni_plan_owner {
	const char *network, *container_id, *ifname;
};

/* Name of the host's end, from a hash. `attempt` gives another one if a foreign link has it. */
void cni_plan_veth_name(const struct cni_plan_owner *o, unsigned attempt, char ret[LINK_NAME_SIZE]);
/* Alias of the host's end: "loden:network/container/interface"; cut if longer. */
void cni_plan_alias(const struct cni_plan_owner *o, char ret[CNI_PLAN_ALIAS_SIZE]);

/* The bridge as it is. */
struct cni_plan_bridge {
	bool exists, is_bridge, up, promisc;
	struct mac mac; /* unset: 00:00:00:00:00:00, a bridge that lost its last port */
	const struct cidr *addrs;
	size_t n_addrs;
};

struct cni_plan_input {
	const struct bridge_conf *conf;
	struct cni_plan_owner owner;
	const char *host_name;	       /* of the veth's end on the bridge */
	const char *sandbox;	       /* CNI_NETNS as given */
	const char *blame;	       /* where the subnet came from; NULL = unknown */
	const struct cni_result *ipam; /* NULL = layer 2 only */
	struct cni_plan_bridge bridge;
	bool bridged_filtered, bridged_filtered6; /* br_netfilter is on: the firewall sees them */
	struct mac random[CNI_PLAN_LINK__COUNT];  /* for links that are created */
};

enum cni_op_type {
	CNI_OP_BRIDGE_ADD, /* mac, mtu_bytes */
	CNI_OP_BRIDGE_SET, /* up; promisc if true, mac if set */
	CNI_OP_ADDR_DEL,   /* cidr, on the bridge */
	CNI_OP_ADDR_ADD,   /* cidr, no_prefix_route, on `link` */
	CNI_OP_SYSCTL,	   /* path, value, must; in the namespace of `link` */
	CNI_OP_VETH,	   /* mac, peer_mac, mtu_bytes */
	CNI_OP_PORT,	   /* hairpin, isolated; and the alias */
	CNI_OP_ARP_NOTIFY, /* of the pod's link */
	CNI_OP_UP,	   /* the pod's link */
	CNI_OP_ROUTE,	   /* route, in the pod */
	CNI_OP__COUNT,
};

extern const char *const cni_op_names[CNI_OP__COUNT];

/* What if a sysctl cannot be written. */
enum cni_op_must {
	CNI_OP_TRY,	    /* never mind */
	CNI_OP_IF_READABLE, /* an error, unless it has its value already or cannot even be read */
	CNI_OP_MUST,	    /* an error, unless it has its value already */
};

struct cni_op {
	enum cni_op_type type;
	enum cni_plan_link link;
	bool promisc, hairpin, isolated;
	bool no_prefix_route; /* of an address: no route to its subnet comes with it */
	enum cni_op_must must;
	uint32_t mtu_bytes;
	struct mac mac, peer_mac;
	struct cidr cidr;
	struct cni_route route; /* gw filled in; unset = on the link */
	char path[64];		/* below /proc/sys */
	const char *value;
};

struct cni_plan {
	struct cni_op *ops;
	size_t n;
	struct cni_result result; /* names and MACs of links are for the caller to fill in */
};

/* -EINVAL with a story. Everything lives in `a`; strings of the input are borrowed. */
int cni_plan_attach(const struct cni_plan_input *in, struct arena *a, struct cni_plan *ret,
		    struct err *err);

/* "veth.add mtu 1450" */
void cni_op_format(const struct cni_op *op, struct text *t);

#endif
