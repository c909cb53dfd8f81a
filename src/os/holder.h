/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_HOLDER_H
#define OS_HOLDER_H
/* Who stands in the way of a VXLAN link of ours: the kernel only says that somebody does.
 *
 * Two links with the same VNI and port exclude each other (EEXIST at creation); one that takes all VNIs
 * ("external": Cilium, Antrea, Calico's eBPF) or a plain UDP socket excludes everybody else on its port
 * (EADDRINUSE when the second goes up).
 */

#include "base/text.h"
#include "model/link.h"
#include "os/nlsock.h"

/* Adds who it is to `t`, in words; nothing if it cannot be found out. `map`: our own links, which are not
 * meant. `proc`: "/proc". One dump of all links: for failures only. */
void holder_name(struct nlsock *s, struct nl_buf *b, const struct devmap *map,
		 const struct link *ours, const char *proc, struct text *t);

/* Whether a table such as /proc/net/udp has a socket bound to `port`, and whose it is. */
bool holder_socket(const char *table, uint16_t port, uint32_t *ret_uid);

#endif
