/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_facts.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "model/netstate.h"
#include "wire/nl_link.h"

/* Whoever keeps it: ours of any instance, or flannel's. */
static bool is_overlay(const struct link *l)
{
	return strncmp(l->alias, "loden", 5) == 0 ||
	       (l->kind == LINK_VXLAN && strncmp(l->name, "flannel", 7) == 0);
}

static bool find_nested(struct nl_bytes *attrs, uint16_t type)
{
	struct nl_attr a;
	bool found = nl_attr_find(*attrs, type, &a);

	if (found)
		*attrs = a.value;
	return found;
}

/* What it is like as a bridge's port. */
static void read_port(const struct nl_msg *m, struct iface *iface)
{
	struct ifinfomsg head;
	struct nl_bytes attrs;
	struct nl_attr a;

	if (!nl_header(m, &head, sizeof(head), &attrs) || !nl_attr_find(attrs, IFLA_MASTER, &a))
		return;
	iface->master = nl_get_u32(&a);
	if (find_nested(&attrs, IFLA_LINKINFO) && find_nested(&attrs, IFLA_INFO_SLAVE_DATA) &&
	    nl_attr_find(attrs, IFLA_BRPORT_ISOLATED, &a))
		iface->isolated = nl_get_u8(&a);
}

int nl_facts_iface(const struct nl_msg *m, struct iface *ret)
{
	struct nl_link l;
	int r;

	if (m->type != RTM_NEWLINK)
		return 1;
	r = nl_link_decode(m, &(struct devmap){0}, &l);
	if (r < 0)
		return r;
	if (l.port)
		return 1;
	*ret = (struct iface){
		.ifindex = l.ifindex,
		.mtu_bytes = l.link.mtu_bytes,
		.up = l.link.up,
		.running = l.running,
		.overlay = is_overlay(&l.link),
	};
	memcpy(ret->name, l.link.name, sizeof(ret->name));
	read_port(m, ret);
	return 0;
}

struct raw_addr {
	struct ip local, address;
	uint32_t flags;
};

static const struct nl_field addr_fields[] = {
	NL_FIELD(IFA_LOCAL, NL_IP, raw_addr, local),
	NL_FIELD(IFA_ADDRESS, NL_IP, raw_addr, address),
	NL_FIELD(IFA_FLAGS, NL_U32, raw_addr, flags),
};

int nl_facts_addr(const struct nl_msg *m, uint32_t *ret_ifindex, struct iface_addr *ret)
{
	struct raw_addr raw = {0};
	struct ifaddrmsg head;
	struct nl_bytes attrs;

	if (m->type != RTM_NEWADDR && m->type != RTM_DELADDR)
		return 1;
	if (!nl_header(m, &head, sizeof(head), &attrs))
		return -EBADMSG;
	raw.flags = head.ifa_flags;
	if (!nl_read(addr_fields, ARRAY_SIZE(addr_fields), attrs, &raw))
		return -EBADMSG;
	*ret_ifindex = head.ifa_index;
	*ret = (struct iface_addr){
		.cidr = {ip_is_set(&raw.local) ? raw.local : raw.address, head.ifa_prefixlen},
		.permanent = raw.flags & IFA_F_PERMANENT,
		.deprecated = raw.flags & IFA_F_DEPRECATED,
		/* The bit means "secondary" for IPv4. */
		.temporary = head.ifa_family == AF_INET6 && (raw.flags & IFA_F_TEMPORARY),
	};
	return 0;
}

struct raw_route {
	uint32_t table, oif, metric;
	struct ip dst, src;
	bool routed; /* not straight to the destination */
};

static const struct nl_field route_fields[] = {
	NL_FIELD(RTA_TABLE, NL_U32, raw_route, table),
	NL_FIELD(RTA_OIF, NL_U32, raw_route, oif),
	NL_FIELD(RTA_PRIORITY, NL_U32, raw_route, metric),
	NL_FIELD(RTA_PREFSRC, NL_IP, raw_route, src),
	NL_FIELD(RTA_DST, NL_IP, raw_route, dst),
	NL_FIELD(RTA_GATEWAY, NL_PRESENT, raw_route, routed),
	NL_FIELD(RTA_VIA, NL_PRESENT, raw_route, routed),
	NL_FIELD(RTA_ENCAP, NL_PRESENT, raw_route, routed),
	NL_FIELD(RTA_MULTIPATH, NL_PRESENT, raw_route, routed),
};

/* IPv4 takes a gateway only if its own route says that it is that near. */
static bool is_near(const struct rtmsg *head)
{
	return head->rtm_family == AF_INET6 || head->rtm_scope >= RT_SCOPE_LINK;
}

int nl_facts_route(const struct nl_msg *m, struct route_fact *ret)
{
	struct raw_route raw = {0};
	struct rtmsg head;
	struct nl_bytes attrs;
	struct cidr dst;

	if (m->type != RTM_NEWROUTE)
		return 1;
	if (!nl_header(m, &head, sizeof(head), &attrs))
		return -EBADMSG;
	if ((head.rtm_family != AF_INET && head.rtm_family != AF_INET6) || head.rtm_tos != 0 ||
	    (head.rtm_flags & RTM_F_CLONED) || head.rtm_protocol == ROUTE_PROTO_LODEN)
		return 1;
	raw.table = head.rtm_table;
	raw.dst = ip_from_bytes((uint8_t[16]){0}, head.rtm_family == AF_INET ? 4 : 16);
	if (!nl_read(route_fields, ARRAY_SIZE(route_fields), attrs, &raw))
		return -EBADMSG;
	dst = (struct cidr){raw.dst, head.rtm_dst_len};
	if (raw.table != RT_TABLE_MAIN)
		return 1;
	if (dst.len > cidr_max_len(&dst))
		return -EBADMSG;
	*ret = (struct route_fact){
		.dst = dst,
		.metric = raw.metric,
		.ifindex = raw.oif,
		.unicast = head.rtm_type == RTN_UNICAST,
		.advertised = dst.len == 0 && head.rtm_family == AF_INET6 &&
			      head.rtm_protocol == RTPROT_RA,
	};
	ret->on_link = ret->unicast && raw.oif != 0 && !raw.routed && is_near(&head);
	return 0;
}

int nl_facts_ask_reach(struct nl_buf *b, const struct ip *to, uint32_t seq)
{
	struct rtmsg head = {.rtm_family = ip_is_v4(to) ? AF_INET : AF_INET6};
	size_t n;

	ip_bytes(to, &n);
	head.rtm_dst_len = (uint8_t)(n * 8);
	nl_begin(b, RTM_GETROUTE, NLM_F_REQUEST, seq, &head, sizeof(head));
	nl_put_ip(b, RTA_DST, to);
	return nl_end(b) ? 0 : -ENOBUFS;
}

int nl_facts_reach(const struct nl_msg *m, uint32_t *ret_ifindex, struct ip *ret_src)
{
	struct raw_route raw = {0};
	struct rtmsg head;
	struct nl_bytes attrs;

	if (m->type != RTM_NEWROUTE)
		return 1;
	if (!nl_header(m, &head, sizeof(head), &attrs) ||
	    !nl_read(route_fields, ARRAY_SIZE(route_fields), attrs, &raw))
		return -EBADMSG;
	*ret_ifindex = raw.oif;
	*ret_src = raw.src;
	return 0;
}
