/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_SANDBOX_H
#define OS_SANDBOX_H
/* Least privilege for a process of one thread: capabilities, no new ones, and only the system calls
 * that it is known to make (capabilities(7), seccomp(2)).
 *
 * A system call that is not on the list is not made and fails with ENOSYS, for which libraries have
 * their fallbacks; it is logged ("sandbox.refused") and counted, and the process goes on: the list
 * can be wrong in a rare path, and a fabric that is kept is worth more than a process that is killed.
 * Whoever broke in gets no further than with a kill: the call is not made either way.
 * tgkill is made for the process itself only: abort() needs it; clone for a plain fork only, which runs
 * nothing else and has no namespace of its own (os/child.h).
 */

#include "base/err.h"

struct sandbox_call {
	int nr;
	const char *name;
};

struct sandbox {
	uint64_t capabilities; /* bits 1ull << CAP_…: those to keep, as far as they are there */
	const struct sandbox_call *calls; /* NULL = any */
	size_t n_calls;			  /* at most SANDBOX_CALLS_MAX */
};

#define SANDBOX_CALLS_MAX 256

/* From here on, and not to be undone. 0; SANDBOX_PARTLY = the kernel lacks something: what it has is
 * in force, `err` says what is not. */
#define SANDBOX_PARTLY 1
int sandbox_enter(const struct sandbox *s, struct err *err);

/* How many calls were refused, and the number of the last (untouched if none). */
unsigned sandbox_refused(int *ret_nr);

#endif
