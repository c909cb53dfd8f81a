/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"Writing a link's MAC, be it the one it has, drops its permanent neighbours; routes and FDB "
	"entries stay.";

#define NEIGH "ip neigh replace 10.1.1.0 lladdr 02:00:00:00:00:01 dev flannel.1 nud permanent;"

void prove(void)
{
	static const char *const macs[] = {"02:00:00:00:00:07", "02:00:00:00:00:07"};

	sh("ip route add 10.1.1.0/24 via 10.1.1.0 dev flannel.1 onlink;"
	   "bridge fdb add 02:00:00:00:00:01 dev flannel.1 dst 192.168.77.2 self permanent");
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		char command[80];

		sh(NEIGH);
		snprintf(command, sizeof(command), "ip link set flannel.1 address %s", macs[i]);
		sh(command);
		check(lines("ip neigh show dev flannel.1 nud permanent") == 0,
		      "write %zu: the neighbour stayed", i + 1);
	}
	check(lines("ip route show dev flannel.1") == 1, "the route is gone");
	check(lines("bridge fdb show dev flannel.1") == 1, "the FDB entry is gone");
}
