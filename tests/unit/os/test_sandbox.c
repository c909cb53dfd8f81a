/* SPDX-License-Identifier: Apache-2.0 */
#include "os/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

/* The rest of what a process needs to end, and to say so. */
static const struct sandbox_call calls[] = {
	{SYS_write, "write"},
	{SYS_getppid, "getppid"},
	{SYS_exit_group, "exit_group"},
	{SYS_rt_sigreturn, "rt_sigreturn"},
	{SYS_mmap, "mmap"},
	{SYS_munmap, "munmap"},
	{SYS_getpid, "getpid"},
	{SYS_gettid, "gettid"},
	{SYS_tgkill, "tgkill"},
	{SYS_rt_sigprocmask, "rt_sigprocmask"},
	{SYS_clone, "clone"},
	{SYS_wait4, "wait4"},
	{SYS_sigaltstack, "sigaltstack"}, /* AddressSanitizer's, at the end */
};

static unsigned n_logged;

static void sink(enum log_level level, const char *event, const char *line)
{
	(void)line;
	n_logged += level == LOG_LEVEL_WARN && !strcmp(event, "sandbox.refused");
}

/* What the process that is sandboxed comes to: 0, or the line of the first surprise. */
#define EXPECT(condition)  \
 do {                      \
  if (!(condition))        \
   return __LINE__ & 0xff; \
 } while (0)

static int is_refused(long nr, long a, long b)
{
	errno = 0;
	return syscall(nr, a, b, 0) == -1 && errno == ENOSYS;
}

static int refuses(void)
{
	int last = -1;

	EXPECT(syscall(SYS_getppid) > 0);
	EXPECT(sandbox_refused(&last) == 0 && last == -1);
	EXPECT(is_refused(SYS_ptrace, 0, 0));
	EXPECT(sandbox_refused(&last) == 1 && last == SYS_ptrace);
	EXPECT(is_refused(SYS_personality, 0xffffffff, 0));
	EXPECT(is_refused(SYS_execve, (long)"/bin/true", 0));
	EXPECT(is_refused(SYS_socket, 2, 1));
	EXPECT(sandbox_refused(&last) == 4 && last == SYS_socket);
	EXPECT(n_logged == 3); /* the 1st, 2nd, 4th */
	EXPECT(syscall(SYS_getppid) > 0);
	return 0;
}

/* Our parent is not for us, we ourselves are. */
static int signals_itself_alone(void)
{
	EXPECT(syscall(SYS_tgkill, getppid(), getppid(), 0) == -1 && errno == ENOSYS);
	EXPECT(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0) == 0);
	abort();
}

/* As fork() does; no thread, no vfork, and above all no namespace in which it had every right. */
static int forks_and_no_more(void)
{
	int status = -1;
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		syscall(SYS_exit_group, 7);
	EXPECT(pid > 0);
	EXPECT(syscall(SYS_wait4, pid, &status, 0, 0) == pid);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	EXPECT(is_refused(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0));
	EXPECT(is_refused(SYS_clone, CLONE_NEWNET | SIGCHLD, 0));
	EXPECT(is_refused(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0));
	return 0;
}

static int has_no_rights(void)
{
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1 && errno == ENOSYS);
	return 0;
}

static int run(int (*inside)(void))
{
	const struct sandbox s = {0, calls, ARRAY_SIZE(calls)};
	struct err err = {0};
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		log_init(sink, LOG_LEVEL_INFO);
		signal(SIGABRT, SIG_DFL);
		if (sandbox_enter(&s, &err) != 0) {
			fprintf(stderr, "%s\n", err.text);
			_exit(255);
		}
		_exit(inside());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void the_rest_is_refused(void **state)
{
	int status = run(refuses);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void abort_works(void **state)
{
	int status = run(signals_itself_alone);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void a_plain_fork_works(void **state)
{
	int status = run(forks_and_no_more);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void there_is_no_way_back(void **state)
{
	int status = run(has_no_rights);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_is_refused),
		cmocka_unit_test(abort_works),
		cmocka_unit_test(a_plain_fork_works),
		cmocka_unit_test(there_is_no_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
