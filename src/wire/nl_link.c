/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/* IFLA_INFO_KIND per kind; LINK_OTHER is never created. */
static const char *const kinds[LINK__COUNT] = {
	[LINK_VXLAN] = "vxlan",
	[LINK_BRIDGE] = "bridge",
};

/* ---- reading ---- */

struct raw_link {
	struct link link;
	struct nl_bytes info;
};

static const struct nl_field link_fields[] = {
	NL_FIELD(IFLA_IFNAME, NL_STR, raw_link, link.name),
	NL_FIELD(IFLA_ADDRESS, NL_MAC, raw_link, link.mac),
	NL_FIELD(IFLA_MTU, NL_U32, raw_link, link.mtu_bytes),
	NL_FIELD(IFLA_IFALIAS, NL_STR, raw_link, link.alias),
	NL_FIELD(IFLA_LINKINFO, NL_NEST, raw_link, info),
};

struct raw_info {
	char kind[16]; /* "" if longer: none of ours is */
	struct nl_bytes data;
};

static const struct nl_field info_fields[] = {
	NL_FIELD(IFLA_INFO_KIND, NL_STR, raw_info, kind),
	NL_FIELD(IFLA_INFO_DATA, NL_NEST, raw_info, data),
};

struct raw_vxlan {
	struct link_vxlan v;
	uint32_t lower;
};

static const struct nl_field vxlan_fields[] = {
	NL_FIELD(IFLA_VXLAN_ID, NL_U32, raw_vxlan, v.vni),
	NL_FIELD(IFLA_VXLAN_PORT, NL_BE16, raw_vxlan, v.port),
	NL_FIELD(IFLA_VXLAN_LOCAL, NL_IP, raw_vxlan, v.local),
	NL_FIELD(IFLA_VXLAN_LOCAL6, NL_IP, raw_vxlan, v.local),
	NL_FIELD(IFLA_VXLAN_LINK, NL_U32, raw_vxlan, lower),
	NL_FIELD(IFLA_VXLAN_LEARNING, NL_BOOL, raw_vxlan, v.learning),
	NL_FIELD(IFLA_VXLAN_GBP, NL_PRESENT, raw_vxlan, v.gbp),
	NL_FIELD(IFLA_VXLAN_L2MISS, NL_BOOL, raw_vxlan, v.l2miss),
	NL_FIELD(IFLA_VXLAN_L3MISS, NL_BOOL, raw_vxlan, v.l3miss),
	NL_FIELD(IFLA_VXLAN_PROXY, NL_BOOL, raw_vxlan, v.proxy),
	NL_FIELD(IFLA_VXLAN_RSC, NL_BOOL, raw_vxlan, v.rsc),
	NL_FIELD(IFLA_VXLAN_COLLECT_METADATA, NL_BOOL, raw_vxlan, v.external),
	NL_FIELD(IFLA_VXLAN_GROUP, NL_PRESENT, raw_vxlan, v.group),
	NL_FIELD(IFLA_VXLAN_GROUP6, NL_PRESENT, raw_vxlan, v.group),
};

static int decode_info(struct nl_bytes bytes, const struct devmap *map, struct link *link)
{
	struct raw_info info = {0};
	struct raw_vxlan vxlan = {0};

	if (!nl_read(info_fields, ARRAY_SIZE(info_fields), bytes, &info))
		return -EBADMSG;
	for (enum link_kind k = 0; k < LINK__COUNT; k++) {
		if (kinds[k] && strcmp(kinds[k], info.kind) == 0)
			link->kind = k;
	}
	if (link->kind != LINK_VXLAN)
		return 0;
	if (!nl_read(vxlan_fields, ARRAY_SIZE(vxlan_fields), info.data, &vxlan))
		return -EBADMSG;
	link->vxlan = vxlan.v;
	link->vxlan.lower = devmap_find(map, vxlan.lower);
	return 0;
}

int nl_link_decode(const struct nl_msg *m, const struct devmap *map, struct nl_link *ret)
{
	struct nl_link l = {0};
	struct raw_link raw = {0};
	struct ifinfomsg head;
	struct nl_bytes attrs;
	int r;

	if (!nl_header(m, &head, sizeof(head), &attrs))
		return -EBADMSG;
	l.ifindex = (uint32_t)head.ifi_index;
	l.port = head.ifi_family == AF_BRIDGE;
	if (!l.port) {
		if (!nl_read(link_fields, ARRAY_SIZE(link_fields), attrs, &raw))
			return -EBADMSG;
		r = decode_info(raw.info, map, &raw.link);
		if (r < 0)
			return r;
		l.link = raw.link;
		l.link.up = head.ifi_flags & IFF_UP;
		l.running = head.ifi_flags & IFF_RUNNING;
	}
	*ret = l;
	return 0;
}

/* ---- asking ---- */

