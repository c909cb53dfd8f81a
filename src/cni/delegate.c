/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cni/applet.h"
#include "wire/cni.h"
#include "wire/cni_result.h"

#define BUSY_TRIES   6	       /* runs while the file is being written, a second apart */
#define LIMIT_OUTPUT (4 << 20) /* of a plugin's stdout or stderr */

static int plain(struct call *c, const char *text)
{
	return cni_fail(c->error, CNI_CODE_PLAIN, "%s", text);
}

/* ---- finding ---- */

/* "[/a /b]", as Go prints a list. */
static const char *path_list(const char *path, struct arena *a)
{
	char *list = arena_printf(a, "[%s]", path);

	for (char *p = list; *p; p++)
		*p = *p == ':' ? ' ' : *p;
	return list;
}

/* Is the file this program, under one of its names? A copy is not known as such and is executed. */
static bool is_us(const struct stat *st)
{
	struct stat self;

	return stat("/proc/self/exe", &self) == 0 && self.st_dev == st->st_dev &&
	       self.st_ino == st->st_ino;
}

/* *ret_path to execute, or what does it here: *ret_applet, else NULL. */
static int find(struct call *c, const char *type, const char **ret_path,
		const struct applet **ret_applet)
{
	struct stat st;

	if (!*type)
		return plain(c, "no plugin name provided");
	if (strchr(type, '/'))
		return cni_fail(c->error, CNI_CODE_PLAIN, "invalid plugin name: %s", type);
	if (!*c->env.path)
		return plain(c, "no paths provided");
	for (const char *dir = c->env.path, *end; *dir; dir = end + (*end == ':')) {
		const char *path;

		end = strchr(dir, ':');
		end = end ? end : dir + strlen(dir);
		path = arena_printf(c->arena, "%.*s/%s", (int)(end - dir), dir, type);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			*ret_path = path;
			*ret_applet = is_us(&st) ? applet_find(type) : NULL;
			return 0;
		}
	}
	return cni_fail(c->error, CNI_CODE_PLAIN, "failed to find plugin %s in path %s",
			gojson_quote(type, c->arena), path_list(c->env.path, c->arena));
}

/* ---- running ---- */

struct stream {
	char *text; /* terminated */
	size_t n, size_bytes;
};

/* What a plugin said and how it ended. */
struct output {
	struct stream out, err;
	int status; /* of waitpid() */
};

/* Our environment with another verb. */
static char **environment(enum cni_verb verb, struct arena *a)
{
	static const char key[] = "CNI_COMMAND=";
	size_t n = 0, out = 0;
	char **env;

	while (environ[n])
		n++;
	env = arena_array(a, char *, n + 2);
	for (size_t i = 0; i < n; i++) {
		if (strncmp(environ[i], key, sizeof(key) - 1) != 0)
			env[out++] = environ[i];
	}
	env[out] = arena_printf(a, "%s%s", key, cni_verb_names[verb]);
	return env;
}

/* The configuration as a file: it can neither block us nor the plugin. */
static int stdin_file(const struct call *c)
{
	int fd = memfd_create("cni-config", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, c->text, c->n) != (ssize_t)c->n || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void close_pair(int fd[2])
{
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			close(TAKE_FD(fd[i]));
	}
}

/* *ret_errno: of execve(), which the child shares its memory with us to tell. */
static pid_t spawn(const char *path, char **env, int in, int out, int err, int *ret_errno)
{
	char *argv[] = {(char *)(uintptr_t)path, NULL};
	volatile int failed = 0;
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		    dup2(err, STDERR_FILENO) < 0 || execve(path, argv, env) < 0)
			failed = errno;
		_exit(127);
	}
	*ret_errno = pid < 0 ? errno : failed;
	return pid;
}

/* Appends what can be read. False at the end, and once it is too much. */
static bool read_some(int fd, struct stream *s, struct arena *a)
{
	const size_t step = 4096;
	ssize_t n;

	if (s->size_bytes - s->n <= step) {
		char *bigger = arena_calloc(a, 1, 2 * s->size_bytes + 2 * step);

		memcpy(bigger, s->text, s->n);
		s->text = bigger;
		s->size_bytes = 2 * s->size_bytes + 2 * step;
	}
	n = read(fd, s->text + s->n, step);
	if (n < 0)
		return errno == EINTR;
	s->n += (size_t)n;
	s->text[s->n] = '\0';
	return n > 0 && s->n < LIMIT_OUTPUT;
}

/* Reads both streams to their ends. Being told to stop, we tell the plugin, and wait on. */
static void read_output(pid_t pid, int out, int err, struct output *o, struct arena *a)
{
	struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	bool told = false;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (call_stopped() && !told) {
			kill(pid, SIGTERM);
			told = true;
		}
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents && !read_some(out, &o->out, a))
			fds[0].fd = -1;
		if (fds[1].revents && !read_some(err, &o->err, a))
			fds[1].fd = -1;
	}
}

