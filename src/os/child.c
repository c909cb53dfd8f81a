/* SPDX-License-Identifier: Apache-2.0 */
#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* syscalls: clone set_robust_list pipe2 dup2 dup3 close_range close prlimit64 rt_sigprocmask */
/* syscalls: read write wait4 exit_group */

#define FDS_MAX 65536 /* where the kernel has no close_range(): Linux before 5.9 */

struct child {
	struct child_conf conf;
	pid_t pid;
	int fd; /* the pipe; at its end stands what came of it */
	struct loop_watch *watch;
};

/* Fits a pipe's atomic write (4096). */
struct outcome {
	int code;
	struct err err;
};

void child_close_fds(unsigned from)
{
	long n = sysconf(_SC_OPEN_MAX);

	if (close_range(from, ~0u, 0) == 0)
		return;
	for (unsigned fd = from; fd < (n < 0 || n > FDS_MAX ? FDS_MAX : (unsigned)n); fd++)
		close((int)fd);
}

_Noreturn static void run(const struct child_conf *conf, int fd)
{
	struct outcome o = {0};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Standard streams stay, whatever they are; everything else is the parent's. */
	if (fd != STDERR_FILENO + 1) {
		dup2(fd, STDERR_FILENO + 1);
		fd = STDERR_FILENO + 1;
	}
	child_close_fds(STDERR_FILENO + 2);
	o.code = conf->work(conf->arg, &o.err);
	_exit(write(fd, &o, sizeof(o)) == sizeof(o) ? 0 : 1);
}

static void forget(struct child *c, int wait_flags)
{
	loop_watch_free(c->watch);
	close(c->fd);
	if (c->pid > 0)
		waitpid(c->pid, NULL, wait_flags);
	free(c);
}

/* The pipe is closed, or holds its last word: it ends, and nothing is left that could hang. */
static void on_end(void *arg, int fd)
{
	struct child *c = arg;
	struct child_conf conf = c->conf;
	struct outcome o;
	int status = 0;

	if (read(fd, &o, sizeof(o)) != sizeof(o)) {
		waitpid(c->pid, &status, 0);
		c->pid = 0;
		o.code = err_set(&o.err, -ECHILD, "the child that did it was ended by signal %d",
				 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	forget(c, 0);
	conf.done(conf.arg, o.code, &o.err);
}

struct child *child_start(const struct child_conf *conf, struct err *err)
{
	struct child *c = calloc(1, sizeof(*c));
	int fds[2];

	if (!c)
		abort();
	c->conf = *conf;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		err_set(err, -errno, "no pipe: %s", strerror(errno));
		free(c);
		return NULL;
	}
	c->pid = fork();
	if (c->pid == 0)
		run(conf, fds[1]);
	close(fds[1]);
	c->fd = fds[0];
	if (c->pid < 0) {
		err_set(err, -errno, "no child process: %s", strerror(errno));
		forget(c, 0);
		return NULL;
	}
	c->watch = loop_readable(conf->loop, c->fd, on_end, c);
	return c;
}

void child_free(struct child *c)
{
	if (c)
		forget(c, WNOHANG); /* should it hang, it is init's one day */
}
