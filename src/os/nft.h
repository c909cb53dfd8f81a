/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_NFT_H
#define OS_NFT_H
/* The nf_tables half of the kernel: OBJECT_FW_TABLE and OBJECT_FW_CHAIN over nfnetlink.
 *
 * Only os/kernel calls this; it splits what os/ops.h promises between rtnetlink and this file.
 * One request socket and one watch socket (group NFNLGRP_NFTABLES).
 */

#include "os/ops.h"

struct nft;

/* Opens both sockets in the current network namespace. A kernel without nf_tables is not an error
 * here: dumps then find nothing and ops fail with the kernel's words. If it has not even nfnetlink, there
 * is nothing to watch, either; each dump tries again. */
int nft_open(struct nft **ret, struct err *err);
/* NULL is fine. */
void nft_close(struct nft *n);

/* As os_ops.dump for the kinds OBJECT_FW_TABLE and OBJECT_FW_CHAIN (other bits are ignored). The
 * names are borrowed for the call. */
int nft_dump(struct nft *n, const struct os_names *names, unsigned kinds, os_object_fn *fn,
	     void *arg, struct err *err);

/* One op, as one transaction. 0, or -errno with the kernel's words in `text`. */
int nft_apply(struct nft *n, const struct os_names *names, const struct op *op, char text[120],
	      struct err *err);

/* -1 = nothing to watch. As os_ops.watch_read for this descriptor: 1 something of interest, 0 nothing, < 0 error. Own
 * transactions are not reported; `ret` is overwritten. */
int nft_watch_fd(const struct nft *n);
int nft_watch_read(struct nft *n, struct os_notice *ret);

#endif
