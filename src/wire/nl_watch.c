/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_watch.h"

#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/nl_facts.h"

#define LOCAL                                                                      \
 (OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_SYSCTL) | OBJECT_BIT(OBJECT_ADDR) |  \
  OBJECT_BIT(OBJECT_NEXTHOP) | OBJECT_BIT(OBJECT_NEIGH) | OBJECT_BIT(OBJECT_FDB) | \
  OBJECT_BIT(OBJECT_ROUTE))

/* The uplink is not chosen yet: any link may be it. */
static bool uplink_open(const struct nl_watch *w)
{
	return w->ours.map->dev[DEV_UPLINK].name[0] == '\0';
}

static bool same_link(const struct nl_link *a, const struct nl_link *b, bool carrier)
{
	return a->ifindex == b->ifindex && (!carrier || a->running == b->running) &&
	       a->link.kind == b->link.kind && a->link.up == b->link.up &&
	       a->link.mtu_bytes == b->link.mtu_bytes && mac_eq(&a->link.mac, &b->link.mac) &&
	       a->link.vxlan.learning == b->link.vxlan.learning &&
	       strcmp(a->link.name, b->link.name) == 0 && strcmp(a->link.alias, b->link.alias) == 0;
}

static void link_news(const struct nl_msg *m, const struct nl_watch *w, struct nl_news *news)
{
	const struct devmap *map = w->ours.map;
	struct nl_link l;

	if (nl_link_decode(m, map, &l) < 0 || l.port)
		return;
	news->uplink = uplink_open(w);
	for (enum dev d = DEV_NONE + 1; d < DEV__COUNT; d++) {
		if (map->dev[d].name[0] == '\0')
			continue;
		if (l.ifindex != w->seen[d].ifindex && strcmp(l.link.name, map->dev[d].name) != 0)
			continue;
		if (m->type == RTM_NEWLINK && same_link(&l, &w->seen[d], d == DEV_UPLINK))
			continue;
		news->kinds |= LOCAL;
		news->uplink |= d == DEV_UPLINK;
	}
}

static void addr_news(const struct nl_msg *m, const struct nl_watch *w, struct nl_news *news)
{
	struct iface_addr addr;
	uint32_t ifindex;
	enum dev dev;

	/* IPv6's own address of each link comes whenever one goes up. */
	if (nl_facts_addr(m, &ifindex, &addr) != 0 ||
	    (!ip_is_v4(&addr.cidr.ip) && ip_is_link_local(&addr.cidr.ip)))
		return;
	dev = devmap_find(w->ours.map, ifindex);
	news->kinds = dev == DEV_NONE ? 0 : LOCAL;
	news->uplink = dev == DEV_UPLINK || (dev == DEV_NONE && uplink_open(w));
}

static void route_news(const struct nl_msg *m, const struct nl_watch *w, struct nl_news *news)
{
	struct nl_object o;
	struct rtmsg head;
	struct nl_bytes attrs;
	bool ours;

	if (!nl_header(m, &head, sizeof(head), &attrs) || head.rtm_table != RT_TABLE_MAIN ||
	    (head.rtm_flags & RTM_F_CLONED))
		return;
	ours = nl_rt_decode(m, &w->ours, &o) == 0;
	if (ours)
		news->kinds = OBJECT_BIT(OBJECT_ROUTE);
	news->uplink = (head.rtm_dst_len == 0 || w->host_routes) && !ours;
}

static void netconf_news(const struct nl_msg *m, const struct nl_watch *w, struct nl_news *news)
{
	struct netconfmsg head;
	struct nl_bytes attrs;
	struct nl_attr a;
	int32_t ifindex;

	if (!nl_header(m, &head, sizeof(head), &attrs) ||
	    !nl_attr_find(attrs, NETCONFA_IFINDEX, &a))
		return;
	ifindex = (int32_t)nl_get_u32(&a);
	if (ifindex == NETCONFA_IFINDEX_ALL || ifindex == NETCONFA_IFINDEX_DEFAULT ||
	    devmap_find(w->ours.map, (uint32_t)ifindex) != DEV_NONE)
		news->kinds = OBJECT_BIT(OBJECT_SYSCTL);
}

/* Neighbours and FDB entries. */
static void object_news(const struct nl_msg *m, const struct nl_watch *w, struct nl_news *news)
{
	struct nl_object o;

	if (nl_rt_decode(m, &w->ours, &o) == 0)
		news->kinds = OBJECT_BIT(o.object.kind);
}

bool nl_watch_decode(const struct nl_msg *m, const struct nl_watch *w, struct nl_news *ret)
{
	struct nl_news news = {.port = m->port};

	switch (m->type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		link_news(m, w, &news);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		addr_news(m, w, &news);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		route_news(m, w, &news);
		break;
	case RTM_NEWNETCONF:
	case RTM_DELNETCONF:
		netconf_news(m, w, &news);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		object_news(m, w, &news);
		break;
	default: /* the kernel's numbers, not ours */
		break;
	}
	if (news.kinds == 0 && !news.uplink)
		return false;
	*ret = news;
	return true;
}
