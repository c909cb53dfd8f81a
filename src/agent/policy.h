/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_POLICY_H
#define AGENT_POLICY_H
/* What the operator asked for in an uplink (--iface, --iface-regex, --iface-can-reach, --public-ip):
 * the options made into core's uplink_policy, with the regular expressions compiled.
 *
 * --iface-regex is RE2 in flannel. PCRE2 takes what RE2 takes, but can run for ever where RE2
 * cannot; a limit on its steps makes such an expression fail to match, and the log names it.
 */

#include "agent/opts.h"
#include "core/uplink.h"

struct policy {
	struct uplink_policy uplink; /* IPv4 until somebody knows the configuration */
	const char *const *regexes;
	void *codes[OPTS_LIST_MAX]; /* pcre2_code */
	void *limits;		    /* pcre2_match_context */
	void *match;		    /* pcre2_match_data */
};

/* `o` is borrowed. -EINVAL names the option that cannot be used. policy_fini() also after failure. */
int policy_init(struct policy *p, const struct opts *o, struct err *err);
void policy_fini(struct policy *p);

#endif
