/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CNI_MASQ_H
#define CORE_CNI_MASQ_H
/* How the reference plugins mark the masquerade rules of an attachment, so that either's DEL finds
 * them (cni.md 2.1.6): a comment that begins with two hashes and goes on readably. */

#include "core/cni_plan.h"

#define CNI_MASQ_KEY_SIZE     34  /* 16 + 1 + 16 hex digits, and the terminator */
#define CNI_MASQ_COMMENT_SIZE 129 /* nftables: 128 bytes at most (NFTNL_UDATA_COMMENT_MAXLEN) */

/* hex(sha512(network))[16] - hex(sha512(interface:container))[16] */
void cni_masq_key(const struct cni_plan_owner *o, char ret[CNI_MASQ_KEY_SIZE]);
/* "<key>, net: <network>, if: <interface>, id: <container>"; cut if longer. */
void cni_masq_comment(const struct cni_plan_owner *o, char ret[CNI_MASQ_COMMENT_SIZE]);

#endif
