/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_PROXY_H
#define AGENT_PROXY_H
/* Would a Go program go through a proxy? We never do, and say so where a direct connection does not come about.
 *
 * HTTPS_PROXY and HTTP_PROXY (also in small letters), and NO_PROXY, as golang.org/x/net/http/httpproxy reads them.
 */

#include "model/ip.h"

struct proxy_target {
	const char *host;
	struct ip ip; /* unset = the host is a name */
	uint16_t port;
	bool with_tls;
};

/* The name of the variable that says so; NULL = it would not. */
const char *proxy_variable(char *const environment[], const struct proxy_target *to);

/* The value of a variable; "" = it is not set. */
const char *proxy_environment(char *const environment[], const char *name);

#endif
