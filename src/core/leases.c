/* SPDX-License-Identifier: Apache-2.0 */
#include "core/leases.h"

#include <stdlib.h>
#include <string.h>

const char *const peer_state_names[] = {
	[PEER_OK] = "ok",	    [PEER_OURS] = "ours",     [PEER_OTHER] = "other",
	[PEER_REFUSED] = "refused", [PEER_ABSENT] = "absent",
};
static_assert(ARRAY_SIZE(peer_state_names) == PEER__COUNT, "a name for each");

#define NAMED_MAX 4 /* refused peers that the notes name; the rest is counted */

void leases_init(struct leases *t)
{
	*t = (struct leases){0};
	arena_init(&t->arena, 0);
}

void leases_fini(struct leases *t)
{
	arena_fini(&t->arena);
}

/* Moves the table into a new arena with room for n peers; the old one is given back. */
static void grow(struct leases *t, size_t n)
{
	struct leases old = *t;

	arena_init(&t->arena, 0);
	t->room = n + n / 8 + 16;
	t->peers = arena_array(&t->arena, struct peer, t->room);
	t->tail = arena_array(&t->arena, struct leases_change, LEASES_TAIL);
	if (old.n)
		memcpy(t->peers, old.peers, old.n * sizeof(*t->peers));
	if (old.n_tail)
		memcpy(t->tail, old.tail, old.n_tail * sizeof(*t->tail));
	arena_fini(&old.arena);
}

static int peer_cmp(const void *a, const void *b)
{
	return lease_cmp(&((const struct peer *)a)->lease, &((const struct peer *)b)->lease);
}

void leases_replace(struct leases *t, const struct lease *leases, size_t n)
{
	leases_fini(t);
	leases_init(t);
	grow(t, n);
	for (size_t i = 0; i < n; i++)
		t->peers[i].lease = leases[i];
	qsort(t->peers, n, sizeof(*t->peers), peer_cmp);
	for (size_t i = 0; i < n; i++) {
		if (t->n && peer_cmp(&t->peers[t->n - 1], &t->peers[i]) == 0)
			t->n--;
		t->peers[t->n++] = t->peers[i];
	}
}

/* Index of the first peer whose key is not below that of `l`. */
static size_t lower_bound(const struct leases *t, const struct lease *l)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (lease_cmp(&t->peers[mid].lease, l) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct peer *find(const struct leases *t, const struct lease *l)
{
	size_t i = lower_bound(t, l);

	return i < t->n && lease_cmp(&t->peers[i].lease, l) == 0 ? &t->peers[i] : NULL;
}

/* What is known of this key now, the tail included; NULL = no such lease. */
static const struct lease *known(const struct leases *t, const struct lease *key)
{
	const struct peer *p;

	for (size_t i = t->n_tail; i-- > 0;) {
		if (lease_cmp(&t->tail[i].lease, key) == 0)
			return t->tail[i].gone ? NULL : &t->tail[i].lease;
	}
	p = find(t, key);
	return p ? &p->lease : NULL;
}

static void push(struct leases *t, const struct lease *l, bool gone)
{
	if (t->n_tail == LEASES_TAIL)
		leases_settle(t);
	if (!t->tail)
		grow(t, t->n);
	t->tail[t->n_tail++] = (struct leases_change){.lease = *l, .gone = gone};
}

bool leases_put(struct leases *t, const struct lease *l)
{
	const struct lease *before = known(t, l);

	if (before && lease_eq(before, l))
		return false;
	push(t, l, false);
	return true;
}

bool leases_gone(struct leases *t, const struct lease *key)
{
	if (!known(t, key))
		return false;
	push(t, key, true);
	return true;
}

/* Sorts the tail and leaves the newest change of each key. */
static void tail_sort(struct leases *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_tail; i++) {
		struct leases_change c = t->tail[i];
		size_t at = n;

		while (at > 0 && lease_cmp(&t->tail[at - 1].lease, &c.lease) > 0)
			at--;
		if (at > 0 && lease_cmp(&t->tail[at - 1].lease, &c.lease) == 0) {
			t->tail[at - 1] = c;
			continue;
		}
		memmove(&t->tail[at + 1], &t->tail[at], (n - at) * sizeof(c));
		t->tail[at] = c;
		n++;
	}
	t->n_tail = n;
}

