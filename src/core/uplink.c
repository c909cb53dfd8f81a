/* SPDX-License-Identifier: Apache-2.0 */
#include "core/uplink.h"

#include <string.h>

#include "core/segment.h"

/* One look at the facts. Each try_ function writes why it failed into `why`. */
struct lookup {
	const struct uplink_policy *policy;
	const struct iface_facts *facts;
	bool ipv4, ipv6; /* wanted of the interface */
	struct text *why;
	const struct iface *found;
	struct ip ip, ip6; /* fixed by how it was found; unset = choose one */
};

static const struct iface *find_by_index(const struct iface_facts *f, uint32_t ifindex)
{
	for (size_t i = 0; ifindex > 0 && i < f->n_ifaces; i++)
		if (f->ifaces[i].ifindex == ifindex)
			return &f->ifaces[i];
	return NULL;
}

static const struct iface *find_by_name(const struct iface_facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_ifaces; i++)
		if (strcmp(f->ifaces[i].name, name) == 0)
			return &f->ifaces[i];
	return NULL;
}

static const struct iface *find_by_ip(const struct iface_facts *f, const struct ip *ip)
{
	for (size_t i = 0; i < f->n_ifaces; i++)
		for (size_t j = 0; j < f->ifaces[i].n_addrs; j++)
			if (ip_eq(&f->ifaces[i].addrs[j].cidr.ip, ip))
				return &f->ifaces[i];
	return NULL;
}

static void fix_ip(struct lookup *l, const struct ip *ip)
{
	if (ip_is_v4(ip))
		l->ip = *ip;
	else
		l->ip6 = *ip;
}

/* flannel.md 3.3: what may be used at all … */
static bool is_usable(const struct iface_addr *a)
{
	const struct ip *ip = &a->cidr.ip;

	return !a->deprecated && (ip_is_global_unicast(ip) || ip_is_link_local(ip));
}

/* … and how good it is: scope first, then permanent, then not temporary. */
static unsigned goodness(const struct iface_addr *a)
{
	return (ip_is_global_unicast(&a->cidr.ip) ? 4u : 0u) | (a->permanent ? 2u : 0u) |
	       (a->temporary ? 0u : 1u);
}

/* The best address of a family, the first of equals; only those that match pattern `regex` unless
 * that is SIZE_MAX. */
static const struct iface_addr *best_addr(const struct lookup *l, const struct iface *iface,
					  bool v4, size_t regex)
{
	const struct uplink_policy *p = l->policy;
	const struct iface_addr *best = NULL;

	/* A pattern such as `10\.` means the hosts' network, not the pods'. */
	for (size_t i = 0; i < iface->n_addrs && !(iface->overlay && regex != SIZE_MAX); i++) {
		const struct iface_addr *a = &iface->addrs[i];
		char text[IP_STRLEN];

		if (ip_is_v4(&a->cidr.ip) != v4 || !is_usable(a))
			continue;
		if (regex != SIZE_MAX &&
		    !p->match(p->match_arg, regex, ip_format(&a->cidr.ip, text)))
			continue;
		if (!best || goodness(a) > goodness(best))
			best = a;
	}
	return best;
}

/* flannel.md 3.2: where an address stands for the interface, both families' must be on it. */
static bool try_public_ip6(struct lookup *l)
{
	const struct ip *ip = &l->policy->public_ip6;
	const struct iface *other = find_by_ip(l->facts, ip);
	char buf[IP_STRLEN];

	if (!l->ipv6 || !ip_is_set(ip) || !other)
		return true;
	if (other != l->found) {
		text_add(l->why, "it is on %s, --public-ipv6 %s is on %s, they must agree",
			 l->found->name, ip_format(ip, buf), other->name);
		return false;
	}
	l->ip6 = *ip;
	return true;
}

static bool try_iface(struct lookup *l, const char *wanted)
{
	struct ip ip;

	if (ip_parse(wanted, &ip)) {
		l->found = find_by_ip(l->facts, &ip);
		if (!l->found) {
			text_add(l->why, "no interface has this address");
			return false;
		}
		fix_ip(l, &ip);
		return try_public_ip6(l);
	}
	l->found = find_by_name(l->facts, wanted);
	if (!l->found)
		text_add(l->why, "no such interface");
	return l->found != NULL;
}

