/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_KUBE_NODES_H
#define AGENT_KUBE_NODES_H
/* Which podCIDRs each Node has, by UID: what a watch of metadata alone does not tell.
 *
 * podCIDRs never change once they are set (the API server refuses it), and a Node that was made anew has
 * another UID. So what was learnt once, now or by an earlier run, stays true.
 *
 * A hash table with open addresses (linear probing, removal by shifting back): 56 bytes a slot, at most three
 * quarters full.
 */

#include "model/lease.h"

struct kube_known {
	uint64_t id;		     /* kube_uid_id(); 0 = the slot is free */
	uint64_t anns;		     /* kube_anns_hash() of what was told last; 0 = nothing was */
	struct cidr subnet, subnet6; /* both unset = not known yet */
	bool whole : 1;		     /* both are as the Node has them, though one may be unset */
	bool told : 1, told6 : 1;    /* which of them were told as part of a lease */
	uint32_t listed;	     /* in the list that is being read: index + 1; 0 = not (yet) */
};

struct kube_nodes {
	struct kube_known *slots; /* owned */
	size_t size, n;		  /* size: a power of two, or 0 */
};

void kube_nodes_fini(struct kube_nodes *t);

/* NULL = not known. Borrowed until the next add or remove. */
struct kube_known *kube_nodes_find(const struct kube_nodes *t, uint64_t id);
/* The one that is there, or a new one. */
struct kube_known *kube_nodes_add(struct kube_nodes *t, uint64_t id);
/* One that is not there is fine. */
void kube_nodes_remove(struct kube_nodes *t, uint64_t id);
/* Removes all that have not been listed; of the others nothing is listed any more. */
void kube_nodes_sweep(struct kube_nodes *t);

#endif
