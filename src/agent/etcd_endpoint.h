/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ETCD_ENDPOINT_H
#define AGENT_ETCD_ENDPOINT_H
/* --etcd-endpoints: "https://etcd-1:2379,https://[fd00::1]:2379", tried in this order.
 *
 * Without a port it is 2379 (IANA: etcd-client). Whether to speak TLS says the scheme of the first one
 * alone, as in etcd's own client (flannel.md 5.1); what the others say is kept only to warn.
 */

#include "agent/server_url.h"

#define ETCD_ENDPOINTS_MAX 16

struct etcd_endpoint {
	char host[SERVER_URL_HOST_SIZE]; /* without brackets */
	struct ip ip;			 /* unset = the host is a name */
	uint16_t port;
	char authority[SERVER_URL_AUTHORITY_SIZE]; /* "10.0.0.1:2379": to show, and for HTTP */
};

struct etcd_endpoints {
	struct etcd_endpoint of[ETCD_ENDPOINTS_MAX];
	size_t n;		       /* > 0 */
	enum server_url_scheme scheme; /* of the first */
	bool mixed;		       /* others have another one */
};

/* 0, or -EINVAL with a story that names the endpoint. */
int etcd_endpoint_parse_list(const char *list, struct etcd_endpoints *ret, struct err *err);

#endif
