/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_NETSTATE_H
#define MODEL_NETSTATE_H
/* The nouns: every kind of kernel object that Loden keeps, and a whole state made of them.
 *
 * `want` is a netstate computed from leases; `have` is what the kernel dumps, fed object by object.
 * Both speak in roles (enum dev), never in interface indexes. Objects are plain values without
 * pointers: compare, copy, print, store as golden text. Within a netstate each array is sorted by
 * key and holds each key once.
 *
 * What is ours (design: ownership by mark): a link under our name; every address, neighbour, FDB
 * entry and route on our vxlan links; nexthops of our id range, protocol and link; routes with
 * ROUTE_PROTO_LODEN; the slot of each wanted route, whoever's route stands in it; the nf_tables table
 * named for our instance; accept rules that carry our comment. Decoders hand over nothing else but
 * other people's routes to subnets of our Network, which count only if they stand in a wanted slot
 * (docs/decisions/0011).
 */

#include "base/text.h"
#include "model/fw.h"
#include "model/ip.h"
#include "model/link.h"

#define ROUTE_PROTO_LODEN 102  /* our mark; free in rt_protos(5) */
#define ROUTE_METRIC6	  1024 /* IP6_RT_PRIO_USER, linux/ipv6_route.h */

struct addr {
	enum dev dev;	  /* key with cidr */
	struct cidr cidr; /* prefix length as on the link */
};

/* Never wanted: earlier versions made them (docs/decisions/0022), and they are deleted. */
struct nexthop {
	uint32_t id; /* key */
	struct ip via;
	enum dev dev;
	bool onlink;
};

/* Permanent neighbour entry (ARP or ND). */
struct neigh {
	enum dev dev; /* key with ip */
	struct ip ip;
	struct mac mac;
	bool permanent; /* want: true */
};

/* FDB entry of a VXLAN link: inner MAC → outer address. */
struct fdb {
	enum dev dev; /* key with mac */
	struct mac mac;
	struct ip dst;
	bool permanent; /* want: true; and no foreign port, VNI or interface set */
};

enum _packed_ route_type {
	ROUTE_UNICAST,
	ROUTE_BLACKHOLE,
	ROUTE_OTHER,
	ROUTE__COUNT,
};

extern const char *const route_type_names[ROUTE__COUNT];

/* Route of table main. Key: dst and metric, the slot that a peer's subnet owns. The kernel can hold
 * several routes in one slot (append, prepend), of which the first is in force; only want's may stay. */
struct route {
	struct cidr dst;
	enum route_type type;
	uint8_t proto;
	bool onlink;
	enum dev dev;	 /* DEV_NONE for blackhole, and by nexthop id */
	uint8_t rtn;	 /* see below */
	uint8_t scope;	 /* of an IPv4 route with a gateway, else 0 */
	uint32_t metric; /* 0 for IPv4, ROUTE_METRIC6 for IPv6: what the kernel makes of none */
	uint32_t
		nhid; /* of somebody's, or an earlier version's: then via and dev are unset; want: 0 */
	struct ip via;
	/* Of what stands in the kernel, for removals alone, never compared: the link where no role
	 * says it (of several hops the first), and (rtn) its own type where ours is too coarse. */
	uint32_t oif;
};

/* One file under /proc/sys. Sorted by the last part of the path first, so that they are written in the
 * order that IPv6 needs: accept_ra before forwarding, which takes routes by advertisement away. */
struct sysctl {
	char path[48];	/* key, with '/': "net/ipv4/ip_forward" */
	char value[12]; /* text without newline; "" in have = cannot be read */
};

/* accept_ra = 2, wanted so that a link keeps what routers advertised when the host becomes one. */
bool sysctl_guards(const struct sysctl *want);

/* A small text file that others read: subnet.env. */
struct envfile {
	char text[512]; /* "" = absent */
};

/* In the order in which they are created; removal goes backwards (see core/order.h). */
enum object_kind {
	OBJECT_LINK,
	OBJECT_SYSCTL,
	OBJECT_ADDR,
	OBJECT_GUARD_PEER,
	OBJECT_NEXTHOP,
	OBJECT_NEIGH,
	OBJECT_FDB,
	OBJECT_ROUTE,
	OBJECT_FW_TABLE, /* our own nf_tables table, as a whole */
	OBJECT_FW_CHAIN, /* a foreign forward chain and our accepts in it */
	OBJECT_GUARD,	 /* behind all that it would drop if it were first */
	OBJECT_ENVFILE,
	OBJECT__COUNT,
};

/* "link" "sysctl" "addr" "guard_peer" "nexthop" "neigh" "fdb" "route" "fw_table" "fw_chain" "guard"
 * "envfile" */
extern const char *const object_kind_names[OBJECT__COUNT];
#define OBJECT_BIT(kind) (1u << (kind))
#define OBJECT_ALL	 ((1u << OBJECT__COUNT) - 1)

/* One object, borrowed. */
struct object {
	enum object_kind kind;

	union {
		const void *any;
		const struct link *link;
		const struct sysctl *sysctl;
		const struct addr *addr;
		const struct nexthop *nexthop;
		const struct neigh *neigh;
		const struct fdb *fdb;
		const struct route *route;
		const struct fw_table *fw_table;
		const struct fw_chain *fw_chain;
		const struct guard_peer *guard_peer;
		const struct guard *guard;
		const struct envfile *envfile;
	};
};

/* For whose packets an object is there. A fault in one family never blocks the other (failures.md I-25). */
enum ip_family {
	FAMILY_BOTH, /* the bridge, subnet.env */
	FAMILY_V4,
	FAMILY_V6,
	FAMILY__COUNT,
};

extern const char *const object_family_names[FAMILY__COUNT]; /* "both" "IPv4" "IPv6" */

enum ip_family object_family(const struct object *o);

/* Size of the value behind object.any. */
size_t object_size(enum object_kind kind);
/* The role of the link that it is, or lies on. DEV_NONE if there is none, and for a route by nexthop. */
enum dev object_dev(const struct object *o);
/* Order by key within a kind; 0 = same object. Keys are named at each struct. */
int object_cmp(const struct object *a, const struct object *b);
/* Same key and same content. For links `a` is what is wanted, and link_compare() decides. */
bool object_eq(const struct object *a, const struct object *b);
/* One line without newline, as it stands in plans, logs and traces: kind, key, value:
 *	"route 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink". Names of links come from `m`; a role
 * stands for a link that has none there. What others control is escaped. */
void object_format(const struct object *o, const struct devmap *m, struct text *t);
void object_format_key(const struct object *o, const struct devmap *m, struct text *t);
void object_format_value(const struct object *o, const struct devmap *m, struct text *t);

/* Hash of kind and key; stable across runs. */
uint64_t object_key_hash(const struct object *o);

/* A whole state. Arrays live in an arena. */
struct netstate {
	struct {
		void *items; /* n values of object_size(kind), sorted by object_cmp */
		size_t n;
	} of[OBJECT__COUNT];
};

/* The i-th object of a kind, borrowed. */
struct object netstate_at(const struct netstate *s, enum object_kind kind, size_t i);
/* Index of the object with the key of `o`, or -1. O(log n). */
ptrdiff_t netstate_find(const struct netstate *s, const struct object *o);
/* Sorts one kind after it was filled. Aborts on duplicate keys: want never has two. */
void netstate_sort(struct netstate *s, enum object_kind kind);

#endif
