/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/front.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/process.h"
#include "base/log.h"
#include "core/backoff.h"
#include "os/httpd.h"
#include "os/sandbox.h"
#include "wire/metrics.h"
#include "wire/status.h"

/* syscalls: unlink unlinkat */

#define SCREEN_MAX 8192

struct front {
	struct front_conf conf;
	struct serve *socket;
	struct httpd *health;
	struct loop_watch *retry, *watchdog;
	struct backoff backoff;
	uint64_t random;
	struct err socket_problem, health_problem;
	bool told_ready; /* systemd is told once */
	enum ready ready;
	char problem[sizeof(((struct status *)0)->problem)];
};

/* The brain's status, and what is wrong with us. */
static void status_of(struct front *f, struct status *ret)
{
	unsigned n_refused;
	struct text notes;
	int nr = 0;

	f->conf.status(f->conf.arg, ret);
	notes = (struct text){
		.buf = ret->notes, .size_bytes = sizeof(ret->notes), .len = strlen(ret->notes)};
	if (f->health_problem.text[0])
		text_add(&notes, "health endpoint: %s; it is tried again\n",
			 f->health_problem.text);
	n_refused = sandbox_refused(&nr);
	if (n_refused)
		text_add(&notes,
			 "the sandbox refused %u system calls, the last was number %d: please "
			 "report it; --sandbox=false turns it off\n",
			 n_refused, nr);
}

static bool is_ready(void *arg)
{
	struct front *f = arg;
	struct status s;

	f->conf.status(f->conf.arg, &s);
	return s.ready == READY_YES;
}

static const char *give_metrics(void *arg)
{
	static char text[METRICS_MAX];
	struct front *f = arg;
	struct text t = TEXT(text);
	struct status s;

	f->conf.status(f->conf.arg, &s);
	metrics_format(&s, &t);
	return text;
}

static void answer_status(struct front *f, bool json, FILE *out)
{
	char screen[SCREEN_MAX] = "";
	struct text t = TEXT(screen);
	struct status s;
	char *text;

	status_of(f, &s);
	fprintf(out, "%d\n", s.ready == READY_YES ? FRONT_READY : FRONT_NOT_READY);
	if (!json) {
		status_format(&s, &t);
		fputs(screen, out);
		return;
	}
	text = status_encode(&s);
	fprintf(out, "%s\n", text ? text : "{}");
	free(text);
}

static void answer_plan(struct front *f, FILE *out)
{
	char *text = NULL;
	size_t n;
	FILE *words = open_memstream(&text, &n);
	bool something;

	if (!words)
		abort();
	something = f->conf.plan(f->conf.arg, words);
	if (fclose(words) != 0)
		abort();
	fprintf(out, "%d\n%s", something ? FRONT_NOT_READY : FRONT_READY, text);
	free(text);
}

static void answer(void *arg, const char *request, FILE *out)
{
	if (!strcmp(request, "status\n"))
		answer_status(arg, false, out);
	else if (!strcmp(request, "status json\n"))
		answer_status(arg, true, out);
	else if (!strcmp(request, "plan\n"))
		answer_plan(arg, out);
	else
		fprintf(out, "%d\nthis agent (version %s) knows: status, status json, plan\n",
			FRONT_NO_AGENT, LODEN_VERSION);
}

static void open_socket(struct front *f)
{
	const struct serve_conf conf = {.loop = f->conf.loop, .end = "\n", .fn = answer, .arg = f};
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/loden.sock", f->conf.opts->run_dir);
	if (serve_listen_unix(path, 0660, &fd, &f->socket_problem) == 0)
		f->socket = serve_open(&conf, fd);
}

static void open_health(struct front *f)
{
	const struct opts *o = f->conf.opts;
	struct httpd_conf conf = {.loop = f->conf.loop,
				  .port = (uint16_t)MAX(o->healthz_port, 0),
				  .ready = is_ready,
				  .metrics_type = METRICS_TYPE,
				  .metrics = give_metrics,
				  .arg = f};

	if (o->healthz_port <= 0 || !ip_parse(o->healthz_ip, &conf.ip))
		return;
	if (httpd_open(&conf, &f->health, &f->health_problem) == 0)
		f->health_problem.text[0] = '\0';
}

static void open_missing(void *arg)
{
	struct front *f = arg;
	struct err socket_was = f->socket_problem, health_was = f->health_problem;

	if (!f->socket)
		open_socket(f);
	if (!f->health)
		open_health(f);
	if (!f->socket && strcmp(socket_was.text, f->socket_problem.text))
		log_warn("front.no_socket", "why=\"%s\"", f->socket_problem.text);
	if (!f->health && strcmp(health_was.text, f->health_problem.text))
		log_warn("front.no_health", "why=\"%s\"", f->health_problem.text);
	if (!f->socket || f->health_problem.text[0])
		loop_timer_at(f->retry,
			      loop_now_ms(f->conf.loop) +
				      backoff_next_ms(&f->backoff, backoff_random(&f->random)));
}

/* From within the loop: what blocks that, silences this, and systemd starts us anew. */
static void feed_watchdog(void *arg)
{
	struct front *f = arg;
	uint64_t every_ms = process_watchdog_ms();

	if (every_ms == 0)
		return;
	process_notify("WATCHDOG=1");
	loop_timer_at(f->watchdog, loop_now_ms(f->conf.loop) + every_ms);
}

struct front *front_new(const struct front_conf *conf)
{
	struct front *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->conf = *conf;
	f->random = loop_now_ms(conf->loop) | 1;
	f->retry = loop_timer(conf->loop, open_missing, f);
	open_missing(f);
	f->watchdog = loop_timer(conf->loop, feed_watchdog, f);
	feed_watchdog(f);
	return f;
}

void front_free(struct front *f)
{
	char path[600];

	if (!f)
		return;
	serve_close(f->socket);
	snprintf(path, sizeof(path), "%s/loden.sock", f->conf.opts->run_dir);
	unlink(path);
	httpd_close(f->health);
	loop_watch_free(f->retry);
	loop_watch_free(f->watchdog);
	free(f);
}

void front_changed(struct front *f)
{
	char line[sizeof(f->problem) + 16];
	struct text t = TEXT(line);
	struct status s;

	f->conf.status(f->conf.arg, &s);
	if (s.ready == f->ready && !strcmp(s.problem, f->problem))
		return;
	if (s.ready == READY_NO)
		log_warn("agent.unready", "problem=\"%s\"", s.problem);
	else if (f->ready == READY_NO)
		log_info("agent.ready", "generation=%llu peers=%zu",
			 (unsigned long long)s.verified_generation, s.n_peers);
	/* Whoever has the problem has logged it; here is that it does not matter yet. */
	if (s.ready == READY_YES && (f->ready == READY_YES || s.problem[0]))
		log_info("agent.still_ready", "problem=\"%s\"", s.problem);
	f->ready = s.ready;
	text_copy(f->problem, sizeof(f->problem), s.problem);
	if (s.ready == READY_YES && !f->told_ready) {
		process_notify("READY=1");
		f->told_ready = true;
	}
	text_add(&t, "STATUS=%s", s.problem[0] ? s.problem : "ready");
	line[strcspn(line, "\n")] = '\0'; /* a second line would be another assignment */
	process_notify(line);
}
