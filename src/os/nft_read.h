/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_NFT_READ_H
#define OS_NFT_READ_H
/* What of the host's nf_tables concerns us, read consistently: our own tables and every base chain
 * at hook forward. Part of os/nft, which also writes and watches.
 *
 * A reading takes several dumps: chains, tables, our rules, then of each foreign chain the rules that
 * a packet may come to (model/fw_walk.h asks for them). It counts only if the generation of the rule
 * set is the same before and after; and it is the answer as long as that generation lasts.
 */

#include "model/fw_walk.h"
#include "os/nlsock.h"
#include "os/ops.h"
#include "wire/nl_nft.h"

struct nft_foreign;

struct nft_read {
	struct nlsock *sock; /* borrowed */
	bool valid;	     /* what is below is all of `generation`, read with these names */
	uint32_t generation;
	char fw_table[FW_NAME_SIZE], fw_comment[FW_COMMENT_SIZE];
	bool have_own[FW__COUNT];
	uint32_t own_use[FW__COUNT]; /* chains seen in the own table */
	struct fw_table own[FW__COUNT];
	struct nft_foreign *foreign;
	size_t n_foreign, n_space;
	struct fw_walk walk;
	struct nl_nft msg; /* the one being looked at */
};

void nft_read_init(struct nft_read *rd, struct nlsock *sock);
void nft_read_fini(struct nft_read *rd);

/* The current generation. -EOPNOTSUPP if this kernel has no nf_tables. */
int nft_read_generation(struct nft_read *rd, uint32_t *ret, struct err *err);

/* As nft_dump(). */
int nft_read_dump(struct nft_read *rd, const struct os_names *names, unsigned kinds,
		  os_object_fn *fn, void *arg, struct err *err);

#endif
