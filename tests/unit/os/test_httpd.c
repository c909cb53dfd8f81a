/* SPDX-License-Identifier: Apache-2.0 */
#include "os/httpd.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CLIENTS 12

struct scene {
	struct loop *loop;
	struct httpd *httpd;
	struct loop_watch *deadline;
	struct httpd_conf conf;
	bool ready;
};

static void on_deadline(void *arg)
{
	struct scene *s = arg;

	loop_stop(s->loop);
}

/* Lets the server work for so long. */
static void turn(struct scene *s, uint64_t ms)
{
	loop_timer_at(s->deadline, loop_now_ms(s->loop) + ms);
	loop_run(s->loop);
}

static bool is_ready(void *arg)
{
	return ((struct scene *)arg)->ready;
}

static const char *give_metrics(void *arg)
{
	return ((struct scene *)arg)->ready ? "up 1\n" : "up 0\n";
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct err err;

	s->loop = loop_new();
	s->deadline = loop_timer(s->loop, on_deadline, s);
	s->conf = (struct httpd_conf){.loop = s->loop,
				      .ip = ip_from_v4(0x7f000001),
				      .port = 20000 + (uint16_t)(getpid() % 20000),
				      .ready = is_ready,
				      .metrics_type = "text/plain; version=0.0.4",
				      .metrics = give_metrics,
				      .arg = s};
	while (httpd_open(&s->conf, &s->httpd, &err) < 0)
		s->conf.port++;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	httpd_close(s->httpd);
	loop_watch_free(s->deadline);
	loop_free(s->loop);
	free(s);
	return 0;
}

static int client(struct scene *s)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons(s->conf.port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_return_code(connect(fd, (const struct sockaddr *)&to, sizeof(to)), errno);
	return fd;
}

/* What came until now; "(closed)" for an end without an answer. */
static void received(int fd, char *buf, size_t size)
{
	ssize_t n = recv(fd, buf, size - 1, MSG_DONTWAIT);

	if (n == 0)
		n = snprintf(buf, size, "(closed)");
	buf[n > 0 ? n : 0] = '\0';
}

/* The same, but waited for; a limit for when nothing comes. */
static void answered(struct scene *s, int fd, char *buf, size_t size)
{
	const uint64_t end_ms = loop_now_ms(s->loop) + 10000;

	do {
		turn(s, 5);
		received(fd, buf, size);
	} while (!buf[0] && loop_now_ms(s->loop) < end_ms);
}

#define HEAD(status, n)                                               \
 "HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\n" \
 "Content-Length: " n "\r\nConnection: close\r\n\r\n"

static const struct {
	const char *request;
	bool ready;
	const char *answer;
} cases[] = {
	{"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 0, HEAD("200 OK", "19") "flanneld is running"},
	{"GET /healthz?verbose HTTP/1.0\r\n\r\n", 0, HEAD("200 OK", "19") "flanneld is running"},
	{"POST /readyz HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", 1,
	 HEAD("200 OK", "17") "flanneld is ready"},
	{"GET /readyz HTTP/1.1\r\n\r\n", 0,
	 HEAD("503 Service Unavailable", "25") "flanneld is not ready yet"},
	{"HEAD /readyz HTTP/1.1\r\n\r\n", 1, HEAD("200 OK", "17")},
	{"GET /metrics HTTP/1.1\r\nAccept: x\r\n\r\n", 1,
	 "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
	 "Content-Length: 5\r\nConnection: close\r\n\r\nup 1\n"},
	{"GET / HTTP/1.1\r\n\r\n", 1, HEAD("404 Not Found", "19") "404 page not found\n"},
	{"GET /healthzz HTTP/1.1\r\n\r\n", 1, HEAD("404 Not Found", "19") "404 page not found\n"},
	{"GET /readyz\r\n\r\n", 1, HEAD("400 Bad Request", "15") "400 Bad Request"},
	{" /readyz HTTP/1.1\r\n\r\n", 1, HEAD("400 Bad Request", "15") "400 Bad Request"},
	{"\r\n\r\n", 1, HEAD("400 Bad Request", "15") "400 Bad Request"},
	{"GET /readyz HTTP/1.1\r\n", 1, ""}, /* not complete: no answer yet */
};

static void answers_are_flanneld_s(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[400];
		int fd = client(s);

		s->ready = cases[i].ready;
		assert_return_code(send(fd, cases[i].request, strlen(cases[i].request), 0), errno);
		if (cases[i].answer[0]) {
			answered(s, fd, buf, sizeof(buf));
		} else {
			turn(s, 20);
			received(fd, buf, sizeof(buf));
		}
		assert_string_equal(buf, cases[i].answer);
		close(fd);
	}
}

static void oldest_client_gives_way(void **state)
{
	struct scene *s = *state;
	char buf[400];
	int fds[CLIENTS];

	/* Idle ones, more than there is room for; the last still gets its answer. */
	for (size_t i = 0; i < CLIENTS; i++) {
		fds[i] = client(s);
		turn(s, 5);
	}
	send(fds[CLIENTS - 1], cases[0].request, strlen(cases[0].request), 0);
	answered(s, fds[CLIENTS - 1], buf, sizeof(buf));
	assert_string_equal(buf, cases[0].answer);
	for (size_t i = 0; i < CLIENTS - 1; i++) {
		received(fds[i], buf, sizeof(buf));
		assert_string_equal(buf, i < CLIENTS - SERVE_CLIENTS_MAX ? "(closed)" : "");
	}
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
}

static void long_requests_and_idle_clients_are_dropped(void **state)
{
	struct scene *s = *state;
	const uint64_t start_ms = loop_now_ms(s->loop);
	int idle = client(s), talker = client(s);
	char buf[400];

	for (size_t i = 0; i < SERVE_REQUEST_MAX / 64 + 2; i++)
		send(talker, "X-Header: 0123456789012345678901234567890123456789012345678901\r\n",
		     64, MSG_NOSIGNAL | MSG_DONTWAIT);
	received(idle, buf, sizeof(buf));
	assert_string_equal(buf, "");
	while (send(talker, "x", 1, MSG_NOSIGNAL) == 1) /* to the end of the test's time */
		turn(s, 5);
	answered(s, idle, buf, sizeof(buf));
	assert_string_equal(buf, "(closed)");
	assert_true(loop_now_ms(s->loop) >= start_ms + SERVE_TIMEOUT_MS);
	close(idle);
	close(talker);
}

static void taken_port_is_a_story(void **state)
{
	struct scene *s = *state;
	struct httpd *second;
	struct err err;

	assert_int_equal(httpd_open(&s->conf, &second, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "cannot listen on 127.0.0.1 port "));
	assert_non_null(strstr(err.text, "Address already in use"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_are_flanneld_s, setup, teardown),
		cmocka_unit_test_setup_teardown(oldest_client_gives_way, setup, teardown),
		cmocka_unit_test_setup_teardown(long_requests_and_idle_clients_are_dropped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(taken_port_is_a_story, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
