/* SPDX-License-Identifier: Apache-2.0 */
#include "model/lease.h"

#include <errno.h>
#include <string.h>

int lease_cmp(const struct lease *a, const struct lease *b)
{
	int d = cidr_cmp(&a->subnet, &b->subnet);

	return d ? d : cidr_cmp(&a->subnet6, &b->subnet6);
}

bool lease_eq(const struct lease *a, const struct lease *b)
{
	return lease_cmp(a, b) == 0 && ip_eq(&a->public_ip, &b->public_ip) &&
	       ip_eq(&a->public_ip6, &b->public_ip6) && a->type == b->type &&
	       mac_eq(&a->vtep_mac, &b->vtep_mac) && mac_eq(&a->vtep_mac6, &b->vtep_mac6);
}

/* One family of a lease, with the names its fields have in etcd and in annotations. */
struct half {
	bool v4;
	const char *public_ip_key;
	const struct cidr *subnet, *network;
	const struct ip *public_ip;
	const struct mac *mac;
};

static int check_subnet(const struct half *h, struct err *err)
{
	char subnet[CIDR_STRLEN], network[CIDR_STRLEN];
	struct cidr masked = cidr_masked(h->subnet);

	cidr_format(h->subnet, subnet);
	cidr_format(h->network, network);
	if (ip_is_v4(&h->subnet->ip) != h->v4)
		return err_set(err, -EINVAL, "subnet: not an %s network: %s",
			       h->v4 ? "IPv4" : "IPv6", subnet);
	if (!cidr_eq(h->subnet, &masked))
		return err_set(err, -EINVAL, "subnet: has host bits: %s", subnet);
	if (!cidr_covers(h->network, h->subnet))
		return err_set(err, -EINVAL, "subnet: outside Network %s: %s", network, subnet);
	/* One peer would draw the packets of all. */
	if (h->network->len == h->subnet->len)
		return err_set(err, -EINVAL, "subnet: takes all of Network: %s", subnet);
	return 0;
}

static int check_half(const struct half *h, struct err *err)
{
	char ip[IP_STRLEN], subnet[CIDR_STRLEN], mac[MAC_STRLEN];
	int r = check_subnet(h, err);

	if (r < 0)
		return r;
	ip_format(h->public_ip, ip);
	if (ip_is_v4(h->public_ip) != h->v4 || !ip_is_global_unicast(h->public_ip))
		return err_set(err, -EINVAL, "%s: not the %s address of a node: %s",
			       h->public_ip_key, h->v4 ? "IPv4" : "IPv6", ip);
	/* Outer packets would be sent into the tunnel that they carry. */
	if (cidr_contains(h->subnet, h->public_ip))
		return err_set(err, -EINVAL, "%s: inside the lease's own subnet %s: %s",
			       h->public_ip_key, cidr_format(h->subnet, subnet), ip);
	if (!mac_is_unicast(h->mac))
		return err_set(err, -EINVAL, "VtepMAC: not the MAC of one station: %s",
			       mac_format(h->mac, mac));
	return 0;
}

int lease_check(const struct lease *l, const struct netconf *c, struct err *err)
{
	const struct half v4 = {true,	     "PublicIP",    &l->subnet,
				&c->network, &l->public_ip, &l->vtep_mac};
	const struct half v6 = {false,	      "PublicIPv6",   &l->subnet6,
				&c->network6, &l->public_ip6, &l->vtep_mac6};
	bool have_v4 = c->ipv4 && cidr_is_set(&l->subnet);
	bool have_v6 = c->ipv6 && cidr_is_set(&l->subnet6);
	int r;

	if (l->type == BACKEND_NONE || l->type != c->backend)
		return err_set(err, -EINVAL, "BackendType: not %s: %s",
			       backend_type_names[c->backend], backend_type_names[l->type]);
	/* Half a lease is better than none: flannel drops the whole node (flannel.md 4.5). */
	if (!have_v4 && !have_v6)
		return err_set(err, -EINVAL, "subnet: none of an enabled family: -");
	r = have_v4 ? check_half(&v4, err) : 0;
	return r == 0 && have_v6 ? check_half(&v6, err) : r;
}

static void format_half(const char *name, const struct half *h, struct text *t)
{
	char subnet[CIDR_STRLEN], ip[IP_STRLEN], mac[MAC_STRLEN];

	text_add(t, "%s%s via %s", name, cidr_format(h->subnet, subnet),
		 ip_format(h->public_ip, ip));
	if (mac_is_set(h->mac))
		text_add(t, " mac %s", mac_format(h->mac, mac));
}

const char *lease_format(const struct lease *l, char buf[LEASE_STRLEN])
{
	const struct half v4 = {
		.subnet = &l->subnet, .public_ip = &l->public_ip, .mac = &l->vtep_mac};
	const struct half v6 = {
		.subnet = &l->subnet6, .public_ip = &l->public_ip6, .mac = &l->vtep_mac6};
	struct text t = {.buf = buf, .size_bytes = LEASE_STRLEN};

	buf[0] = '\0';
	if (cidr_is_set(&l->subnet) || !cidr_is_set(&l->subnet6))
		format_half("", &v4, &t);
	if (cidr_is_set(&l->subnet6))
		format_half(t.len > 0 ? ", " : "", &v6, &t);
	return buf;
}
