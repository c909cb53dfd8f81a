/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "wire/nl_rt_impl.h"

struct raw_addr {
	struct ip local, address;
};

static const struct nl_field fields[] = {
	NL_FIELD(IFA_LOCAL, NL_IP, raw_addr, local),
	NL_FIELD(IFA_ADDRESS, NL_IP, raw_addr, address),
};

int nl_addr_decode(const struct nl_msg *m, const struct nl_ours *ours, struct nl_object *ret)
{
	struct raw_addr raw = {0};
	struct ifaddrmsg head;
	struct nl_bytes attrs;
	enum dev dev;

	if (!nl_header(m, &head, sizeof(head), &attrs) ||
	    !nl_read(fields, ARRAY_SIZE(fields), attrs, &raw))
		return -EBADMSG;
	dev = devmap_find(ours->map, head.ifa_index);
	if (dev == DEV_NONE || dev == DEV_UPLINK)
		return NL_NOT_OURS;
	/* IFA_ADDRESS is the peer's on point-to-point links; IPv6 often sends nothing else. */
	ret->addr = (struct addr){
		.dev = dev,
		.cidr = {ip_is_set(&raw.local) ? raw.local : raw.address, head.ifa_prefixlen},
	};
	if (ret->addr.cidr.len > cidr_max_len(&ret->addr.cidr))
		return -EBADMSG;
	/* The kernel gives one to every link that is up. */
	if (!ip_is_v4(&ret->addr.cidr.ip) && ip_is_link_local(&ret->addr.cidr.ip))
		return NL_NOT_OURS;
	ret->object = (struct object){.kind = OBJECT_ADDR, .addr = &ret->addr};
	return 0;
}

void nl_addr_encode(struct nl_buf *b, const struct op *op, uint32_t ifindex, uint32_t seq)
{
	const struct cidr *c = &op->object.addr->cidr;
	struct ifaddrmsg head = {
		.ifa_family = ip_is_v4(&c->ip) ? AF_INET : AF_INET6,
		.ifa_prefixlen = c->len,
		/* IPv6: nobody else can have it, and packets need not wait a second for its being sure. */
		.ifa_flags = ip_is_v4(&c->ip) ? 0 : IFA_F_NODAD,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = ifindex,
	};

	nl_begin(b, op->verb == OP_DEL ? RTM_DELADDR : RTM_NEWADDR, nl_op_flags(op), seq, &head,
		 sizeof(head));
	nl_put_ip(b, IFA_LOCAL, &c->ip);
	nl_put_ip(b, IFA_ADDRESS, &c->ip);
	/* As flannel and the CNI plugins have it; /31 and /32 have none (RFC 3021). */
	if (op->verb != OP_DEL && ip_is_v4(&c->ip) && c->len < 31) {
		struct ip last = cidr_last(c);

		nl_put_ip(b, IFA_BROADCAST, &last);
	}
}
