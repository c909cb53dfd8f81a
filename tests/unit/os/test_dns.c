/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no server: tests/cluster asks one. */
#include "os/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

struct scene {
	struct loop *loop;
	struct dns_lookup *lookup;
	int n_told;
	char told[300]; /* the addresses, or the problem */
};

static void on_done(void *arg, const struct ip *addresses, size_t n, const char *problem)
{
	struct scene *s = arg;
	struct text t = TEXT(s->told);
	char ip[IP_STRLEN];

	s->told[0] = '\0';
	for (size_t i = 0; i < n; i++)
		text_add(&t, "%s%s", i ? " " : "", ip_format(&addresses[i], ip));
	assert_int_equal(n == 0, problem != NULL);
	text_add(&t, "%s", problem ? problem : "");
	s->n_told++;
	dns_lookup_free(s->lookup); /* as the header allows */
	loop_stop(s->loop);
}

static void ask(struct scene *s, const char *host)
{
	s->lookup = dns_lookup_new(&(struct dns_conf){
		.loop = s->loop,
		.host = host,
		.timeout_ms = 60000,
		.done = on_done,
		.arg = s,
	});
}

static const struct {
	const char *host, *want;
} names[] = {
	/* RFC 6761, 6.3: whatever a server says. */
	{"localhost", "127.0.0.1 ::1"},
	{"LocalHost", "127.0.0.1 ::1"},
	/* An address is its own. */
	{"192.0.2.7", "192.0.2.7"},
	{"2001:db8::7", "2001:db8::7"},
	/* RFC 7686: never asked for. */
	{"x.onion", "no host of this name, neither in /etc/hosts nor in the DNS"},
	/* No name of the DNS: a label is 63 bytes at most (RFC 1035, 2.3.4). */
	{"a123456789b123456789c123456789d123456789e123456789f123456789g1234.x",
	 "the name cannot be looked up by the servers of /etc/resolv.conf: Misformatted domain name"},
};

static void without_a_server(void **state _unused_)
{
	struct scene s = {.loop = loop_new()};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		s.n_told = 0;
		ask(&s, names[i].host);
		assert_int_equal(s.n_told, 0); /* never from within */
		loop_run(s.loop);
		assert_int_equal(s.n_told, 1);
		assert_string_equal(s.told, names[i].want);
	}
	loop_free(s.loop);
}

static void on_end(void *arg)
{
	loop_stop(arg);
}

/* One that was given up says nothing more, though its answer was there. */
static void freed_before_it_answers(void **state _unused_)
{
	struct scene s = {.loop = loop_new()};
	struct loop_watch *end = loop_timer(s.loop, on_end, s.loop);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ask(&s, names[i].host);
		dns_lookup_free(s.lookup);
	}
	dns_lookup_free(NULL);
	loop_timer_at(end, loop_now_ms(s.loop) + 1);
	loop_run(s.loop);
	assert_int_equal(s.n_told, 0);
	loop_watch_free(end);
	loop_free(s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_server),
		cmocka_unit_test(freed_before_it_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
