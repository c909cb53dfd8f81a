/* SPDX-License-Identifier: Apache-2.0 */
#include "model/uplink.h"

#include <string.h>

bool uplink_eq(const struct uplink *a, const struct uplink *b)
{
	return a->ifindex == b->ifindex && strcmp(a->name, b->name) == 0 &&
	       a->mtu_bytes == b->mtu_bytes && a->up == b->up && ip_eq(&a->ip, &b->ip) &&
	       ip_eq(&a->ip6, &b->ip6) && ip_eq(&a->public_ip, &b->public_ip) &&
	       ip_eq(&a->public_ip6, &b->public_ip6);
}
