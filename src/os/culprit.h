/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CULPRIT_H
#define OS_CULPRIT_H
/* Who was it? A pid that the kernel told, turned into a name and a systemd unit or container.
 *
 * Best effort: the process may be gone, the pid may be of another pid namespace, or (netlink ports)
 * no pid at all. Hints for a tired reader, not an audit trail.
 */

#include "model/status.h"

/* `comm`: what the kernel said of it; NULL or "" = look it up. If a process of this pid has another
 * name, it is not the one, and ret->unit is "". */
void culprit_lookup(uint32_t pid, const char *comm, struct culprit *ret);

#endif
