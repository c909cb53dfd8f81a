/* SPDX-License-Identifier: Apache-2.0 */
#include "os/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "os/child.h"
#include "os/sandbox.h"

/* The agent itself, once it is confined: what the keeper calls is not filtered.
 * syscalls: read write close wait4 */

#define TICK_MS	  50  /* how often is looked whether the program has ended */
#define LINE_SIZE 200 /* of what it complains */
#define KEEPER_FD 3

/* What the keeper answers; the output follows. */
struct answer {
	char problem[LINE_SIZE + 200]; /* "" = none */
	size_t n;
};

struct plugin {
	pid_t keeper;
	int fd;
	struct loop_watch *watch;
	plugin_done_fn *done;
	void *arg;
	char *got; /* a struct answer and what follows */
	size_t n, size;
};

/* ---- the keeper ---- */

/* A program that runs. */
struct job {
	const struct plugin_conf *conf;
	pid_t pid;
	bool ended;
	int status;
	int out, err; /* -1 = at its end */
	char *output;
	size_t n;
	char line[LINE_SIZE]; /* the first of its complaints */
	size_t n_line;
	bool too_much;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

_Noreturn static void execute(const struct plugin_conf *conf, int out, int err)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	/* The others close when it is executed. */
	environ = (char **)(uintptr_t)conf->environment;
	execvp(conf->argv[0], (char *const *)(uintptr_t)conf->argv);
	dprintf(STDERR_FILENO, "cannot execute %s: %s\n", conf->argv[0], strerror(errno));
	_exit(127);
}

