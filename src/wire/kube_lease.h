/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_KUBE_LEASE_H
#define WIRE_KUBE_LEASE_H
/* Leases as Nodes carry them: podCIDRs and annotations (flannel.md 4.3, 4.5, 12.1, 12.2).
 *
 * A lease has two halves, IPv4 and IPv6, and here each stands alone: flannel drops a node one half of
 * which is bad, we keep the other. A half is there if podCIDRs has a network of its family and one of its
 * annotations (public address, backend data) is there; a network alone, as nodes have them in a
 * dual-stack cluster whose flannel is IPv4 only, is no half and no fault.
 *
 * As in flannel, host bits of a podCIDR are cleared, not refused; stricter: two of one family are.
 */

#include "base/text.h"
#include "model/kube.h"
#include "model/lease.h"

enum kube_lease {
	KUBE_LEASE_WHOLE = 0,
	KUBE_LEASE_HALF,    /* one half is bad and left out of the result; err says why */
	KUBE_LEASE_IGNORED, /* kube-subnet-manager is not "true": no flannel's node, not (yet) ours */
	KUBE_LEASE_UNASSIGNED, /* no podCIDR (yet); err says so */
};

/* Networks of spec.podCIDRs, else spec.podCIDR; unset = has none of that family. WHOLE, HALF, UNASSIGNED
 * (also if n->metadata_only), or -EINVAL: none is any good. `ret`s are set if WHOLE or HALF. */
int kube_lease_cidrs(const struct kube_node *n, struct cidr *ret, struct cidr *ret6,
		     struct err *err);

/* All of the lease but its networks, which the caller knows. What has no half loses its network:
 * ret->subnet and subnet6 are what is really held. WHOLE, HALF, IGNORED, or -EINVAL: no half is left.
 * Leases of a backend that is not ours keep all networks, and nothing else of them is looked at. */
int kube_lease_of(const struct kube_node *n, const struct cidr *subnet, const struct cidr *subnet6,
		  struct lease *ret, struct err *err);

/* Both. IGNORED comes before UNASSIGNED. */
int kube_lease_decode(const struct kube_node *n, struct lease *ret, struct err *err);

/* Does public-ip-overwrite, or public-ipv6-overwrite, say anything else than `ip`? Unset: anything at all. */
bool kube_lease_is_overwritten(const struct kube_anns *anns, bool v6, const struct ip *ip);

/* What our node shall carry for a VXLAN lease `l`: of the annotations that flannel writes, those of the halves
 * that there are. `have` is what it carries now: its overwrites are what is published as public
 * addresses (an empty one counts as none). */
void kube_lease_annotations(const struct lease *l, uint32_t vni, const struct kube_anns *have,
			    struct kube_anns *ret);

#endif
