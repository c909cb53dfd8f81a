/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_UNINSTALL_H
#define AGENT_UNINSTALL_H
/* `loden uninstall`: the only destroyer. The same dump, diff and apply as in the agent, with an empty
 * want (core/adopt.h says what may go), then our files. Refuses while an agent runs; may be run again.
 *
 * What is ours is found by mark: VXLAN links by their alias, everything else through them, by our
 * table's name, our comment and our nexthop ids. */

int uninstall_main(int argc, char *argv[]);

#endif
