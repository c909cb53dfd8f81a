/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LOOP_H
#define OS_LOOP_H
/* The event loop: libevent, behind three small objects.
 *
 * Behind, because libevent's `struct event` is not core's; and so that programs cannot reach past it.
 * One thread. A callback may free its own or any other object. The connection code (os/h2) and the
 * small server (os/serve) use libevent directly through loop_base().
 */

#include "base/base.h"

struct event_base;
struct loop;
struct loop_watch;

typedef void loop_fd_fn(void *arg, int fd);
typedef void loop_fire_fn(void *arg);

/* Aborts without memory. Ignores SIGPIPE from here on: to us a peer that closed is an error code. */
struct loop *loop_new(void);
void loop_free(struct loop *l);
struct event_base *loop_base(struct loop *l);

/* Monotonic milliseconds; read once per wake-up of the loop, fresh outside of it. */
uint64_t loop_now_ms(struct loop *l);

/* Runs until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* Each of these lives until loop_watch_free(). Descriptors stay the caller's. */
struct loop_watch *loop_readable(struct loop *l, int fd, loop_fd_fn *fn, void *arg);
/* A timer that is not armed yet; fires once per loop_timer_at(). */
struct loop_watch *loop_timer(struct loop *l, loop_fire_fn *fn, void *arg);
/* Absolute, in loop_now_ms() time; UINT64_MAX disarms. The past fires at once. */
void loop_timer_at(struct loop_watch *w, uint64_t at_ms);
void loop_watch_free(struct loop_watch *w);

#endif
