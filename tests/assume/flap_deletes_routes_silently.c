/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"A VXLAN link that goes down loses its IPv4 routes without one RTM_DELROUTE, and its "
	"permanent neighbours with one RTM_DELNEIGH each; FDB entries and addresses stay.";

void prove(void)
{
	static const unsigned groups[] = {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_ROUTE};
	struct watcher w;

	sh("ip route add 10.1.1.0/24 via 10.1.1.0 dev flannel.1 onlink;"
	   "ip neigh add 10.1.1.0 lladdr 02:00:00:00:00:01 dev flannel.1 nud permanent;"
	   "bridge fdb add 02:00:00:00:00:01 dev flannel.1 dst 192.168.77.2 self permanent");
	watch(&w, groups, ARRAY_SIZE(groups));
	sh("ip link set flannel.1 down; ip link set flannel.1 up");
	hear(&w);
	check(heard(&w, RTM_DELROUTE, 0) == 0, "%u RTM_DELROUTE", heard(&w, RTM_DELROUTE, 0));
	check(heard(&w, RTM_NEWLINK, 0) >= 2, "%u RTM_NEWLINK", heard(&w, RTM_NEWLINK, 0));
	check(heard(&w, RTM_DELNEIGH, AF_INET) == 1, "%u RTM_DELNEIGH",
	      heard(&w, RTM_DELNEIGH, AF_INET));
	check(lines("ip route show dev flannel.1") == 0, "routes are left");
	check(lines("ip neigh show dev flannel.1 nud permanent") == 0, "neighbours are left");
	check(lines("bridge fdb show dev flannel.1") == 1, "the FDB entry is gone");
	check(lines("ip -4 -o addr show dev flannel.1") == 1, "the address is gone");
}
