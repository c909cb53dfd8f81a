/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/metrics.h"

#include <ctype.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1000000

static const char *format(const struct status *s)
{
	static char text[METRICS_MAX];
	struct text t = TEXT(text);

	text[0] = '\0';
	metrics_format(s, &t);
	assert_false(t.cut);
	return text;
}

/* --- as Prometheus reads it: every line is checked ---------------------------------------------- */

static const char *skip_name(const char *s)
{
	assert_true(isalpha((unsigned char)*s) || *s == '_');
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return s;
}

static const char *skip_labels(const char *s)
{
	do {
		s = skip_name(s + 1);
		assert_memory_equal(s, "=\"", 2);
		for (s += 2; *s != '"'; s++) {
			assert_true(*s >= 0x20 && *s < 0x7f);
			if (*s == '\\') {
				s++;
				assert_true(*s == '\\' || *s == '"' || *s == 'n');
			}
		}
		s++;
	} while (*s == ',');
	assert_int_equal(*s, '}');
	return s + 1;
}

/* What a line is about, and where it ends. Comments come in pairs, before all samples of their name. */
static const char *check_line(const char *s, char name[64], bool *typed)
{
	const char *begin = s;
	char *end;

	if (!strncmp(s, "# HELP ", 7)) {
		snprintf(name, 64, "%.*s", (int)(skip_name(s + 7) - (s + 7)), s + 7);
		*typed = false;
		return s + strcspn(s, "\n");
	}
	if (!strncmp(s, "# TYPE ", 7)) {
		char wanted[2][100];
		size_t n = strcspn(s, "\n");

		snprintf(wanted[0], sizeof(wanted[0]), "# TYPE %s gauge", name);
		snprintf(wanted[1], sizeof(wanted[1]), "# TYPE %s counter", name);
		assert_true((n == strlen(wanted[0]) && !memcmp(s, wanted[0], n)) ||
			    (n == strlen(wanted[1]) && !memcmp(s, wanted[1], n)));
		*typed = true;
		return s + n;
	}
	s = skip_name(s);
	assert_true(*typed);
	assert_int_equal(s - begin, strlen(name));
	assert_memory_equal(begin, name, strlen(name));
	if (*s == '{')
		s = skip_labels(s);
	assert_int_equal(*s, ' ');
	assert_true(isdigit((unsigned char)s[1]));
	strtod(s + 1, &end);
	return end;
}

static void check(const char *text)
{
	char name[64] = "";
	bool typed = false;

	while (*text) {
		text = check_line(text, name, &typed);
		assert_int_equal(*text, '\n');
		text++;
	}
}

/* --- cases -------------------------------------------------------------------------------------- */

static struct status running(void)
{
	return (struct status){
		.ready = READY_YES,
		.now_ms = NOW_MS,
		.started_ms = NOW_MS - 300000,
		.verified_at_ms = NOW_MS - 1250,
		.source_up = true,
		.source_seen_ms = NOW_MS,
		.uplink = {.ifindex = 2, .name = "eth0", .up = true},
		.families = {[FAMILY_V4] = {.enabled = true, .works = true},
			     [FAMILY_V6] = {.enabled = true}},
		.n_peers = 7,
		.n_verified = 5,
		.n_refused = 1,
		.n_heals = 2,
		.heals = {{.kind = OBJECT_LINK},
			  {.kind = OBJECT_ROUTE, .actor = "a\\b\"c\n\xff", .n = 3}},
		.n_contested = {[OBJECT_ROUTE] = 2},
		.n_sweeps = 4,
		.requests = {2, {{200, 8}, {0, 1}}},
		.rss_bytes = 4194304,
	};
}

