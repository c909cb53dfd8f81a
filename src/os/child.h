/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CHILD_H
#define OS_CHILD_H
/* A piece of work that may hang, such as writing to a disk that fails, done by a forked child: the one
 * thread goes on healing. The child sees memory as it was at the fork, so nothing has to be copied for
 * it or kept unchanged; what it changes stays its own.
 *
 * At the time of the fork there is one thread and no lock held, so the child may allocate. It has no
 * descriptor of ours, for a lock that it kept open would outlive us; signals kill it.
 */

#include "base/err.h"
#include "os/loop.h"

struct child;

/* In the child. 0 or -errno with a story. */
typedef int child_work_fn(void *arg, struct err *err);
/* In the parent, when the child has ended; also if it was killed. It is gone already. */
typedef void child_done_fn(void *arg, int code, const struct err *err);

struct child_conf {
	struct loop *loop;
	child_work_fn *work;
	child_done_fn *done;
	void *arg;
};

/* NULL if there can be none; `err` says why, and `done` is not called. */
struct child *child_start(const struct child_conf *conf, struct err *err);
/* Forgets it: `done` is not called, and the child goes on by itself. NULL is fine. */
void child_free(struct child *c);

/* Closes every descriptor from this one on. For a child alone. */
void child_close_fds(unsigned from);

#endif
