/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SERVER_URL_H
#define AGENT_SERVER_URL_H
/* Where a server is, as people write it: "https://etcd-1:2379", "[fd00::1]:6443", "https://api/k8s/c-1". */

#include "base/err.h"
#include "model/ip.h"

#define SERVER_URL_HOST_SIZE	  256 /* 255: RFC 1035, 2.3.4 */
#define SERVER_URL_AUTHORITY_SIZE (SERVER_URL_HOST_SIZE + 8)
#define SERVER_URL_PATH_SIZE	  256

enum server_url_scheme {
	SERVER_URL_NONE,
	SERVER_URL_HTTP,
	SERVER_URL_HTTPS,
};

struct server_url {
	enum server_url_scheme scheme;
	char host[SERVER_URL_HOST_SIZE]; /* without brackets; an address in its usual form */
	struct ip ip;			 /* unset = the host is a name */
	uint16_t port;			 /* 0 = none is given */
	char path[SERVER_URL_PATH_SIZE]; /* "" or "/k8s/c-1": without a slash at its end */
};

/* `example`: what it must look like, for the story. 0, or -EINVAL with a story that shows the text, but not if
 * there may be a password in it. Printable text all of it. */
int server_url_parse(const char *text, const char *example, struct server_url *ret,
		     struct err *err);

/* "10.0.0.1:6443", "[fd00::1]:6443"; port 0 is left out. */
void server_url_authority(const char *host, uint16_t port, char ret[SERVER_URL_AUTHORITY_SIZE]);

/* A host name, or an address, that a certificate can be for. */
bool server_url_is_host(const char *host);

#endif
