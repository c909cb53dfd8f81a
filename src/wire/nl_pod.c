/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl_pod.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/* ---- reading ---- */

struct raw_link {
	struct nl_pod_link link;
	struct nl_bytes info;
};

static const struct nl_field link_fields[] = {
	NL_FIELD(IFLA_IFNAME, NL_STR, raw_link, link.name),
	NL_FIELD(IFLA_ADDRESS, NL_MAC, raw_link, link.mac),
	NL_FIELD(IFLA_MTU, NL_U32, raw_link, link.mtu_bytes),
	NL_FIELD(IFLA_IFALIAS, NL_STR, raw_link, link.alias),
	NL_FIELD(IFLA_LINK, NL_U32, raw_link, link.peer),
	NL_FIELD(IFLA_MASTER, NL_U32, raw_link, link.master),
	NL_FIELD(IFLA_OPERSTATE, NL_U8, raw_link, link.operstate),
	NL_FIELD(IFLA_LINKINFO, NL_NEST, raw_link, info),
};

/* RFC 2863, IfOperStatus; linux/if.h IF_OPER_*. */
static const char *const operstates[] = {
	"unknown", "not-present", "down", "lower-layer-down", "testing", "dormant", "up",
};
#define OPERSTATE_UP 6

const char *nl_pod_operstate_name(uint8_t operstate)
{
	return operstate < ARRAY_SIZE(operstates) ? operstates[operstate] : "?";
}

int nl_pod_decode_link(const struct nl_msg *m, struct nl_pod_link *ret)
{
	struct raw_link raw = {0};
	struct nl_attr kind;
	struct ifinfomsg head;
	struct nl_bytes attrs;
	char name[16] = "";

	if (!nl_header(m, &head, sizeof(head), &attrs) ||
	    !nl_read(link_fields, ARRAY_SIZE(link_fields), attrs, &raw) ||
	    head.ifi_family == AF_BRIDGE)
		return -EBADMSG;
	if (nl_attr_find(raw.info, IFLA_INFO_KIND, &kind))
		nl_get_str(&kind, name, sizeof(name));
	if (strcmp(name, "bridge") == 0)
		raw.link.kind = NL_POD_BRIDGE;
	else if (strcmp(name, "veth") == 0)
		raw.link.kind = NL_POD_VETH;
	raw.link.ifindex = (uint32_t)head.ifi_index;
	raw.link.up = head.ifi_flags & IFF_UP;
	raw.link.promisc = head.ifi_flags & IFF_PROMISC;
	raw.link.operational = raw.link.operstate == OPERSTATE_UP;
	*ret = raw.link;
	return 0;
}

struct raw_addr {
	struct ip local, address;
};

static const struct nl_field addr_fields[] = {
	NL_FIELD(IFA_LOCAL, NL_IP, raw_addr, local),
	NL_FIELD(IFA_ADDRESS, NL_IP, raw_addr, address),
};

int nl_pod_decode_addr(const struct nl_msg *m, struct nl_pod_addr *ret)
{
	struct raw_addr raw = {0};
	struct ifaddrmsg head;
	struct nl_pod_addr addr;
	struct nl_bytes attrs;

	if (m->type != RTM_NEWADDR || !nl_header(m, &head, sizeof(head), &attrs) ||
	    !nl_read(addr_fields, ARRAY_SIZE(addr_fields), attrs, &raw))
		return -EBADMSG;
	addr = (struct nl_pod_addr){
		.ifindex = head.ifa_index,
		.cidr = {.ip = ip_is_set(&raw.local) ? raw.local : raw.address,
			 .len = head.ifa_prefixlen},
	};
	if (addr.cidr.len > cidr_max_len(&addr.cidr))
		return -EBADMSG;
	*ret = addr;
	return 0;
}

static const struct nl_field route_fields[] = {
	NL_FIELD(RTA_DST, NL_IP, nl_pod_route, dst.ip),
	NL_FIELD(RTA_GATEWAY, NL_IP, nl_pod_route, gw),
	NL_FIELD(RTA_OIF, NL_U32, nl_pod_route, ifindex),
	NL_FIELD(RTA_TABLE, NL_U32, nl_pod_route, table),
};

int nl_pod_decode_route(const struct nl_msg *m, struct nl_pod_route *ret)
{
	struct nl_pod_route r = {0};
	struct nl_bytes attrs;
	struct rtmsg head;

	if (m->type != RTM_NEWROUTE || !nl_header(m, &head, sizeof(head), &attrs))
		return -EBADMSG;
	r.table = head.rtm_table;
	r.v6 = head.rtm_family == AF_INET6;
	/* The default route comes without RTA_DST. */
	if (!r.v6)
		r.dst.ip = ip_from_v4(0);
	r.dst.len = head.rtm_dst_len;
	if (!nl_read(route_fields, ARRAY_SIZE(route_fields), attrs, &r) ||
	    r.dst.len > cidr_max_len(&r.dst))
		return -EBADMSG;
	*ret = r;
	return 0;
}

