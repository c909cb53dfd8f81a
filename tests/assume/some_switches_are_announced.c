/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"RTNLGRP_IPV4_NETCONF announces changes of forwarding and rp_filter, with port 0, and not those "
	"of proxy_arp_pvlan or send_redirects.";

#define CONF "/proc/sys/net/ipv4/conf/flannel.1/"

void prove(void)
{
	static const unsigned groups[] = {RTNLGRP_IPV4_NETCONF};
	struct watcher w;

	watch(&w, groups, ARRAY_SIZE(groups));
	sh("echo 0 >" CONF "forwarding; echo 1 >" CONF "forwarding");
	hear(&w);
	check(w.n >= 1 && w.heard[0].type == RTM_NEWNETCONF && w.heard[0].port == 0,
	      "forwarding: %zu messages", w.n);
	sh("echo 1 >" CONF "rp_filter; echo 2 >" CONF "rp_filter");
	hear(&w);
	check(w.n >= 1, "rp_filter: nothing");
	sh("echo 1 >" CONF "proxy_arp_pvlan; echo 0 >" CONF "send_redirects");
	hear(&w);
	check(w.n == 0, "the others: %zu messages", w.n);
}
