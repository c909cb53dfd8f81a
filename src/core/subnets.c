/* SPDX-License-Identifier: Apache-2.0 */
#include "core/subnets.h"

#include <stdio.h>
#include <string.h>

const char *const subnets_verdict_names[SUBNETS__COUNT] = {
	[SUBNETS_REUSE] = "reuse", [SUBNETS_CREATE] = "create",	  [SUBNETS_TAKEN] = "taken",
	[SUBNETS_FULL] = "full",   [SUBNETS_FOREIGN] = "foreign",
};
static_assert(SUBNETS__COUNT == 5, "name the new verdict");

#define CANDIDATES_MAX 100 /* flannel.md 5.3 step 5: one of the first 100 that are free */
#define WINDOW_BITS    65536

#define NO_ENTRY SIZE_MAX

static bool fits_family(const struct cidr *subnet, uint32_t len, const struct ip *min,
			const struct ip *max)
{
	struct cidr masked = cidr_masked(subnet);

	return cidr_is_set(subnet) && subnet->len == len && cidr_eq(subnet, &masked) &&
	       ip_is_v4(&subnet->ip) == ip_is_v4(min) && ip_cmp(&subnet->ip, min) >= 0 &&
	       ip_cmp(&subnet->ip, max) <= 0;
}

static bool fits4(const struct netconf *net, const struct cidr *subnet)
{
	return fits_family(subnet, net->subnet_len, &net->subnet_min, &net->subnet_max);
}

static bool fits6(const struct netconf *net, const struct cidr *subnet)
{
	return net->ipv6 &&
	       fits_family(subnet, net->subnet_len6, &net->subnet_min6, &net->subnet_max6);
}

static bool wants6(const struct subnets_input *in)
{
	return in->net->ipv6 && ip_is_set(&in->public_ip6);
}

/* flannel.md 5.3 step 3: both families as the configuration has them; or IPv4 alone where we have no
 * IPv6 now, or where the operator reserved no more. */
static bool fits(const struct subnets_input *in, const struct subnets_entry *e)
{
	if (!fits4(in->net, &e->lease.subnet))
		return false;
	return cidr_is_set(&e->lease.subnet6) ? fits6(in->net, &e->lease.subnet6)
					      : !wants6(in) || e->reservation;
}

static bool is_ours(const struct subnets_input *in, size_t i)
{
	return ip_is_set(&in->public_ip) && ip_eq(&in->entries[i].lease.public_ip, &in->public_ip);
}

/* The first entry that overlaps `subnet`, but for `except`. */
static size_t find_holder(const struct subnets_input *in, const struct cidr *subnet, size_t except)
{
	bool v6 = !ip_is_v4(&subnet->ip);

	for (size_t i = 0; i < in->n_entries; i++) {
		struct cidr held = lease_half(&in->entries[i].lease, v6).subnet;

		if (i != except && cidr_is_set(&held) && cidr_overlaps(&held, subnet))
			return i;
	}
	return NO_ENTRY;
}

static void reuse(const struct subnets_input *in, size_t i, struct subnets_choice *ret)
{
	ret->verdict = SUBNETS_REUSE;
	ret->index = i;
	ret->subnet = in->entries[i].lease.subnet;
	ret->subnet6 = in->entries[i].lease.subnet6;
	ret->reservation = in->entries[i].reservation;
}

/* The same IPv4 subnet under another key, with another IPv6 subnet or none. */
static void exchange(const struct subnets_input *in, size_t i, struct subnets_choice *ret)
{
	ret->verdict = SUBNETS_CREATE;
	ret->subnet = in->entries[i].lease.subnet;
	ret->drop_stale = true;
	ret->stale = i;
}

/* Does our own entry lack the IPv6 subnet that we could have, or hold another than pods use? */
static bool lacks6(const struct subnets_input *in, const struct lease *l)
{
	if (!wants6(in))
		return false;
	return !cidr_is_set(&l->subnet6) ||
	       (cidr_is_set(&in->held6) && !cidr_eq(&l->subnet6, &in->held6));
}

