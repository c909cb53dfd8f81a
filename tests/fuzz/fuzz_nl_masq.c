/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the table in which bridge plugins masquerade, as the kernel dumps them: ours, the reference
 * plugins', and whoever else wrote there. A rule that was read can be replaced by one with the same
 * comment, which reads the same.
 */

#include <stdlib.h>
#include <string.h>

#include "wire/nl_masq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void replace(const struct nl_masq_rule *rule)
{
	const struct cidr addr = {.ip = ip_from_v4(0x0a010202), .len = 24};
	const struct nl_masq_change c = {
		.gone = &rule->handle,
		.n_gone = 1,
		.addrs = &addr,
		.n_addrs = 1,
		.comment = rule->comment,
	};
	struct nl_masq_rule again;
	uint8_t bytes[1024];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_bytes rest;
	struct nl_msg m;

	must(nl_masq_put(&b, 1, &c));
	rest = (struct nl_bytes){bytes, b.len};
	for (int i = 0; i < 3; i++) /* begin, out, in */
		must(nl_msg_next(&rest, &m));
	must(nl_masq_decode(&m, &again) == 0);
	must(strcmp(again.chain, NL_MASQ_CHAIN) == 0 && strcmp(again.comment, rule->comment) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl_bytes rest = {data, size};
	struct nl_masq_rule rule;
	struct nl_msg m;

	while (nl_msg_next(&rest, &m)) {
		if (nl_masq_decode(&m, &rule) != 0)
			continue;
		must(memchr(rule.chain, '\0', sizeof(rule.chain)) != NULL);
		must(memchr(rule.comment, '\0', sizeof(rule.comment)) != NULL);
		replace(&rule);
	}
	return 0;
}
