/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_LAST_GOOD_H
#define AGENT_LAST_GOOD_H
/* The last good configuration, leases and lease of our own, kept on disk so that the next start needs no
 * source (core/recall.c). In <state-dir>/peers; where that cannot be written in <run-dir>/peers,
 * which a reboot takes along, and the log and the status say so.
 *
 * What is read must be of this machine (/etc/machine-id) and of the same NODE_NAME, or --etcd-endpoints and
 * --etcd-prefix; core checks the node's public address and, once etcd answers, which cluster it is. So
 * a cloned disk is recognised by its address, a cloned site by machine-id, and nothing is lost: without
 * the file the agent starts as it always did. Where subnet.env is of another subnet, that is what pods use.
 *
 * Written some seconds after a change, by a child process (os/child.h), and at the end of a run. Beside
 * it, lease_record.h keeps the few lines that `loden uninstall --lease` needs: those are for people
 * and scripts to read, and must not depend on a file of another version.
 */

#include "agent/opts.h"
#include "core/step.h"
#include "os/loop.h"

#define LAST_GOOD_NAME "peers"

/* What was found. */
struct last_good_found {
	struct event event; /* EVENT_RECALLED, borrowing from here */
	struct netconf conf;
	struct lease own;
	struct lease *leases;
	struct ip told_ip, told_ip6; /* by which addresses the source said that we are reached */
	char when[32];
};

/* True: `ret` is to be freed. False, and the log says why, unless there is just nothing. */
bool last_good_load(const struct opts *o, struct last_good_found *ret);
void last_good_found_free(struct last_good_found *f);

struct last_good;

/* Borrows all three. */
struct last_good *last_good_new(struct loop *loop, const struct opts *o, struct brain *b);
/* Writes what is not yet written, and waits for that. NULL is fine. */
void last_good_free(struct last_good *g);

/* The source told something, and the brain has heard it. O(1). */
void last_good_saw(struct last_good *g, const struct event *ev);
/* The source said by which addresses this node is reached; unset = nothing (any more). */
void last_good_told(struct last_good *g, const struct ip *ip, const struct ip *ip6);
/* One line if the disk cannot be written; "" = all is well. */
const char *last_good_problem(const struct last_good *g);

#endif
