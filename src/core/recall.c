/* SPDX-License-Identifier: Apache-2.0 */
/* Starting from disk: configuration, leases and our own lease as an earlier run last knew them.
 *
 * They stand in, each until the source speaks of the same, so that the data plane is right before the
 * source can be reached. While the leases do, nothing is deleted: the file may be older than what is in
 * the kernel. What is of another node (the file came along with a cloned disk: another public address)
 * or of another store (another cluster behind the same endpoints) is dropped whole.
 *
 * Our own lease yields to what the source says: after a restart it always did. It is used even past its
 * end: an agent that runs does not drop its pods then either, and with the store away nobody can take it.
 */
#include <string.h>

#include "core/backend.h"
#include "core/brain.h"

static bool in_use(const struct recall *r)
{
	return r->conf || r->leases || r->own;
}

static void drop(struct brain *b)
{
	struct learnt *l = &b->learnt;
	struct recall *r = &l->recall;

	if (r->conf)
		l->have_config = false;
	if (r->leases)
		leases_replace(&l->leases, NULL, 0);
	if (r->own)
		l->have_own = false;
	r->conf = r->leases = r->own = false;
	r->tell_dropped = true;
	brain_changed(b, OBJECT_ALL);
}

void recall_take(struct brain *b, const struct event *ev)
{
	const struct netconf *net = ev->recalled.conf;
	struct learnt *l = &b->learnt;
	struct recall *r = &l->recall;
	int64_t expires_s = ev->recalled.expires_s;

	/* The source was faster, or there is nothing to recall. */
	if (l->have_config || l->listed || l->have_own || !net || !ev->recalled.own ||
	    !backend_find(net->backend))
		return;
	*r = (struct recall){
		.conf = true, .leases = true, .own = true, .store_id = ev->recalled.store_id};
	text_copy(r->when, sizeof(r->when), ev->recalled.when);
	if (!l->store_id)
		l->store_id = ev->recalled.store_id;
	l->have_config = true;
	l->net = *net;
	leases_replace(&l->leases, ev->recalled.leases, ev->recalled.n);
	l->have_own = true;
	l->own = *ev->recalled.own;
	l->own_expires_ms = expires_s < 0 ? -1 : (int64_t)b->now_ms + expires_s * 1000;
	brain_changed(b, OBJECT_ALL);
	look_now(&b->look, OBJECT_ALL, b->now_ms);
	recall_check_node(b);
}

void recall_check_node(struct brain *b)
{
	struct learnt *l = &b->learnt;
	struct recall *r = &l->recall;
	struct text t = TEXT(r->dropped);
	const struct ip *ip = brain_leading_ip(b, &l->uplink);
	struct lease_half own = lease_half(&l->own, netconf_leads6(&l->net));
	char was[IP_STRLEN], is[IP_STRLEN];

	/* Where nodes are known by their IPv4 address, IPv6's may be there first. */
	if (!r->own || r->node_checked || !ip_is_set(ip))
		return;
	r->node_checked = true;
	if (ip_eq(&own.public_ip, ip))
		return;
	text_add(&t, "it is of the node at %s, and this one is at %s",
		 ip_format(&own.public_ip, was), ip_format(ip, is));
	drop(b);
}

void recall_check_store(struct brain *b, uint64_t id, bool of_node)
{
	struct recall *r = &b->learnt.recall;
	struct text t = TEXT(r->dropped);

	if (!in_use(r) || !id || !r->store_id || id == r->store_id)
		return;
	if (of_node)
		text_add(&t,
			 "our Node has another UID: it was made anew while no agent ran, or this "
			 "is another cluster");
	else
		text_add(&t, "it is of the cluster %016llx, and the source is of %016llx",
			 (unsigned long long)r->store_id, (unsigned long long)id);
	drop(b);
}
