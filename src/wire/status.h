/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_STATUS_H
#define WIRE_STATUS_H
/* The agent's status as it leaves the agent: JSON for machines, one screen for people.
 *
 * Members of the JSON object are stable: they may be added, never renamed. Ages and times are
 * relative, so that a reader needs no clock of the same epoch. Every string that another process
 * could have chosen (names of culprits) is escaped before it gets here or here.
 */

#include "base/text.h"
#include "model/status.h"

/* Text of one JSON object, indented, with a newline. For free(3); NULL without memory. */
char *status_encode(const struct status *s);

/* The same for a person: the problem first, then what is there. */
void status_format(const struct status *s, struct text *t);

#endif