/* ---- links ---- */

static void begin_link(struct nl_buf *b, uint16_t type, uint16_t flags, uint32_t seq,
		       const struct ifinfomsg *head)
{
	nl_begin(b, type, NLM_F_REQUEST | flags, seq, head, sizeof(*head));
}

bool nl_pod_get(struct nl_buf *b, uint32_t ifindex, const char *name, uint32_t seq)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

	begin_link(b, RTM_GETLINK, 0, seq, &head);
	if (!ifindex)
		nl_put_str(b, IFLA_IFNAME, name);
	nl_put_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nl_end(b);
}

bool nl_pod_del(struct nl_buf *b, uint32_t ifindex, uint32_t seq)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

	begin_link(b, RTM_DELLINK, 0, seq, &head);
	return nl_end(b);
}

bool nl_pod_set_up(struct nl_buf *b, uint32_t ifindex, bool up, uint32_t seq)
{
	const struct ifinfomsg head = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)ifindex,
		.ifi_flags = up ? IFF_UP : 0,
		.ifi_change = IFF_UP,
	};

	begin_link(b, RTM_NEWLINK, 0, seq, &head);
	return nl_end(b);
}

static void put_mac(struct nl_buf *b, const struct mac *mac)
{
	if (mac_is_set(mac))
		nl_put(b, IFLA_ADDRESS, mac->b, sizeof(mac->b));
}

static void put_mtu(struct nl_buf *b, uint32_t mtu_bytes)
{
	if (mtu_bytes)
		nl_put_u32(b, IFLA_MTU, mtu_bytes);
}

bool nl_pod_add_bridge(struct nl_buf *b, const char *name, uint32_t mtu_bytes,
		       const struct mac *mac, uint32_t seq)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	size_t info;

	begin_link(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, seq, &head);
	nl_put_str(b, IFLA_IFNAME, name);
	put_mac(b, mac);
	put_mtu(b, mtu_bytes);
	info = nl_nest(b, IFLA_LINKINFO);
	nl_put_str(b, IFLA_INFO_KIND, "bridge");
	nl_nest_end(b, info);
	return nl_end(b);
}

bool nl_pod_set_bridge(struct nl_buf *b, uint32_t ifindex, bool promisc, const struct mac *mac,
		       uint32_t seq)
{
	const unsigned flags = promisc ? IFF_UP | IFF_PROMISC : IFF_UP;
	const struct ifinfomsg head = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)ifindex,
		.ifi_flags = flags,
		.ifi_change = flags,
	};

	begin_link(b, RTM_NEWLINK, 0, seq, &head);
	put_mac(b, mac);
	return nl_end(b);
}

/* The kernel would allocate a queue for each CPU, use one, and wait for all CPUs to see that (Linux
 * >= 5.15, veth_init_queues()). */
static void put_one_queue(struct nl_buf *b)
{
	nl_put_u32(b, IFLA_NUM_TX_QUEUES, 1);
	nl_put_u32(b, IFLA_NUM_RX_QUEUES, 1);
}

bool nl_pod_add_veth(struct nl_buf *b, const struct nl_pod_veth *v, uint32_t seq)
{
	const struct ifinfomsg host = {
		.ifi_family = AF_UNSPEC,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	const struct ifinfomsg pod = {.ifi_family = AF_UNSPEC};
	size_t info, data, peer;

	begin_link(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, seq, &host);
	nl_put_str(b, IFLA_IFNAME, v->host_name);
	put_mac(b, &v->host_mac);
	put_mtu(b, v->mtu_bytes);
	put_one_queue(b);
	if (v->master)
		nl_put_u32(b, IFLA_MASTER, v->master);
	info = nl_nest(b, IFLA_LINKINFO);
	nl_put_str(b, IFLA_INFO_KIND, "veth");
	data = nl_nest(b, IFLA_INFO_DATA);
	/* The nest begins with a link header (linux/veth.h). */
	peer = b->len;
	nl_put(b, VETH_INFO_PEER | NLA_F_NESTED, &pod, sizeof(pod));
	nl_put_str(b, IFLA_IFNAME, v->pod_name);
	put_mac(b, &v->pod_mac);
	put_mtu(b, v->mtu_bytes);
	put_one_queue(b);
	nl_put_u32(b, IFLA_NET_NS_FD, (uint32_t)v->netns_fd);
	nl_nest_end(b, peer);
	nl_nest_end(b, data);
	nl_nest_end(b, info);
	return nl_end(b);
}

bool nl_pod_set_port(struct nl_buf *b, uint32_t ifindex, const char *alias, bool hairpin,
		     bool isolated, uint32_t seq)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	size_t info, data;

	begin_link(b, RTM_NEWLINK, 0, seq, &head);
	nl_put_str(b, IFLA_IFALIAS, alias);
	if (hairpin || isolated) {
		info = nl_nest(b, IFLA_LINKINFO);
		nl_put_str(b, IFLA_INFO_SLAVE_KIND, "bridge");
		data = nl_nest(b, IFLA_INFO_SLAVE_DATA);
		nl_put_u8(b, IFLA_BRPORT_MODE, hairpin);
		nl_put_u8(b, IFLA_BRPORT_ISOLATED, isolated);
		nl_nest_end(b, data);
		nl_nest_end(b, info);
	}
	return nl_end(b);
}

