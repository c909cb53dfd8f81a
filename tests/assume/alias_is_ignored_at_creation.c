/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/if_link.h>

#include "assume.h"

const char sentence[] = "RTM_NEWLINK that creates a link ignores IFLA_IFALIAS; one that changes it "
			"does not.";

static void send_alias(uint16_t flags)
{
	struct ifinfomsg head = {0};
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_ack ack;
	size_t info;

	nl_begin(&b, RTM_NEWLINK, (uint16_t)(NLM_F_REQUEST | flags), nlsock_seq(&request), &head,
		 sizeof(head));
	nl_put_str(&b, IFLA_IFNAME, "br7");
	nl_put(&b, IFLA_IFALIAS, "loden", 5);
	info = nl_nest(&b, IFLA_LINKINFO);
	nl_put_str(&b, IFLA_INFO_KIND, "bridge");
	nl_nest_end(&b, info);
	check(nl_end(&b), "buffer");
	check(nlsock_request(&request, &b, NULL, NULL, &ack) == 0, "%d %s", ack.code, ack.text);
}

void prove(void)
{
	send_alias(NLM_F_CREATE | NLM_F_EXCL);
	check(lines("ip link show br7 | grep alias") == 0, "the alias was set");
	send_alias(0);
	check(lines("ip link show br7 | grep 'alias loden'") == 1, "the alias was not set");
}
