/* SPDX-License-Identifier: Apache-2.0 */
#include "os/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

/* syscalls: clock_gettime rt_sigaction */

struct loop {
	struct event_base *base;
	uint64_t now_ms; /* of this wake-up; 0 = not read yet */
	bool running;
	bool stop;
};

struct loop_watch {
	struct event *event;
	loop_fd_fn *fd_fn; /* one of the two */
	loop_fire_fn *fire_fn;
	void *arg;
};

static uint64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));
	struct event_config *config = event_config_new();

	if (!l || !config)
		abort();
	/* Our own clock and libevent's must be the same one, to the microsecond: else a timer could
	 * fire before its time and the planner would find nothing to do. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!l->base)
		abort();
	signal(SIGPIPE, SIG_IGN);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	event_base_free(l->base);
	free(l);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

uint64_t loop_now_ms(struct loop *l)
{
	if (!l->running)
		return clock_us() / 1000;
	if (!l->now_ms)
		l->now_ms = clock_us() / 1000;
	return l->now_ms;
}

void loop_run(struct loop *l)
{
	l->stop = false;
	l->running = true;
	while (!l->stop) {
		l->now_ms = 0;
		/* Returns after each wake-up; not 0 = nothing left that could ever happen. */
		if (event_base_loop(l->base, EVLOOP_ONCE) != 0)
			break;
	}
	l->running = false;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
	event_base_loopbreak(l->base);
}

static void on_event(evutil_socket_t fd, short what _unused_, void *arg)
{
	struct loop_watch *w = arg;

	/* The callback may free the watch: nothing may follow it here. */
	if (w->fd_fn)
		w->fd_fn(w->arg, fd);
	else
		w->fire_fn(w->arg);
}

static struct loop_watch *watch_new(struct loop *l, int fd, short what, loop_fd_fn *fd_fn,
				    loop_fire_fn *fire_fn, void *arg)
{
	struct loop_watch *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->fd_fn = fd_fn;
	w->fire_fn = fire_fn;
	w->arg = arg;
	w->event = event_new(l->base, fd, what, on_event, w);
	if (!w->event)
		abort();
	return w;
}

static struct loop_watch *watch_start(struct loop_watch *w)
{
	if (event_add(w->event, NULL) < 0)
		abort();
	return w;
}

struct loop_watch *loop_readable(struct loop *l, int fd, loop_fd_fn *fn, void *arg)
{
	return watch_start(watch_new(l, fd, EV_READ | EV_PERSIST, fn, NULL, arg));
}

struct loop_watch *loop_timer(struct loop *l, loop_fire_fn *fn, void *arg)
{
	return watch_new(l, -1, 0, NULL, fn, arg);
}

void loop_timer_at(struct loop_watch *w, uint64_t at_ms)
{
	/* What does not fit a struct timeval's microseconds is as good as never. */
	const uint64_t never_ms = UINT64_MAX / 1000;
	uint64_t now_us = clock_us();
	struct timeval wait = {0};

	event_del(w->event);
	if (at_ms >= never_ms)
		return;
	if (at_ms * 1000 > now_us) {
		wait.tv_sec = (time_t)((at_ms * 1000 - now_us) / 1000000);
		wait.tv_usec = (suseconds_t)((at_ms * 1000 - now_us) % 1000000);
	}
	if (event_add(w->event, &wait) < 0)
		abort();
}

void loop_watch_free(struct loop_watch *w)
{
	if (!w)
		return;
	event_free(w->event);
	free(w);
}
