/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no server; then, in a network and with files of /etc of our own, what one may say. A server of
 * somebody else's is asked in tests/cluster.
 */
#include "os/dns.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

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

#define PATIENT_MS 60000

static void ask_for(struct scene *s, const char *host, uint32_t timeout_ms)
{
	s->n_told = 0;
	s->lookup = dns_lookup_new(&(struct dns_conf){
		.loop = s->loop,
		.host = host,
		.timeout_ms = timeout_ms,
		.done = on_done,
		.arg = s,
	});
}

static void ask(struct scene *s, const char *host)
{
	ask_for(s, host, PATIENT_MS);
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

/* ---- a server of our own ---- */

#define SERVERS "/etc/resolv.conf"
#define HOSTS	"/etc/hosts"

static char own[2][40] = {"/tmp/test_dns.resolv.XXXXXX", "/tmp/test_dns.hosts.XXXXXX"};
static bool alone;

static void write_own(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void loopback_up(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
}

/* Not everywhere may one do that: then these tests are skipped. */
static int be_alone(void **state _unused_)
{
	const int mine = CLONE_NEWNS | CLONE_NEWNET;

	for (int i = 0; i < 2; i++)
		close(mkstemp(own[i]));
	if (unshare(mine) < 0 && unshare(mine | CLONE_NEWUSER) < 0)
		return 0;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(own[0], SERVERS, NULL, MS_BIND, NULL) < 0 ||
	    mount(own[1], HOSTS, NULL, MS_BIND, NULL) < 0)
		return 0;
	loopback_up();
	alone = true;
	return 0;
}

static int tidy_up(void **state _unused_)
{
	return unlink(own[0]) | unlink(own[1]);
}

/* A message of the DNS (RFC 1035, 4.1), as far as we need it. */
struct answer {
	uint8_t b[512];
	size_t n;
};

enum {
	FLAG_RESPONSE = 0x80,
	FLAG_TRUNCATED = 0x02,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3
};

enum {
	TYPE_A = 1,
	TYPE_AAAA = 28
};

/* One more address, under the name that was asked for. */
static void add_address(struct answer *a, unsigned type, uint8_t last)
{
	const uint8_t head[] = {0xc0, 12, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60, 0};
	const uint8_t v4[] = {4, 192, 0, 2, last};
	const uint8_t v6[] = {16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
	const bool is_v4 = type == TYPE_A;

	memcpy(a->b + a->n, head, sizeof(head));
	a->n += sizeof(head);
	memcpy(a->b + a->n, is_v4 ? v4 : v6, is_v4 ? sizeof(v4) : sizeof(v6));
	a->n += is_v4 ? sizeof(v4) : sizeof(v6);
	a->b[7]++;
}

/* By the name's first label. False: nothing is said. */
static bool reply(struct answer *a)
{
	const char *name = (const char *)a->b + 13;
	size_t end = 12;
	unsigned type;

	while (a->b[end] > 0)
		end += a->b[end] + 1u;
	type = a->b[end + 2];
	a->n = end + 5;
	a->b[2] |= FLAG_RESPONSE;
	memset(a->b + 6, 0, 6); /* no more than the question */
	if (strncmp(name, "nobody", 6) == 0) {
		a->b[3] = RCODE_NXDOMAIN;
	} else if (strncmp(name, "broken", 6) == 0) {
		a->b[3] = RCODE_SERVFAIL;
	} else if (strncmp(name, "both", 4) == 0) {
		add_address(a, type, 7);
	} else if (strncmp(name, "four", 4) == 0) {
		if (type == TYPE_A)
			add_address(a, type, 7);
	} else if (strncmp(name, "twice", 5) == 0) {
		add_address(a, type, 7);
		add_address(a, type, 7);
	} else if (strncmp(name, "many", 4) == 0) {
		for (uint8_t i = 1; i <= 10; i++)
			add_address(a, type, i);
	} else if (strncmp(name, "cut", 3) == 0) {
		add_address(a, type, 7);
		a->n -= 2;
	} else if (strncmp(name, "short", 5) == 0) {
		a->n = 5;
	} else if (strncmp(name, "other", 5) == 0) {
		a->b[0] ^= 0xff; /* to another question */
		add_address(a, type, 7);
	} else if (strncmp(name, "silent", 6) == 0) {
		return false;
	}
	return true;
}

static void on_question(evutil_socket_t fd, short what _unused_, void *arg _unused_)
{
	struct sockaddr_in from;
	socklen_t from_n = sizeof(from);
	struct answer a = {0};
	ssize_t n = recvfrom(fd, a.b, sizeof(a.b), 0, (struct sockaddr *)&from, &from_n);

	if (n > 12 && reply(&a))
		sendto(fd, a.b, a.n, 0, (struct sockaddr *)&from, from_n);
}

static int server_new(void)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
				       .sin_port = htons(53),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

#define NO_HOST "no host of this name, neither in /etc/hosts nor in the DNS"
#define FAILED	"the name cannot be looked up by the servers of /etc/resolv.conf: "
#define LATE	"timed out: the servers of /etc/resolv.conf do not answer for this name"

static void what_a_server_says(void **state _unused_)
{
	static const struct {
		const char *host;
		uint32_t timeout_ms;
		const char *want;
	} cases[] = {
		{"both.test", PATIENT_MS, "192.0.2.7 2001:db8::7"},
		{"four.test", PATIENT_MS, "192.0.2.7"},
		{"twice.test", PATIENT_MS, "192.0.2.7 2001:db8::7"},
		{"many.test", PATIENT_MS,
		 "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8"},
		{"in-hosts.test", PATIENT_MS, "198.51.100.7"},
		{"nobody.test", PATIENT_MS, NO_HOST},
		{"nothing.test", PATIENT_MS, NO_HOST},
		{"broken.test", PATIENT_MS, FAILED "Could not contact DNS servers"},
		{"cut.test", PATIENT_MS, FAILED "Misformatted DNS reply"},
		{"silent.test", PATIENT_MS, FAILED "Timeout while contacting DNS servers"},
		{"short.test", 300, LATE},
		{"other.test", 300, LATE},
		{"silent.test", 300, LATE},
	};
	struct scene s = {.loop = loop_new()};
	struct event *event;
	int fd;

	if (!alone)
		skip();
	write_own(own[0], "nameserver 127.0.0.1\n");
	write_own(own[1], "198.51.100.7 in-hosts.test\n");
	fd = server_new();
	event = event_new(loop_base(s.loop), fd, EV_READ | EV_PERSIST, on_question, NULL);
	assert_int_equal(event_add(event, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ask_for(&s, cases[i].host, cases[i].timeout_ms);
		loop_run(s.loop);
		assert_int_equal(s.n_told, 1);
		if (strcmp(s.told, cases[i].want) != 0)
			fail_msg("%s: told: %s\nwanted: %s", cases[i].host, s.told, cases[i].want);
	}
	/* Given up while the question is on its way. */
	ask(&s, "silent.test");
	dns_lookup_free(s.lookup);
	event_free(event);
	close(fd);
	loop_free(s.loop);
}

/* No server in the file: it is asked on this host (resolv.conf(5)), where there is none either. */
static void nobody_to_ask(void **state _unused_)
{
	static const char *const files[] = {"", "# nameserver 192.0.2.53\n",
					    "nameserver nonsense\n", "nameserver 192.0.2.53\n"};
	struct scene s = {.loop = loop_new()};

	if (!alone)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		write_own(own[0], files[i]);
		ask(&s, "both.test");
		loop_run(s.loop);
		/* Refused; or not even that, if the kernel has said so too often elsewhere. */
		if (strncmp(s.told, FAILED, strlen(FAILED)) != 0)
			fail_msg("\"%s\": told: %s", files[i], s.told);
	}
	loop_free(s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_server),
		cmocka_unit_test(freed_before_it_answers),
	};
	const struct CMUnitTest tests_alone[] = {
		cmocka_unit_test(what_a_server_says),
		cmocka_unit_test(nobody_to_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) +
	       cmocka_run_group_tests(tests_alone, be_alone, tidy_up);
}
