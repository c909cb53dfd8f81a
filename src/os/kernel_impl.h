/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_KERNEL_IMPL_H
#define OS_KERNEL_IMPL_H
/* What the parts of the real kernel share: kernel.c (sockets, roles), kernel_dump.c, kernel_apply.c,
 * kernel_facts.c, kernel_watch.c. Not for others. */

#include "os/file.h"
#include "os/filewatch.h"
#include "os/flanneld.h"
#include "os/nft.h"
#include "os/nlsock.h"
#include "os/ops.h"
#include "wire/nl_link.h"
#include "wire/nl_rt.h"

/* A batch: the longest message (a link) takes some 300 bytes, the others at most 84. */
#define KERNEL_TX_BYTES 16384

struct os {
	struct os_names names;
	struct devmap map;
	struct nl_link link[DEV__COUNT]; /* as last looked up; ifindex 0 = it does not exist */
	/* As the agent was last shown it: by a dump of links, by facts (the uplink), or because it made
	 * it so itself. The watch is silent about a link only if it is still that. */
	struct nl_link seen[DEV__COUNT];
	bool roles_known; /* map and link were filled since the names were set */
	struct nlsock request, watch;
	struct nft *nft;
	struct filewatch envfile;
	struct flanneld flanneld;
	unsigned hushed; /* OBJECT_BIT()s that the watch leaves out: we are changing them */
	uint8_t rx[NLSOCK_RX_BYTES], tx[KERNEL_TX_BYTES];
};

/* Looks every role's link up again. -errno if the kernel cannot be talked to. */
int kernel_roles(struct os *os, struct err *err);
/* An empty buffer over os->tx. */
struct nl_buf kernel_tx(struct os *os);
struct nl_ours kernel_ours(const struct os *os);
/* "net/ipv4/ip_forward" → "/proc/sys/net/ipv4/ip_forward", or where else switches are */
void kernel_sysctl_path(const struct os *os, const char *path, char ret_path[FILE_PATH_SIZE]);

/* os_ops.dump, .apply, .facts, .watch_read */
int kernel_dump(struct os *os, const struct os_dump *what, struct os_taken *ret_taken,
		struct err *err);
int kernel_apply(struct os *os, const struct plan *plan, struct arena *a,
		 const struct op_failure **ret_failures, size_t *ret_n_failures, struct err *err);
int kernel_facts(struct os *os, const struct ip *reach, struct arena *a,
		 struct iface_facts *ret_facts, struct err *err);
int kernel_watch_read(struct os *os, int fd, struct os_notice *ret);

int kernel_watch_open(struct os *os, struct err *err);
/* Tells the kernel which notifications we need not be woken for. `hushed`: those of OBJECT_FDB and
 * OBJECT_NEIGH neither, because we are making such changes, and not all of them carry our port. The dump
 * that follows a plan sees what others did meanwhile. */
void kernel_watch_filter(struct os *os, unsigned hushed);

#endif
