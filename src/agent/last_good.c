/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/last_good.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/conf.h"
#include "base/log.h"
#include "core/backoff.h"
#include "core/leases.h"
#include "os/child.h"
#include "os/file.h"
#include "wire/netconf.h"
#include "wire/peers_file.h"

/* After a change, ± 20 %: what a crash may lose, and how often a cluster in motion makes us write. */
#define WRITE_MS   10000
#define RETRY_MS   30000
#define SOURCE_MAX 4096

enum outcome {
	OUTCOME_ELSEWHERE = 1, /* in the run directory, because of what err says */
};

struct last_good {
	struct loop *loop;
	const struct opts *opts;
	struct brain *brain;
	struct loop_watch *timer;
	struct child *child;
	bool armed;
	uint64_t store_id;
	struct ip told_ip, told_ip6;
	uint64_t kept_version; /* what the last child was to write */
	uint64_t random;
	char problem[sizeof(((struct err *)0)->text)];
};

static struct pb_bytes bytes_of(const char *text)
{
	return (struct pb_bytes){(const uint8_t *)text, strlen(text)};
}

static bool bytes_are(struct pb_bytes bytes, const char *text)
{
	return bytes.n == strlen(text) && (!bytes.n || memcmp(bytes.p, text, bytes.n) == 0);
}

static const char *in_dir(const char *dir, char path[FILE_PATH_SIZE])
{
	snprintf(path, FILE_PATH_SIZE, "%s/" LAST_GOOD_NAME, dir);
	return path;
}

/* Where the leases come from. No secret is in it. */
static const char *source_of(const struct opts *o, char buf[SOURCE_MAX])
{
	const char *node = getenv("NODE_NAME"); /* of somebody else's Node nothing is ours */

	if (o->kube_subnet_mgr)
		snprintf(buf, SOURCE_MAX, "kube %s %s", o->kube_annotation_prefix,
			 node ? node : "");
	else
		snprintf(buf, SOURCE_MAX, "etcd %s %s", o->etcd_endpoints, o->etcd_prefix);
	return buf;
}

