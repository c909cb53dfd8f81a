/* SPDX-License-Identifier: Apache-2.0 */
/* nf_tables messages, as many as there are. What a rule was read as must be what we write for it:
 * read, write, read again, equal.
 */

#include <stdlib.h>
#include <string.h>

#include "wire/nl_nft.h"
#include "wire/nl_nft_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reencode(const struct nl_nft_rule *rule)
{
	static uint8_t bytes[4096];
	static struct nl_nft again;
	struct nl_buf b = NL_BUF(bytes);
	struct nl_nft_splice s = {
		.family = rule->family,
		.table = rule->table,
		.chain = rule->chain,
		.ours = &rule->rule,
		.n_ours = 1,
	};
	struct nl_bytes rest;
	struct nl_msg m;

	if (!nl_nft_put_splice(&b, 1, &s))
		abort();
	rest = (struct nl_bytes){bytes, b.len};
	if (!nl_msg_next(&rest, &m) || !nl_msg_next(&rest, &m) || !nl_nft_decode(&m, &again) ||
	    again.type != NL_NFT_RULE)
		abort();
	if (memcmp(&again.rule.rule, &rule->rule, sizeof(rule->rule)) != 0)
		abort();
	/* What we write, we know the effect of. */
	if (again.rule.step.effect == FW_EFFECT_DROP && rule->rule.verdict != FW_DROP)
		abort();
}

/* An address that was read is one that we write in the same way. */
static void walk_peers(struct nl_bytes list)
{
	struct ip ip, again;

	while (nl_nft_guard_next_peer(&list, &ip)) {
		uint8_t bytes[64];
		struct nl_buf b = NL_BUF(bytes);
		struct nl_bytes rest;

		nl_begin(&b, 0, 0, 0, NULL, 0);
		nl_nft_guard_put_peer(&b, &ip);
		if (!nl_end(&b))
			abort();
		rest = (struct nl_bytes){bytes + 16, b.len - 16}; /* struct nlmsghdr */
		if (!nl_nft_guard_next_peer(&rest, &again) || !ip_eq(&ip, &again))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nl_nft got;
	struct nl_bytes rest = {data, size};
	struct nl_msg m;

	while (nl_msg_next(&rest, &m)) {
		if (!nl_nft_decode(&m, &got))
			continue;
		if (got.type == NL_NFT_ELEMENTS)
			walk_peers(got.elements.list);
		if (got.type != NL_NFT_RULE)
			continue;
		if (strlen(got.rule.table) >= NL_NFT_NAME_SIZE ||
		    strlen(got.rule.step.chain) >= FW_WALK_NAME_SIZE ||
		    strlen(got.rule.rule.comment) >= FW_COMMENT_SIZE)
			abort();
		got.rule.rule.n_packets = 0; /* what was counted is not for us to write */
		if (!got.rule.rule.opaque)
			reencode(&got.rule);
	}
	return 0;
}
