/* SPDX-License-Identifier: Apache-2.0 */
#include "model/lease.h"

#include <errno.h>
#include <string.h>

int lease_cmp(const struct lease *a, const struct lease *b)
{
	int d = cidr_cmp(&a->subnet, &b->subnet);

	if (d == 0)
		d = cidr_cmp(&a->subnet6, &b->subnet6);
	return d ? d : (a->node > b->node) - (a->node < b->node);
}

bool lease_eq(const struct lease *a, const struct lease *b)
{
	return lease_cmp(a, b) == 0 && ip_eq(&a->public_ip, &b->public_ip) &&
	       ip_eq(&a->public_ip6, &b->public_ip6) && a->type == b->type &&
	       mac_eq(&a->vtep_mac, &b->vtep_mac) && mac_eq(&a->vtep_mac6, &b->vtep_mac6) &&
	       a->overwritten == b->overwritten && a->overwritten6 == b->overwritten6;
}

struct lease_half lease_half(const struct lease *l, bool v6)
{
	return v6 ? (struct lease_half){l->subnet6, l->public_ip6, l->vtep_mac6, l->overwritten6}
		  : (struct lease_half){l->subnet, l->public_ip, l->vtep_mac, l->overwritten};
}

static int check_subnet(const struct cidr *c, bool v6, const struct cidr *within, struct err *err)
{
	char subnet[CIDR_STRLEN], network[CIDR_STRLEN];
	struct cidr masked = cidr_masked(c);

	cidr_format(c, subnet);
	cidr_format(within, network);
	if (ip_is_v4(&c->ip) == v6)
		return err_set(err, -EINVAL, "subnet: not an %s network: %s", v6 ? "IPv6" : "IPv4",
			       subnet);
	if (!cidr_eq(c, &masked))
		return err_set(err, -EINVAL, "subnet: has host bits: %s", subnet);
	if (!cidr_covers(within, c))
		return err_set(err, -EINVAL, "subnet: outside Network %s: %s", network, subnet);
	/* One peer would draw the packets of all. */
	if (within->len == c->len)
		return err_set(err, -EINVAL, "subnet: takes all of Network: %s", subnet);
	return 0;
}

static int check_half(const struct lease_half *h, bool v6, const struct cidr *network,
		      struct err *err)
{
	const char *key = v6 ? "PublicIPv6" : "PublicIP";
	char ip[IP_STRLEN], subnet[CIDR_STRLEN], mac[MAC_STRLEN];
	int r = check_subnet(&h->subnet, v6, network, err);

	if (r < 0)
		return r;
	ip_format(&h->public_ip, ip);
	if (ip_is_v4(&h->public_ip) == v6 || !ip_is_global_unicast(&h->public_ip))
		return err_set(err, -EINVAL, "%s: not the %s address of a node: %s", key,
			       v6 ? "IPv6" : "IPv4", ip);
	/* Outer packets would be sent into the tunnel that they carry. */
	if (cidr_contains(&h->subnet, &h->public_ip))
		return err_set(err, -EINVAL, "%s: inside the lease's own subnet %s: %s", key,
			       cidr_format(&h->subnet, subnet), ip);
	if (!mac_is_unicast(&h->vtep_mac))
		return err_set(err, -EINVAL, "VtepMAC: not the MAC of one station: %s",
			       mac_format(&h->vtep_mac, mac));
	return 0;
}

int lease_check(const struct lease *l, bool v6, const struct netconf *c, struct err *err)
{
	struct lease_half half = lease_half(l, v6);

	if (l->type == BACKEND_NONE || l->type != c->backend)
		return err_set(err, -EINVAL, "BackendType: not %s: %s",
			       backend_type_names[c->backend], backend_type_names[l->type]);
	if (!(v6 ? c->ipv6 : c->ipv4) || !cidr_is_set(&half.subnet))
		return err_set(err, -EINVAL, "subnet: none of an enabled family: -");
	return check_half(&half, v6, v6 ? &c->network6 : &c->network, err);
}

enum backend_type lease_type_parse(const char *text)
{
	for (int t = BACKEND_NONE + 1; text && t < BACKEND__COUNT; t++)
		if (strcmp(text, backend_type_names[t]) == 0)
			return (enum backend_type)t;
	return BACKEND_NONE;
}

static void format_half(const char *name, const struct lease_half *h, struct text *t)
{
	char subnet[CIDR_STRLEN], ip[IP_STRLEN], mac[MAC_STRLEN];

	text_add(t, "%s%s via %s", name, cidr_format(&h->subnet, subnet),
		 ip_format(&h->public_ip, ip));
	if (mac_is_set(&h->vtep_mac))
		text_add(t, " mac %s", mac_format(&h->vtep_mac, mac));
}

const char *lease_format(const struct lease *l, char buf[LEASE_STRLEN])
{
	const struct lease_half v4 = lease_half(l, false), v6 = lease_half(l, true);
	struct text t = {.buf = buf, .size_bytes = LEASE_STRLEN};

	buf[0] = '\0';
	if (cidr_is_set(&l->subnet) || !cidr_is_set(&l->subnet6))
		format_half("", &v4, &t);
	if (cidr_is_set(&l->subnet6))
		format_half(t.len > 0 ? ", " : "", &v6, &t);
	return buf;
}