/* Overwrites and removes what the table has; leaves the additions in the tail. */
static void tail_apply(struct leases *t)
{
	size_t n_new = 0, n = 0;
	bool removed = false;

	for (size_t i = 0; i < t->n_tail; i++) {
		struct leases_change c = t->tail[i];
		struct peer *p = find(t, &c.lease);

		if (p && c.gone) {
			p->state = PEER__COUNT; /* marks the hole, keeps the order */
			removed = true;
		} else if (p) {
			p->lease = c.lease;
		} else if (!c.gone) {
			t->tail[n_new++] = c;
		}
	}
	t->n_tail = n_new;
	if (!removed)
		return;
	for (size_t i = 0; i < t->n; i++) {
		if (t->peers[i].state != PEER__COUNT)
			t->peers[n++] = t->peers[i];
	}
	t->n = n;
}

void leases_settle(struct leases *t)
{
	size_t from, to;

	if (!t->n_tail)
		return;
	tail_sort(t);
	tail_apply(t);
	if (t->n + t->n_tail > t->room)
		grow(t, t->n + t->n_tail);
	/* Merge from the back, so that nothing is overwritten before it has moved. */
	from = t->n;
	to = t->n + t->n_tail;
	t->n = to;
	while (t->n_tail) {
		const struct lease *l = &t->tail[t->n_tail - 1].lease;

		if (from && lease_cmp(&t->peers[from - 1].lease, l) > 0) {
			t->peers[--to] = t->peers[--from];
		} else {
			t->peers[--to] = (struct peer){.lease = *l};
			t->n_tail--;
		}
	}
}

const struct lease *leases_find_earlier(struct leases *t, uint64_t node, const struct ip *public_ip)
{
	leases_settle(t);
	for (size_t i = 0; i < t->n; i++) {
		const struct lease *l = &t->peers[i].lease;
		struct lease_half half = lease_half(l, !ip_is_v4(public_ip));

		if (l->type != BACKEND_NONE &&
		    (l->node ? l->node == node : ip_eq(&half.public_ip, public_ip)))
			return l;
	}
	return NULL;
}

enum peer_state leases_state(const struct peer *p, bool v6)
{
	return v6 ? p->state6 : p->state;
}

/* ---- judging ---- */

struct judge {
	struct leases *t;
	const struct leases_self *self;
	struct arena *scratch;
	struct text *notes;
	bool v6;	  /* the family that is judged */
	size_t n_refused; /* halves */
	size_t n_shared;  /* leases with our public address but not our subnet */
};

static void set_state(const struct judge *j, struct peer *p, enum peer_state state)
{
	if (j->v6)
		p->state6 = state;
	else
		p->state = state;
}

static bool is_ok(const struct judge *j, const struct peer *p)
{
	return leases_state(p, j->v6) == PEER_OK;
}

static const struct ip *self_ip(const struct leases_self *self)
{
	return self->leads6 ? &self->public_ip6 : &self->public_ip;
}

static void refuse(struct judge *j, struct peer *p, const char *why)
{
	struct lease_half half = lease_half(&p->lease, j->v6);
	char subnet[CIDR_STRLEN], public_ip[IP_STRLEN];

	set_state(j, p, PEER_REFUSED);
	if (j->n_refused++ < NAMED_MAX)
		text_add(j->notes, "peer %s at %s is left out: %s\n",
			 cidr_format(&half.subnet, subnet), ip_format(&half.public_ip, public_ip),
			 why);
}

static void refuse_for(struct judge *j, struct peer *p, const char *what, const struct lease *other)
{
	struct lease_half half = lease_half(other, j->v6);
	char why[200], subnet[CIDR_STRLEN], public_ip[IP_STRLEN];
	struct text t = TEXT(why);

	text_add(&t, "%s %s at %s", what, cidr_format(&half.subnet, subnet),
		 ip_format(&half.public_ip, public_ip));
	refuse(j, p, why);
}

/* Is it ours or of no interest, as a whole? Nodes are told apart by IPv4, without that by IPv6. */
static bool judge_whole(struct judge *j, const struct lease *l, enum peer_state *ret)
{
	const struct leases_self *self = j->self;
	const struct lease_half half = lease_half(l, self->leads6);
	const struct ip *ip = self_ip(self);
	struct cidr own = {0};

	if (self->own)
		own = lease_half(self->own, self->leads6).subnet;
	if (cidr_is_set(&own) && cidr_eq(&own, &half.subnet)) {
		*ret = PEER_OURS;
	} else if (l->type == BACKEND_NONE) {
		*ret = PEER_OTHER;
	} else if (ip_is_set(ip) && ip_eq(ip, &half.public_ip)) {
		*ret = PEER_OURS;
		j->n_shared += j->v6 == self->leads6;
	} else {
		return false;
	}
	return true;
}

