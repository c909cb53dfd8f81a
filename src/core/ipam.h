/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_IPAM_H
#define CORE_IPAM_H
/* host-local's decisions: which ranges are sound, and which address comes next.
 *
 * Who holds which address is a directory of small files (cni/host_local.h); this module never sees
 * it. It is told what is taken and answers what to take. Addresses are given out round robin, from
 * behind the last one given, so that an address rests as long as possible before it is used again.
 * Texts of errors are the reference plugin's: runtimes and people grep for them.
 */

#include "base/arena.h"
#include "base/err.h"
#include "model/cni.h"

/* Fills in what the ranges left open (gateway and start: first host; end: last host) and checks all
 * of them. -EINVAL with a story. */
int ipam_check(struct ipam_conf *c, enum cni_version version, struct err *err);

bool ipam_set_contains(const struct ipam_set *s, const struct ip *ip);
/* "10.0.0.1-10.0.0.9,10.1.0.1-10.1.0.9" */
const char *ipam_set_format(const struct ipam_set *s, struct arena *a);

/* The first requested address that lies in `s`, or NULL. The caller strikes it off. */
const struct ip *ipam_requested(const struct ipam_conf *c, const struct ipam_set *s);

/* What is known about one set when an address is to be chosen. */
struct ipam_facts {
	struct ip last;		/* given out last; unset = unknown */
	const struct ip *taken; /* sorted by ip_cmp */
	size_t n_taken;
	const struct ip *wanted; /* NULL = any */
};

#define IPAM_NONE 1 /* nothing is free, or the wanted one is not */

/* The next free address of the set, never a gateway, with the mask of its subnet. 0; IPAM_NONE or
 * -EINVAL with a story. O(addresses in the set + taken) at worst. */
int ipam_choose(const struct ipam_set *s, const struct ipam_facts *f, struct arena *a,
		struct cni_ip *ret, struct err *err);

#endif
