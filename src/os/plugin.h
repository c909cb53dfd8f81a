/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_PLUGIN_H
#define OS_PLUGIN_H
/* One program of somebody else's that is run again and again for what it writes to standard output.
 *
 * It needs system calls that our sandbox refuses, and what is executed inherits the sandbox. So it is run by a
 * keeper: a child that is forked before the sandbox is entered, knows from then on what to run, and can be asked for
 * nothing else. Whoever takes over the agent can have the same program run once more, with the same arguments.
 * The keeper has CAP_DAC_READ_SEARCH at most, so has the program; both end when we do.
 *
 *	plugin_new ─▶ (sandbox, loop) ─▶ plugin_run ─▶ done ─▶ plugin_run … ─▶ plugin_free
 *
 * Bounded: the output, and the time, after which the program and all of its process group is killed.
 */

#include "base/err.h"
#include "os/loop.h"

struct plugin;

/* Borrowed for the call: the keeper has its own memory. */
struct plugin_conf {
	const char *const *argv;  /* NULL behind the last; the first is looked for in PATH */
	char *const *environment; /* "NAME=value", NULL behind the last */
	uint32_t deadline_ms;
	size_t output_bytes; /* at most PLUGIN_OUTPUT_MAX */
};

#define PLUGIN_OUTPUT_MAX (1 << 20)

/* `output` is borrowed. `problem` NULL = the program ended with 0; else one line, with the first that it wrote to
 * standard error. */
typedef void plugin_done_fn(void *arg, const char *output, size_t n, const char *problem);

/* 0 or -errno with a story. To be called before there are threads, locks and a sandbox. */
int plugin_new(const struct plugin_conf *conf, struct plugin **ret, struct err *err);
/* `done` is called once, from the loop. Not while it runs. */
void plugin_run(struct plugin *p, struct loop *loop, plugin_done_fn *done, void *arg);
bool plugin_is_running(const struct plugin *p);
/* Without a further word. NULL is fine. */
void plugin_free(struct plugin *p);

#endif
