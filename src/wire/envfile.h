/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_ENVFILE_H
#define WIRE_ENVFILE_H
/* subnet.env as the agent's successor reads it: tolerant, a hint or none (flannel.md 8.1). The CNI
 * plugin reads it strictly (wire/cni_flannel.h); core/envfile.h writes it.
 */

#include "model/ip.h"

#define LIMIT_ENVFILE_BYTES 65536 /* whoever reads the file stops there; ours has 150 */

/* What the agent before us left, masked; unset = none, unusable, or more than one. */
struct envfile_previous {
	struct cidr network, subnet;
	struct cidr network6, subnet6;
};

/* Syntax is dotenv's: blank lines, # comments, "export ", quotes; values are comma lists. What cannot
 * be used is skipped; there is no failure. Variables ($X) and values over several lines are not for us. */
void envfile_decode_previous(const char *text, size_t n, struct envfile_previous *ret);

#endif
