/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/front.h"
#include "agent/help.h"
#include "agent/opts.h"
#include "base/log.h"
#include "os/logger.h"

#define EXIT_USAGE	 2
#define ANSWER_TIMEOUT_S 5

extern char **environ;

static int usage(const char *command, const char *complaint)
{
	fprintf(stderr, "loden %s: %s\nSee: loden %s --help\n", command, complaint, command);
	return EXIT_USAGE;
}

/* --- agent -------------------------------------------------------------------------------------- */

static void warn_about(const struct opts_row *row)
{
	switch (row->effect) {
	case OPTS_WORKS:
		return;
	case OPTS_NO_EFFECT:
		log_info("flag.no_effect", "flag=--%s why=\"accepted for flannel's sake: %s\"",
			 row->name, row->help);
		return;
	case OPTS_EFFECT__COUNT:
		break;
	}
	abort();
}

/* Gives memory back early; what it costs is a system call per large pass. */
static void tune_malloc(void)
{
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	mallopt(M_TRIM_THRESHOLD, 64 << 10);
	mallopt(M_TOP_PAD, 16 << 10);
}

int commands_agent(int argc, char *argv[])
{
	char complaints[2048] = "", given[2048] = "";
	struct text bad = TEXT(complaints), flags = TEXT(given);
	struct opts o;
	struct err err;
	int r;

	if (opts_parse(argc, argv, &o, &err) < 0)
		return usage("agent", err.text);
	if (o.help) {
		help_agent(stdout);
		return 0;
	}
	if (o.version) {
		/* As flanneld: on standard error. */
		fprintf(stderr, "%s\n", LODEN_VERSION);
		return 0;
	}
	opts_env(environ, &o, &bad);
	log_init(logger_stderr, o.verbosity > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	opts_format(&o, &flags);
	log_info("agent.start", "version=%s pid=%d flags=\"%s\"", LODEN_VERSION, (int)getpid(),
		 given);
	for (char *rest, *line = strtok_r(complaints, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		log_error("flag.bad_variable", "why=\"%s\"", line);
	for (size_t i = 0; i < opts_table_n; i++) {
		if (o.given & 1ull << i)
			warn_about(&opts_table[i]);
	}
	tune_malloc();
	r = agent_run(&o, &err);
	if (r == AGENT_BAD_OPTION)
		return usage("agent", err.text);
	if (r != 0) {
		log_error("agent.cannot_start", "why=\"%s\"", err.text);
		return EXIT_FAILURE;
	}
	return 0;
}

/* --- asking an agent ---------------------------------------------------------------------------- */

static int ask(const char *run_dir, const char *request, struct err *err)
{
	const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd, n;

	n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/loden.sock", run_dir);
	if (n < 0 || (size_t)n >= sizeof(to.sun_path))
		return err_set(err, -ENAMETOOLONG, "--run-dir is too long for a socket: %s",
			       run_dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		n = err_set(err, -errno, "no agent answers at %s: %s%s", to.sun_path,
			    strerror(errno),
			    errno == EACCES ? "" : "\nIs one running here? Start it: loden agent");
	else if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		n = err_set(err, -errno, "asking at %s: %s", to.sun_path, strerror(errno));
	else
		return fd;
	close(fd);
	return n;
}

/* The answer is "<exit code>\n" and what to print. */
static int relay(FILE *answer, struct err *err)
{
	char buf[4096];
	int code;
	size_t n;

	errno = 0;
	if (!fgets(buf, sizeof(buf), answer) || sscanf(buf, "%d", &code) != 1)
		return err_set(err, -EPROTO, "the agent did not answer%s",
			       errno == EAGAIN ? " in time: it is busy, or stuck" : "");
	while ((n = fread(buf, 1, sizeof(buf), answer)) > 0)
		fwrite(buf, 1, n, stdout);
	if (ferror(answer))
		return err_set(err, -EPROTO, "the agent's answer was cut off");
	return code;
}

static int ask_main(const char *command, const char *request, const char *run_dir)
{
	struct err err;
	FILE *answer;
	int r = ask(run_dir, request, &err);

	if (r >= 0) {
		answer = fdopen(r, "r");
		if (!answer)
			abort();
		r = relay(answer, &err);
		fclose(answer);
	}
	if (r >= 0)
		return r;
	fprintf(stderr, "loden %s: %s\n", command, err.text);
	return FRONT_NO_AGENT;
}

/* Takes `word` out of argv; was it there? */
static bool take_word(int *argc, char *argv[], const char *word)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], word))
			continue;
		memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(*argv));
		(*argc)--;
		return true;
	}
	return false;
}

int commands_status(int argc, char *argv[])
{
	const bool json = take_word(&argc, argv, "--json");
	struct opts o;
	struct err err;

	if (opts_parse(argc, argv, &o, &err) < 0)
		return usage("status", err.text);
	if (o.help) {
		puts("Usage: loden status [--json] [--run-dir DIR]\n"
		     "Is this node's network working, and if not, why?\n"
		     "Exit code: 0 ready, 1 not ready, 2 no agent answers.");
		return 0;
	}
	return ask_main("status", json ? "status json\n" : "status\n", o.run_dir);
}

int commands_plan(int argc, char *argv[])
{
	struct opts o;
	struct err err;

	if (opts_parse(argc, argv, &o, &err) < 0)
		return usage("plan", err.text);
	if (o.help) {
		puts("Usage: loden plan [--run-dir DIR]\n"
		     "What would the agent change in the kernel now? Changes nothing.\n"
		     "Exit code: 0 nothing, 1 something, 2 no agent answers.");
		return 0;
	}
	return ask_main("plan", "plan\n", o.run_dir);
}