/* All interfaces by their addresses first; in dual stack both families have to match. */
static bool try_regex(struct lookup *l, size_t regex)
{
	const struct uplink_policy *p = l->policy;

	for (size_t i = 0; i < l->facts->n_ifaces; i++) {
		const struct iface *iface = &l->facts->ifaces[i];
		const struct iface_addr *v4 = best_addr(l, iface, true, regex);
		const struct iface_addr *v6 = best_addr(l, iface, false, regex);

		if ((l->ipv4 && !v4) || (l->ipv6 && !v6))
			continue;
		l->found = iface;
		if (v4)
			l->ip = v4->cidr.ip;
		if (v6)
			l->ip6 = v6->cidr.ip;
		return true;
	}
	for (size_t i = 0; i < l->facts->n_ifaces; i++)
		if (!l->facts->ifaces[i].overlay &&
		    p->match(p->match_arg, regex, l->facts->ifaces[i].name)) {
			l->found = &l->facts->ifaces[i];
			return true;
		}
	text_add(l->why, "matches no address and no name");
	return false;
}

static bool try_can_reach(struct lookup *l)
{
	l->found = find_by_index(l->facts, l->facts->reach_ifindex);
	if (!l->found) {
		text_add(l->why, "the kernel has no route there");
		return false;
	}
	if (ip_is_set(&l->facts->reach_src))
		fix_ip(l, &l->facts->reach_src);
	return true;
}

/* A family without a default route of its own may still have its peers on the other's interface. */
static bool try_default_route(struct lookup *l)
{
	const struct iface_facts *f = l->facts;
	const struct iface *v4 = l->ipv4 ? find_by_index(f, f->default_ifindex) : NULL;
	const struct iface *v6 = l->ipv6 ? find_by_index(f, f->default_ifindex6) : NULL;

	if (!v4 && !v6) {
		text_add(l->why, f->default_multipath ? "it names no single interface, use --iface"
						      : "there is none in table main");
		return false;
	}
	if (v4 && v6 && v4 != v6) {
		text_add(l->why, "IPv4 uses %s, IPv6 uses %s, they must agree", v4->name, v6->name);
		return false;
	}
	l->found = v4 ? v4 : v6;
	return true;
}

/* Peers refuse a link-local address: it says nothing off its link. Every link has one. */
static bool will_do(const struct lookup *l, const struct iface_addr *best, bool v4)
{
	return best &&
	       (v4 || ip_is_global_unicast(&best->cidr.ip) || ip_is_set(&l->policy->public_ip6));
}

/* Fills the addresses that are still open; false if the interface will not do after all. */
static bool complete(struct lookup *l)
{
	for (int v4 = 1; v4 >= 0; v4--) {
		struct ip *ip = v4 ? &l->ip : &l->ip6;
		const struct iface_addr *best = best_addr(l, l->found, v4, SIZE_MAX);

		if (!(v4 ? l->ipv4 : l->ipv6) || ip_is_set(ip))
			continue;
		if (!will_do(l, best, v4)) {
			text_add(l->why, "%s has no usable IPv%d address", l->found->name,
				 v4 ? 4 : 6);
			return false;
		}
		*ip = best->cidr.ip;
	}
	if (l->found->mtu_bytes == 0) {
		text_add(l->why, "%s has no MTU", l->found->name);
		return false;
	}
	return true;
}

static void list_advertised(const struct iface_facts *f, struct uplink *u)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_ifaces && n < UPLINK_ADVERTISED_MAX; i++) {
		if (f->ifaces[i].advertised)
			text_copy(u->advertised[n++], LINK_NAME_SIZE, f->ifaces[i].name);
	}
}

static void fill(const struct lookup *l, struct uplink *ret)
{
	const struct uplink_policy *p = l->policy;
	struct uplink u = {
		.ifindex = l->found->ifindex,
		.mtu_bytes = l->found->mtu_bytes,
		.up = l->found->up,
	};

	text_copy(u.name, sizeof(u.name), l->found->name);
	if (p->direct_routing)
		segment_find(l->facts, u.ifindex, &u.segment);
	if (l->ipv4) {
		u.ip = l->ip;
		u.public_ip = ip_is_set(&p->public_ip) ? p->public_ip : l->ip;
	}
	if (l->ipv6) {
		u.ip6 = l->ip6;
		u.public_ip6 = ip_is_set(&p->public_ip6) ? p->public_ip6 : l->ip6;
		list_advertised(l->facts, &u);
	}
	*ret = u;
}

