/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guard.h"

#include <stdlib.h>

#include "core/want.h"

bool guard_is_wanted(const struct brain_conf *conf, const struct uplink *uplink, bool v6)
{
	return conf->vxlan_guard && ip_eq(v6 ? &uplink->ip6 : &uplink->ip,
					  v6 ? &uplink->public_ip6 : &uplink->public_ip);
}

static const struct ip *address(const struct peer *p, bool v6)
{
	return v6 ? &p->lease.public_ip6 : &p->lease.public_ip;
}

static int peer_cmp(const void *a, const void *b)
{
	const struct guard_peer *x = a, *y = b;

	return ip_cmp(&x->ip, &y->ip);
}

/* A node may hold two subnets: its address is wanted once. */
static void want_peers(const struct want_input *in, bool v6, struct arena *a, struct netstate *ret)
{
	size_t n = 0, n_kept = 0;
	struct guard_peer *peer;

	for (size_t i = 0; i < in->n_peers; i++)
		n += leases_state(&in->peers[i], v6) == PEER_OK &&
		     ip_is_set(address(&in->peers[i], v6));
	if (n == 0)
		return;
	peer = want_append(ret, OBJECT_GUARD_PEER, n, a);
	n = 0;
	for (size_t i = 0; i < in->n_peers; i++) {
		if (leases_state(&in->peers[i], v6) == PEER_OK &&
		    ip_is_set(address(&in->peers[i], v6)))
			peer[n++].ip = *address(&in->peers[i], v6);
	}
	qsort(peer, n, sizeof(*peer), peer_cmp);
	for (size_t i = 0; i < n; i++) {
		if (!n_kept || !ip_eq(&peer[n_kept - 1].ip, &peer[i].ip))
			peer[n_kept++] = peer[i];
	}
	ret->of[OBJECT_GUARD_PEER].n -= n - n_kept;
}

static void want_family(const struct want_input *in, bool v6, struct arena *a, struct netstate *ret)
{
	if (!guard_is_wanted(in->conf, in->uplink, v6) || in->strangers[v6])
		return;
	want_peers(in, v6, a, ret);
	*(struct guard *)want_append(ret, OBJECT_GUARD, 1, a) =
		(struct guard){.family = v6 ? FW_IP6 : FW_IP, .port = want_port(in->net)};
}

void guard_want(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	if (in->net->ipv4)
		want_family(in, false, a, ret);
	if (in->net->ipv6)
		want_family(in, true, a, ret);
}