static void judge_alone(struct judge *j, struct peer *p)
{
	const struct leases_self *self = j->self;
	const struct lease *own = self->own;
	const struct mac *mac = j->v6 ? &self->vtep_mac6 : &self->vtep_mac;
	struct lease_half half = lease_half(&p->lease, j->v6);
	struct cidr own_subnet = {0};
	enum peer_state state;
	struct err err;

	if (own)
		own_subnet = lease_half(own, j->v6).subnet;
	if (judge_whole(j, &p->lease, &state)) {
		set_state(j, p, state);
	} else if (!cidr_is_set(&half.subnet)) {
		set_state(j, p, PEER_ABSENT);
	} else if (lease_check(&p->lease, j->v6, self->net, &err) < 0) {
		refuse(j, p, err.text);
	} else if (cidr_is_set(&own_subnet) && cidr_overlaps(&own_subnet, &half.subnet)) {
		refuse_for(j, p, "its subnet overlaps our own", own);
	} else if (cidr_contains(&half.subnet, j->v6 ? &self->public_ip6 : &self->public_ip)) {
		/* Its route would take the place of the uplink's own. */
		refuse(j, p, "our own address lies in its subnet");
	} else if (cidr_is_set(&own_subnet) && cidr_contains(&own_subnet, &half.public_ip)) {
		refuse_for(j, p,
			   j->v6 ? "its PublicIPv6 lies in our own subnet"
				 : "its PublicIP lies in our own subnet",
			   own);
	} else if (mac_is_set(mac) && mac_eq(mac, &half.vtep_mac)) {
		refuse(j, p, "its VtepMAC is our own");
	} else if (j->v6 && ip_eq(&self->public_ip6, &half.public_ip)) {
		refuse(j, p, "its PublicIPv6 is our own");
	} else {
		set_state(j, p, PEER_OK);
	}
}

struct by_subnet {
	struct cidr subnet;
	uint32_t index;
};

static int by_subnet_cmp(const void *a, const void *b)
{
	const struct by_subnet *x = a, *y = b;
	int c = cidr_cmp(&x->subnet, &y->subnet);

	return c ? c : (x->index > y->index) - (x->index < y->index);
}

/* The table is in the order of IPv4 subnets. NULL for these: no other order is needed. */
static struct by_subnet *sort_by_subnet(const struct judge *j)
{
	struct by_subnet *all;

	if (!j->v6)
		return NULL;
	all = arena_array(j->scratch, struct by_subnet, j->t->n);
	for (size_t i = 0; i < j->t->n; i++)
		all[i] = (struct by_subnet){j->t->peers[i].lease.subnet6, (uint32_t)i};
	qsort(all, j->t->n, sizeof(*all), by_subnet_cmp);
	return all;
}

static struct peer *nth(const struct judge *j, const struct by_subnet *order, size_t i)
{
	return &j->t->peers[order ? order[i].index : i];
}

/* Of a node's subnet; where the configuration does not say so, ours stands for all. */
static uint32_t usual_len(const struct judge *j)
{
	const struct leases_self *self = j->self;

	if (self->net->given)
		return self->own ? lease_half(self->own, j->v6).subnet.len : 0;
	return j->v6 ? self->net->subnet_len6 : self->net->subnet_len;
}

/* Prefixes are nested or disjoint, and sorted the outer one comes first: two walks find every overlap. */
static void judge_overlaps(struct judge *j)
{
	const uint32_t len = usual_len(j);
	const struct by_subnet *order = sort_by_subnet(j);
	const struct lease *inner = NULL;
	struct peer *outer = NULL;

	for (size_t i = j->t->n; i-- > 0;) {
		struct peer *p = nth(j, order, i);
		struct cidr subnet = lease_half(&p->lease, j->v6).subnet, other;

		if (!is_ok(j, p))
			continue;
		if (subnet.len == len) {
			inner = &p->lease;
		} else if (inner) {
			other = lease_half(inner, j->v6).subnet;
			if (cidr_overlaps(&subnet, &other))
				refuse_for(j, p, "its subnet overlaps", inner);
		}
	}
	for (size_t i = 0; i < j->t->n; i++) {
		struct peer *p = nth(j, order, i);
		struct cidr subnet = lease_half(&p->lease, j->v6).subnet, other = {0};

		if (!is_ok(j, p))
			continue;
		if (outer)
			other = lease_half(&outer->lease, j->v6).subnet;
		if (!outer || !cidr_overlaps(&other, &subnet)) {
			outer = p;
			continue;
		}
		if (cidr_eq(&other, &subnet) && p->lease.since < outer->lease.since) {
			refuse_for(j, outer, "its subnet overlaps", &p->lease);
			outer = p;
		} else {
			refuse_for(j, p, "its subnet overlaps", &outer->lease);
		}
	}
}

