/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ETCD_ENDPOINT_H
#define AGENT_ETCD_ENDPOINT_H
/* --etcd-endpoints: "http://10.0.0.1:2379,http://[fd00::1]:2379", tried in this order.
 *
 * Without a scheme it is http; without a port 2379 (IANA: etcd-client). Addresses and "localhost" only:
 * other names would need a resolver, and getaddrinfo() blocks.
 */

#include "base/err.h"
#include "model/ip.h"

#define ETCD_ENDPOINTS_MAX 16
#define ETCD_ENDPOINT_SIZE 64

struct etcd_endpoint {
	struct ip ip;
	uint16_t port;
	char authority[ETCD_ENDPOINT_SIZE]; /* "10.0.0.1:2379": to show, and for HTTP */
};

struct etcd_endpoints {
	struct etcd_endpoint of[ETCD_ENDPOINTS_MAX];
	size_t n; /* > 0 */
};

/* 0, or -EINVAL with a story that names the endpoint. */
int etcd_endpoint_parse_list(const char *list, struct etcd_endpoints *ret, struct err *err);

#endif
