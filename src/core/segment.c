/* SPDX-License-Identifier: Apache-2.0 */
#include "core/segment.h"

#include <string.h>

/* Every link has one, and no peer is advertised by such an address. */
static bool is_nobodys(const struct cidr *dst)
{
	return !ip_is_v4(&dst->ip) && dst->len > 0 && !ip_is_global_unicast(&dst->ip);
}

/* Is this the route that the kernel takes to its destination? */
static bool is_in_force(const struct iface_facts *f, size_t i)
{
	const struct route_fact *r = &f->routes[i];

	for (size_t j = 0; j < f->n_routes; j++) {
		const struct route_fact *other = &f->routes[j];

		if (j != i && cidr_eq(&other->dst, &r->dst) &&
		    (other->metric < r->metric || (other->metric == r->metric && j < i)))
			return false;
	}
	return true;
}

static bool is_known(const struct segment *s, const struct cidr *dst)
{
	for (size_t i = 0; i < s->n; i++) {
		if (cidr_eq(&s->routes[i].dst, dst))
			return true;
	}
	return false;
}

/* Narrowest first. */
static void add(struct segment *s, const struct cidr *dst, bool on_link)
{
	size_t at = 0;

	if (s->n == SEGMENT_ROUTES_MAX) {
		s->cut = true;
		return;
	}
	while (at < s->n && s->routes[at].dst.len >= dst->len)
		at++;
	memmove(&s->routes[at + 1], &s->routes[at], (s->n - at) * sizeof(s->routes[0]));
	s->routes[at].dst = *dst;
	s->routes[at].on_link = on_link;
	s->n++;
}

static bool is_inside(const struct segment *s, const struct cidr *dst)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->routes[i].on_link && cidr_covers(&s->routes[i].dst, dst))
			return true;
	}
	return false;
}

void segment_find(const struct iface_facts *f, uint32_t ifindex, struct segment *ret)
{
	struct segment s = {.cut = f->routes_cut};

	for (size_t i = 0; i < f->n_routes && !s.cut; i++) {
		const struct route_fact *r = &f->routes[i];

		if (r->on_link && r->ifindex == ifindex && !is_nobodys(&r->dst) &&
		    is_in_force(f, i))
			add(&s, &r->dst, true);
	}
	/* What is inside and was not added is not on-link, or not in force. */
	for (size_t i = 0; i < f->n_routes && !s.cut; i++) {
		const struct route_fact *r = &f->routes[i];

		if (!is_known(&s, &r->dst) && is_inside(&s, &r->dst))
			add(&s, &r->dst, false);
	}
	if (s.cut)
		s = (struct segment){.cut = true};
	*ret = s;
}

bool segment_holds(const struct segment *s, const struct ip *ip)
{
	for (size_t i = 0; i < s->n; i++) {
		if (cidr_contains(&s->routes[i].dst, ip))
			return s->routes[i].on_link;
	}
	return false;
}
