/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"Several IPv4 routes can share destination and metric. NLM_F_REPLACE replaces the first of "
	"them and leaves the others; if the wanted one stands behind it, it answers EEXIST.";

#define SHOW "ip route show 10.1.1.0/24"

void prove(void)
{
	sh("ip route add 10.1.1.0/24 via 10.1.1.0 dev flannel.1 onlink;"
	   "ip route append 10.1.1.0/24 via 192.168.77.9 dev eth0");
	check(lines(SHOW) == 2, "no second route in the slot");
	check(sh("ip route replace 10.1.1.0/24 via 10.1.2.0 dev flannel.1 onlink") == 0, "replace");
	check(lines(SHOW) == 2, "the second route is gone");
	check(sh(SHOW " | head -n 1 | grep -q 'via 10.1.2.0'") == 0, "not the first was replaced");
	check(sh("ip route replace 10.1.1.0/24 via 192.168.77.9 dev eth0 2>&1 | grep -q exists") ==
		      0,
	      "no EEXIST");
	/* Somebody in front of us: the same, so what is in the way must go first. */
	sh("ip route prepend 10.1.1.0/24 via 192.168.77.8 dev eth0");
	check(sh(SHOW " | head -n 1 | grep -q 'via 192.168.77.8'") == 0, "prepend did not prepend");
}
