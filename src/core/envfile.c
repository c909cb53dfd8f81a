/* SPDX-License-Identifier: Apache-2.0 */
#include "core/envfile.h"

/* The second line holds the gateway: the lease's network address + 1. */
static void write_family(const char *prefix, const struct cidr *network, const struct cidr *subnet,
			 struct text *t)
{
	struct cidr gateway = {.ip = ip_add(&subnet->ip, 1), .len = subnet->len};
	char buf[CIDR_STRLEN];

	text_add(t, "FLANNEL_%sNETWORK=%s\n", prefix, cidr_format(network, buf));
	text_add(t, "FLANNEL_%sSUBNET=%s\n", prefix, cidr_format(&gateway, buf));
}

void envfile_write(const struct netconf *net, const struct lease *own, uint32_t mtu_bytes,
		   bool ip_masq, struct text *ret_text)
{
	if (net->ipv4)
		write_family("", &net->network, &own->subnet, ret_text);
	if (net->ipv6)
		write_family("IPV6_", &net->network6, &own->subnet6, ret_text);
	text_add(ret_text, "FLANNEL_MTU=%u\n", mtu_bytes);
	text_add(ret_text, "FLANNEL_IPMASQ=%s\n", ip_masq ? "true" : "false");
}
