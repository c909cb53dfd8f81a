/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"Deleting a nexthop object deletes the IPv4 routes that name it without an RTM_DELROUTE; "
	"deleting such a route again answers EINVAL, because the nexthop is gone.";

void prove(void)
{
	static const unsigned groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_NEXTHOP};
	struct watcher w;

	if (sh("ip nexthop add id 7 via 10.1.1.0 dev flannel.1 onlink"))
		skip("no nexthop objects before Linux 5.3");
	sh("ip route add 10.1.1.0/24 nhid 7");
	watch(&w, groups, ARRAY_SIZE(groups));
	sh("ip nexthop del id 7");
	hear(&w);
	check(lines("ip route show dev flannel.1") == 0, "the route is still there");
	check(heard(&w, RTM_DELNEXTHOP, 0) == 1, "the nexthop was not announced");
	check(heard(&w, RTM_DELROUTE, 0) == 0, "the route was announced");
	check(sh("ip route del 10.1.1.0/24 nhid 7 2>&1 | grep -q 'Nexthop id does not exist'") == 0,
	      "another answer");
}
