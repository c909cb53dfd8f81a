/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ADOPT_H
#define CORE_ADOPT_H
/* What may be deleted. Decoders hand over only what lies on our links, carries our mark or may stand in a
 * slot of ours; among that, this is the closed list of what we may take away when it is not wanted:
 *
 *	link      never while we run; on uninstall the VXLAN links, the bridge only if asked for
 *	sysctl    never
 *	addr      on VXLAN links all but IPv6 link-local ones (a stranger's address there steals the source
 *	          address of tunnel traffic, failures.md I-03); on the bridge only those inside our
 *	          Network: they are our own earlier gateways, whatever else is there is the admin's
 *	neigh     permanent ones; the others are the kernel's cache, it ages them itself
 *	fdb       permanent ones, for the same reason (a learning VXLAN link fills up with others)
 *	nexthop   all in our range with our mark: earlier versions made them
 *	route     on our VXLAN links all but the kernel's own; with our mark inside our Network; others'
 *	          never. (In a wanted slot nobody else's may stand: that is no question of what is not
 *	          wanted, core/diff.h.)
 *	fw_table  the table named for our instance; flannel's, if we keep what is in it ourselves
 *	fw_chain  of others' never the chain, only our accepts in iptables' one; in a native chain
 *	          somebody put them by hand, on our own advice (fw_chain_explain). flannel's chains and
 *	          the jumps to them, if we keep ourselves what they do
 *	envfile   on uninstall
 */

#include "model/netstate.h"

struct adopt {
	struct cidr network, network6; /* the cluster's; unset = none */
	/* The family is wanted and cannot be had now: nothing of it is touched. */
	bool hold[FAMILY__COUNT];
	bool uninstall;
	bool uninstall_bridge;
	/* We masquerade, we accept, and no flanneld lives here: so flannel's that do may go. */
	bool masquerades, accepts;
};

/* May `have`, which nobody wants, be deleted? */
bool adopt_may_delete(const struct adopt *rule, const struct object *have);

/* Is it of flannel's firewall? That goes once ours is seen to stand, not in one plan with it: an op that
 * fails does not stop those behind it. */
bool adopt_is_flannel_firewall(const struct object *have);

#endif
