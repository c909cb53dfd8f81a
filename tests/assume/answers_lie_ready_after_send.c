/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"
#include "wire/nl_link.h"

const char sentence[] =
	"When send() of a netlink request returns, its answer can be read without waiting.";

void prove(void)
{
	for (int i = 0; i < 1000; i++) {
		uint8_t bytes[128];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_ack ack;

		nl_link_get(&b, "flannel.1", nlsock_seq(&request));
		/* The socket is non-blocking, and an empty queue would be -ENOMSG. */
		check(nlsock_request(&request, &b, NULL, NULL, &ack) == 0, "%d %s", ack.code,
		      ack.text);
	}
}
