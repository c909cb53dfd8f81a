/* SPDX-License-Identifier: Apache-2.0 */
/* Links, addresses and routes as a plugin reads them, on the host and in a pod. An address or a route
 * that was read must survive being written and read again.
 */

#include <stdlib.h>
#include <string.h>

#include "wire/nl_pod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct nl_msg only_message(const struct nl_buf *b)
{
	struct nl_bytes rest = {b->bytes, b->len};
	struct nl_msg m;

	must(nl_msg_next(&rest, &m) && rest.n == 0);
	return m;
}

static void addr_there_and_back(const struct nl_pod_addr *addr)
{
	struct nl_pod_addr again;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	must(addr->cidr.len <= cidr_max_len(&addr->cidr));
	if (!ip_is_set(&addr->cidr.ip))
		return;
	must(nl_pod_add_addr(&b, addr->ifindex, &addr->cidr, false, 1));
	m = only_message(&b);
	must(nl_pod_decode_addr(&m, &again) == 0);
	must(again.ifindex == addr->ifindex && cidr_eq(&again.cidr, &addr->cidr));
}

static void route_there_and_back(const struct nl_pod_route *route)
{
	const struct cni_route wanted = {
		.dst = route->dst,
		.gw = route->gw,
		.has_table = true,
		.table = (__typeof__(wanted.table))route->table,
	};
	const struct cidr dst = cidr_masked(&route->dst);
	struct nl_pod_route again;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_msg m;

	must(route->dst.len <= cidr_max_len(&route->dst));
	must(nl_pod_add_route(&b, route->ifindex, &wanted, 1));
	m = only_message(&b);
	must(nl_pod_decode_route(&m, &again) == 0);
	must(again.ifindex == route->ifindex && again.table == route->table);
	must(cidr_eq(&again.dst, &dst) && ip_eq(&again.gw, &route->gw));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl_bytes rest = {data, size};
	struct nl_pod_route route;
	struct nl_pod_link link;
	struct nl_pod_addr addr;
	struct nl_msg m;

	while (nl_msg_next(&rest, &m)) {
		if (nl_pod_decode_link(&m, &link) == 0) {
			must(memchr(link.name, '\0', sizeof(link.name)) != NULL);
			must(memchr(link.alias, '\0', sizeof(link.alias)) != NULL);
			must(*nl_pod_operstate_name(link.operstate) != '\0');
		}
		if (nl_pod_decode_addr(&m, &addr) == 0)
			addr_there_and_back(&addr);
		if (nl_pod_decode_route(&m, &route) == 0)
			route_there_and_back(&route);
	}
	return 0;
}