bool nl_pod_set_arp_notify(struct nl_buf *b, uint32_t ifindex, uint32_t seq)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	size_t spec, inet, conf;

	begin_link(b, RTM_NEWLINK, 0, seq, &head);
	spec = nl_nest(b, IFLA_AF_SPEC);
	inet = nl_nest(b, AF_INET);
	conf = nl_nest(b, IFLA_INET_CONF);
	nl_put_u32(b, IPV4_DEVCONF_ARP_NOTIFY, 1);
	nl_nest_end(b, conf);
	nl_nest_end(b, inet);
	nl_nest_end(b, spec);
	return nl_end(b);
}

bool nl_pod_set_mac(struct nl_buf *b, uint32_t ifindex, const struct mac *mac, uint32_t seq)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

	begin_link(b, RTM_NEWLINK, 0, seq, &head);
	put_mac(b, mac);
	return nl_end(b);
}

/* ---- addresses ---- */

static void begin_addr(struct nl_buf *b, uint16_t type, uint16_t flags, uint32_t ifindex,
		       const struct cidr *c, uint32_t seq)
{
	const struct ifaddrmsg head = {
		.ifa_family = ip_is_v4(&c->ip) ? AF_INET : AF_INET6,
		.ifa_prefixlen = c->len,
		.ifa_index = ifindex,
	};

	nl_begin(b, type, NLM_F_REQUEST | flags, seq, &head, sizeof(head));
	nl_put_ip(b, IFA_LOCAL, &c->ip);
	nl_put_ip(b, IFA_ADDRESS, &c->ip);
}

bool nl_pod_add_addr(struct nl_buf *b, uint32_t ifindex, const struct cidr *c, bool no_prefix_route,
		     uint32_t seq)
{
	const uint32_t flags =
		(no_prefix_route ? IFA_F_NOPREFIXROUTE : 0) | (ip_is_v4(&c->ip) ? 0 : IFA_F_NODAD);

	begin_addr(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, c, seq);
	if (flags)
		nl_put_u32(b, IFA_FLAGS, flags);
	if (ip_is_v4(&c->ip) && c->len < 31) {
		struct ip broadcast = cidr_last(c);

		nl_put_ip(b, IFA_BROADCAST, &broadcast);
	}
	return nl_end(b);
}

bool nl_pod_del_addr(struct nl_buf *b, uint32_t ifindex, const struct cidr *c, uint32_t seq)
{
	begin_addr(b, RTM_DELADDR, 0, ifindex, c, seq);
	return nl_end(b);
}

/* ---- routes ---- */

bool nl_pod_add_route(struct nl_buf *b, uint32_t ifindex, const struct cni_route *r, uint32_t seq)
{
	const uint32_t table = r->has_table ? (uint32_t)r->table : RT_TABLE_MAIN;
	const struct cidr dst = cidr_masked(&r->dst);
	const struct rtmsg head = {
		.rtm_family = ip_is_v4(&r->dst.ip) ? AF_INET : AF_INET6,
		.rtm_dst_len = r->dst.len,
		.rtm_table = table < 256 ? (unsigned char)table : RT_TABLE_UNSPEC,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = r->has_scope ? (unsigned char)r->scope : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};

	nl_begin(b, RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE, seq, &head, sizeof(head));
	if (dst.len > 0)
		nl_put_ip(b, RTA_DST, &dst.ip);
	if (ip_is_set(&r->gw))
		nl_put_ip(b, RTA_GATEWAY, &r->gw);
	nl_put_u32(b, RTA_OIF, ifindex);
	if (table >= 256)
		nl_put_u32(b, RTA_TABLE, table);
	if (r->priority)
		nl_put_u32(b, RTA_PRIORITY, (uint32_t)r->priority);
	return nl_end(b);
}

/* ---- dumps ---- */

bool nl_pod_dump_addrs(struct nl_buf *b, bool v6, uint32_t ifindex, uint32_t seq)
{
	const struct ifaddrmsg head = {
		.ifa_family = v6 ? AF_INET6 : AF_INET,
		.ifa_index = ifindex,
	};

	nl_begin(b, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, seq, &head, sizeof(head));
	return nl_end(b);
}

bool nl_pod_dump_routes(struct nl_buf *b, bool v6, uint32_t seq)
{
	const struct rtmsg head = {.rtm_family = v6 ? AF_INET6 : AF_INET};

	nl_begin(b, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, seq, &head, sizeof(head));
	return nl_end(b);
}
