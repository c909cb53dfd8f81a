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

/* flannel.md 5.3 step 3: both families as the configuration has them, or the key is another's. */
static bool fits(const struct netconf *net, const struct lease *l)
{
	if (!fits4(net, &l->subnet))
		return false;
	return net->ipv6 ? fits_family(&l->subnet6, net->subnet_len6, &net->subnet_min6,
				       &net->subnet_max6)
			 : !cidr_is_set(&l->subnet6);
}

static bool is_ours(const struct subnets_input *in, size_t i)
{
	return ip_is_set(&in->public_ip) && ip_eq(&in->entries[i].lease.public_ip, &in->public_ip);
}

/* The first entry that overlaps `subnet`, but for `except`. */
static size_t find_holder(const struct subnets_input *in, const struct cidr *subnet, size_t except)
{
	for (size_t i = 0; i < in->n_entries; i++)
		if (i != except && cidr_overlaps(&in->entries[i].lease.subnet, subnet))
			return i;
	return NO_ENTRY;
}

static void reuse(const struct subnets_input *in, size_t i, struct subnets_choice *ret)
{
	ret->verdict = SUBNETS_REUSE;
	ret->index = i;
	ret->subnet = in->entries[i].lease.subnet;
	ret->reservation = in->entries[i].reservation;
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

/* A lease that carries our public IP: one that fits, the previous one if there are several; else
 * one to delete. A reservation is the operator's: it is never deleted. */
static bool choose_ours(const struct subnets_input *in, struct subnets_choice *ret)
{
	char subnet[CIDR_STRLEN], ip[IP_STRLEN];
	size_t best = NO_ENTRY;

	for (size_t i = 0; i < in->n_entries; i++) {
		const struct lease *l = &in->entries[i].lease;

		if (!is_ours(in, i))
			continue;
		if (fits(in->net, l)) {
			if (best == NO_ENTRY || cidr_eq(&l->subnet, &in->previous))
				best = i;
		} else if (!in->entries[i].reservation && !ret->drop_stale) {
			ret->drop_stale = true;
			ret->stale = i;
		}
	}
	if (best == NO_ENTRY)
		return false;
	ret->drop_stale = false;
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

/* Which of WINDOW_BITS neighbouring subnets are taken; candidates are counted from SubnetMin. */
struct window {
	uint64_t first, n;
	uint8_t taken[WINDOW_BITS / 8];
};

/* Marks every candidate that shares an address with first..last (IPv4, host order). */
static void mark_range(const struct netconf *net, struct window *w, uint64_t first, uint64_t last)
{
	uint64_t min = ip_to_v4(&net->subnet_min);
	unsigned shift = 32 - net->subnet_len;
	uint64_t from, to;

	if (last < min)
		return;
	from = first < min ? 0 : (first - min) >> shift;
	to = (last - min) >> shift;
	from = MAX(from, w->first);
	to = MIN(to, w->first + w->n - 1);
	for (uint64_t i = from; i <= to; i++)
		w->taken[(i - w->first) / 8] |= (uint8_t)(1u << (i - w->first) % 8);
}

static void mark_entries(const struct subnets_input *in, size_t stale, struct window *w)
{
	for (size_t i = 0; i < in->n_entries; i++) {
		const struct lease *l = &in->entries[i].lease;
		struct cidr masked = cidr_masked(&l->subnet);
		struct ip last = cidr_last(&l->subnet);

		if (i != stale && ip_is_v4(&l->subnet.ip))
			mark_range(in->net, w, ip_to_v4(&masked.ip), ip_to_v4(&last));
		/* A subnet with a node's own address in it would swallow that node's packets. */
		if (ip_is_v4(&l->public_ip))
			mark_range(in->net, w, ip_to_v4(&l->public_ip), ip_to_v4(&l->public_ip));
	}
	if (ip_is_v4(&in->public_ip))
		mark_range(in->net, w, ip_to_v4(&in->public_ip), ip_to_v4(&in->public_ip));
}

/* The first free candidates, counted from SubnetMin. Returns how many. */
static size_t find_free(const struct subnets_input *in, size_t stale, uint64_t ret[CANDIDATES_MAX])
{
	const struct netconf *net = in->net;
	uint64_t n_all = 1 + ((ip_to_v4(&net->subnet_max) - ip_to_v4(&net->subnet_min)) >>
			      (32 - net->subnet_len));
	size_t n = 0;

	for (uint64_t first = 0; first < n_all && n < CANDIDATES_MAX; first += WINDOW_BITS) {
		struct window w = {.first = first, .n = MIN(n_all - first, WINDOW_BITS)};

		mark_entries(in, stale, &w);
		for (uint64_t i = 0; i < w.n && n < CANDIDATES_MAX; i++)
			if (!(w.taken[i / 8] >> i % 8 & 1))
				ret[n++] = first + i;
	}
	return n;
}

static void choose_new(const struct subnets_input *in, size_t stale, struct subnets_choice *ret)
{
	const struct netconf *net = in->net;
	char min[IP_STRLEN], max[IP_STRLEN];
	uint64_t candidates[CANDIDATES_MAX], pick;
	size_t n;

	if (!net->ipv4) {
		ret->verdict = SUBNETS_FULL;
		snprintf(ret->why, sizeof(ret->why),
			 "leases go by IPv4 subnets, IPv4 is not enabled");
		return;
	}
	n = find_free(in, stale, candidates);
	ip_format(&net->subnet_min, min);
	ip_format(&net->subnet_max, max);
	if (n == 0) {
		ret->verdict = SUBNETS_FULL;
		snprintf(ret->why, sizeof(ret->why),
			 "out of subnets: every /%u from %s to %s is taken", net->subnet_len, min,
			 max);
		return;
	}
	pick = candidates[in->seed % n];
	ret->verdict = SUBNETS_CREATE;
	ret->subnet = (struct cidr){
		.ip = ip_add(&net->subnet_min, pick << (32 - net->subnet_len)),
		.len = (uint8_t)net->subnet_len,
	};
	snprintf(ret->why, sizeof(ret->why), "picked one of %zu free /%u from %s to %s", n,
		 net->subnet_len, min, max);
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
	*ret = choice;
}
