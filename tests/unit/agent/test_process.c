/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"

struct scene {
	char top[64], dir[80];
};

static char logged[4096];

static void sink(enum log_level level, const char *event, const char *line)
{
	struct text t = {.buf = logged, .size_bytes = sizeof(logged), .len = strlen(logged)};

	(void)level;
	text_add(&t, "%s %s\n", event, line);
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	strcpy(s->top, "/tmp/loden-test-XXXXXX");
	assert_non_null(mkdtemp(s->top));
	snprintf(s->dir, sizeof(s->dir), "%s/a/b", s->top);
	log_init(sink, LOG_LEVEL_INFO);
	logged[0] = '\0';
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	char command[120];

	snprintf(command, sizeof(command), "rm -rf %s", s->top);
	assert_int_equal(system(command), 0);
	log_init(NULL, LOG_LEVEL_INFO);
	free(s);
	return 0;
}

static void lock_has_one_holder(void **state)
{
	struct scene *s = *state;
	struct process first = PROCESS_INIT, second = PROCESS_INIT;
	char holder[40];
	struct err err;

	assert_int_equal(process_lock(&first, s->dir, &err), 0);
	process_last_exit_log(&first);
	assert_int_equal(process_lock(&second, s->dir, &err), 1);
	snprintf(holder, sizeof(holder), "another agent (pid %d) holds ", (int)getpid());
	assert_non_null(strstr(err.text, holder));
	assert_non_null(strstr(err.text, "--run-dir"));
	process_fini(&first);
	assert_int_equal(process_lock(&second, s->dir, &err), 0);
	process_fini(&second);
}

/* A process that is killed keeps its lock until the kernel has cleared it away. */
static void lock_of_a_dying_one_is_waited_for(void **state)
{
	struct scene *s = *state;
	struct process first = PROCESS_INIT, second = PROCESS_INIT;
	struct err err;
	int told[2], status;
	pid_t child;
	char byte;

	assert_int_equal(pipe(told), 0);
	child = fork();
	if (child == 0) {
		byte = process_lock(&first, s->dir, &err) == 0 ? 'y' : 'n';
		if (write(told[1], &byte, 1) == 1)
			usleep(50000);
		_exit(0);
	}
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_int_equal(process_lock(&second, s->dir, &err), 0);
	process_fini(&second);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(told[0]);
	close(told[1]);
}

static void run_once(const char *dir, int signo)
{
	struct process p = PROCESS_INIT;
	struct err err;

	assert_int_equal(process_lock(&p, dir, &err), 0);
	process_last_exit_log(&p);
	assert_int_equal(process_signals(&p, &err), 0);
	if (signo) {
		raise(signo);
		process_stopping(&p);
	}
	process_fini(&p);
}

static void last_exit_tells_who(void **state)
{
	struct scene *s = *state;
	char wanted[80];

	run_once(s->dir, SIGTERM);
	assert_null(strstr(logged, "last_exit")); /* the very first start */
	snprintf(wanted, sizeof(wanted), "agent.stop signal=SIGTERM sender_pid=%d sender_comm=\"",
		 (int)getpid());
	assert_non_null(strstr(logged, wanted));
	assert_non_null(strstr(logged, "rss_peak_kib="));

	logged[0] = '\0';
	run_once(s->dir, 0);
	assert_non_null(strstr(logged, "agent.last_exit signal=SIGTERM sender_pid="));

	logged[0] = '\0';
	run_once(s->dir, 0);
	assert_non_null(strstr(logged, "agent.last_exit_missing cause=\"killed, crashed"));
}

static void unwritable_is_said(void **state)
{
	struct scene *s = *state;
	struct process p = PROCESS_INIT;
	char file[100];
	struct err err;
	FILE *f;

	snprintf(file, sizeof(file), "%s/file", s->top);
	f = fopen(file, "w");
	fclose(f);
	strcat(file, "/dir");
	assert_int_equal(process_lock(&p, file, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "create directory"));
	assert_int_equal(process_state_dir(file, &err), 1);
	process_fini(&p);
}

static void systemd_is_told(void **state)
{
	struct scene *s = *state;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[40] = "";

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/notify", s->top);
	assert_return_code(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), errno);
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	process_notify("READY=1");
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 7);
	assert_string_equal(got, "READY=1");
	unsetenv("NOTIFY_SOCKET");
	process_notify("READY=1");
	close(fd);
}

static void systemd_is_told_by_an_abstract_name(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int n, fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char name[40], got[40] = "";

	(void)state;
	n = snprintf(name, sizeof(name), "@loden-test-%d", (int)getpid());
	memcpy(addr.sun_path + 1, name + 1, (size_t)n - 1); /* begins with a zero byte */
	assert_return_code(bind(fd, (const struct sockaddr *)&addr,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
			   errno);
	setenv("NOTIFY_SOCKET", name, 1);
	process_notify("STATUS=ready");
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 12);
	assert_string_equal(got, "STATUS=ready");
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

static void watchdog_is_asked_for_by_variables(void **state)
{
	static const struct {
		const char *usec, *pid; /* NULL = unset, "me" = our own */
		uint64_t ms;
	} cases[] = {
		{NULL, NULL, 0},
		{"60000000", NULL, 30000},
		{"60000000", "me", 30000},
		{"60000000", "1", 0},
		{"60000000", "", 0},
		{"0", "me", 0},
		{"-1", "me", 0},
		{"60s", "me", 0},
		{"99999999999999999999999", "me", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char me[24];

		snprintf(me, sizeof(me), "%d", (int)getpid());
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (cases[i].usec)
			setenv("WATCHDOG_USEC", cases[i].usec, 1);
		if (cases[i].pid)
			setenv("WATCHDOG_PID", strcmp(cases[i].pid, "me") ? cases[i].pid : me, 1);
		assert_int_equal(process_watchdog_ms(), cases[i].ms);
	}
}

#define SAY_PEAK "say-peak" /* what we are then started for */

/* The peak of ourselves, started by a process that held so much. */
static unsigned long peak_behind(size_t ballast_bytes)
{
	char said[32] = "";
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		volatile char *ballast = malloc(ballast_bytes + 1);

		for (size_t i = 0; i < ballast_bytes; i += 4096)
			ballast[i] = 1;
		dup2(ends[1], STDOUT_FILENO);
		execl("/proc/self/exe", "test_process", SAY_PEAK, (char *)NULL);
		_exit(1);
	}
	close(ends[1]);
	assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	return strtoul(said, NULL, 10);
}

/* What a container's runtime took before it became us is not ours. */
static void peak_begins_with_the_program(void **state)
{
	unsigned long alone = peak_behind(0);

	(void)state;
	assert_true(alone > 0);
	assert_true(peak_behind((size_t)256 << 20) < alone + (128ul << 10));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lock_has_one_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(lock_of_a_dying_one_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(last_exit_tells_who, setup, teardown),
		cmocka_unit_test_setup_teardown(unwritable_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(systemd_is_told, setup, teardown),
		cmocka_unit_test(systemd_is_told_by_an_abstract_name),
		cmocka_unit_test(watchdog_is_asked_for_by_variables),
		cmocka_unit_test(peak_begins_with_the_program),
	};

	if (argc > 1 && strcmp(argv[1], SAY_PEAK) == 0)
		return printf("%llu", (unsigned long long)process_rss_peak_kib()) <= 0;

	return cmocka_run_group_tests(tests, NULL, NULL);
}