/* "" = it has none, as in many containers. */
static const char *machine_of(char buf[40])
{
	if (file_read("/etc/machine-id", buf, 40, NULL) != 0)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

/* ---- reading ---- */

static int other_subnet(const struct opts *o, const struct cidr *was, const struct cidr *is,
			struct err *err)
{
	char was_text[CIDR_STRLEN], is_text[CIDR_STRLEN];

	return err_set(err, -EXDEV, "its subnet is %s, and %s says %s", cidr_format(was, was_text),
		       o->subnet_file, cidr_format(is, is_text));
}

static int check(const struct opts *o, const struct peers_file *f, struct err *err)
{
	const struct cidr *was = &f->own.subnet, *was6 = &f->own.subnet6;
	char source[SOURCE_MAX], machine[40];
	struct envfile_previous now;

	if (!bytes_are(f->source, source_of(o, source)))
		return err_set(
			err, -EXDEV,
			"it is of another source, or of other --etcd-endpoints or --etcd-prefix, "
			"or of another NODE_NAME");
	if (!bytes_are(f->machine, machine_of(machine)))
		return err_set(err, -EXDEV, "it is of a machine with another /etc/machine-id");
	/* Written by us just before a crash, or by flanneld: pods use that one. */
	conf_previous(o, &now);
	if (cidr_is_set(&now.subnet) && !cidr_eq(&now.subnet, was))
		return other_subnet(o, was, &now.subnet, err);
	/* Where one of the two has none, IPv4 is right all the same. */
	if (cidr_is_set(&now.subnet6) && cidr_is_set(was6) && !cidr_eq(&now.subnet6, was6))
		return other_subnet(o, was6, &now.subnet6, err);
	return 0;
}

static int take(const struct opts *o, struct peers_file *f, struct last_good_found *ret,
		struct err *err)
{
	char complaints[300] = "";
	struct text bad = TEXT(complaints);
	time_t written = (time_t)f->written_s;
	int64_t now_s = (int64_t)time(NULL);
	struct tm tm;
	size_t n = 0;

	if ((o->kube_subnet_mgr ? netconf_decode_given : netconf_decode)(
		    (const char *)f->netconf.p, f->netconf.n, &ret->conf, &bad) > 0)
		return err_set(err, -EINVAL, "its configuration is refused: %.*s",
			       (int)strcspn(complaints, "\n"), complaints);
	if (!gmtime_r(&written, &tm) || !strftime(ret->when, sizeof(ret->when), "%F %TZ", &tm))
		return err_set(err, -EINVAL, "its time is none");
	ret->own = f->own;
	ret->told_ip = f->told_ip;
	ret->told_ip6 = f->told_ip6;
	ret->leases = calloc(MAX(f->n_leases, (uint64_t)1), sizeof(*ret->leases));
	if (!ret->leases)
		abort();
	while (peers_file_next(f, &ret->leases[n]))
		n++;
	ret->event = (struct event){.type = EVENT_RECALLED,
				    .recalled = {
					    .conf = &ret->conf,
					    .leases = ret->leases,
					    .n = n,
					    .own = &ret->own,
					    .expires_s = -1,
					    .store_id = f->store_id,
					    .when = ret->when,
				    }};
	/* A clock that went back says nothing. */
	if (f->own_expires_s >= 0 && now_s < f->written_s)
		ret->event.recalled.expires_s = f->own_expires_s - f->written_s;
	else if (f->own_expires_s >= 0)
		ret->event.recalled.expires_s = MAX(f->own_expires_s - now_s, 0);
	return 0;
}

/* 0, or the log says why not. */
static int load(const struct opts *o, const char *dir, uint8_t **ret_bytes, struct peers_file *ret,
		struct err *err)
{
	char path[FILE_PATH_SIZE];
	struct pb_bytes in;
	int r = file_load(in_dir(dir, path), LIMIT_PEERS_FILE_BYTES, ret_bytes, &in.n, err);

	if (r == -ENOENT)
		return r;
	if (r == 0) {
		in.p = *ret_bytes;
		r = peers_file_decode(in, ret, err);
		if (r == 0)
			r = check(o, ret, err);
		if (r != 0)
			free(TAKE_PTR(*ret_bytes));
	}
	if (r != 0)
		log_warn("last_good.not_used", "file=%s why=\"%s\"", path, err->text);
	return r;
}

bool last_good_load(const struct opts *o, struct last_good_found *ret)
{
	const char *const dirs[] = {o->state_dir, o->run_dir};
	uint8_t *best_bytes = NULL, *bytes = NULL;
	struct peers_file best = {0}, f;
	struct err err = {0};
	int r = -ENOENT;

	/* Usually there is one. Of two, the later: where the first could not be written, the second was. */
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (load(o, dirs[i], &bytes, &f, &err) != 0)
			continue;
		if (best_bytes && best.written_s >= f.written_s) {
			free(TAKE_PTR(bytes));
			continue;
		}
		free(best_bytes);
		best_bytes = TAKE_PTR(bytes);
		best = f;
	}
	if (best_bytes) {
		r = take(o, &best, ret, &err);
		if (r < 0)
			log_warn("last_good.unusable", "why=\"%s\"", err.text);
		else
			log_info("last_good.read", "leases=%zu of=\"%s\"", ret->event.recalled.n,
				 ret->when);
	}
	free(best_bytes);
	return r == 0;
}

void last_good_found_free(struct last_good_found *f)
{
	free(TAKE_PTR(f->leases));
}

/* ---- writing ---- */

static int write_to(const struct last_good *g, const char *dir, const struct brain_keep *keep,
		    struct err *err)
{
	char source[SOURCE_MAX], machine[40], json[NETCONF_JSON_SIZE], path[FILE_PATH_SIZE];
	struct text t = TEXT(json);
	struct peers_file head = {
		.source = bytes_of(source_of(g->opts, source)),
		.machine = bytes_of(machine_of(machine)),
		.store_id = g->store_id,
		.told_ip = g->told_ip,
		.told_ip6 = g->told_ip6,
		.written_s = (int64_t)time(NULL),
		.own = *keep->own,
		.own_expires_s = -1,
		.n_leases = keep->n,
	};
	struct peers_file_out out;
	struct file_new file;
	int r = file_new_open(in_dir(dir, path), &file, err);

