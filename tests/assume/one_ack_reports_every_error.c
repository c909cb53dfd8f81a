/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"
#include "wire/nl_rt.h"

const char sentence[] =
	"Of several requests in one send() where only the last asks for an acknowledgement, every one "
	"that fails is answered, with its sequence number and the kernel's words, and the others run.";

static uint32_t failed[8];
static size_t n_failed;

static void on_failure(void *arg, const struct nl_ack *ack)
{
	(void)arg;
	check(ack->code == -EINVAL && strcmp(ack->text, "Nexthop id does not exist") == 0,
	      "%d \"%s\"", ack->code, ack->text);
	failed[n_failed++] = ack->seq;
}

void prove(void)
{
	struct devmap map = {.dev = {[DEV_VXLAN] = {.ifindex = ifindex("flannel.1")}}};
	uint8_t bytes[1024];
	struct nl_buf b = NL_BUF(bytes);
	uint32_t first = request.seq + 1;

	for (uint32_t i = 0; i < 5; i++) {
		struct ip subnet = ip_from_v4(0x0a010000u + i * 256);
		struct route r = {.dst = {subnet, 24}, .proto = ROUTE_PROTO_LODEN};
		struct op op = {.verb = OP_ADD, .object = {.kind = OBJECT_ROUTE, .route = &r}};

		if (i == 1 || i == 3)
			r.nhid = 4242;
		else
			r.dev = DEV_VXLAN;
		check(nl_rt_encode(&b, &op, &map, nlsock_seq(&request)) == 0, "encode");
	}
	check(nlsock_batch(&request, &b, on_failure, NULL, NULL) == 0, "batch");
	check(n_failed == 2 && failed[0] == first + 1 && failed[1] == first + 3,
	      "%zu answers, the first for request %u", n_failed, failed[0] - first);
	check(lines("ip route show proto 102") == 3, "the others did not run");
}
