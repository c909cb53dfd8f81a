/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LEGACY_H
#define OS_LEGACY_H
/* flannel's chains, and what FORWARD does, in the tables of iptables-legacy, which nf_tables does not
 * show.
 *
 * They are read, never written. A table that nobody has used is not asked for: asking would make it
 * (failures.md 4-E17), so /proc/net/ip_tables_names is read first.
 */

#include "os/ops.h"

/* Calls `fn` with an OBJECT_FW_CHAIN, FW_OWNER_LEGACY, for each, and for `filter FORWARD`. `proc` is "/proc". What cannot be read
 * is not there. */
void legacy_dump(const char *proc, os_object_fn *fn, void *arg);

/* Is a chain of this name in a table as the kernel hands it out (struct ipt_get_entries.entrytable, or
 * ip6t's)? Entries are not trusted. */
bool legacy_has_chain(const void *entries, size_t size_bytes, bool v6, const char *chain);

/* Offsets of a base chain's first entry and of its policy. */
struct legacy_span {
	uint32_t first, policy;
};

/* Does that chain drop what nobody speaks about? Fills `drops`, `policy_drop`, and as `ours` the accepts
 * by address alone in front of that, whoever's. Jumps are not followed. False: damaged; `ret`, which
 * knows the family, is then untouched. */
bool legacy_read_forward(const void *entries, size_t size_bytes, struct legacy_span span,
			 struct fw_chain *ret);

#endif
