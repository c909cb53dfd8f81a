/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_AGENT_FAKE_LOOP_H
#define TESTS_UNIT_AGENT_FAKE_LOOP_H
/* os/loop.h without descriptors and with a clock of its own, so that 24 hours pass at once. A test that
 * includes this once defines these functions, and the linker leaves os/loop.c out.
 */

#include <stdlib.h>

#include "os/loop.h"

struct loop {
	uint64_t now_ms;
	struct loop_watch *timers;
};

struct loop_watch {
	struct loop *loop;
	struct loop_watch *next;
	loop_fire_fn *fn;
	void *arg;
	uint64_t at_ms; /* UINT64_MAX = not armed */
};

uint64_t loop_now_ms(struct loop *l)
{
	return l->now_ms;
}

struct loop_watch *loop_timer(struct loop *l, loop_fire_fn *fn, void *arg)
{
	struct loop_watch *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	*w = (struct loop_watch){l, l->timers, fn, arg, UINT64_MAX};
	return l->timers = w;
}

/* Nothing is ever readable. */
struct loop_watch *loop_readable(struct loop *l, int fd, loop_fd_fn *fn, void *arg)
{
	(void)fd;
	(void)fn;
	return loop_timer(l, NULL, arg);
}

void loop_timer_at(struct loop_watch *w, uint64_t at_ms)
{
	w->at_ms = at_ms;
}

void loop_watch_free(struct loop_watch *w)
{
	struct loop_watch **p;

	if (!w)
		return;
	for (p = &w->loop->timers; *p != w; p = &(*p)->next)
		;
	*p = w->next;
	free(w);
}

/* The timer that fires next; NULL = none is armed. */
static inline struct loop_watch *fake_loop_next(const struct loop *l)
{
	struct loop_watch *next = NULL;

	for (struct loop_watch *w = l->timers; w; w = w->next) {
		if (w->at_ms != UINT64_MAX && (!next || w->at_ms < next->at_ms))
			next = w;
	}
	return next;
}

/* How long until then, in ms; UINT64_MAX = for ever. */
static inline uint64_t fake_loop_idle_ms(const struct loop *l)
{
	const struct loop_watch *next = fake_loop_next(l);

	if (!next)
		return UINT64_MAX;
	return next->at_ms > l->now_ms ? next->at_ms - l->now_ms : 0;
}

/* Lets `ms` pass, with all that is due meanwhile. */
static inline void fake_loop_pass(struct loop *l, uint64_t ms)
{
	const uint64_t end_ms = l->now_ms + ms;
	struct loop_watch *w;

	while ((w = fake_loop_next(l)) && w->at_ms <= end_ms) {
		l->now_ms = MAX(l->now_ms, w->at_ms);
		w->at_ms = UINT64_MAX;
		w->fn(w->arg);
	}
	l->now_ms = end_ms;
}

#endif