/* 0 and what it said; -errno if it could not be started. */
static int run_once(struct call *c, const char *path, char **env, struct output *ret)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, in, failed = 0;
	struct output o = {.out.text = arena_strdup(c->arena, ""),
			   .err.text = arena_strdup(c->arena, "")};
	pid_t pid = -1;

	in = stdin_file(c);
	if (in < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		failed = errno;
	else
		pid = spawn(path, env, in, out[1], err[1], &failed);
	if (in >= 0)
		close(in);
	if (out[1] >= 0)
		close(TAKE_FD(out[1]));
	if (err[1] >= 0)
		close(TAKE_FD(err[1]));
	if (pid >= 0 && !failed)
		read_output(pid, out[0], err[0], &o, c->arena);
	while (pid >= 0 && waitpid(pid, &o.status, 0) < 0 && errno == EINTR)
		;
	close_pair(out);
	close_pair(err);
	*ret = o;
	return -failed;
}

/* libc begins with a capital, Go does not. */
static const char *go_words(const char *text, struct arena *a)
{
	char *copy = arena_strdup(a, text);

	if (copy[0] >= 'A' && copy[0] <= 'Z')
		copy[0] |= 0x20;
	return copy;
}

/* How Go words the end of a process. */
static const char *status_text(int status, struct arena *a)
{
	if (WIFSIGNALED(status))
		return arena_printf(a, "signal: %s", go_words(strsignal(WTERMSIG(status)), a));
	return arena_printf(a, "exit status %d", WEXITSTATUS(status));
}

/* The plugin's own error object, or what can be said without one. */
static int plugin_error(struct call *c, const struct output *o)
{
	struct cni_error theirs;
	struct err err = {0};
	json_t *root = NULL;

	if (o->out.n == 0 && o->err.n == 0) {
		cni_fail(c->error, CNI_CODE_PLAIN, "netplugin failed with no error message: %s",
			 status_text(o->status, c->arena));
	} else if (o->out.n == 0) {
		cni_fail(c->error, CNI_CODE_PLAIN, "netplugin failed: %s",
			 gojson_quote(o->err.text, c->arena));
	} else if (gojson_parse(o->out.text, o->out.n, &root, &err) < 0 ||
		   cni_decode_error(root, &theirs, &err) < 0) {
		cni_fail(c->error, CNI_CODE_PLAIN,
			 "netplugin failed but error parsing its diagnostic message %s: %s",
			 gojson_quote(o->out.text, c->arena), err.text);
	} else {
		*c->error = theirs;
		json_decref(root);
		return -EINVAL;
	}
	json_decref(root);
	/* The reference leaves the code out where it made the message up itself. */
	c->error->code = CNI_CODE_UNKNOWN;
	return -EINVAL;
}

static int execute(struct call *c, const char *path, enum cni_verb verb, struct output *ret)
{
	const struct timespec second = {.tv_sec = 1};
	char **env = environment(verb, c->arena);
	int r = -ETXTBSY;

	for (int i = 0; i < BUSY_TRIES && r == -ETXTBSY && !call_stopped(); i++) {
		if (i > 0)
			nanosleep(&second, NULL);
		r = run_once(c, path, env, ret);
	}
	if (r < 0) {
		cni_fail(c->error, CNI_CODE_UNKNOWN,
			 "netplugin failed with no error message: fork/exec %s: %s", path,
			 go_words(strerror(-r), c->arena));
		return -EINVAL;
	}
	if (ret->err.n > 0)
		(void)!write(STDERR_FILENO, ret->err.text, ret->err.n);
	return ret->status != 0 ? plugin_error(c, ret) : 0;
}

/* ---- calling ---- */

int delegate_run(struct call *c, enum cni_verb verb, const char *type)
{
	struct output out;
	const struct applet *applet;
	struct call sub = *c;
	const char *path;
	int r;

	r = find(c, type, &path, &applet);
	if (r < 0)
		return r;
	if (!applet)
		return execute(c, path, verb, &out);
	sub.env.verb = verb;
	switch (verb) {
	case CNI_DEL:
		return applet->del(&sub);
	case CNI_CHECK:
		return applet->check(&sub);
	case CNI_STATUS:
		return applet->status ? applet->status(&sub) : 0;
	case CNI_GC:
		return 0;
	case CNI_ADD:
	case CNI_VERSION:
	case CNI_VERB__COUNT:
		break;
	}
	assert(!"a verb without a result");
	return -EINVAL;
}

/* The tree stays: the result borrows from it. */
static int decode_output(struct call *c, const struct output *o, struct cni_result *ret)
{
	enum cni_version version;
	struct err err = {0};
	json_t *root;

	if (gojson_parse(o->out.text, o->out.n, &root, &err) < 0)
		return cni_fail(c->error, CNI_CODE_PLAIN, "failed to unmarshal raw result: %s",
				err.text);
	*ret = (struct cni_result){0};
	/* A plugin with nothing to say may say null. */
	if (json_is_null(root) ||
	    cni_result_decode(root, c->conf.version, c->arena, ret, &version, &err) == 0)
		return 0;
	return call_fail(c, &err);
}

int delegate_add(struct call *c, const char *type, struct cni_result *ret)
{
	struct output out = {0};
	const struct applet *applet;
	struct call sub = *c;
	const char *path;
	int r;

	r = find(c, type, &path, &applet);
	if (r < 0)
		return r;
	if (applet) {
		sub.env.verb = CNI_ADD;
		return applet->add(&sub, ret);
	}
	r = execute(c, path, CNI_ADD, &out);
	return r < 0 ? r : decode_output(c, &out, ret);
}