/* The last of them that begins at `ip` or before. */
static const struct peer *find_before(const struct judge *j, const struct peer *const *peers,
				      size_t n, const struct ip *ip)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;
		struct ip first = lease_half(&peers[mid]->lease, j->v6).subnet.ip;

		if (ip_cmp(&first, ip) <= 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low ? peers[low - 1] : NULL;
}

/* Outer packets would go to a pod, through the tunnel that they carry. */
static void judge_addresses(struct judge *j)
{
	const struct cidr *network = j->v6 ? &j->self->net->network6 : &j->self->net->network;
	const struct peer **ok = arena_array(j->scratch, const struct peer *, j->t->n);
	const struct by_subnet *order = sort_by_subnet(j);
	size_t n = 0;

	for (size_t i = 0; i < j->t->n; i++) {
		struct peer *p = nth(j, order, i);

		if (is_ok(j, p))
			ok[n++] = p;
	}
	for (size_t i = 0; i < j->t->n; i++) {
		struct peer *p = &j->t->peers[i];
		struct ip ip = lease_half(&p->lease, j->v6).public_ip;
		const struct peer *holder = NULL;
		struct cidr subnet;

		if (is_ok(j, p) && cidr_contains(network, &ip))
			holder = find_before(j, ok, n, &ip);
		if (!holder)
			continue;
		subnet = lease_half(&holder->lease, j->v6).subnet;
		if (cidr_contains(&subnet, &ip))
			refuse_for(j, p, j->v6 ? "its PublicIPv6 lies in" : "its PublicIP lies in",
				   &holder->lease);
	}
}

struct by_mac {
	struct mac mac;
	uint32_t index;
	uint64_t since;
};

static int by_mac_cmp(const void *a, const void *b)
{
	const struct by_mac *x = a, *y = b;
	int c = mac_cmp(&x->mac, &y->mac);

	if (c == 0)
		c = (x->since > y->since) - (x->since < y->since);
	return c ? c : (x->index > y->index) - (x->index < y->index);
}

static void judge_macs(struct judge *j)
{
	struct by_mac *all = arena_array(j->scratch, struct by_mac, j->t->n);
	const struct lease *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < j->t->n; i++) {
		const struct peer *p = &j->t->peers[i];

		if (is_ok(j, p))
			all[n++] = (struct by_mac){lease_half(&p->lease, j->v6).vtep_mac,
						   (uint32_t)i, p->lease.since};
	}
	qsort(all, n, sizeof(*all), by_mac_cmp);
	for (size_t i = 0; i < n; i++) {
		struct peer *p = &j->t->peers[all[i].index];

		if (!i || !mac_eq(&all[i - 1].mac, &all[i].mac)) {
			first = &p->lease;
		} else {
			struct lease_half a = lease_half(first, j->v6);
			struct lease_half b = lease_half(&p->lease, j->v6);

			if (!ip_eq(&a.public_ip, &b.public_ip))
				refuse_for(j, p, "its VtepMAC is also that of", first);
		}
	}
}

static void judge_family(struct judge *j, bool v6)
{
	j->v6 = v6;
	if (!(v6 ? j->self->net->ipv6 : j->self->net->ipv4)) {
		for (size_t i = 0; i < j->t->n; i++)
			set_state(j, &j->t->peers[i], PEER_ABSENT);
		return;
	}
	for (size_t i = 0; i < j->t->n; i++)
		judge_alone(j, &j->t->peers[i]);
	judge_overlaps(j);
	judge_addresses(j);
	judge_macs(j);
}

void leases_judge(struct leases *t, const struct leases_self *self, struct arena *scratch,
		  struct text *notes, struct leases_verdict *ret_verdict)
{
	struct judge j = {.t = t, .self = self, .scratch = scratch, .notes = notes};
	struct leases_verdict v = {0};
	char public_ip[IP_STRLEN];

	leases_settle(t);
	judge_family(&j, false);
	judge_family(&j, true);
	if (j.n_refused > NAMED_MAX)
		text_add(notes, "%zu more peers are left out\n", j.n_refused - NAMED_MAX);
	if (j.n_shared)
		text_add(notes,
			 "%zu other lease(s) carry our public address %s: an old lease of this "
			 "node, or another node with the same address (see --public-ip)\n",
			 j.n_shared, ip_format(self_ip(self), public_ip));
	for (size_t i = 0; i < t->n; i++) {
		const struct peer *p = &t->peers[i];

		v.n_ok += p->state == PEER_OK || p->state6 == PEER_OK;
		v.n_overwritten[0] += p->state == PEER_OK && p->lease.overwritten;
		v.n_overwritten[1] += p->state6 == PEER_OK && p->lease.overwritten6;
		v.n_refused += p->state == PEER_REFUSED || p->state6 == PEER_REFUSED;
	}
	*ret_verdict = v;
}