static bool job_start(struct job *j)
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return false;
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return false;
	}
	j->pid = fork();
	if (j->pid == 0)
		execute(j->conf, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	j->out = out[0];
	j->err = err[0];
	/* Its grandchildren may hold the pipes for ever. */
	fcntl(j->out, F_SETFL, O_NONBLOCK);
	fcntl(j->err, F_SETFL, O_NONBLOCK);
	if (j->pid > 0)
		setpgid(j->pid, j->pid); /* whoever comes first */
	return j->pid > 0;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* At an end of file closes it. */
static size_t take(int *fd, char *buf, size_t size)
{
	const ssize_t n = *fd >= 0 ? read(*fd, buf, size) : -1;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		shut(fd);
	return n > 0 ? (size_t)n : 0;
}

/* All that can be read without waiting. */
static void job_read(struct job *j)
{
	char buf[4096];
	size_t n;

	while ((n = take(&j->out, buf, sizeof(buf))) > 0) {
		if (n > j->conf->output_bytes - j->n) {
			j->too_much = true;
			return;
		}
		memcpy(j->output + j->n, buf, n);
		j->n += n;
	}
	while ((n = take(&j->err, buf, sizeof(buf))) > 0) {
		n = MIN(n, sizeof(j->line) - j->n_line);
		memcpy(j->line + j->n_line, buf, n);
		j->n_line += n;
	}
}

/* False = nobody is there any more to tell. */
static bool job_wait(struct job *j, int fd)
{
	const uint64_t until_ms = now_ms() + j->conf->deadline_ms;

	while (!j->too_much) {
		struct pollfd fds[] = {{fd, POLLIN, 0}, {j->out, POLLIN, 0}, {j->err, POLLIN, 0}};

		j->ended = j->ended || waitpid(j->pid, &j->status, WNOHANG) == j->pid;
		job_read(j);
		if (j->ended || now_ms() >= until_ms)
			return true;
		poll(fds, ARRAY_SIZE(fds), TICK_MS);
		if (fds[0].revents != 0)
			return false;
	}
	return true;
}

static void job_judge(const struct job *j, struct answer *ret)
{
	struct text t = TEXT(ret->problem);
	const size_t n = MIN(strcspn(j->line, "\r\n"), j->n_line);

	ret->problem[0] = '\0';
	if (j->too_much)
		text_add(&t, "wrote more than %zu bytes and was killed", j->conf->output_bytes);
	else if (!j->ended)
		text_add(&t, "did not end within %u s and was killed", j->conf->deadline_ms / 1000);
	else if (WIFSIGNALED(j->status))
		text_add(&t, "was ended by signal %d", WTERMSIG(j->status));
	else if (WEXITSTATUS(j->status) != 0)
		text_add(&t, "ended with code %d", WEXITSTATUS(j->status));
	else
		return;
	if (n > 0) {
		text_add(&t, ": ");
		text_add_escaped(&t, j->line, n);
	}
}

static bool send_all(int fd, const void *bytes, size_t n)
{
	for (const char *p = bytes; n > 0;) {
		const ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* False = nobody is there any more. */
static bool serve(const struct plugin_conf *conf, int fd)
{
	struct job j = {.conf = conf, .out = -1, .err = -1};
	struct answer answer = {"cannot be started: no process or memory is left", 0};
	bool there = true;

	j.output = malloc(conf->output_bytes);
	if (j.output && job_start(&j)) {
		there = job_wait(&j, fd);
		kill(-j.pid, SIGKILL);
		if (!j.ended)
			waitpid(j.pid, NULL, 0);
		job_judge(&j, &answer);
		answer.n = answer.problem[0] ? 0 : j.n;
	}
	shut(&j.out);
	shut(&j.err);
	there = there && send_all(fd, &answer, sizeof(answer)) && send_all(fd, j.output, answer.n);
	if (j.output)
		explicit_bzero(j.output, j.n);
	free(j.output);
	return there;
}

_Noreturn static void keep(const struct plugin_conf *conf, int fd)
{
	/* Not the filter: that is the agent's, and would be the program's. */
	const struct sandbox s = {.capabilities = 1ull << CAP_DAC_READ_SEARCH};
	sigset_t none;
	char question;
	ssize_t n;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A signal to all of the service: the agent decides when we end, by ending. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (fd != KEEPER_FD) {
		dup2(fd, KEEPER_FD);
		fd = KEEPER_FD;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	child_close_fds(KEEPER_FD + 1);
	(void)sandbox_enter(&s, NULL);
	do
		n = read(fd, &question, 1);
	while ((n < 0 && errno == EINTR) || (n == 1 && serve(conf, fd)));
	_exit(0);
}

/* ---- the agent's side ---- */

int plugin_new(const struct plugin_conf *conf, struct plugin **ret, struct err *err)
{
	struct plugin *p = calloc(1, sizeof(*p));
	int pair[2], r;

	assert(conf->output_bytes <= PLUGIN_OUTPUT_MAX);
	if (!p)
		abort();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		r = err_set(err, -errno, "no socket: %s", strerror(errno));
		free(p);
		return r;
	}
	p->keeper = fork();
	if (p->keeper == 0)
		keep(conf, pair[1]);
	r = p->keeper < 0 ? err_set(err, -errno, "no child process: %s", strerror(errno)) : 0;
	close(pair[1]);
	p->fd = pair[0];
	if (r < 0) {
		plugin_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

static void forget(struct plugin *p)
{
	loop_watch_free(p->watch);
	p->watch = NULL;
	if (p->got)
		explicit_bzero(p->got, p->n);
	free(p->got);
	p->got = NULL;
	p->n = p->size = 0;
}

static void tell(struct plugin *p, const char *problem)
{
	const struct answer *a = (const void *)p->got;
	struct plugin mine = *p;

	/* Whoever is told may run it again, or free it. */
	loop_watch_free(TAKE_PTR(p->watch));
	mine.watch = NULL;
	p->got = NULL;
	p->n = p->size = 0;
	if (problem)
		mine.done(mine.arg, "", 0, problem);
	else
		mine.done(mine.arg, (const char *)(a + 1), a->n, a->problem[0] ? a->problem : NULL);
	forget(&mine);
}

static void on_answer(void *arg, int fd)
{
	struct plugin *p = arg;
	const struct answer *a;
	ssize_t n;

	if (p->n == p->size) {
		p->size = p->size ? 2 * p->size : 16384;
		p->got = realloc(p->got, p->size);
		if (!p->got)
			abort();
	}
	n = read(fd, p->got + p->n, p->size - p->n);
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		tell(p, "cannot be run any more: its keeper is gone; restart the agent");
		return;
	}
	p->n += (size_t)n;
	a = (const void *)p->got;
	if (p->n >= sizeof(*a) && p->n == sizeof(*a) + a->n)
		tell(p, NULL);
}

void plugin_run(struct plugin *p, struct loop *loop, plugin_done_fn *done, void *arg)
{
	assert(!p->watch);
	p->done = done;
	p->arg = arg;
	/* If it is gone, reading says so. */
	(void)!send(p->fd, "?", 1, MSG_NOSIGNAL);
	p->watch = loop_readable(loop, p->fd, on_answer, p);
}

bool plugin_is_running(const struct plugin *p)
{
	return p->watch != NULL;
}

void plugin_free(struct plugin *p)
{
	if (!p)
		return;
	forget(p);
	close(p->fd);
	if (p->keeper > 0)
		waitpid(p->keeper, NULL, 0); /* kills what runs, and ends */
	free(p);
}
