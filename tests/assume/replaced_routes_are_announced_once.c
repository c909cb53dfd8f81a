/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"When a route is replaced, only the new one is announced, with NLM_F_REPLACE set: that ours "
	"is gone can be told from nothing else.";

void prove(void)
{
	static const unsigned groups[] = {RTNLGRP_IPV4_ROUTE};
	struct watcher w;

	sh("ip route add 10.1.1.0/24 via 10.1.1.0 dev flannel.1 onlink");
	watch(&w, groups, ARRAY_SIZE(groups));
	sh("ip route replace 10.1.1.0/24 via 192.168.77.9 dev eth0");
	hear(&w);
	check(w.n == 1 && w.heard[0].type == RTM_NEWROUTE, "%zu messages", w.n);
	check(w.heard[0].flags & NLM_F_REPLACE, "flags %x", w.heard[0].flags);
}
