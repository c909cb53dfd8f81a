/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_KUBE_OWN_H
#define AGENT_KUBE_OWN_H
/* Our own Node: its podCIDR is our lease, its annotations tell peers how to reach us, its condition
 * NetworkUnavailable tells the scheduler whether we do. Theory: flannel.md 4.4, 4.8, 12.1.
 *
 *	Node seen, wanted, configuration ─▶ podCIDR? in Network? ─▶ annotations as they should be? ─▶ HELD
 *	                                          │ no: OWN_LOST, and why   │ no: PATCH those that differ
 *
 * Nothing is patched that is as it should be; whatever somebody else changes is noticed by the watch and put
 * right. The condition is only ever moved between "False" and "True": one that somebody else keeps at "False"
 * in other words is left alone. It becomes "True" after KUBE_OWN_UNREADY_S of not being ready, with the cause:
 * sooner, each restart of an agent would taint its node.
 */

#include "agent/kube_client.h"
#include "agent/source.h"

#define KUBE_OWN_UNREADY_S 30

/* All borrowed. */
struct kube_own_conf {
	const struct source_conf *source;
	struct kube_client *client;
	const char *node;   /* our name; known by kube_own_synced() */
	const char *prefix; /* of annotations */
	/* EVENT_OWN, without now_ms; borrowed. Once per change of cause. */
	void (*tell)(void *arg, const struct event *own);
	void *arg;
};

struct kube_own;

struct kube_own *kube_own_new(const struct kube_own_conf *conf);
/* Before the client. NULL is fine. */
void kube_own_free(struct kube_own *o);

/* The configuration, and what to publish; copied, may come again. */
void kube_own_net(struct kube_own *o, const struct netconf *net);
void kube_own_publish(struct kube_own *o, const struct lease *l);
/* Does this node have its network? `problem` if not. */
void kube_own_ready(struct kube_own *o, bool ready, const char *problem);

/* The Node as it is; NULL = there is none. */
void kube_own_saw(struct kube_own *o, const struct kube_node *n);
/* There is one that cannot be read, one line says why: what was read before stays. */
void kube_own_unreadable(struct kube_own *o, const char *problem);
/* True: the Node is watched, and was seen. False: connection lost. */
void kube_own_synced(struct kube_own *o, bool synced);

#endif
