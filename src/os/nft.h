/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_NFT_H
#define OS_NFT_H
/* The nf_tables half of the kernel: OBJECT_FW_TABLE, OBJECT_FW_CHAIN and the guard's
 * OBJECT_GUARD_PEER and OBJECT_GUARD, over nfnetlink.
 *
 * Only os/kernel calls this; it splits what os/ops.h promises between rtnetlink and this file.
 * One request socket and one watch socket (group NFNLGRP_NFTABLES).
 */

#include "os/ops.h"

struct nft;

/* Opens both sockets in the current network namespace. A kernel without nf_tables is not an error
 * here: dumps then find nothing and ops fail with the kernel's words. If it has not even nfnetlink, there
 * is nothing to watch, either; each dump tries again. `rx`: NLSOCK_RX_BYTES, borrowed, used only within
 * calls. */
int nft_open(uint8_t *rx, struct nft **ret, struct err *err);
/* NULL is fine. */
void nft_close(struct nft *n);

/* Does this kernel have nf_tables? */
bool nft_is_there(struct nft *n);

/* As os_ops.dump for these kinds (other bits are ignored). The
 * names are borrowed for the call. */
int nft_dump(struct nft *n, const struct os_names *names, unsigned kinds, os_object_fn *fn,
	     void *arg, struct err *err);

/* The first op of `rest`, which is on an OBJECT_GUARD_PEER, and as many behind it as go into one
 * transaction with it: *ret_n of them, which share the outcome, as below. */
int nft_apply_peers(struct nft *n, const struct os_names *names, const struct plan *rest,
		    size_t *ret_n, char text[120], struct err *err);

/* One op of another kind, as one transaction. 0, or -errno with the kernel's words in `text`. */
int nft_apply(struct nft *n, const struct os_names *names, const struct op *op, char text[120],
	      struct err *err);

/* -1 = nothing to watch. As os_ops.watch_read for this descriptor: 1 something of interest, 0 nothing, < 0 error. Own
 * transactions are not reported; `ret` is overwritten. */
int nft_watch_fd(const struct nft *n);
int nft_watch_read(struct nft *n, struct os_notice *ret);

#endif
