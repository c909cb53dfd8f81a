/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "assume.h"
#include "wire/nl_link.h"

const char sentence[] =
	"A VXLAN link whose UDP port is taken can be created; setting it up answers "
	"EADDRINUSE, and works once the port is free.";

static int set_up(void)
{
	const struct link l = {.kind = LINK_VXLAN, .name = "flannel.7", .up = true};
	uint8_t bytes[128];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_ack ack;

	nl_link_set(&b, &l, NULL, ifindex("flannel.7"), nlsock_seq(&request));
	return nlsock_request(&request, &b, NULL, NULL, &ack);
}

void prove(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(7777)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	check(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0, "bind");
	check(sh("ip link add flannel.7 type vxlan id 7 dstport 7777") == 0, "not created");
	r = set_up();
	check(r == -EADDRINUSE, "up: %d", r);
	close(fd);
	r = set_up();
	check(r == 0, "up with the port free: %d", r);
	/* Another VXLAN link that takes all VNIs of the port is as good as another program. */
	sh("ip link set flannel.7 down; ip link add ext type vxlan external dstport 7777;"
	   "ip link set ext up");
	r = set_up();
	check(r == -EADDRINUSE, "up beside an external one: %d", r);
}