	if (r < 0)
		return r;
	netconf_encode(keep->conf, &t);
	head.netconf = bytes_of(json);
	if (keep->own_expires_ms >= 0)
		head.own_expires_s = head.written_s +
				     (keep->own_expires_ms - (int64_t)loop_now_ms(g->loop)) / 1000;
	peers_file_begin(&out, &head, file_new_write, &file);
	for (size_t i = 0; i < keep->n; i++)
		peers_file_add(&out, &keep->peers[i].lease);
	r = peers_file_end(&out);
	if (r < 0) {
		file_new_drop(&file);
		return err_set(err, r, "cannot write %s: %s", path, strerror(-r));
	}
	return file_new_commit(&file, err);
}

/* In the child, or at the end. */
static int write_out(void *arg, struct err *err)
{
	const struct last_good *g = arg;
	char path[FILE_PATH_SIZE];
	struct brain_keep keep;
	int r;

	brain_keep(g->brain, &keep);
	r = write_to(g, g->opts->state_dir, &keep, err);
	if (r == 0)
		return file_remove(in_dir(g->opts->run_dir, path), err);
	return write_to(g, g->opts->run_dir, &keep, NULL) < 0 ? r : OUTCOME_ELSEWHERE;
}

static void wake_in(struct last_good *g, uint64_t ms)
{
	uint64_t fifth = ms / 5;

	g->armed = true;
	loop_timer_at(g->timer, loop_now_ms(g->loop) + ms - fifth +
					backoff_random(&g->random) % (2 * fifth + 1));
}

static void look(struct last_good *g)
{
	uint64_t version = brain_keep_version(g->brain);

	if (version != 0 && version != g->kept_version && !g->armed && !g->child)
		wake_in(g, WRITE_MS);
}

static void on_written(void *arg, int code, const struct err *err)
{
	struct last_good *g = arg;
	char line[sizeof(g->problem)] = "";
	struct text t = TEXT(line);

	g->child = NULL;
	if (code != 0)
		text_add(&t, "a start without etcd is not prepared%s: %s",
			 code == OUTCOME_ELSEWHERE ? " for a reboot" : "", err->text);
	if (line[0] && strcmp(line, g->problem))
		log_warn("last_good.not_kept", "why=\"%s\"", line);
	else if (!line[0] && g->problem[0])
		log_info("last_good.kept_again", "dir=%s", g->opts->state_dir);
	memcpy(g->problem, line, sizeof(line));
	if (code != 0) {
		g->kept_version = 0;
		wake_in(g, RETRY_MS);
	}
	look(g);
}

static void on_timer(void *arg)
{
	const struct child_conf conf = {((struct last_good *)arg)->loop, write_out, on_written,
					arg};
	struct last_good *g = arg;
	uint64_t version = brain_keep_version(g->brain);
	struct err err;

	g->armed = false;
	if (g->child || version == 0)
		return; /* whatever makes it worth keeping is told */
	g->kept_version = version;
	g->child = child_start(&conf, &err);
	if (!g->child)
		on_written(g, -ECHILD, &err);
}

/* ---- life ---- */

struct last_good *last_good_new(struct loop *loop, const struct opts *o, struct brain *b)
{
	struct last_good *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	g->loop = loop;
	g->opts = o;
	g->brain = b;
	g->timer = loop_timer(loop, on_timer, g);
	g->random = loop_now_ms(loop) | 1;
	return g;
}

void last_good_free(struct last_good *g)
{
	uint64_t version;
	struct err err;

	if (!g)
		return;
	/* Of a child that is at it nobody knows whether it may go on. */
	version = brain_keep_version(g->brain);
	if (version != 0 && (version != g->kept_version || g->child) && write_out(g, &err) != 0)
		log_warn("last_good.not_kept_at_end", "why=\"%s\"", err.text);
	child_free(g->child);
	loop_watch_free(g->timer);
	free(g);
}

void last_good_saw(struct last_good *g, const struct event *ev)
{
	if (ev->type == EVENT_STORE)
		g->store_id = ev->store.id;
	look(g);
}

void last_good_told(struct last_good *g, const struct ip *ip, const struct ip *ip6)
{
	if (ip_eq(ip, &g->told_ip) && ip_eq(ip6, &g->told_ip6))
		return;
	g->told_ip = *ip;
	g->told_ip6 = *ip6;
	g->kept_version = 0;
	look(g);
}

const char *last_good_problem(const struct last_good *g)
{
	return g->problem;
}
