/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SUBNETS_H
#define CORE_SUBNETS_H
/* Which subnet to lease: flannel's acquire algorithm as one pure decision (flannel.md 5.3).
 *
 * Differences on purpose: a reservation (key without TTL) stays one, and is not deleted when it does not
 * fit; a lost race is retried by the caller; never a different subnet than the one we hold while pods
 * may use it; never one with a node's own address in it.
 *
 * A key holds an IPv4 subnet, and an IPv6 one if the node has IPv6: real flannel stops at a key with one
 * and without PublicIPv6, so a node that has none now takes a key of IPv4 alone, and changes it for one
 * with both when it has. Its IPv4 subnet stays the same.
 */

#include "base/err.h"
#include "model/lease.h"

/* A lease as the store lists it. */
struct subnets_entry {
	struct lease lease;
	bool reservation; /* has no TTL */
};

struct subnets_input {
	const struct netconf *net;
	const struct subnets_entry *entries; /* all, other backends' too */
	size_t n_entries;
	struct ip public_ip, public_ip6; /* public_ip6 unset: no IPv6 subnet */
	struct cidr held;     /* subnet that running pods use; unset = none. Only this will do */
	struct cidr held6;    /* ditto, its IPv6 half; unset = any will do */
	struct cidr previous; /* from subnet.env; unset = none. A preference */
	struct cidr previous6;
	uint64_t seed; /* for the random pick; another one for each try */
};

enum subnets_verdict {
	SUBNETS_REUSE,	/* entry `index` carries our public IP and fits: put it again */
	SUBNETS_CREATE, /* create `subnet`, `subnet6` by transaction on version 0 */
	SUBNETS_TAKEN,	/* `held` belongs to entry `index` of somebody else: wait and say so */
	SUBNETS_FULL,	/* out of subnets */
	/* `held` is not in Network and nobody holds it: another cluster's etcd, perhaps. Nothing is to be
	 * written there */
	SUBNETS_FOREIGN,
	SUBNETS__COUNT,
};

extern const char *const subnets_verdict_names[SUBNETS__COUNT];

struct subnets_choice {
	enum subnets_verdict verdict;
	size_t index;
	struct cidr subnet, subnet6; /* subnet6 unset: none wanted, or none to be had (`why`) */
	bool reservation;	     /* REUSE: leave it without TTL */
	bool drop_stale; /* delete entry `stale` first: ours by public IP, but no longer fitting */
	size_t stale;
	char why[240]; /* for the log, in words */
};

void subnets_choose(const struct subnets_input *in, struct subnets_choice *ret);

#endif
