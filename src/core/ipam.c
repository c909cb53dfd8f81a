/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ipam.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *range_format(const struct ipam_range *r, struct arena *a)
{
	char start[IP_STRLEN], end[IP_STRLEN];

	return arena_printf(a, "%s-%s", ip_format(&r->start, start), ip_format(&r->end, end));
}

const char *ipam_set_format(const struct ipam_set *s, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < s->n; i++)
		text = arena_printf(a, "%s%s%s", text, i ? "," : "",
				    range_format(&s->ranges[i], a));
	return text;
}

/* Ends that are not known yet do not limit. */
static bool range_contains(const struct ipam_range *r, const struct ip *ip)
{
	return cidr_contains(&r->subnet, ip) &&
	       (!ip_is_set(&r->start) || ip_cmp(ip, &r->start) >= 0) &&
	       (!ip_is_set(&r->end) || ip_cmp(ip, &r->end) <= 0);
}

static bool ranges_overlap(const struct ipam_range *a, const struct ipam_range *b)
{
	return range_contains(a, &b->start) || range_contains(a, &b->end) ||
	       range_contains(b, &a->start) || range_contains(b, &a->end);
}

static const struct ipam_range *range_of(const struct ipam_set *s, const struct ip *ip)
{
	for (size_t i = 0; i < s->n; i++) {
		if (range_contains(&s->ranges[i], ip))
			return &s->ranges[i];
	}
	return NULL;
}

bool ipam_set_contains(const struct ipam_set *s, const struct ip *ip)
{
	return range_of(s, ip) != NULL;
}

/* IPv4 keeps its broadcast address back, IPv6 has none. */
static struct ip last_host(const struct cidr *subnet)
{
	struct ip last = cidr_last(subnet);

	return ip_is_v4(&last) ? ip_from_v4(ip_to_v4(&last) - 1) : last;
}

static int range_check(struct ipam_range *r, struct err *err)
{
	char net[CIDR_STRLEN], ip[IP_STRLEN];
	struct cidr masked;

	if (!cidr_is_set(&r->subnet))
		return err_set(err, -EINVAL, "subnet: missing");
	cidr_format(&r->subnet, net);
	if (r->subnet.len > cidr_max_len(&r->subnet) - 2)
		return err_set(err, -EINVAL, "Network %s too small to allocate from", net);
	masked = cidr_masked(&r->subnet);
	if (!ip_eq(&masked.ip, &r->subnet.ip))
		return err_set(err, -EINVAL,
			       "Network has host bits set. For a subnet mask of length %u the "
			       "network address is %s",
			       r->subnet.len, ip_format(&masked.ip, ip));
	if (!ip_is_set(&r->gateway))
		r->gateway = ip_add(&r->subnet.ip, 1);
	if (!ip_is_set(&r->start))
		r->start = ip_add(&r->subnet.ip, 1);
	else if (!range_contains(r, &r->start))
		return err_set(err, -EINVAL, "RangeStart %s not in network %s",
			       ip_format(&r->start, ip), net);
	if (!ip_is_set(&r->end))
		r->end = last_host(&r->subnet);
	else if (!range_contains(r, &r->end))
		return err_set(err, -EINVAL, "RangeEnd %s not in network %s",
			       ip_format(&r->end, ip), net);
	return 0;
}

static int set_check(struct ipam_set *s, struct err *err)
{
	struct arena a;
	int r;

	if (s->n == 0)
		return err_set(err, -EINVAL, "empty range set");
	for (size_t i = 0; i < s->n; i++) {
		r = range_check(&s->ranges[i], err);
		if (r < 0)
			return r;
		if (ip_is_v4(&s->ranges[i].start) != ip_is_v4(&s->ranges[0].start))
			return err_set(err, -EINVAL, "mixed address families");
	}
	arena_init(&a, 0);
	r = 0;
	for (size_t i = 0; r == 0 && i < s->n; i++) {
		for (size_t j = i + 1; r == 0 && j < s->n; j++) {
			if (ranges_overlap(&s->ranges[i], &s->ranges[j]))
				r = err_set(err, -EINVAL, "subnets %s and %s overlap",
					    range_format(&s->ranges[i], &a),
					    range_format(&s->ranges[j], &a));
		}
	}
	arena_fini(&a);
	return r;
}

