/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cni_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/cni_files.h"
#include "base/log.h"
#include "os/dirwatch.h"

/* syscalls: close */

#define EXIT_USAGE   2
#define PROBLEMS_MAX 2048
/* Who writes several files has time to finish; who always writes what we undo does not keep us busy. */
#define SOON_MS	     100
#define AFTER_PUT_MS 1000

extern char **environ;

/* --- for as long as the agent runs -------------------------------------------------------------- */

struct cni_keep {
	struct loop *loop;
	struct cni_files files;
	struct loop_watch *timer, *watch;
	int fd; /* -1: nothing is told, the timer alone finds out */
	bool is_ready, has_news;
	uint64_t not_before_ms;
	char problems[PROBLEMS_MAX];
};

static unsigned n_put;

static void log_put(const char *path, const char *why)
{
	n_put++;
	log_info("cni.installed", "file=%s why=\"it was %s\"", path, why);
}

static void log_problems(const char *problems, const char *before)
{
	char text[PROBLEMS_MAX];

	if (!strcmp(problems, before))
		return;
	memcpy(text, problems, strlen(problems) + 1);
	for (char *rest, *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		log_warn("cni.problem", "why=\"%s\"", line);
	if (!problems[0])
		log_info("cni.fine", "what=\"plugins and configuration are as they should be\"");
}

static void watch_dirs(struct cni_keep *k)
{
	const struct opts *o = k->files.opts;
	const char *slash = strrchr(o->cni_conf_file, '/');
	char dir[FILE_PATH_SIZE];

	if (k->fd < 0)
		return;
	dirwatch_add(k->fd, o->cni_bin_dir);
	dirwatch_add(k->fd, o->cni_conf_dir);
	if (slash && slash - o->cni_conf_file < (ptrdiff_t)sizeof(dir)) {
		text_add(&TEXT(dir), "%.*s", (int)(slash - o->cni_conf_file) + 1, o->cni_conf_file);
		dirwatch_add(k->fd, dir);
	}
}

static void pass(void *arg)
{
	struct cni_keep *k = arg;
	const uint64_t now_ms = loop_now_ms(k->loop);
	char problems[PROBLEMS_MAX] = "";
	struct text t = TEXT(problems);

	n_put = 0;
	k->has_news = false;
	watch_dirs(k);
	cni_files_put_plugins(&k->files, &t);
	cni_files_put_conflist(&k->files, k->is_ready, &t);
	if (n_put) /* directories may have come with it */
		watch_dirs(k);
	log_problems(problems, k->problems);
	memcpy(k->problems, problems, sizeof(problems));
	k->not_before_ms = now_ms + (n_put ? AFTER_PUT_MS : SOON_MS);
	loop_timer_at(k->timer, now_ms + (uint64_t)k->files.opts->audit_interval_s * 1000);
}

static void soon(struct cni_keep *k)
{
	const uint64_t now_ms = loop_now_ms(k->loop);

	if (k->has_news)
		return;
	k->has_news = true;
	loop_timer_at(k->timer, MAX(now_ms + SOON_MS, k->not_before_ms));
}

static void on_news(void *arg, int fd)
{
	dirwatch_read(fd);
	soon(arg);
}

struct cni_keep *cni_keep_new(struct loop *loop, const struct opts *o)
{
	struct cni_keep *k;
	struct err err;

	if (!o->install_cni)
		return NULL;
	k = calloc(1, sizeof(*k));
	if (!k)
		abort();
	k->loop = loop;
	k->files.fn = log_put;
	k->timer = loop_timer(loop, pass, k);
	k->fd = dirwatch_open(&err);
	if (k->fd < 0)
		log_warn("cni.unheard", "why=\"%s\"", err.text);
	else
		k->watch = loop_readable(loop, k->fd, on_news, k);
	if (cni_files_init(&k->files, o, &err))
		pass(k);
	else
		text_add(&TEXT(k->problems), "CNI plugins: %s\n", err.text);
	return k;
}

void cni_keep_free(struct cni_keep *k)
{
	if (!k)
		return;
	loop_watch_free(k->watch);
	loop_watch_free(k->timer);
	if (k->fd >= 0)
		close(k->fd);
	free(k);
}

void cni_keep_ready(struct cni_keep *k)
{
	if (!k || k->is_ready)
		return;
	k->is_ready = true;
	if (k->files.opts)
		loop_timer_at(k->timer, loop_now_ms(k->loop));
}

const char *cni_keep_problems(const struct cni_keep *k)
{
	return k ? k->problems : "";
}

/* --- once --------------------------------------------------------------------------------------- */

static void print_put(const char *path, const char *why)
{
	printf("installed %s, which was %s\n", path, why);
}

static int usage(const char *complaint)
{
	fprintf(stderr, "loden install-cni: %s\nSee: loden install-cni --help\n", complaint);
	return EXIT_USAGE;
}

int cni_keep_main(int argc, char *argv[])
{
	char complaints[PROBLEMS_MAX] = "", problems[PROBLEMS_MAX] = "";
	struct text bad = TEXT(complaints), t = TEXT(problems);
	struct cni_files files = {.fn = print_put};
	struct opts o;
	struct err err;

	if (opts_parse(argc, argv, &o, &err) < 0)
		return usage(err.text);
	if (o.help) {
		puts("Usage: loden install-cni [--cni-bin-dir DIR] [--cni-conf-dir DIR] [--cni-conf-file FILE]\n"
		     "                         [--cni-replace]\n"
		     "Puts the CNI plugins and the container runtime's configuration in place, where they\n"
		     "differ. The agent does so, and keeps them, with --install-cni.");
		return 0;
	}
	if (opts_env(environ, &o, &bad) > 0)
		fprintf(stderr, "loden install-cni: %s", complaints);
	if (!cni_files_init(&files, &o, &err)) {
		fprintf(stderr, "loden install-cni: %s\n", err.text);
		return EXIT_FAILURE;
	}
	cni_files_put_plugins(&files, &t);
	cni_files_put_conflist(&files, true, &t);
	for (char *rest, *line = strtok_r(problems, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		fprintf(stderr, "loden install-cni: %s\n", line);
	return t.len > 0 ? EXIT_FAILURE : 0;
}

int cni_keep_conf_main(int argc, char *argv[])
{
	struct stat st = {0};
	struct err err;
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: %s <src> <dest>\n", argc > 0 ? argv[0] : "install-conf");
		return EXIT_FAILURE;
	}
	(void)stat(argv[1], &st); /* install_look() says what is wrong with it */
	r = install_look(argv[2], argv[1], st.st_mode & 07777, &err);
	if (r >= 0 && r != INSTALL_SAME)
		r = install_copy(argv[2], argv[1], st.st_mode & 07777, &err);
	if (r < 0)
		fprintf(stderr, "error installing \"%s\": %s\n", argv[1], err.text);
	return r < 0 ? EXIT_FAILURE : 0;
}
