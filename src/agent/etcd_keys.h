/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ETCD_KEYS_H
#define AGENT_ETCD_KEYS_H
/* Where flannel's keys lie under --etcd-prefix (flannel.md 5.2). */

#include "base/err.h"

#define ETCD_PREFIX_MAX	   300
#define ETCD_KEYS_KEY_SIZE (ETCD_PREFIX_MAX + 16)

struct etcd_keys {
	char config[ETCD_KEYS_KEY_SIZE]; /* "<prefix>/config" */
	char leases[ETCD_KEYS_KEY_SIZE]; /* "<prefix>/subnets/": what all leases begin with */
	char end[ETCD_KEYS_KEY_SIZE];	 /* least key behind them */
};

/* Slashes at the prefix' end do not count. -EINVAL names the flag. */
int etcd_keys_make(const char *prefix, struct etcd_keys *ret, struct err *err);

#endif
