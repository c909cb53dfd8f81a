/* SPDX-License-Identifier: Apache-2.0 */
#include "core/brain.h"

#include <string.h>

#include "core/want.h"

const char *const phase_names[] = {
	[PHASE_WAIT_CONFIG] = "wait-config",
	[PHASE_WAIT_UPLINK] = "wait-uplink",
	[PHASE_WAIT_LEASES] = "wait-leases",
	[PHASE_WAIT_LEASE] = "wait-lease",
	[PHASE_RUN] = "run",
};
static_assert(ARRAY_SIZE(phase_names) == PHASE__COUNT, "a name for each");

struct brain *brain_new(const struct brain_conf *conf)
{
	struct arena arena;
	struct brain *b;

	arena_init(&arena, 0);
	b = arena_new(&arena, struct brain);
	b->arena = arena;
	b->conf = *conf;
	b->random = conf->seed | 1; /* never 0, see backoff_random() */
	b->learnt.next_ms = LOOK_NEVER;
	b->learnt.facts_ms = LOOK_NEVER;
	shrink_init(&b->learnt.shrink);
	leases_init(&b->learnt.leases);
	arena_init(&b->wanted.arena, 0);
	arena_init(&b->pass.arena, 0);
	look_init(&b->look);
	retry_init(&b->retry);
	retry_init(&b->retry6);
	retry_init(&b->tolerated);
	contest_init(&b->contest);
	heals_init(&b->heals);
	return b;
}

void brain_free(struct brain *b)
{
	struct arena arena;

	if (!b)
		return;
	leases_fini(&b->learnt.leases);
	arena_fini(&b->wanted.arena);
	arena_fini(&b->pass.arena);
	arena = b->arena; /* the brain lies in it */
	arena_fini(&arena);
}

uint64_t brain_random(struct brain *b)
{
	return backoff_random(&b->random);
}

enum phase brain_phase(const struct brain *b)
{
	const struct learnt *l = &b->learnt;

	if (!l->have_config)
		return PHASE_WAIT_CONFIG;
	if (!l->have_uplink || (l->recall.own && !l->recall.node_checked))
		return PHASE_WAIT_UPLINK;
	if (netconf_leads6(&l->net) && !brain_has_room6(b))
		return PHASE_WAIT_UPLINK;
	if (!l->listed && !l->recall.leases)
		return PHASE_WAIT_LEASES;
	return l->have_own ? PHASE_RUN : PHASE_WAIT_LEASE;
}

#define MTU_MIN6_BYTES 1280 /* RFC 8200 5; the kernel takes IPv6 off a link with less */

enum ip_family brain_leader(const struct brain *b)
{
	return netconf_leads6(&b->learnt.net) ? FAMILY_V6 : FAMILY_V4;
}

const struct ip *brain_leading_ip(const struct brain *b, const struct uplink *u)
{
	return netconf_leads6(&b->learnt.net) ? &u->public_ip6 : &u->public_ip;
}

bool brain_has_room6(const struct brain *b)
{
	return want_mtu(&b->learnt.net, &b->learnt.uplink, true) >= MTU_MIN6_BYTES;
}

void brain_net(const struct brain *b, struct netconf *ret)
{
	const struct learnt *l = &b->learnt;

	*ret = l->net; /* without a configuration: no family at all */
	if (l->uplink.ifindex) {
		ret->ipv4 = ret->ipv4 && ip_is_set(&l->uplink.public_ip);
		ret->ipv6 = ret->ipv6 && ip_is_set(&l->uplink.public_ip6) && brain_has_room6(b);
	}
	if (l->have_own) {
		ret->ipv4 = ret->ipv4 && cidr_is_set(&l->own.subnet);
		ret->ipv6 = ret->ipv6 && cidr_is_set(&l->own.subnet6);
	}
}

unsigned brain_kinds(const struct brain *b)
{
	switch (brain_phase(b)) {
	case PHASE_WAIT_LEASE:
		return OBJECT_BIT(OBJECT_LINK);
	case PHASE_RUN:
		return OBJECT_ALL;
	case PHASE_WAIT_CONFIG:
	case PHASE_WAIT_UPLINK:
	case PHASE_WAIT_LEASES:
	case PHASE__COUNT:
		break;
	}
	return 0;
}

const struct netstate *brain_want(const struct brain *b)
{
	return &b->wanted.state;
}

void brain_names(const struct brain *b, char ret_names[DEV__COUNT][LINK_NAME_SIZE])
{
	struct netconf net;

	brain_net(b, &net);
	for (int dev = 0; dev < DEV__COUNT; dev++) {
		ret_names[dev][0] = '\0';
		if (b->learnt.have_config)
			want_link_name(&b->conf, &net, (enum dev)dev, ret_names[dev]);
	}
	if (b->learnt.have_uplink)
		memcpy(ret_names[DEV_UPLINK], b->learnt.uplink.name, LINK_NAME_SIZE);
}

void brain_networks(const struct brain *b, struct cidr ret_networks[2])
{
	struct netconf net;

	brain_net(b, &net);
	ret_networks[0] = net.ipv4 ? net.network : (struct cidr){0};
	ret_networks[1] = net.ipv6 ? net.network6 : (struct cidr){0};
}

void brain_arrival(const struct brain *b, struct fw_arrival *ret)
{
	const struct learnt *l = &b->learnt;

	*ret = (struct fw_arrival){0};
	if (!l->have_config || !l->have_uplink)
		return;
	ret->port = want_port(&l->net);
	ret->local[0] = l->uplink.ip;
	ret->local[1] = l->uplink.ip6;
	memcpy(ret->iif, l->uplink.name, sizeof(ret->iif));
}

uint64_t brain_keep_version(const struct brain *b)
{
	const struct learnt *l = &b->learnt;
	bool told =
		l->have_config && !l->config_problem[0] && l->listed && !shrink_holds(&l->shrink);
	bool held = l->have_own && !l->recall.own && !l->own_problem[0];

	return told && held ? l->version : 0;
}

void brain_keep(struct brain *b, struct brain_keep *ret)
{
	struct learnt *l = &b->learnt;

	leases_settle(&l->leases);
	*ret = (struct brain_keep){
		.conf = &l->net,
		.peers = l->leases.peers,
		.n = l->leases.n,
		.own = &l->own,
		.own_expires_ms = l->own_expires_ms,
	};
}

const struct adopt *brain_sweep(const struct brain *b)
{
	bool complete =
		brain_phase(b) == PHASE_RUN && b->learnt.listed && !shrink_holds(&b->learnt.shrink);

	return complete ? &b->wanted.rule : NULL;
}

void brain_changed(struct brain *b, unsigned kinds)
{
	b->wanted.stale = true;
	b->changed |= kinds;
}

void brain_status(const struct brain *b, uint64_t now_ms, struct status *ret)
{
	status_fill(b, now_ms, ret);
}
