/* SPDX-License-Identifier: Apache-2.0 */
#include "os/plugin.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

struct scene {
	struct loop *loop;
	struct plugin *plugin;
	char told[700]; /* "output" or "! problem" */
	size_t n;
};

static int set_up(void **state)
{
	static struct scene s;

	s = (struct scene){.loop = loop_new()};
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	plugin_free(s->plugin);
	loop_free(s->loop);
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? 0 : -1; /* no child is left */
}

static void on_done(void *arg, const char *output, size_t n, const char *problem)
{
	struct scene *s = arg;
	struct text t = TEXT(s->told);

	s->n = n;
	text_add(&t, problem ? "! " : "");
	text_add_escaped(&t, problem ? problem : output, problem ? strlen(problem) : MIN(n, 200));
	assert_false(plugin_is_running(s->plugin));
	loop_stop(s->loop);
}

static void start(struct scene *s, const char *script, uint32_t deadline_ms)
{
	const char *const argv[] = {"sh", "-c", script, "sh", "an argument", NULL};
	char path[] = "PATH=/usr/bin:/bin", b[] = "B=of the plugin";
	char *const environment[] = {path, b, NULL};
	const struct plugin_conf conf = {argv, environment, deadline_ms, 100000};

	assert_int_equal(plugin_new(&conf, &s->plugin, NULL), 0);
}

static const char *run(struct scene *s)
{
	strcpy(s->told, "");
	plugin_run(s->plugin, s->loop, on_done, s);
	assert_true(plugin_is_running(s->plugin));
	loop_run(s->loop);
	return s->told;
}

static const struct {
	const char *script, *want;
} rows[] = {
	{"echo \"$1\"; echo ignored >&2", "an argument\\x0a"},
	{"echo \"$B, $HOME\"; cat", "of the plugin, \\x0a"}, /* nobody is at standard input */
	{":", ""},
	/* What it leaves behind does not hold us up. */
	{"sleep 1000 & echo left", "left\\x0a"},
	{"echo out; echo 'who are \"you\"?' >&2; echo more >&2; exit 3",
	 "! ended with code 3: who are \\x5cx22you\\x5cx22?"},
	{"exit 1", "! ended with code 1"},
	{"kill -9 $$", "! was ended by signal 9"},
	{"while :; do echo 0123456789012345678901234567890123456789; done",
	 "! wrote more than 100000 bytes and was killed"},
	{"ls /proc/self/fd | wc -l", "4\\x0a"}, /* 0, 1, 2 and that of ls */
	{"kill -TERM $$; echo deaf", "! was ended by signal 15"},
};

static void what_comes_of_it(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(s, rows[i].script, 60000);
		if (strcmp(run(s), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].script, s->told);
		plugin_free(s->plugin);
		s->plugin = NULL;
	}
}

static void again_and_again(void **state)
{
	struct scene *s = *state;

	start(s, "head -c 100000 /dev/zero", 60000);
	for (int i = 0; i < 5; i++) {
		run(s);
		assert_int_equal(s->n, 100000);
	}
}

static void it_hangs(void **state)
{
	struct scene *s = *state;

	static const char want[] = "! did not end within 1 s and was killed";

	start(s, "trap '' TERM; while :; do sleep 1000; done", 1000);
	assert_string_equal(run(s), want);
}

static void there_is_none(void **state)
{
	const char *const argv[] = {"/none/plugin", NULL};
	char *const environment[] = {NULL};
	const struct plugin_conf conf = {argv, environment, 60000, 1000};
	struct scene *s = *state;

	assert_int_equal(plugin_new(&conf, &s->plugin, NULL), 0);
	assert_string_equal(run(s), "! ended with code 127: cannot execute /none/plugin: No such "
				    "file or directory");
}

/* Also while it runs: whatever it started is killed before plugin_free() returns. */
static void given_up(void **state)
{
	struct scene *s = *state;

	start(s, "sleep 1000", 600000);
	plugin_run(s->plugin, s->loop, on_done, s);
	plugin_free(s->plugin);
	s->plugin = NULL;
	assert_string_equal(s->told, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_comes_of_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(again_and_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_hangs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(there_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(given_up, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
