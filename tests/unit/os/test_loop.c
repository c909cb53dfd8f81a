/* SPDX-License-Identifier: Apache-2.0 */
#include "os/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
	struct loop *loop;
	struct loop_watch *watch, *other, *deadline;
	int fd;
	int fired;
	uint64_t at_ms, fired_ms;
};

static void on_deadline(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

/* Every test ends after a minute at the latest. */
static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->loop = loop_new();
	s->deadline = loop_timer(s->loop, on_deadline, s);
	loop_timer_at(s->deadline, loop_now_ms(s->loop) + 60000);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	loop_watch_free(s->watch);
	loop_watch_free(s->other);
	loop_watch_free(s->deadline);
	loop_free(s->loop);
	free(s);
	return 0;
}

static void on_fire(void *arg)
{
	struct scene *s = arg;

	s->fired++;
	s->fired_ms = loop_now_ms(s->loop);
	loop_stop(s->loop);
}

static void fires_once_and_never_early(void **state)
{
	struct scene *s = *state;

	s->watch = loop_timer(s->loop, on_fire, s);
	for (int i = 0; i < 20; i++) {
		s->at_ms = loop_now_ms(s->loop) + 3;
		loop_timer_at(s->watch, s->at_ms);
		loop_run(s->loop);
		assert_int_equal(s->fired, i + 1);
		assert_true(s->fired_ms >= s->at_ms);
		assert_true(s->fired_ms < s->at_ms + 30000);
	}
}

static void past_fires_at_once(void **state)
{
	struct scene *s = *state;
	uint64_t start_ms = loop_now_ms(s->loop);

	s->watch = loop_timer(s->loop, on_fire, s);
	loop_timer_at(s->watch, 0);
	loop_run(s->loop);
	assert_int_equal(s->fired, 1);
	assert_true(s->fired_ms - start_ms < 30000);
}

static void disarmed_never_fires(void **state)
{
	struct scene *s = *state;

	s->watch = loop_timer(s->loop, on_fire, s);
	loop_timer_at(s->watch, loop_now_ms(s->loop) + 1);
	loop_timer_at(s->watch, UINT64_MAX);
	loop_timer_at(s->deadline, loop_now_ms(s->loop) + 30);
	loop_run(s->loop);
	assert_int_equal(s->fired, 0);
}

static void on_free_both(void *arg)
{
	struct scene *s = arg;

	s->fired++;
	loop_watch_free(TAKE_PTR(s->watch));
	loop_watch_free(TAKE_PTR(s->other));
	loop_timer_at(s->deadline, loop_now_ms(s->loop) + 10);
}

static void callback_frees_itself_and_another_that_is_due(void **state)
{
	struct scene *s = *state;

	s->watch = loop_timer(s->loop, on_free_both, s);
	s->other = loop_timer(s->loop, on_free_both, s);
	loop_timer_at(s->watch, 0);
	loop_timer_at(s->other, 0);
	loop_run(s->loop);
	assert_int_equal(s->fired, 1);
}

static void on_readable(void *arg, int fd)
{
	struct scene *s = arg;
	char c;

	s->fd = fd;
	s->fired += (int)read(fd, &c, 1);
	if (s->fired == 2)
		loop_stop(s->loop);
}

static void readable_again_and_again(void **state)
{
	struct scene *s = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	s->watch = loop_readable(s->loop, fds[0], on_readable, s);
	assert_int_equal(write(fds[1], "ab", 2), 2);
	loop_run(s->loop);
	assert_int_equal(s->fired, 2);
	assert_int_equal(s->fd, fds[0]);
	loop_watch_free(TAKE_PTR(s->watch));
	close(fds[0]);
	close(fds[1]);
}

static void on_slow(void *arg)
{
	struct scene *s = arg;

	s->at_ms = loop_now_ms(s->loop);
	usleep(5000);
	s->fired_ms = loop_now_ms(s->loop);
	loop_stop(s->loop);
}

static void clock_stands_still_within_a_wake_up(void **state)
{
	struct scene *s = *state;

	s->watch = loop_timer(s->loop, on_slow, s);
	loop_timer_at(s->watch, 0);
	loop_run(s->loop);
	assert_int_equal(s->at_ms, s->fired_ms);
	assert_true(loop_now_ms(s->loop) >= s->at_ms + 5);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(fires_once_and_never_early), T(past_fires_at_once),
		T(disarmed_never_fires),       T(callback_frees_itself_and_another_that_is_due),
		T(readable_again_and_again),   T(clock_stands_still_within_a_wake_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