static const char golden[] =
	"# HELP loden_build_info always 1\n"
	"# TYPE loden_build_info gauge\n"
	"loden_build_info{version=\"" LODEN_VERSION "\"} 1\n"
	"# HELP loden_ready 1: what /readyz says yes to\n"
	"# TYPE loden_ready gauge\n"
	"loden_ready 1\n"
	"# HELP loden_family_works 1: the fabric works for ipv4 or ipv6; a family that is not "
	"configured is left out\n"
	"# TYPE loden_family_works gauge\n"
	"loden_family_works{family=\"ipv4\"} 1\n"
	"loden_family_works{family=\"ipv6\"} 0\n"
	"# HELP loden_uplink_up 1: there is an interface to send through, and it is up\n"
	"# TYPE loden_uplink_up gauge\n"
	"loden_uplink_up 1\n"
	"# HELP loden_peers other nodes: verified in the kernel; unverified, still to be; "
	"refused, for what loden status says\n"
	"# TYPE loden_peers gauge\n"
	"loden_peers{state=\"verified\"} 5\n"
	"loden_peers{state=\"unverified\"} 2\n"
	"loden_peers{state=\"refused\"} 1\n"
	"# HELP loden_heals_total repairs that found objects of this kind different, by the "
	"process whose hand it was; empty where that is not known\n"
	"# TYPE loden_heals_total counter\n"
	"loden_heals_total{kind=\"link\",actor=\"\"} 0\n"
	"loden_heals_total{kind=\"route\",actor=\"a\\\\x5cb\\\\x22c\\\\x0a\\\\xff\"} 3\n"
	"# HELP loden_contested objects that somebody keeps changing back, which are healed with "
	"waits\n"
	"# TYPE loden_contested gauge\n"
	"loden_contested{kind=\"link\"} 0\n"
	"loden_contested{kind=\"sysctl\"} 0\n"
	"loden_contested{kind=\"addr\"} 0\n"
	"loden_contested{kind=\"guard_peer\"} 0\n"
	"loden_contested{kind=\"nexthop\"} 0\n"
	"loden_contested{kind=\"neigh\"} 0\n"
	"loden_contested{kind=\"fdb\"} 0\n"
	"loden_contested{kind=\"route\"} 2\n"
	"loden_contested{kind=\"fw_table\"} 0\n"
	"loden_contested{kind=\"fw_chain\"} 0\n"
	"loden_contested{kind=\"guard\"} 0\n"
	"loden_contested{kind=\"envfile\"} 0\n"
	"# HELP loden_swept_total objects of ours deleted because nobody wants them\n"
	"# TYPE loden_swept_total counter\n"
	"loden_swept_total 4\n"
	"# HELP loden_verified_age_seconds since the kernel was last seen to equal the plan\n"
	"# TYPE loden_verified_age_seconds gauge\n"
	"loden_verified_age_seconds 1.250\n"
	"# HELP loden_api_sync_age_seconds since the API server, or etcd, was last known to "
	"answer; 0: it does\n"
	"# TYPE loden_api_sync_age_seconds gauge\n"
	"loden_api_sync_age_seconds 0.000\n"
	"# HELP loden_api_requests_total requests to the Kubernetes API server, by the code of its "
	"answer; none: there was none\n"
	"# TYPE loden_api_requests_total counter\n"
	"loden_api_requests_total{code=\"200\"} 8\n"
	"loden_api_requests_total{code=\"none\"} 1\n"
	"# HELP loden_rss_bytes resident memory of the agent\n"
	"# TYPE loden_rss_bytes gauge\n"
	"loden_rss_bytes 4194304\n";

static void all_that_the_status_says(void **state)
{
	struct status s = running();

	(void)state;
	assert_string_equal(format(&s), golden);
	check(golden);
}

static void what_is_not_known_has_no_sample(void **state)
{
	struct status s = {.now_ms = NOW_MS, .started_ms = NOW_MS - 30050};
	const char *text = format(&s);

	(void)state;
	check(text);
	assert_non_null(strstr(text, "\nloden_ready 0\n"));
	assert_non_null(strstr(text, "\nloden_uplink_up 0\n"));
	assert_non_null(strstr(text, "\nloden_api_sync_age_seconds 30.050\n"));
	assert_null(strstr(text, "\nloden_verified_age_seconds "));
	assert_null(strstr(text, "\nloden_family_works"));
	assert_null(strstr(text, "\nloden_rss_bytes "));
	s.source_seen_ms = NOW_MS - 20000;
	assert_non_null(strstr(format(&s), "\nloden_api_sync_age_seconds 20.000\n"));
}

static void the_most_there_can_be_fits(void **state)
{
	struct status s = running();

	(void)state;
	s.n_peers = SIZE_MAX;
	s.n_verified = 0;
	s.n_refused = SIZE_MAX;
	s.n_sweeps = s.now_ms = s.rss_bytes = UINT64_MAX;
	s.source_seen_ms = s.verified_at_ms = 1;
	s.n_heals = STATUS_HEALS_MAX;
	for (size_t i = 0; i < STATUS_HEALS_MAX; i++) {
		s.heals[i] = (struct status_heals){.kind = OBJECT_GUARD_PEER, .n = UINT64_MAX};
		memset(s.heals[i].actor, '\\', sizeof(s.heals[i].actor) - 1);
	}
	for (size_t i = 0; i < OBJECT__COUNT; i++)
		s.n_contested[i] = SIZE_MAX;
	s.requests.n = STATUS_CODES_MAX;
	for (size_t i = 0; i < STATUS_CODES_MAX; i++) {
		s.requests.of[i].code = UINT_MAX;
		s.requests.of[i].n = UINT64_MAX;
	}
	check(format(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_the_status_says),
		cmocka_unit_test(what_is_not_known_has_no_sample),
		cmocka_unit_test(the_most_there_can_be_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
