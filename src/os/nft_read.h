/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_NFT_READ_H
#define OS_NFT_READ_H
/* What of the host's nf_tables concerns us, read consistently: our own tables, every base chain at hook
 * forward, those at hook input while there is an overlay, and what flannel left. Part of os/nft, which also
 * writes and watches.
 *
 * A reading takes several dumps: chains, tables, our rules, then of each foreign chain the rules that
 * a packet may come to (model/fw_walk.h asks for them). It counts only if the generation of the rule
 * set is the same before and after; and it is the answer as long as that generation lasts.
 */

#include "model/fw_walk.h"
#include "os/nlsock.h"
#include "os/ops.h"
#include "wire/nl_nft.h"

/* Ours in one foreign chain that one transaction deletes; with more the next pass goes on. */
#define LIMIT_NFT_HANDLES 64

/* What a change of our accepts in a foreign chain must know; true of this generation only. */
struct nft_place {
	uint32_t generation;
	size_t n_handles;
	uint64_t handles[LIMIT_NFT_HANDLES]; /* of our accepts; of jumps to flannel's chain */
	uint64_t
		before; /* the first blanket drop (model/fw_walk.h); 0 = none, they go to the end */
};

struct nft_foreign;

/* The guard's table as it is. */
struct nft_guard {
	bool have_table, dormant;
	bool have_chain, strange_chain; /* the chain; it is not as we make it */
	unsigned n_rules;		/* in it */
	uint16_t port;			/* of our rule; 0 = none is ours */
	uint64_t n_dropped;		/* by it, at the last look */
};

/* The guard's sets, of one generation. */
struct nft_peers {
	bool valid;
	uint32_t generation;
	char table[FW_NAME_SIZE];

	struct nft_set {
		uint8_t *bytes; /* n addresses, each of 4 bytes or of 16, sorted */
		size_t n, room;
	} of[FW__COUNT];
};

struct nft_read {
	struct nlsock *sock; /* borrowed */
	bool valid;	     /* what is below is all of `generation`, read with these names */
	uint32_t generation;
	char fw_table[FW_NAME_SIZE], fw_comment[FW_COMMENT_SIZE];
	struct cidr networks[2];
	struct fw_arrival arrival;
	bool ufw[FW__COUNT]; /* UFW's chains are in table filter */
	char guard_table[FW_NAME_SIZE];
	struct nft_guard guard[FW__COUNT];
	struct nft_peers peers;
	enum fw_family family; /* of the set being read */

	struct nft_own {
		bool have;
		uint32_t use; /* chains seen in it */
		struct fw_table table;
	} own[FW__COUNT], flannel[FW__COUNT]; /* read whole: our tables, and flannel's */
	struct nft_foreign *foreign;
	size_t n_foreign, n_space;
	struct fw_walk walk;
	struct nl_nft msg; /* the one being looked at */
};

void nft_read_init(struct nft_read *rd, struct nlsock *sock);
void nft_read_fini(struct nft_read *rd);

/* The current generation. -EOPNOTSUPP if this kernel has no nf_tables. */
int nft_read_generation(struct nft_read *rd, uint32_t *ret, struct err *err);

/* Where accepts in the chain of `c`'s key are and belong, as of now. No such chain: nowhere, and the end. */
int nft_read_place(struct nft_read *rd, const struct os_names *names, const struct fw_chain *c,
		   struct nft_place *ret, struct err *err);

/* As nft_dump() for OBJECT_GUARD_PEER. */
int nft_read_peers(struct nft_read *rd, const struct os_names *names, os_object_fn *fn, void *arg,
		   struct err *err);

/* As nft_dump(), the other kinds. */
int nft_read_dump(struct nft_read *rd, const struct os_names *names, unsigned kinds,
		  os_object_fn *fn, void *arg, struct err *err);

#endif