static bool sets_overlap(const struct ipam_set *a, const struct ipam_set *b)
{
	for (size_t i = 0; i < a->n; i++) {
		for (size_t j = 0; j < b->n; j++) {
			if (ranges_overlap(&a->ranges[i], &b->ranges[j]))
				return true;
		}
	}
	return false;
}

int ipam_check(struct ipam_conf *c, enum cni_version version, struct err *err)
{
	size_t n_v4 = 0;
	int r;

	if (c->n_sets == 0)
		return err_set(err, -EINVAL, "no IP ranges specified");
	for (size_t i = 0; i < c->n_sets; i++) {
		r = set_check(&c->sets[i], err);
		if (r < 0)
			return err_wrap(err, r, "invalid range set %zu", i);
		n_v4 += ip_is_v4(&c->sets[i].ranges[0].start);
	}
	if (version < CNI_0_3_0 && (n_v4 > 1 || c->n_sets - n_v4 > 1))
		return err_set(err, -EINVAL,
			       "CNI version %s does not support more than 1 address per family",
			       cni_version_names[version]);
	for (size_t i = 0; i < c->n_sets; i++) {
		for (size_t j = i + 1; j < c->n_sets; j++) {
			if (sets_overlap(&c->sets[i], &c->sets[j]))
				return err_set(err, -EINVAL, "range set %zu overlaps with %zu", i,
					       j);
		}
	}
	return 0;
}

const struct ip *ipam_requested(const struct ipam_conf *c, const struct ipam_set *s)
{
	for (size_t i = 0; i < c->n_requested; i++) {
		if (ipam_set_contains(s, &c->requested[i]))
			return &c->requested[i];
	}
	return NULL;
}

static int order(const void *a, const void *b)
{
	return ip_cmp(a, b);
}

static bool is_taken(const struct ipam_facts *f, const struct ip *ip)
{
	return f->n_taken > 0 && bsearch(ip, f->taken, f->n_taken, sizeof(*ip), order);
}

static struct cni_ip answer(const struct ipam_range *r, const struct ip *ip)
{
	return (struct cni_ip){
		.address = {.ip = *ip, .len = r->subnet.len},
		.gateway = r->gateway,
		.iface = -1,
	};
}

static int choose_wanted(const struct ipam_set *s, const struct ipam_facts *f, struct arena *a,
			 struct cni_ip *ret, struct err *err)
{
	const struct ipam_range *r = range_of(s, f->wanted);
	char ip[IP_STRLEN];

	ip_format(f->wanted, ip);
	if (!r)
		return err_set(err, -EINVAL, "%s not in range set %s", ip, ipam_set_format(s, a));
	if (ip_eq(f->wanted, &r->gateway))
		return err_set(err, -EINVAL, "requested ip %s is subnet's gateway", ip);
	if (is_taken(f, f->wanted))
		return err_set(err, IPAM_NONE,
			       "requested IP address %s is not available in range set %s", ip,
			       ipam_set_format(s, a));
	*ret = answer(r, f->wanted);
	return 0;
}

/* One step of the ring that the ranges of a set form. */
static struct ip next_in_ring(const struct ipam_set *s, size_t *range, const struct ip *ip)
{
	if (!ip_eq(ip, &s->ranges[*range].end))
		return ip_add(ip, 1);
	*range = (*range + 1) % s->n;
	return s->ranges[*range].start;
}

int ipam_choose(const struct ipam_set *s, const struct ipam_facts *f, struct arena *a,
		struct cni_ip *ret, struct err *err)
{
	const struct ipam_range *from = ip_is_set(&f->last) ? range_of(s, &f->last) : NULL;
	size_t range = from ? (size_t)(from - s->ranges) : 0;
	struct ip ip = from ? next_in_ring(s, &range, &f->last) : s->ranges[0].start;
	const struct ip first = ip;

	if (f->wanted)
		return choose_wanted(s, f, a, ret, err);
	do {
		if (!ip_eq(&ip, &s->ranges[range].gateway) && !is_taken(f, &ip)) {
			*ret = answer(&s->ranges[range], &ip);
			return 0;
		}
		ip = next_in_ring(s, &range, &ip);
	} while (!ip_eq(&ip, &first));
	return err_set(err, IPAM_NONE, "no IP addresses available in range set: %s",
		       ipam_set_format(s, a));
}
