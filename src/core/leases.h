/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LEASES_H
#define CORE_LEASES_H
/* The lease table: everything the source told us, sorted by subnet, each judged.
 *
 * One array of plain values: 80 bytes a peer, nothing else. Single changes are kept in a short tail
 * and merged when it is full or when somebody looks, so that a burst of n changes to m leases costs
 * O(n log n + n/LEASES_TAIL * m) and never O(n * m).
 */

#include "base/arena.h"
#include "base/text.h"
#include "model/lease.h"

#define LEASES_TAIL 128

/* May this half of a lease be programmed? Decided by leases_judge(), each family by itself. */
enum _packed_ peer_state {
	PEER_OK,
	PEER_OURS,    /* our own subnet or our own public address: never a peer */
	PEER_OTHER,   /* another backend's: holds its subnet, nothing more */
	PEER_REFUSED, /* cannot be programmed; named in the notes */
	PEER_ABSENT,  /* has no such half, or we do not use that family */
	PEER__COUNT,
};

extern const char *const peer_state_names[PEER__COUNT];

struct peer {
	struct lease lease;
	enum peer_state state : 4, state6 : 4; /* IPv4, IPv6 */
};

enum peer_state leases_state(const struct peer *p, bool v6);

struct leases_change {
	struct lease lease;
	bool gone;
};

struct leases {
	struct arena arena; /* owns peers[] */
	struct peer *peers; /* sorted by lease_cmp, each key once */
	size_t n, room;
	struct leases_change *tail; /* newest last; owned by the arena too */
	size_t n_tail;
};

void leases_init(struct leases *t);
void leases_fini(struct leases *t);

/* Replaces everything. Of equal keys one stays. O(n log n). */
void leases_replace(struct leases *t, const struct lease *leases, size_t n);
/* Both tell whether that was anything new: a renewed lease is not. O(log n + LEASES_TAIL). */
bool leases_put(struct leases *t, const struct lease *l);
bool leases_gone(struct leases *t, const struct lease *key);
/* Merges the tail; to be called before peers[] or n is read. */
void leases_settle(struct leases *t);

/* Who we are, as far as it decides who is a peer. */
struct leases_self {
	const struct netconf *net;
	const struct lease *own;	 /* NULL = none yet */
	struct ip public_ip, public_ip6; /* unset = not known */
	struct mac vtep_mac, vtep_mac6;
	bool leads6; /* netconf_leads6(), of the configuration as it was read */
};

/* Leases, not halves: one that is refused in one family may be programmed in the other. */
struct leases_verdict {
	size_t n_ok, n_refused;
	size_t n_overwritten[2]; /* halves that are programmed and are so, IPv4's and IPv6's */
};

/* Settles, then sets every peer's states, for each family alone. The rules, so that every node decides
 * alike:
 * - ours, as a whole: our IPv4 subnet, or our public IPv4 address; where there is no IPv4, the same of IPv6;
 * - refused: what lease_check() refuses, an overlap with our own subnet, our own VTEP MAC, our public
 *   IPv6 address, a subnet that our own address lies in;
 * - of overlapping subnets one stays: the one that is SubnetLen long (as long as ours, where Kubernetes allots them), else the first in order, of equal
 *   ones the oldest;
 * - refused is also whose public address is a pod's: it lies in our subnet or in that of a peer;
 * - of leases with the same MAC but different public addresses the oldest stays, or the first in key
 *   order: one FDB entry has one destination.
 * `notes` gets a line for each of the first few refused, and how many more. O(n log n), and 12 bytes
 * a peer of `scratch`, 36 with IPv6. */
void leases_judge(struct leases *t, const struct leases_self *self, struct arena *scratch,
		  struct text *notes, struct leases_verdict *ret_verdict);

/* Our lease of an earlier run, for its MAC, whatever its subnet; NULL if there is none. Where leases are Nodes' it is
 * that of our Node, for public-ip-overwrite may have it at another address; else the one at ours. Settles. O(n). */
const struct lease *leases_find_earlier(struct leases *t, uint64_t node,
					const struct ip *public_ip);

#endif
