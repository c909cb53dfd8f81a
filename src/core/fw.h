/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_FW_H
#define CORE_FW_H
/* Firewall decisions: our masquerade and accept rules, and when a foreign chain is satisfied. */

#include "core/backend.h"

/* Our own table and the accepts wanted in iptables' FORWARD; appended to `ret`. Semantics and order of
 * the masquerade rules: flannel.md 7.1. */
void fw_want(const struct want_input *in, struct arena *a, struct netstate *ret);

/* Does foreign chain `have` let our packets pass as `want` asks? True if it drops none but those that
 * its rules pick out, or if all our accepts stand, in order, in front of the first blanket drop
 * (model/fw_walk.h). What else stands where is not our business: nothing is moved for its sake. */
bool fw_chain_satisfied(const struct fw_chain *want, const struct fw_chain *have);

/* One line for the status about a foreign chain that drops and that we may not write to, or that closes
 * the overlay's port: which, and the command to run. False if there is nothing to say. The accepts of that command carry our
 * comment: once they stand, there is nothing more to say. */
bool fw_chain_explain(const struct fw_chain *have, const struct netconf *net,
		      const struct brain_conf *conf, struct text *ret);

/* One line for the status about firewall that flanneld left (adopt_is_flannel_firewall) and that we
 * leave alone: what, why, and the command to run. */
void fw_left_explain(const struct object *have, struct text *ret);

#endif
