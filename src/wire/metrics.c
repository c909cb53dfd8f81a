/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Twice what it may hold: of a value, that has been escaped, a backslash is another. */
#define VALUE_SIZE (2 * (4 * sizeof(((struct culprit *)0)->comm) + 1))

/* --- samples ------------------------------------------------------------------------------------ */

/* `key="value"`; bytes that are no text come as \xNN, as in the log, and a backslash is written twice. */
static void add_label(struct text *t, const char *key, const char *value)
{
	char escaped[VALUE_SIZE] = "";
	struct text e = TEXT(escaped);

	text_add_escaped(&e, value, strlen(value));
	text_add(t, "%s=\"", key);
	for (const char *c = escaped; *c; c++)
		text_add(t, "%s%c", *c == '\\' ? "\\" : "", *c);
	text_add(t, "\"");
}

static void add_labelled(struct text *t, const char *name, const char *key, const char *value,
			 uint64_t n)
{
	text_add(t, "%s{", name);
	add_label(t, key, value);
	text_add(t, "} %" PRIu64 "\n", n);
}

static void add_number(struct text *t, const char *name, uint64_t n)
{
	text_add(t, "%s %" PRIu64 "\n", name, n);
}

static void add_seconds(struct text *t, const char *name, uint64_t ms)
{
	text_add(t, "%s %" PRIu64 ".%03" PRIu64 "\n", name, ms / 1000, ms % 1000);
}

/* --- the metrics -------------------------------------------------------------------------------- */

static void build_info(struct text *t, const char *name, const struct status *s _unused_)
{
	add_labelled(t, name, "version", LODEN_VERSION, 1);
}

static void ready(struct text *t, const char *name, const struct status *s)
{
	add_number(t, name, s->ready == READY_YES);
}

static void family_works(struct text *t, const char *name, const struct status *s)
{
	static const char *const names[FAMILY__COUNT] = {
		[FAMILY_V4] = "ipv4", [FAMILY_V6] = "ipv6"};

	for (size_t i = 0; i < FAMILY__COUNT; i++) {
		if (s->families[i].enabled)
			add_labelled(t, name, "family", names[i], s->families[i].works);
	}
}

static void uplink_up(struct text *t, const char *name, const struct status *s)
{
	add_number(t, name, s->uplink.ifindex && s->uplink.up);
}

static void peers(struct text *t, const char *name, const struct status *s)
{
	add_labelled(t, name, "state", "verified", s->n_verified);
	add_labelled(t, name, "state", "unverified", s->n_peers - s->n_verified);
	add_labelled(t, name, "state", "refused", s->n_refused);
}

static void heals_total(struct text *t, const char *name, const struct status *s)
{
	for (size_t i = 0; i < s->n_heals; i++) {
		text_add(t, "%s{", name);
		add_label(t, "kind", object_kind_names[s->heals[i].kind]);
		text_add(t, ",");
		add_label(t, "actor", s->heals[i].actor);
		text_add(t, "} %" PRIu64 "\n", s->heals[i].n);
	}
}

static void contested(struct text *t, const char *name, const struct status *s)
{
	for (size_t i = 0; i < OBJECT__COUNT; i++)
		add_labelled(t, name, "kind", object_kind_names[i], s->n_contested[i]);
}

static void swept_total(struct text *t, const char *name, const struct status *s)
{
	add_number(t, name, s->n_sweeps);
}

static void verified_age(struct text *t, const char *name, const struct status *s)
{
	if (s->verified_at_ms)
		add_seconds(t, name, s->now_ms - s->verified_at_ms);
}

/* One that has never answered is as old as we are. */
static void sync_age(struct text *t, const char *name, const struct status *s)
{
	add_seconds(t, name, s->now_ms - (s->source_seen_ms ? s->source_seen_ms : s->started_ms));
}

static void requests_total(struct text *t, const char *name, const struct status *s)
{
	char code[16];

	for (size_t i = 0; i < s->requests.n; i++) {
		snprintf(code, sizeof(code), "%u", s->requests.of[i].code);
		add_labelled(t, name, "code", s->requests.of[i].code ? code : "none",
			     s->requests.of[i].n);
	}
}

static void rss_bytes(struct text *t, const char *name, const struct status *s)
{
	if (s->rss_bytes)
		add_number(t, name, s->rss_bytes);
}

const struct metrics_row metrics_table[] = {
	{"loden_build_info", "gauge", "version", "always 1", build_info},
	{"loden_ready", "gauge", NULL, "1: what /readyz says yes to", ready},
	{"loden_family_works", "gauge", "family",
	 "1: the fabric works for ipv4 or ipv6; a family that is not configured is left out",
	 family_works},
	{"loden_uplink_up", "gauge", NULL, "1: there is an interface to send through, and it is up",
	 uplink_up},
	{"loden_peers", "gauge", "state",
	 "other nodes: verified in the kernel; unverified, still to be; refused, for what loden "
	 "status says",
	 peers},
	{"loden_heals_total", "counter", "kind,actor",
	 "repairs that found objects of this kind different, by the process whose hand it was; "
	 "empty where that is not known",
	 heals_total},
	{"loden_contested", "gauge", "kind",
	 "objects that somebody keeps changing back, which are healed with waits", contested},
	{"loden_swept_total", "counter", NULL, "objects of ours deleted because nobody wants them",
	 swept_total},
	{"loden_verified_age_seconds", "gauge", NULL,
	 "since the kernel was last seen to equal the plan", verified_age},
	{"loden_api_sync_age_seconds", "gauge", NULL,
	 "since the API server, or etcd, was last known to answer; 0: it does", sync_age},
	{"loden_api_requests_total", "counter", "code",
	 "requests to the Kubernetes API server, by the code of its answer; none: there was none",
	 requests_total},
	{"loden_rss_bytes", "gauge", NULL, "resident memory of the agent", rss_bytes},
};
const size_t metrics_table_n = ARRAY_SIZE(metrics_table);

void metrics_format(const struct status *s, struct text *t)
{
	for (size_t i = 0; i < metrics_table_n; i++) {
		const struct metrics_row *r = &metrics_table[i];

		text_add(t, "# HELP %s %s\n# TYPE %s %s\n", r->name, r->help, r->name, r->type);
		r->add(t, r->name, s);
	}
}