/* Pods run in `held`: this subnet or none. */
static void choose_held(const struct subnets_input *in, struct subnets_choice *ret)
{
	size_t holder = find_holder(in, &in->held, NO_ENTRY);
	const char *odd = fits4(in->net, &in->held) ? "" : ", though it does not fit the config";
	char held[CIDR_STRLEN], other[CIDR_STRLEN], ip[IP_STRLEN];
	const struct lease *l;

	cidr_format(&in->held, held);
	ret->subnet = in->held;
	if (holder == NO_ENTRY && !cidr_covers(&in->net->network, &in->held)) {
		ret->verdict = SUBNETS_FOREIGN;
		snprintf(ret->why, sizeof(ret->why),
			 "pods use %s, which is not in Network %s and not leased: another "
			 "cluster's etcd? Nothing is written there",
			 held, cidr_format(&in->net->network, other));
		return;
	}
	if (holder == NO_ENTRY) {
		ret->verdict = SUBNETS_CREATE;
		snprintf(ret->why, sizeof(ret->why), "pods use %s and nobody holds it%s", held,
			 odd);
		return;
	}
	l = &in->entries[holder].lease;
	if (is_ours(in, holder) && cidr_eq(&l->subnet, &in->held)) {
		if (lacks6(in, l) && !in->entries[holder].reservation)
			exchange(in, holder, ret);
		else
			reuse(in, holder, ret);
		snprintf(ret->why, sizeof(ret->why), "pods use %s and it is still ours%s", held,
			 odd);
		return;
	}
	ret->verdict = SUBNETS_TAKEN;
	ret->index = holder;
	snprintf(ret->why, sizeof(ret->why), "pods use %s, but %s holds %s", held,
		 ip_format(&l->public_ip, ip), cidr_format(&l->subnet, other));
}

/* A lease that carries our public IP: one that fits, the previous one if there are several; else one to
 * delete, and if its IPv4 subnet fits, to keep that. A reservation is the operator's: it is never
 * deleted. */
static bool choose_ours(const struct subnets_input *in, struct subnets_choice *ret)
{
	char subnet[CIDR_STRLEN], subnet6[CIDR_STRLEN], ip[IP_STRLEN];
	size_t best = NO_ENTRY, half = NO_ENTRY;

	for (size_t i = 0; i < in->n_entries; i++) {
		const struct lease *l = &in->entries[i].lease;

		if (!is_ours(in, i))
			continue;
		if (fits(in, &in->entries[i])) {
			if (best == NO_ENTRY || cidr_eq(&l->subnet, &in->previous))
				best = i;
		} else if (!in->entries[i].reservation && !ret->drop_stale) {
			ret->drop_stale = true;
			ret->stale = i;
			half = fits4(in->net, &l->subnet) ? i : NO_ENTRY;
		}
	}
	if (best == NO_ENTRY && half == NO_ENTRY)
		return false;
	ret->drop_stale = false;
	if (best == NO_ENTRY) {
		exchange(in, half, ret);
		snprintf(ret->why, sizeof(ret->why), "lease %s is ours, but for its IPv6 subnet %s",
			 cidr_format(&ret->subnet, subnet),
			 cidr_format(&in->entries[half].lease.subnet6, subnet6));
		return true;
	}
	reuse(in, best, ret);
	snprintf(ret->why, sizeof(ret->why), "%s %s carries our public IP %s",
		 ret->reservation ? "reservation" : "lease", cidr_format(&ret->subnet, subnet),
		 ip_format(&in->public_ip, ip));
	return true;
}

static bool choose_previous(const struct subnets_input *in, size_t stale,
			    struct subnets_choice *ret)
{
	char buf[CIDR_STRLEN];

	if (!cidr_is_set(&in->previous) || !fits4(in->net, &in->previous) ||
	    find_holder(in, &in->previous, stale) != NO_ENTRY)
		return false;
	ret->verdict = SUBNETS_CREATE;
	ret->subnet = in->previous;
	snprintf(ret->why, sizeof(ret->why), "%s was ours before and is free",
		 cidr_format(&in->previous, buf));
	return true;
}

