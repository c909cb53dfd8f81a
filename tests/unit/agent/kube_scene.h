/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_AGENT_KUBE_SCENE_H
#define TESTS_UNIT_AGENT_KUBE_SCENE_H
/* The source of leases from the Kubernetes API with all that is below it but the connection, which the test plays
 * (fake_h2.h), and time (fake_loop.h): bytes in, events out. We are Node a. A test includes this once, behind cmocka.h.
 */

#include <stdio.h>
#include <unistd.h>

#include "agent/source.h"
#include "base/log.h"
#include "os/file.h"

#include "../wire/kube_build.h"
#include "fake_h2.h"
#include "fake_loop.h"

#define SERVER "10.0.0.1:6443 (--kube-api-url): "

static struct {
	struct loop loop;
	struct source *source;
	char dir[40], net[60];
	struct opts opts;
	struct ip told_ip; /* by an earlier run */
	unsigned n_told_ip;
	const char *url;	       /* "" = as a pod */
	char told[2000], logged[4000]; /* since the last look */
} scene;

/* ---- what is asked ---- */

static struct h2_stream *find(bool all, const char *part)
{
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct h2_stream *s = &h2.streams[i];
		bool named = strstr(s->path, "fieldSelector=metadata.name%3Da") != NULL;

		if (s->open && strstr(s->path, part) && named != all)
			return s;
	}
	return NULL;
}

/* What waits for an answer and has this in its path: of our own Node alone, or of any. */
static struct h2_stream *asked(bool all, const char *part)
{
	struct h2_stream *s = find(all, part);

	if (!s)
		fail_msg("nothing with \"%s\" is asked for", part);
	return s;
}

#define LIST_MINE  asked(false, "nodes?resourceVersion=")
#define WATCH_MINE asked(false, "&watch=true")
#define LIST	   asked(true, "nodes?resourceVersion=")
#define WATCH	   asked(true, "&watch=true")

/* ---- the owner ---- */

static inline void tell(const char *what, const struct lease *l)
{
	struct text t = {
		.buf = scene.told, .size_bytes = sizeof(scene.told), .len = strlen(scene.told)};
	char cidr[CIDR_STRLEN];

	text_add(&t, "%s%s; ", what, l ? cidr_format(&l->subnet, cidr) : "");
}

static inline void on_event(void *arg, const struct event *ev)
{
	(void)arg;
	switch (ev->type) {
	case EVENT_CONFIG:
		tell(ev->config.conf ? "config" : ev->config.problem, NULL);
		break;
	case EVENT_LEASES:
		tell("list", NULL);
		for (size_t i = 0; i < ev->leases.n; i++)
			tell("", &ev->leases.leases[i]);
		break;
	case EVENT_LEASE_PUT:
		tell("+", ev->put.lease);
		break;
	case EVENT_LEASE_GONE:
		tell("-", ev->gone.lease);
		break;
	case EVENT_OWN:
		tell(ev->own.state == OWN_HELD ? "held" : ev->own.problem, NULL);
		break;
	case EVENT_SOURCE:
		tell(ev->source.up ? "up" : ev->source.problem, NULL);
		break;
	case EVENT_STORE:
		tell("store", NULL);
		break;
	case EVENT_UPLINK:
	case EVENT_RECALLED:
	case EVENT_NOTICE:
	case EVENT_DUMP_BEGIN:
	case EVENT_OBJECT:
	case EVENT_DUMP_END:
	case EVENT_APPLIED:
	case EVENT_TIMER:
	case EVENT__COUNT:
		fail();
	}
}

static inline void on_public_ip(void *arg, const struct ip *ip, const struct ip *ip6)
{
	(void)arg;
	(void)ip6;
	scene.told_ip = *ip;
	scene.n_told_ip++;
}

static inline void on_log(enum log_level level, const char *event, const char *line)
{
	struct text t = {.buf = scene.logged,
			 .size_bytes = sizeof(scene.logged),
			 .len = strlen(scene.logged)};

	(void)level;
	if (strcmp(event, "node.malformed") == 0)
		text_add(&t, "%s\n", line);
}

static inline void want_told(const char *want)
{
	assert_string_equal(scene.told, want);
	scene.told[0] = '\0';
}

static inline void want_logged(const char *part)
{
	if (!strstr(scene.logged, part))
		fail_msg("logged: %s\nwanted: %s", scene.logged, part);
	scene.logged[0] = '\0';
}

#define CONF "{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}"

static inline void open_source(const char *conf)
{
	char name[] = "x", *argv[] = {name, NULL};
	struct err err;

	assert_int_equal(opts_parse(1, argv, &scene.opts, NULL), 0);
	assert_int_equal(file_replace(scene.net, conf, NULL), 0);
	scene.opts.kube_subnet_mgr = true;
	scene.opts.kube_api_url = scene.url;
	scene.opts.net_config_path = scene.net;
	scene.opts.state_dir = scene.dir;
	if (source_kube.open(&(struct source_conf){.loop = &scene.loop,
						   .fn = on_event,
						   .public_ip = on_public_ip,
						   .told_ip = scene.told_ip,
						   .seed = 7,
						   .opts = &scene.opts},
			     &scene.source, &err) < 0)
		fail_msg("%s", err.text);
	fake_loop_pass(&scene.loop, 0);
}

static inline void come_up(void)
{
	assert_true(h2.open);
	h2.conf.up(h2.conf.arg);
}

/* Our own Node is read and watched; the list of all is asked for. */
static inline void begin_mine(void)
{
	reply(LIST_MINE, "200", list_of("a", "10.244.1.0/24", 10));
	header(WATCH_MINE, ":status", "200");
}

static inline struct pb_bytes both(void)
{
	size_t list = list_begin("NodeList", 10);

	put_item_node("a", "10.244.1.0/24", 9);
	put_item_node("b", "10.244.2.0/24", 9);
	pb_end(&o, list);
	return body_end();
}

#define BOTH "list; 10.244.1.0/24; 10.244.2.0/24; "

/* All is well: a and b are known and watched. */
static inline void begin(void)
{
	open_source(CONF);
	come_up();
	begin_mine();
	reply(LIST, "200", both());
	header(WATCH, ":status", "200");
	want_told("config; store; " BOTH "up; ");
}

/* The next connection, on which all is well. */
static inline void recover(void)
{
	fake_loop_pass(&scene.loop, 60000);
	come_up();
	begin_mine();
	if (!strstr(LIST->path, "&watch=true"))
		reply(LIST, "200", both());
	header(WATCH, ":status", "200");
	if (strcmp(scene.told, "up; ") != 0 && strcmp(scene.told, BOTH "up; ") != 0)
		fail_msg("told: %s", scene.told);
	scene.told[0] = '\0';
}

static inline int set_up(void **state)
{
	(void)state;
	memset(&scene, 0, sizeof(scene));
	memset(&h2, 0, sizeof(h2));
	scene.loop.now_ms = 1000000;
	scene.url = "http://10.0.0.1:6443";
	strcpy(scene.dir, "/tmp/test_kube.XXXXXX");
	assert_non_null(mkdtemp(scene.dir));
	snprintf(scene.net, sizeof(scene.net), "%s/net-conf.json", scene.dir);
	setenv("NODE_NAME", "a", 1);
	log_init(on_log, LOG_LEVEL_INFO);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	source_kube.close(scene.source);
	log_init(NULL, LOG_LEVEL_ERROR);
	unlink(scene.net);
	return rmdir(scene.dir) == 0 && !h2.open && !scene.loop.timers ? 0 : -1;
}

#endif
