/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_UPLINK_H
#define CORE_UPLINK_H
/* Choosing the interface that carries the outer packets (flannel.md 3), from facts alone. */

#include "base/err.h"
#include "model/uplink.h"

/* Does `text` match pattern number `i` of the policy? Regular expressions are compiled by the program;
 * the matcher must be a pure function. */
typedef bool uplink_match_fn(void *arg, size_t i, const char *text);

struct uplink_policy {
	const char *const *ifaces; /* --iface values: names or addresses */
	size_t n_ifaces;
	size_t n_regexes;	    /* --iface-regex */
	const char *const *regexes; /* for messages */
	uplink_match_fn *match;
	void *match_arg;
	struct ip can_reach; /* --iface-can-reach; unset = not given */
	struct ip public_ip, public_ip6;
	bool ipv4, ipv6;
	bool direct_routing; /* whom does it reach without a router? */
};

/* One interface carries both families. If none has both, one that has IPv4 is taken, else one that has
 * IPv6: a family never waits for the other (failures.md I-25). */
enum {
	UPLINK_NONE =
		1, /* nothing suitable now: `err` says what was looked for and what is there */
	UPLINK_HALF = 2, /* chosen for one family: `err` says why not for the other */
};

/* 0, or an outcome. */
int uplink_choose(const struct uplink_policy *p, const struct iface_facts *f,
		  struct uplink *ret_uplink, struct err *err);

#endif
