/* SPDX-License-Identifier: Apache-2.0 */
#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct story {
	struct loop *loop;
	int secret_fd;
	int changed; /* by the child: not for us to see */
	int n_done, code;
	struct err err;
};

static int setup(void **state)
{
	static struct story s;

	s = (struct story){.loop = loop_new(), .secret_fd = -1};
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct story *s = *state;

	loop_free(s->loop);
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? 0 : -1; /* no child is left */
}

static void on_done(void *arg, int code, const struct err *err)
{
	struct story *s = arg;

	s->n_done++;
	s->code = code;
	s->err = *err;
	loop_stop(s->loop);
}

static void run(struct story *s, child_work_fn *work)
{
	const struct child_conf conf = {s->loop, work, on_done, s};

	assert_non_null(child_start(&conf, NULL));
	loop_run(s->loop);
	assert_int_equal(s->n_done, 1);
}

static int works(void *arg, struct err *err)
{
	struct story *s = arg;

	(void)err;
	s->changed = 1;
	/* Only what there always is. */
	for (int fd = 4; fd < 100; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			return -EMFILE;
	}
	return 0;
}

static void done_without_our_descriptors(void **state)
{
	struct story *s = *state;

	s->secret_fd = open("/dev/null", O_RDONLY);
	run(s, works);
	close(s->secret_fd);
	assert_int_equal(s->code, 0);
	assert_int_equal(s->changed, 0);
}

static int fails(void *arg, struct err *err)
{
	(void)arg;
	return err_set(err, -ENOSPC, "no room for %d", 7);
}

static void its_failure_is_told(void **state)
{
	struct story *s = *state;

	run(s, fails);
	assert_int_equal(s->code, -ENOSPC);
	assert_string_equal(s->err.text, "no room for 7");
}

static int dies(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	raise(SIGKILL);
	return 0;
}

static void its_death_is_told(void **state)
{
	struct story *s = *state;

	run(s, dies);
	assert_int_equal(s->code, -ECHILD);
	assert_non_null(strstr(s->err.text, "signal 9"));
}

static int hangs(void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	usleep(3000000);
	return 0;
}

/* Freed while it hangs: nobody waits for it, and nothing is told. */
static void one_that_hangs_is_left_behind(void **state)
{
	struct story *s = *state;
	const struct child_conf conf = {s->loop, hangs, on_done, s};
	uint64_t before_ms = loop_now_ms(s->loop);

	child_free(child_start(&conf, NULL));
	assert_true(loop_now_ms(s->loop) - before_ms < 2000);
	assert_int_equal(s->n_done, 0);
}

static int reap(void **state)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(done_without_our_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(its_failure_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(its_death_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_hangs_is_left_behind, setup, reap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
