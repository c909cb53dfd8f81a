/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_KUBE_LEARN_H
#define AGENT_KUBE_LEARN_H
/* Where the API server itself is, learnt from itself, for the next start (kube_servers.h).
 *
 * The endpoints of default/kubernetes would say it, but to read them needs a right that flannel's role does not
 * give. `GET /api` says it to everybody who is let in at all (ClusterRole system:discovery): serverAddressByClientCIDRs,
 * the address that the server advertises. Of several servers behind one service each tells its own, so what is learnt is
 * put in front of what was known, and the oldest goes.
 *
 * Asked once a connection. Whatever goes wrong here is no problem of anybody's: the log says it at level debug.
 */

#include "agent/kube_client.h"

struct kube_learn;

/* Both borrowed. Never NULL. */
struct kube_learn *kube_learn_new(struct kube_client *client, struct loop *loop,
				  const char *state_dir);
/* Before the client. NULL is fine. */
void kube_learn_free(struct kube_learn *l);

/* The client is up, and serves. Nothing, if it was asked on this connection. */
void kube_learn_ask(struct kube_learn *l);
void kube_learn_lost(struct kube_learn *l);

#endif
