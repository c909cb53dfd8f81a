/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"Removing the only address of a VXLAN link removes its routes and neighbours; of the routes "
	"only that of the local table is announced.";

void prove(void)
{
	static const unsigned groups[] = {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE};
	unsigned main_table = 0;
	struct watcher w;

	sh("ip route add 10.1.1.0/24 via 10.1.1.0 dev flannel.1 onlink;"
	   "ip neigh add 10.1.1.0 lladdr 02:00:00:00:00:01 dev flannel.1 nud permanent");
	watch(&w, groups, ARRAY_SIZE(groups));
	sh("ip addr del 10.1.0.0/32 dev flannel.1");
	hear(&w);
	for (size_t i = 0; i < w.n; i++)
		main_table += w.heard[i].type == RTM_DELROUTE && w.heard[i].table == RT_TABLE_MAIN;
	check(heard(&w, RTM_DELADDR, 0) == 1, "the address was not announced");
	check(main_table == 0, "%u routes of main were announced", main_table);
	check(lines("ip -4 route show dev flannel.1") == 0, "routes are left");
	check(lines("ip -4 neigh show dev flannel.1 nud permanent") == 0, "neighbours are left");
}
