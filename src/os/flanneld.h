/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_FLANNELD_H
#define OS_FLANNELD_H
/* Does a real flanneld live on this node?
 *
 * It holds nothing that could be asked for: no lock, no port, no socket with a name. So it is looked for among the
 * processes: one called "flanneld" in our network namespace, a container on the host's network
 * included, that does not run our own program (which may go by that name, too). What cannot be read about a
 * process of that name speaks for its being one. In a pid namespace of our own others are not
 * seen; then the war over its rules (core/contest.h) is all that tells.
 */

#include "model/status.h"

struct flanneld {
	struct culprit who; /* pid 0 = none */
	uint64_t looked_ms; /* when all processes were last looked at; 0 = never */
};

/* Ends fast: one known is only asked whether it still lives, and all processes (some 10 us each) are looked at no
 * more often than each LOOK_MS, or SUSPECT_MS if something was seen that a flanneld may just have made. */
#define FLANNELD_LOOK_MS    5000
#define FLANNELD_SUSPECT_MS 200

/* `proc` is "/proc", `now_ms` monotonic. */
void flanneld_look(struct flanneld *f, const char *proc, bool suspect, uint64_t now_ms);

#endif
