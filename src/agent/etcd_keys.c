/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int etcd_keys_make(const char *prefix, struct etcd_keys *ret, struct err *err)
{
	size_t n = strlen(prefix);

	/* As flannel's path.Join() */
	while (n > 0 && prefix[n - 1] == '/')
		n--;
	if (n == 0 || n > ETCD_PREFIX_MAX)
		return err_set(err, -EINVAL, "--etcd-prefix: must have 1 to %d characters",
			       ETCD_PREFIX_MAX);
	snprintf(ret->config, sizeof(ret->config), "%.*s/config", (int)n, prefix);
	snprintf(ret->leases, sizeof(ret->leases), "%.*s/subnets/", (int)n, prefix);
	/* '0' is the character behind '/'. */
	snprintf(ret->end, sizeof(ret->end), "%.*s/subnets0", (int)n, prefix);
	return 0;
}
