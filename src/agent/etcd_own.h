/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ETCD_OWN_H
#define AGENT_ETCD_OWN_H
/* Our own lease in etcd: acquired and kept. Theory: flannel.md 5.3 and 5.4.
 *
 *	 wanted, configuration, etcd up
 *	NONE ──▶ list ─▶ subnets_choose() ─▶ lease grant ─▶ transaction ──▶ HELD ──▶ renew, rewrite …
 *	 ▲  ▲      full, taken: wait, or         │ lost the race               │
 *	 │  └───── until some lease goes ◀───────┘                             │
 *	 └──────── key deleted, replaced, or etcd lease gone ◀─────────────────┘
 *
 * Every write is a transaction on what we last saw of the key (version 0, or its mod_revision): nothing
 * that somebody else put is ever overwritten. Once pods may use a subnet only that subnet will do.
 *
 * Renewal keeps the etcd lease alive (LeaseKeepAlive) where flannel grants a new one and puts the key
 * again: the key stays as it is, so 5,000 watchers hear nothing, and a key that has meanwhile become
 * somebody else's is not touched. A reservation, a key without lease, stays one.
 */

#include "agent/etcd_keys.h"
#include "agent/etcd_list.h"
#include "agent/source.h"

/* More than any Network of flannel's can have with subnets of a useful size. */
#define LIMIT_ETCD_LEASES 65536

/* All borrowed. */
struct etcd_own_conf {
	const struct source_conf *source;
	struct etcd_client *client;
	const char *from, *to; /* the range of all leases; their keys begin with `from` */
	/* EVENT_OWN, without now_ms; borrowed. Once per change of cause. */
	void (*tell)(void *arg, const struct event *own);
	void *arg;
};

struct etcd_own;

struct etcd_own *etcd_own_new(const struct etcd_own_conf *conf);
/* Before the client. */
void etcd_own_free(struct etcd_own *o);

/* The configuration, and what to publish; copied, may come again. NULL: this etcd has none. Then what is held
 * is kept, and nothing new is written. */
void etcd_own_net(struct etcd_own *o, const struct netconf *net);
void etcd_own_publish(struct etcd_own *o, const struct lease *l);

/* True: the source watches and has told all it saw; work may be done. False: connection lost. */
void etcd_own_synced(struct etcd_own *o, bool synced);
/* A lease's key as listed or put; deleted (only key and mod_revision are set). */
void etcd_own_saw(struct etcd_own *o, const struct etcd_kv *kv);
void etcd_own_saw_gone(struct etcd_own *o, const struct etcd_kv *kv);
/* Begin and end of a complete list: was our key in it? In between, when all was seen: is our lease
 * held, and in that list? */
void etcd_own_list_begin(struct etcd_own *o);
bool etcd_own_is_listed(const struct etcd_own *o);
void etcd_own_list_end(struct etcd_own *o);

#endif
