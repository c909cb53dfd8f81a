/* SPDX-License-Identifier: Apache-2.0 */
#include "model/uplink.h"

#include <string.h>

static bool segment_eq(const struct segment *a, const struct segment *b)
{
	if (a->n != b->n || a->cut != b->cut)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!cidr_eq(&a->routes[i].dst, &b->routes[i].dst) ||
		    a->routes[i].on_link != b->routes[i].on_link)
			return false;
	}
	return true;
}

bool uplink_eq(const struct uplink *a, const struct uplink *b)
{
	return a->ifindex == b->ifindex && strcmp(a->name, b->name) == 0 &&
	       a->mtu_bytes == b->mtu_bytes && a->up == b->up && ip_eq(&a->ip, &b->ip) &&
	       ip_eq(&a->ip6, &b->ip6) && ip_eq(&a->public_ip, &b->public_ip) &&
	       ip_eq(&a->public_ip6, &b->public_ip6) && segment_eq(&a->segment, &b->segment) &&
	       memcmp(a->advertised, b->advertised, sizeof(a->advertised)) == 0;
}
