/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"Deleting the link under a VXLAN link deletes the VXLAN link, with an "
	"RTM_DELLINK of its own; a smaller MTU there leaves the VXLAN link as it is.";

void prove(void)
{
	static const unsigned groups[] = {RTNLGRP_LINK};
	struct watcher w;

	sh("ip link set eth0 mtu 1400");
	check(sh("ip link show flannel.1 | grep -q 'mtu 1450 '") == 0, "its MTU followed");
	watch(&w, groups, ARRAY_SIZE(groups));
	sh("ip link del eth0");
	hear(&w);
	check(ifindex("flannel.1") == 0, "it is still there");
	check(heard(&w, RTM_DELLINK, 0) >= 3, "%u RTM_DELLINK (eth0, eth0p, flannel.1)",
	      heard(&w, RTM_DELLINK, 0));
}
