/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_LINK_H
#define MODEL_LINK_H
/* Links, and the roles they play.
 *
 * The planner never sees an interface index: it speaks of roles (enum dev). A struct devmap says
 * which kernel link plays which role right now; decoders map index → role and drop objects of links
 * without one, encoders map role → index. That is the ownership rule made type: a plan cannot name
 * somebody else's link.
 */

#include "base/text.h"
#include "model/ip.h"

#define LINK_NAME_SIZE	16 /* IFNAMSIZ */
#define LINK_ALIAS_SIZE 64

enum _packed_ dev {
	DEV_NONE,
	DEV_UPLINK, /* carries the outer packets; never changed by us */
	DEV_VXLAN,  /* flannel.<VNI> */
	DEV_VXLAN6, /* flannel-v6.<VNI> */
	DEV_BRIDGE, /* cni0 */
	DEV__COUNT,
};

extern const char *const dev_names[DEV__COUNT]; /* "none" "uplink" "vxlan" "vxlan6" "bridge" */

struct devmap {
	struct {
		uint32_t ifindex; /* 0 = the link does not exist */
		char name[LINK_NAME_SIZE];
	} dev[DEV__COUNT];
};
/* DEV_NONE for 0 and for every link without a role. */
enum dev devmap_find(const struct devmap *m, uint32_t ifindex);
/* The link's name, or that of the role while it has none or `m` is NULL. */
const char *devmap_name(const struct devmap *m, enum dev dev);

enum link_kind {
	LINK_OTHER, /* exists under our name but is something else: always recreated */
	LINK_VXLAN,
	LINK_BRIDGE,
	LINK__COUNT,
};

extern const char *const link_kind_names[LINK__COUNT];

/* The part of a VXLAN link that the kernel fixes at creation. */
struct link_vxlan {
	uint32_t vni;
	uint16_t port; /* never 0 in a netstate: want fills in 8472 */
	struct ip local;
	enum dev lower; /* DEV_UPLINK, or DEV_NONE when the kernel's lower link has no role */
	bool learning;	/* changeable in place */
	bool gbp;
	bool l2miss, l3miss, proxy, rsc, external, group; /* want: all false */
};

struct link {
	enum dev dev; /* key */
	enum link_kind kind;
	char name[LINK_NAME_SIZE];
	struct mac mac;
	uint32_t mtu_bytes;
	bool up;		     /* IFF_UP */
	char alias[LINK_ALIAS_SIZE]; /* carries our mark, "loden:<instance>" */
	struct link_vxlan vxlan;     /* if kind is LINK_VXLAN */
};

/* How far apart two states of one link are: the least invasive way from have to want. */
enum link_change {
	LINK_SAME,
	LINK_SET,      /* name, MTU, MAC, up, alias, learning: in place */
	LINK_RECREATE, /* kind, VNI, port, local, lower, GBP, flags: delete and create */
};
/* A MAC that is unset and an MTU of 0 in want match anything. Also names what differs, have first, for
 * plan lines and logs ("vni 2 -> 1, mtu 1500 -> 1450"), in `why` unless NULL. */
enum link_change link_compare(const struct link *want, const struct link *have, struct text *why);

#endif
