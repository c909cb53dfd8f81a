/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_WORDS_H
#define SIM_WORDS_H
/* Kernel objects and leases written as words, for stories:
 *
 *	link vxlan vxlan vni 1 port 8472 local 192.168.0.1 mac 02:… mtu 1450 [down] [alias X] [lower uplink]
 *	link bridge bridge mac 02:… mtu 1450
 *	addr 10.244.0.0/32 dev vxlan
 *	nexthop 7 via 10.244.1.0 dev vxlan
 *	neigh 10.244.1.0 mac 02:… dev vxlan [dynamic]
 *	fdb 02:… dst 192.168.0.2 dev vxlan [dynamic]
 *	route 10.244.1.0/24 [via 10.244.1.0] [dev vxlan | oif 9] [onlink] [nhid 7] [scope 9] [proto 3] [metric 9]
 *	    [blackhole]
 *	sysctl net/ipv4/ip_forward 0
 *	table loden [ip6]
 *	chain filter FORWARD [ip6] [drop] [rules N] [flannel | legacy | native]
 */

#include "model/lease.h"
#include "model/netstate.h"

#define WORDS_MAX 48

struct words {
	char *word[WORDS_MAX + 1]; /* NULL-terminated */
	size_t n;
};

/* Any object, by value. */
struct words_object {
	enum object_kind kind;

	union {
		struct link link;
		struct sysctl sysctl;
		struct addr addr;
		struct nexthop nexthop;
		struct neigh neigh;
		struct fdb fdb;
		struct guard_peer guard_peer;
		struct route route;
		struct fw_table fw_table;
		struct fw_chain fw_chain;
		struct envfile envfile;
	};
};

/* Cuts `line` in place. */
void words_split(char *line, struct words *ret);
/* The word behind `name`, or NULL. */
const char *words_after(const struct words *w, const char *name);
bool words_has(const struct words *w, const char *name);
uint32_t words_number(const struct words *w, const char *name, uint32_t otherwise);
/* False: not such a thing. `first` is the index of the kind's word. */
bool words_object(const struct words *w, size_t first, struct words_object *ret);
struct object words_borrow(const struct words_object *o);
/* "10.244.1.0/24 via 192.168.0.2 mac 02:… [and fd00::/64 via6 2001:db8::2 mac6 02:…]", word `first`
 * being the subnet. */
bool words_lease(const struct words *w, size_t first, struct lease *ret);
bool words_dev(const char *word, enum dev *ret);
bool words_kind(const char *word, enum object_kind *ret);

#endif