enum way {
	WAY_PUBLIC_IP,
	WAY_IFACE,
	WAY_REGEX,
	WAY_CAN_REACH,
	WAY_DEFAULT_ROUTE,
};

static bool try_way(struct lookup *l, enum way way, size_t i)
{
	const struct uplink_policy *p = l->policy;
	const struct ip *public_ip = ip_is_set(&p->public_ip) ? &p->public_ip : &p->public_ip6;
	char ip[IP_STRLEN];

	l->found = NULL;
	l->ip = l->ip6 = (struct ip){0};
	text_add(l->why, l->why->len > 0 ? "; " : "");
	switch (way) {
	case WAY_PUBLIC_IP:
		text_add(l->why, "--public-ip %s: ", ip_format(public_ip, ip));
		if (try_iface(l, ip))
			return complete(l);
		/* flannel.md 3.1 A: without --iface it has to be an address of ours. */
		text_add(l->why, ", name the interface with --iface to advertise a NAT address");
		return false;
	case WAY_IFACE:
		text_add(l->why, "--iface %s: ", p->ifaces[i]);
		return try_iface(l, p->ifaces[i]) && complete(l);
	case WAY_REGEX:
		text_add(l->why, "--iface-regex %s: ", p->regexes[i]);
		return try_regex(l, i) && complete(l);
	case WAY_CAN_REACH:
		text_add(l->why, "--iface-can-reach %s: ", ip_format(&p->can_reach, ip));
		return try_can_reach(l) && complete(l);
	case WAY_DEFAULT_ROUTE:
		text_add(l->why, "default route: ");
		return try_default_route(l) && complete(l);
	}
	return false;
}

/* flannel.md 3.1: any option rules out the default route. */
static bool try_all(struct lookup *l)
{
	const struct uplink_policy *p = l->policy;

	for (size_t i = 0; i < p->n_ifaces; i++)
		if (try_way(l, WAY_IFACE, i))
			return true;
	for (size_t i = 0; i < p->n_regexes; i++)
		if (try_way(l, WAY_REGEX, i))
			return true;
	if (ip_is_set(&p->can_reach))
		return try_way(l, WAY_CAN_REACH, 0);
	if (p->n_ifaces > 0 || p->n_regexes > 0)
		return false;
	if (ip_is_set(&p->public_ip) || ip_is_set(&p->public_ip6))
		return try_way(l, WAY_PUBLIC_IP, 0);
	return try_way(l, WAY_DEFAULT_ROUTE, 0);
}

static bool try_half(const struct lookup *whole, struct uplink *ret)
{
	char buf[sizeof(((struct err *)0)->text)] = ""; /* what `whole` says is enough */
	struct text why = TEXT(buf);
	struct lookup l = *whole;

	l.why = &why;
	for (int v4 = 1; v4 >= 0; v4--) {
		l.ipv4 = v4;
		l.ipv6 = !v4;
		if (try_all(&l)) {
			fill(&l, ret);
			return true;
		}
	}
	return false;
}

static void list_ifaces(const struct iface_facts *f, struct text *t)
{
	text_add(t, "; there is");
	for (size_t i = 0; i < f->n_ifaces && !t->cut; i++) {
		const struct iface *iface = &f->ifaces[i];

		text_add(t, "%s %s", i > 0 ? "," : "", iface->name);
		for (size_t j = 0; j < iface->n_addrs; j++) {
			char ip[IP_STRLEN];

			text_add(t, " %s", ip_format(&iface->addrs[j].cidr.ip, ip));
		}
	}
	if (f->n_ifaces == 0)
		text_add(t, " no interface at all");
}

int uplink_choose(const struct uplink_policy *p, const struct iface_facts *f,
		  struct uplink *ret_uplink, struct err *err)
{
	char buf[sizeof(err->text)] = "";
	struct text why = TEXT(buf);
	struct lookup l = {.policy = p, .facts = f, .ipv4 = p->ipv4, .ipv6 = p->ipv6, .why = &why};

	if (!p->ipv4 && !p->ipv6)
		return err_set(err, UPLINK_NONE, "neither IPv4 nor IPv6 is enabled");
	if (try_all(&l)) {
		fill(&l, ret_uplink);
		return 0;
	}
	if (p->ipv4 && p->ipv6 && try_half(&l, ret_uplink))
		return err_set(err, UPLINK_HALF, "%s", buf);
	list_ifaces(f, &why);
	return err_set(err, UPLINK_NONE, "%s", buf);
}