/* ---- free subnets ---- */

/* Addresses as numbers; IPv4's are small ones. */
typedef unsigned __int128 number;

/* What one family chooses from. */
struct pool {
	bool v6;
	unsigned len, shift;
	struct ip min_ip, max_ip;
	number min, max;
	number n; /* candidates, counted from SubnetMin */
};

static number to_number(const struct ip *ip)
{
	const uint8_t *b;
	number value = 0;
	size_t n;

	b = ip_bytes(ip, &n);
	for (size_t i = 0; i < n; i++)
		value = value << 8 | b[i];
	return value;
}

static struct ip to_ip(number value, bool v6)
{
	uint8_t b[16];

	for (size_t i = 16; i-- > 0; value >>= 8)
		b[i] = (uint8_t)value;
	return v6 ? ip_from_bytes(b, 16) : ip_from_bytes(b + 12, 4);
}

static struct pool pool_of(const struct netconf *net, bool v6)
{
	struct pool p = {
		.v6 = v6,
		.len = v6 ? net->subnet_len6 : net->subnet_len,
		.min_ip = v6 ? net->subnet_min6 : net->subnet_min,
		.max_ip = v6 ? net->subnet_max6 : net->subnet_max,
	};

	p.shift = (v6 ? 128 : 32) - p.len;
	p.min = to_number(&p.min_ip);
	p.max = to_number(&p.max_ip);
	p.n = ((p.max - p.min) >> p.shift) + 1;
	return p;
}

/* Which of WINDOW_BITS neighbouring candidates are taken. */
struct window {
	number first, n;
	number next; /* where there may be free ones again, if there are none in here */
	uint8_t taken[WINDOW_BITS / 8];
};

/* Marks every candidate that shares an address with first..last. */
static void mark_range(const struct pool *p, struct window *w, number first, number last)
{
	number from = 0, to = p->n - 1;

	if (last < p->min || first > p->max + (((number)1 << p->shift) - 1))
		return;
	if (first > p->min)
		from = (first - p->min) >> p->shift;
	to = MIN((last - p->min) >> p->shift, to);
	if (from <= w->first && to >= w->next)
		w->next = to + 1;
	from = MAX(from, w->first);
	to = MIN(to, w->first + w->n - 1);
	for (; from <= to; from++) {
		size_t i = (size_t)(from - w->first);

		w->taken[i / 8] |= (uint8_t)(1u << i % 8);
	}
}

static void mark_cidr(const struct pool *p, struct window *w, const struct cidr *c)
{
	struct cidr masked = cidr_masked(c);
	struct ip last = cidr_last(c);

	if (cidr_is_set(c) && ip_is_v4(&c->ip) != p->v6)
		mark_range(p, w, to_number(&masked.ip), to_number(&last));
}

/* A subnet with a node's own address in it would swallow that node's packets. */
static void mark_ip(const struct pool *p, struct window *w, const struct ip *ip)
{
	if (ip_is_set(ip) && ip_is_v4(ip) != p->v6)
		mark_range(p, w, to_number(ip), to_number(ip));
}

static void mark_entries(const struct subnets_input *in, const struct pool *p, size_t stale,
			 struct window *w)
{
	for (size_t i = 0; i < in->n_entries; i++) {
		struct lease_half l = lease_half(&in->entries[i].lease, p->v6);

		if (i != stale)
			mark_cidr(p, w, &l.subnet);
		mark_ip(p, w, &l.public_ip);
	}
	mark_ip(p, w, p->v6 ? &in->public_ip6 : &in->public_ip);
}

