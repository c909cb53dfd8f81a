/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_KUBE_WATCH_H
#define AGENT_KUBE_WATCH_H
/* Nodes as the API server has them: listed once, then watched, for ever.
 *
 *	        ┌───── 410 Gone, back in time, asked for ─────┐
 *	        ▼                                             │
 *	up ─▶ LIST ─▶ WATCH from there ───────────────────────┤
 *	        │           ▲        └ ended: goes on ─┐      │
 *	        │           └──────────────────────────┘      │
 *	        └ anything else goes wrong: on to the next server
 *
 * Lists are of what the server has in its cache (resourceVersion=0, and later no older than what we know),
 * whole, and read as they come: the cheapest way for both sides (docs/decisions/0028-kube-reading.md).
 *
 * A server restored from a backup takes a watch of a version that it does not have yet, and says nothing until
 * it has: no Node, no bookmark. What it misses of a list it does say. So behind each connection there is to be one
 * kube_watch_check() of a watch that is cheap to list.
 *
 * Two views of a Node: whole, of 13 kB, and its metadata, of 1.4 kB, annotations among it. With
 * `metadata` only lists that are asked for with KUBE_WATCH_FULL read whole Nodes.
 */

#include "agent/kube_client.h"

enum kube_watch_list {
	KUBE_WATCH_META, /* as `metadata` says */
	KUBE_WATCH_FULL, /* whole Nodes */
};

/* All borrowed for the life of the watch. */
struct kube_watch_conf {
	struct loop *loop;
	struct kube_client *client;
	const char *name; /* of the only Node of interest; NULL = all */
	bool metadata;
	uint64_t seed;
	/* A complete list begins: what it does not have is gone. */
	void (*begin)(void *arg);
	void (*node)(void *arg, const struct kube_node *n);
	/* Also during a list. */
	void (*gone)(void *arg, const struct kube_node *n);
	void (*listed)(void *arg);
	/* A watch stands that goes on where the list, or an earlier watch, ended. Again for each. */
	void (*watching)(void *arg);
	/* The server is older than what it, or another, has said: nothing of that holds. A list comes. */
	void (*back)(void *arg);
	/* An object that is none; one line. */
	void (*bad)(void *arg, const char *problem);
	void *arg;
};

struct kube_watch;

/* The first list is `first`. Never NULL. */
struct kube_watch *kube_watch_new(const struct kube_watch_conf *conf, enum kube_watch_list first);
/* NULL is fine. Before the client. */
void kube_watch_free(struct kube_watch *w);

/* The client is up (nothing, if that is known); lost. */
void kube_watch_up(struct kube_watch *w);
void kube_watch_lost(struct kube_watch *w);
/* From a callback, too: the list begins later, from the loop. */
void kube_watch_relist(struct kube_watch *w, enum kube_watch_list how);
/* It goes on with a list, of a server that knows what both know, or else went back. For one that is lost. */
void kube_watch_check(struct kube_watch *w, const struct kube_watch *other);
/* Nothing of what it knows holds: it lists whatever the server has. */
void kube_watch_void(struct kube_watch *w);

#endif