static void begin(struct nl_buf *b, uint16_t type, uint16_t flags, uint32_t seq,
		  const struct ifinfomsg *head)
{
	nl_begin(b, type, NLM_F_REQUEST | flags, seq, head, sizeof(*head));
}

static int end(struct nl_buf *b)
{
	return nl_end(b) ? 0 : -ENOBUFS;
}

int nl_link_get(struct nl_buf *b, const char *name, uint32_t seq)
{
	begin(b, RTM_GETLINK, 0, seq, &(struct ifinfomsg){0});
	nl_put_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	nl_put_str(b, IFLA_IFNAME, name);
	return end(b);
}

int nl_link_dump(struct nl_buf *b, uint32_t seq)
{
	begin(b, RTM_GETLINK, NLM_F_DUMP, seq, &(struct ifinfomsg){0});
	nl_put_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return end(b);
}

/* ---- writing ---- */

static void put_vxlan(struct nl_buf *b, const struct link_vxlan *v, uint32_t lower)
{
	size_t data = nl_nest(b, IFLA_INFO_DATA);

	nl_put_u32(b, IFLA_VXLAN_ID, v->vni);
	nl_put_be16(b, IFLA_VXLAN_PORT, v->port);
	nl_put_u8(b, IFLA_VXLAN_LEARNING, v->learning);
	if (lower)
		nl_put_u32(b, IFLA_VXLAN_LINK, lower);
	if (ip_is_set(&v->local))
		nl_put_ip(b, ip_is_v4(&v->local) ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, &v->local);
	if (v->gbp)
		nl_put(b, IFLA_VXLAN_GBP, NULL, 0);
	nl_nest_end(b, data);
}

int nl_link_create(struct nl_buf *b, const struct link *l, const struct devmap *map, uint32_t seq)
{
	uint32_t lower = map->dev[l->vxlan.lower].ifindex;
	size_t info;

	assert(kinds[l->kind]);
	if (l->kind == LINK_VXLAN && l->vxlan.lower != DEV_NONE && lower == 0)
		return -ENODEV;
	begin(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, seq, &(struct ifinfomsg){0});
	nl_put_str(b, IFLA_IFNAME, l->name);
	if (l->mtu_bytes && l->kind != LINK_BRIDGE)
		nl_put_u32(b, IFLA_MTU, l->mtu_bytes);
	if (mac_is_set(&l->mac))
		nl_put(b, IFLA_ADDRESS, &l->mac, sizeof(l->mac));
	info = nl_nest(b, IFLA_LINKINFO);
	nl_put_str(b, IFLA_INFO_KIND, kinds[l->kind]);
	if (l->kind == LINK_VXLAN)
		put_vxlan(b, &l->vxlan, lower);
	nl_nest_end(b, info);
	return end(b);
}

static void put_learning(struct nl_buf *b, bool learning)
{
	size_t info = nl_nest(b, IFLA_LINKINFO), data;

	nl_put_str(b, IFLA_INFO_KIND, kinds[LINK_VXLAN]);
	data = nl_nest(b, IFLA_INFO_DATA);
	nl_put_u8(b, IFLA_VXLAN_LEARNING, learning);
	nl_nest_end(b, data);
	nl_nest_end(b, info);
}

int nl_link_set(struct nl_buf *b, const struct link *l, const struct link *old, uint32_t ifindex,
		uint32_t seq)
{
	struct ifinfomsg head = {.ifi_index = (int)ifindex};
	struct link created = *l;

	if (!old) {
		created.up = false;
		created.alias[0] = '\0';
		if (l->kind == LINK_BRIDGE)
			created.mtu_bytes = 0;
		old = &created;
	}
	if (l->up != old->up) {
		head.ifi_change = IFF_UP;
		head.ifi_flags = l->up ? IFF_UP : 0;
	}
	begin(b, RTM_NEWLINK, 0, seq, &head);
	if (strcmp(l->name, old->name) != 0)
		nl_put_str(b, IFLA_IFNAME, l->name);
	if (l->mtu_bytes && l->mtu_bytes != old->mtu_bytes)
		nl_put_u32(b, IFLA_MTU, l->mtu_bytes);
	if (mac_is_set(&l->mac) && !mac_eq(&l->mac, &old->mac))
		nl_put(b, IFLA_ADDRESS, &l->mac, sizeof(l->mac));
	if (strcmp(l->alias, old->alias) != 0)
		nl_put(b, IFLA_IFALIAS, l->alias, strlen(l->alias));
	if (l->kind == LINK_VXLAN && l->vxlan.learning != old->vxlan.learning)
		put_learning(b, l->vxlan.learning);
	return end(b);
}

int nl_link_del(struct nl_buf *b, uint32_t ifindex, uint32_t seq)
{
	begin(b, RTM_DELLINK, 0, seq, &(struct ifinfomsg){.ifi_index = (int)ifindex});
	return end(b);
}
