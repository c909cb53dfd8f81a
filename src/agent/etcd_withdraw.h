/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ETCD_WITHDRAW_H
#define AGENT_ETCD_WITHDRAW_H
/* Takes a lease out of etcd: reads its key, and deletes it as it was read if it is still ours.
 *
 * Only the key: its etcd lease lapses by itself, holding nothing. To revoke that would delete whatever
 * else somebody attached to it.
 */

#include "agent/source.h"

/* Of source_ops. */
int etcd_withdraw(const struct source_withdrawal *w, struct err *err);

#endif
