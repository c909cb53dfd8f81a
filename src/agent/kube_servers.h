/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_KUBE_SERVERS_H
#define AGENT_KUBE_SERVERS_H
/* The API servers' own addresses, remembered on disk: <state-dir>/api-servers, one "IP:PORT" a line.
 *
 * They are as each server says itself (kube_learn.h). With them an agent starts where the service network does not work
 * yet, which is where it is needed. Whoever answers there still has to prove to be this cluster's API server.
 */

#include "base/err.h"
#include "model/ip.h"

#define KUBE_SERVERS_NAME "api-servers"
#define KUBE_SERVERS_MAX  8 /* more than clusters have */

struct kube_server {
	struct ip ip;
	uint16_t port;
};

/* "10.0.0.1:6443", "[fd00::1]:443": a numerical address with a port. */
bool kube_server_parse(const char *text, struct kube_server *ret);

/* At most KUBE_SERVERS_MAX; a line that is none is passed over. 0 = none, or no file. */
size_t kube_servers_read(const char *state_dir, struct kube_server ret[KUBE_SERVERS_MAX]);

/* Replaces the file, unless it says the same; all but the first KUBE_SERVERS_MAX are dropped, and an empty list
 * changes nothing: there is no cluster without. May wait for a disk: let a child do it (os/child.h). 0 or -errno
 * with a story. */
int kube_servers_write(const char *state_dir, const struct kube_server *servers, size_t n,
		       struct err *err);

#endif
