/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_DNS_H
#define OS_DNS_H
/* Addresses of a host name, without blocking: c-ares in the loop.
 *
 * /etc/hosts, /etc/resolv.conf and the order in /etc/nsswitch.conf are read for each lookup anew; nothing is
 * cached. "localhost" is this host, whatever a server says (RFC 6761, 6.3). Of what nsswitch.conf may list, only
 * files and DNS servers are asked.
 */

#include "model/ip.h"
#include "os/loop.h"

#define DNS_ADDRESSES_MAX 8

struct dns_lookup;

struct dns_conf {
	struct loop *loop;
	const char *host; /* copied */
	uint32_t timeout_ms;
	/* Once, unless freed before; never from within dns_lookup_new(). IPv4 comes first. n 0: `problem` is
	 * one line; else it is NULL. The lookup may be freed from here. */
	void (*done)(void *arg, const struct ip *addresses, size_t n, const char *problem);
	void *arg;
};

/* Never NULL. */
struct dns_lookup *dns_lookup_new(const struct dns_conf *conf);
/* NULL is fine. */
void dns_lookup_free(struct dns_lookup *l);

#endif
