/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "assume.h"
#include "wire/nl_rt.h"

const char sentence[] =
	"Inserting a plain route costs the more, the more routes go through the same device; "
	"inserting a route that names a nexthop object costs the same whatever their number.";

#define N    4000
#define STEP 500

static struct devmap map;

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void on_failure(void *arg, const struct nl_ack *ack)
{
	(void)arg;
	if (ack->code == -EOPNOTSUPP)
		skip("no nexthop objects before Linux 5.3");
	check(ack->code == 0, "%d %s", ack->code, ack->text);
}

/* Microseconds a route for routes first .. first + STEP. */
static double insert(uint32_t first, bool by_nexthop)
{
	static uint8_t bytes[16384];
	double us = now_us();

	for (uint32_t i = first; i < first + STEP;) {
		struct nl_buf b = NL_BUF(bytes);

		for (size_t k = 0; k < 100; k++, i++) {
			struct ip subnet = ip_from_v4(0x0b000000u + i * 256);
			struct nexthop nh = {1000 + i, subnet, DEV_VXLAN, true};
			struct route r = {.dst = {subnet, 24}, .proto = ROUTE_PROTO_LODEN};
			struct op op = {.verb = OP_ADD};

			if (by_nexthop) {
				r.nhid = nh.id;
				op.object = (struct object){.kind = OBJECT_NEXTHOP, .nexthop = &nh};
				nl_rt_encode(&b, &op, &map, nlsock_seq(&request));
			} else {
				r.dev = DEV_VXLAN;
				r.via = subnet;
				r.onlink = true;
			}
			op.object = (struct object){.kind = OBJECT_ROUTE, .route = &r};
			check(nl_rt_encode(&b, &op, &map, nlsock_seq(&request)) == 0, "encode");
		}
		check(nlsock_batch(&request, &b, on_failure, NULL, NULL) == 0, "batch");
	}
	return (now_us() - us) / STEP;
}

void prove(void)
{
	map.dev[DEV_VXLAN].ifindex = ifindex("flannel.1");
	for (int by_nexthop = 1; by_nexthop >= 0; by_nexthop--) {
		double first = insert(0, by_nexthop), last = 0;

		for (uint32_t i = STEP; i < N; i += STEP)
			last = insert(i, by_nexthop);
		printf("%s: %.1f us for each of the first %d, %.1f us for each of the last of %d\n",
		       by_nexthop ? "nexthop and route" : "plain route", first, STEP, last, N);
		if (by_nexthop)
			check(last < 3 * first + 5, "it grew");
		else
			check(last > 2 * first, "it did not grow");
		sh("ip link set flannel.1 down; ip link set flannel.1 up"); /* takes all of it away */
	}
}