/* The first free candidates. Returns how many. */
static size_t find_free(const struct subnets_input *in, const struct pool *p, size_t stale,
			number ret[CANDIDATES_MAX])
{
	number next;
	size_t n = 0;

	for (number first = 0; first < p->n && n < CANDIDATES_MAX; first = next) {
		struct window w = {.first = first, .n = MIN(p->n - first, WINDOW_BITS)};

		w.next = first + w.n;
		mark_entries(in, p, stale, &w);
		for (uint64_t i = 0; i < w.n && n < CANDIDATES_MAX; i++)
			if (!(w.taken[i / 8] >> i % 8 & 1))
				ret[n++] = first + i;
		next = w.next;
	}
	return n;
}

/* One of the first that are free; unset = none is. `why` is added to. */
static struct cidr pick(const struct subnets_input *in, bool v6, size_t stale, struct text *why)
{
	const struct pool p = pool_of(in->net, v6);
	char min[IP_STRLEN], max[IP_STRLEN];
	number candidates[CANDIDATES_MAX], at;
	size_t n = find_free(in, &p, stale, candidates);

	ip_format(&p.min_ip, min);
	ip_format(&p.max_ip, max);
	if (n == 0) {
		text_add(why, "out of %ssubnets: every /%u from %s to %s is taken",
			 v6 ? "IPv6 " : "", p.len, min, max);
		return (struct cidr){0};
	}
	text_add(why, "picked one of %zu free /%u from %s to %s", n, p.len, min, max);
	/* The same random number must not tie the families' choices together. */
	at = candidates[(v6 ? in->seed >> 32 : in->seed) % n];
	return (struct cidr){.ip = to_ip(p.min + (at << p.shift), v6), .len = (uint8_t)p.len};
}

static void choose_new(const struct subnets_input *in, size_t stale, struct subnets_choice *ret)
{
	struct text why = TEXT(ret->why);

	if (in->net->ipv4)
		ret->subnet = pick(in, false, stale, &why);
	else
		text_add(&why, "leases go by IPv4 subnets, IPv4 is not enabled");
	ret->verdict = cidr_is_set(&ret->subnet) ? SUBNETS_CREATE : SUBNETS_FULL;
}

/* The IPv6 half of a new key, by itself: where there is none to be had, IPv4's is not lost for it. */
static void choose6(const struct subnets_input *in, struct subnets_choice *ret)
{
	const struct cidr *known = cidr_is_set(&in->held6) ? &in->held6 : &in->previous6;
	size_t stale = ret->drop_stale ? ret->stale : NO_ENTRY;
	struct text why = TEXT(ret->why);
	char buf[CIDR_STRLEN];
	bool free;

	why.len = strlen(ret->why);
	free = cidr_is_set(known) && find_holder(in, known, stale) == NO_ENTRY;
	text_add(&why, "; IPv6: ");
	if (free && (known == &in->held6 || fits6(in->net, known))) {
		ret->subnet6 = *known;
		text_add(&why, "%s was ours before and is free", cidr_format(known, buf));
	} else if (known == &in->held6) {
		text_add(&why, "pods use %s, but somebody else holds it", cidr_format(known, buf));
	} else {
		ret->subnet6 = pick(in, true, stale, &why);
	}
}

/* Was it worth it? */
static bool is_same_key(const struct lease *l, const struct subnets_choice *c)
{
	return cidr_eq(&l->subnet, &c->subnet) && cidr_eq(&l->subnet6, &c->subnet6);
}

void subnets_choose(const struct subnets_input *in, struct subnets_choice *ret)
{
	struct subnets_choice choice = {0};

	if (cidr_is_set(&in->held)) {
		choose_held(in, &choice);
	} else if (!choose_ours(in, &choice)) {
		size_t stale = choice.drop_stale ? choice.stale : NO_ENTRY;

		if (!choose_previous(in, stale, &choice))
			choose_new(in, stale, &choice);
	}
	if (choice.verdict == SUBNETS_CREATE && wants6(in))
		choose6(in, &choice);
	if (choice.drop_stale && is_same_key(&in->entries[choice.stale].lease, &choice)) {
		choice.drop_stale = false;
		reuse(in, choice.stale, &choice);
	}
	*ret = choice;
}
