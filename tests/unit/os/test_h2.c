/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a small server in the same loop: nghttp2 on one accepted socket, or raw bytes
 * where the server is to misbehave. No root, no network but the loopback.
 */
#include "os/h2.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

/* A busy machine may keep us waiting for as long as it likes. What is to happen has a minute; what runs out is short
 * only where a test wants it to. */
#define HANGS_MS 60000
#define SHORT_MS 50
#define PING_MS	 50

struct scene {
	struct loop *loop;
	struct loop_watch *deadline, *accept, *serve, *drip, *look;
	int listen_fd, fd;
	uint16_t port;
	const char *raw; /* what the server says instead of HTTP/2 */
	bool raw_close;
	bool mute; /* the server reads no more */
	size_t n_dripped;
	nghttp2_session *server;
	size_t echo_left[16]; /* by stream id: bytes of the answer still to send */
	struct h2 *client;
	struct h2_stream *stream;
	size_t n_data;
	int n_ends_wanted;
	uint32_t connect_timeout_ms, ping_timeout_ms;
	const char *awaited; /* see run_until() */
	char line[2000];     /* what the callbacks told */
	struct text told;
};

/* ---- server ---- */

static void server_flush(struct scene *s)
{
	const uint8_t *bytes;
	ssize_t n;

	while ((n = nghttp2_session_mem_send(s->server, &bytes)) > 0)
		if (send(s->fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
			text_add(&s->told, "unsent ");
}

static ssize_t answer(nghttp2_session *session _unused_, int32_t id, uint8_t *buf, size_t n,
		      uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct scene *s = arg;

	n = MIN(n, s->echo_left[id]);
	memset(buf, 'x', n);
	s->echo_left[id] -= n;
	if (s->echo_left[id] == 0) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (source->ptr) {
			nghttp2_nv trailer = {(uint8_t *)"grpc-status", (uint8_t *)"0", 11, 1, 0};

			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			nghttp2_submit_trailer(session, id, &trailer, 1);
		}
	}
	return (ssize_t)n;
}

static ssize_t no_answer(nghttp2_session *session _unused_, int32_t id _unused_,
			 uint8_t *buf _unused_, size_t n _unused_, uint32_t *flags _unused_,
			 nghttp2_data_source *source _unused_, void *arg _unused_)
{
	return NGHTTP2_ERR_DEFERRED;
}

static int on_server_header(nghttp2_session *session, const nghttp2_frame *frame,
			    const uint8_t *name, size_t n_name _unused_, const uint8_t *value,
			    size_t n_value _unused_, uint8_t flags _unused_, void *arg)
{
	nghttp2_nv status = {(uint8_t *)":status", (uint8_t *)"200", 7, 3, 0};
	nghttp2_data_provider body = {.read_callback = answer};
	const char *path = (const char *)value;
	int32_t id = frame->hd.stream_id;
	struct scene *s = arg;

	if (strcmp((const char *)name, ":path") != 0)
		return 0;
	if (strncmp(path, "/bytes/", 7) == 0) {
		s->echo_left[id] = strtoul(path + 7, NULL, 10);
		nghttp2_submit_response(session, id, &status, 1, &body);
	} else if (strcmp(path, "/trailers") == 0) {
		s->echo_left[id] = 3;
		body.source.ptr = s;
		nghttp2_submit_response(session, id, &status, 1, &body);
	} else if (strcmp(path, "/break") == 0) {
		nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_INTERNAL_ERROR);
	} else if (strcmp(path, "/goaway") == 0) {
		nghttp2_submit_goaway(session, 0, id, NGHTTP2_ENHANCE_YOUR_CALM,
				      (const uint8_t *)"too\nmany", 8);
	} else if (strncmp(path, "/goodbye", 8) == 0) {
		nghttp2_submit_goaway(session, 0, id, NGHTTP2_NO_ERROR, NULL, 0);
		s->echo_left[id] = 3;
		if (strcmp(path, "/goodbye/soon") == 0)
			body.read_callback = no_answer;
		if (strcmp(path, "/goodbye/and-nothing") != 0)
			nghttp2_submit_response(session, id, &status, 1, &body);
	} else if (strcmp(path, "/mute") == 0) {
		s->mute = true;
	}
	return 0;
}

static int on_server_data(nghttp2_session *session _unused_, uint8_t flags _unused_,
			  int32_t id _unused_, const uint8_t *bytes, size_t n, void *arg)
{
	struct scene *s = arg;

	text_add(&s->told, "body=%.*s ", (int)n, (const char *)bytes);
	return 0;
}

static int on_server_close(nghttp2_session *session _unused_, int32_t id _unused_, uint32_t code,
			   void *arg)
{
	struct scene *s = arg;

	if (code == NGHTTP2_CANCEL) {
		text_add(&s->told, "cancelled ");
		loop_stop(s->loop);
	}
	return 0;
}

static int on_server_frame(nghttp2_session *session _unused_, const nghttp2_frame *frame, void *arg)
{
	struct scene *s = arg;

	if (frame->hd.type == NGHTTP2_PING)
		text_add(&s->told, "ping ");
	return 0;
}

static void on_serve(void *arg, int fd)
{
	struct scene *s = arg;
	uint8_t buf[4096];
	ssize_t n;

	if (s->mute) {
		loop_watch_free(TAKE_PTR(s->serve));
		return;
	}
	n = recv(fd, buf, sizeof(buf), 0);
	if (n <= 0) {
		loop_watch_free(TAKE_PTR(s->serve));
		return;
	}
	if (s->raw) {
		assert_true(send(fd, s->raw, strlen(s->raw), MSG_NOSIGNAL) >= 0);
		if (s->raw_close)
			shutdown(fd, SHUT_RDWR);
		loop_watch_free(TAKE_PTR(s->serve));
		return;
	}
	assert_int_equal(nghttp2_session_mem_recv(s->server, buf, (size_t)n), n);
	server_flush(s);
}

/* A frame of an unknown type, 255 bytes long, byte by byte. */
static void on_drip(void *arg)
{
	const char head[] = {0, 0, (char)0xff, 0x77, 0, 0, 0, 0, 0};
	struct scene *s = arg;
	char byte = s->n_dripped < sizeof(head) ? head[s->n_dripped] : 0;

	assert_int_equal(send(s->fd, &byte, 1, MSG_NOSIGNAL), 1);
	s->n_dripped++;
	loop_timer_at(s->drip, loop_now_ms(s->loop) + 10);
}

static void on_accept(void *arg, int fd)
{
	struct scene *s = arg;

	s->fd = accept(fd, NULL, NULL);
	assert_true(s->fd >= 0);
	s->serve = loop_readable(s->loop, s->fd, on_serve, s);
	if (!s->raw) {
		nghttp2_submit_settings(s->server, 0, NULL, 0);
		server_flush(s);
	}
}

/* ---- client ---- */

static void on_up(void *arg)
{
	struct scene *s = arg;

	text_add(&s->told, "up ");
	loop_stop(s->loop);
}

static void on_down(void *arg, const char *problem)
{
	struct scene *s = arg;

	text_add(&s->told, "down: %s", problem);
	loop_stop(s->loop);
}

static void on_header(void *arg, const char *name, const char *value)
{
	struct scene *s = arg;

	text_add(&s->told, "%s=%s ", name, value);
}

static void on_data(void *arg, const void *bytes _unused_, size_t n)
{
	struct scene *s = arg;

	s->n_data += n;
}

static void on_end(void *arg, const char *problem)
{
	struct scene *s = arg;

	text_add(&s->told, "end%s%s ", problem ? ": " : "", problem ? problem : "");
	s->stream = NULL;
	if (s->n_ends_wanted-- <= 1)
		loop_stop(s->loop);
}

static void on_deadline(void *arg)
{
	struct scene *s = arg;

	text_add(&s->told, "deadline ");
	loop_stop(s->loop);
}

static void on_look(void *arg)
{
	struct scene *s = arg;

	if (strstr(s->line, s->awaited))
		loop_stop(s->loop);
	else
		loop_timer_at(s->look, loop_now_ms(s->loop) + 1);
}

/* Until the callbacks have told so. */
static void run_until(struct scene *s, const char *awaited)
{
	s->awaited = awaited;
	loop_timer_at(s->look, 0);
	while (!strstr(s->line, awaited) && !strstr(s->line, "deadline "))
		loop_run(s->loop);
	loop_timer_at(s->look, UINT64_MAX);
}

static void open_client(struct scene *s, uint16_t port)
{
	const struct h2_conf conf = {
		.loop = s->loop,
		.ip = ip_from_v4(INADDR_LOOPBACK),
		.port = port,
		.authority = "127.0.0.1",
		.connect_timeout_ms = s->connect_timeout_ms,
		.ping_after_ms = PING_MS,
		.ping_timeout_ms = s->ping_timeout_ms,
		.up = on_up,
		.down = on_down,
		.arg = s,
	};

	s->client = h2_open(&conf);
}

static void request(struct scene *s, const char *path, const char *body, bool keep_open)
{
	const struct h2_header headers[] = {{"te", "trailers"}};
	const struct h2_request req = {
		.method = "POST",
		.path = path,
		.headers = headers,
		.n_headers = 1,
		.body = body,
		.n_body = strlen(body),
		.keep_open = keep_open,
		.header = on_header,
		.data = on_data,
		.end = on_end,
		.arg = s,
	};

	s->stream = h2_send(s->client, &req);
}

static int setup(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(to);
	nghttp2_session_callbacks *calls;
	struct scene *s = calloc(1, sizeof(*s));

	s->told = (struct text)TEXT(s->line);
	s->fd = -1;
	s->loop = loop_new();
	s->deadline = loop_timer(s->loop, on_deadline, s);
	s->look = loop_timer(s->loop, on_look, s);
	s->connect_timeout_ms = s->ping_timeout_ms = HANGS_MS;
	loop_timer_at(s->deadline, loop_now_ms(s->loop) + HANGS_MS);
	s->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(s->listen_fd, 1), 0);
	assert_int_equal(getsockname(s->listen_fd, (struct sockaddr *)&to, &size), 0);
	s->port = ntohs(to.sin_port);
	s->accept = loop_readable(s->loop, s->listen_fd, on_accept, s);
	nghttp2_session_callbacks_new(&calls);
	nghttp2_session_callbacks_set_on_header_callback(calls, on_server_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_server_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_server_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_server_frame);
	nghttp2_session_server_new(&s->server, calls, s);
	nghttp2_session_callbacks_del(calls);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	h2_close(s->client);
	nghttp2_session_del(s->server);
	loop_watch_free(s->serve);
	loop_watch_free(s->accept);
	loop_watch_free(s->deadline);
	loop_watch_free(s->drip);
	loop_watch_free(s->look);
	loop_free(s->loop);
	close(s->listen_fd);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return 0;
}

static void come_up(struct scene *s)
{
	open_client(s, s->port);
	loop_run(s->loop);
	assert_string_equal(s->line, "up ");
	s->told = (struct text)TEXT(s->line);
	s->line[0] = '\0';
}

static void answers_arrive(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/trailers", "hello", false);
	loop_run(s->loop);
	assert_string_equal(s->line, "body=hello :status=200 grpc-status=0 end ");
	assert_int_equal(s->n_data, 3);
}

static void a_large_answer_passes_flow_control(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/bytes/5000000", "hello", false);
	loop_run(s->loop);
	assert_string_equal(s->line, "body=hello :status=200 end ");
	assert_int_equal(s->n_data, 5000000);
}

static void several_at_once(void **state)
{
	struct scene *s = *state;

	come_up(s);
	s->n_ends_wanted = 3;
	request(s, "/bytes/100", "a", false);
	request(s, "/bytes/200", "b", true);
	request(s, "/bytes/300", "c", false);
	loop_run(s->loop);
	assert_int_equal(s->n_data, 600);
	assert_non_null(strstr(s->line, "body=a body=b body=c "));
}

static void an_open_stream_ends_when_the_server_ends_it(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/trailers", "w", true);
	loop_run(s->loop);
	assert_string_equal(s->line, "body=w :status=200 grpc-status=0 end ");
}

static void cancel_tells_the_server_and_nobody_else(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/wait", "w", true);
	run_until(s, "body=w ");
	h2_cancel(s->stream);
	run_until(s, "cancelled ");
	loop_timer_at(s->deadline, loop_now_ms(s->loop) + 20);
	loop_run(s->loop);
	assert_string_equal(s->line, "body=w cancelled deadline ");
}

static void a_request_cancelled_at_once_is_forgotten(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/bytes/5", "w", false);
	h2_cancel(s->stream);
	request(s, "/bytes/7", "v", false);
	/* "cancelled" and the end of the other come in either order, perhaps in one wake-up. */
	while (!strstr(s->line, "end ") && !strstr(s->line, "deadline "))
		loop_run(s->loop);
	assert_int_equal(s->n_data, 7);
}

static void a_broken_stream_leaves_the_connection(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/break", "x", false);
	loop_run(s->loop);
	assert_non_null(strstr(s->line, "end: the server broke the request off (INTERNAL_ERROR)"));
	request(s, "/bytes/5", "y", false);
	loop_run(s->loop);
	assert_int_equal(s->n_data, 5);
}

static void goodbye_is_told_with_its_reason(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/goaway", "x", false);
	loop_run(s->loop);
	assert_non_null(strstr(s->line, "down: the server ended the connection "
					"(ENHANCE_YOUR_CALM: too\\x0amany)"));
}

/* What was asked before is answered; who does not get to it in a second is told why. */
static void goodbye_after_the_last_answer(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/goodbye", "x", false);
	while (!strstr(s->line, "down: "))
		loop_run(s->loop);
	assert_int_equal(s->n_data, 3);
	assert_non_null(strstr(s->line, "end "));
	assert_non_null(strstr(s->line, "down: the server ended the connection (NO_ERROR)"));
}

static void goodbye_without_an_answer(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/goodbye/and-nothing", "x", false);
	while (!strstr(s->line, "down: "))
		loop_run(s->loop);
	assert_null(strstr(s->line, "end "));
	assert_non_null(strstr(s->line, "down: the server ended the connection (NO_ERROR)"));
}

/* One that comes too late is told so from the loop: whoever asks does not expect an end from within. */
static void a_request_after_the_goodbye(void **state)
{
	struct scene *s = *state;

	come_up(s);
	request(s, "/goodbye/soon", "x", false);
	run_until(s, ":status=200 ");
	request(s, "/bytes/5", "y", false);
	assert_null(strstr(s->line, "end"));
	assert_non_null(s->stream);
	run_until(s, "down: ");
	assert_int_equal(s->n_data, 0);
	assert_non_null(strstr(s->line, "down: the server ended the connection (NO_ERROR)"));
}

static void pings_when_silent_while_waiting(void **state)
{
	struct scene *s = *state;

	uint64_t start_ms;

	come_up(s);
	start_ms = loop_now_ms(s->loop);
	request(s, "/wait", "w", true);
	run_until(s, "ping ping ping ");
	assert_string_equal(s->line, "body=w ping ping ping ");
	assert_true(loop_now_ms(s->loop) >= start_ms + 3 * PING_MS);
}

static void never_pings_without_a_stream(void **state)
{
	struct scene *s = *state;

	come_up(s);
	loop_timer_at(s->deadline, loop_now_ms(s->loop) + 150);
	loop_run(s->loop);
	assert_string_equal(s->line, "deadline ");
}

static void a_half_open_connection_is_found(void **state)
{
	struct scene *s = *state;

	s->ping_timeout_ms = SHORT_MS;
	come_up(s);
	request(s, "/mute", "", true);
	loop_run(s->loop);
	assert_string_equal(s->line, "down: timed out: the server no longer answers");
}

static void a_byte_now_and_then_is_no_sign_of_life(void **state)
{
	struct scene *s = *state;

	s->ping_timeout_ms = 10 * SHORT_MS;
	come_up(s);
	s->drip = loop_timer(s->loop, on_drip, s);
	loop_timer_at(s->drip, 0);
	request(s, "/mute", "", true);
	loop_run(s->loop);
	assert_string_equal(s->line, "down: timed out: the server no longer answers");
	assert_true(s->n_dripped >= 5);
}

static void a_closed_connection_is_told(void **state)
{
	struct scene *s = *state;

	come_up(s);
	loop_watch_free(TAKE_PTR(s->serve));
	shutdown(s->fd, SHUT_RDWR);
	loop_run(s->loop);
	assert_string_equal(s->line, "down: the server closed the connection");
}

static void refused(void **state)
{
	struct scene *s = *state;

	loop_watch_free(TAKE_PTR(s->accept));
	shutdown(s->listen_fd, SHUT_RDWR);
	open_client(s, s->port);
	loop_run(s->loop);
	assert_string_equal(s->line, "down: connection refused");
}

static void silent_server_times_out(void **state)
{
	struct scene *s = *state;

	/* The kernel completes the connection; nobody ever accepts it. */
	s->connect_timeout_ms = SHORT_MS;
	loop_watch_free(TAKE_PTR(s->accept));
	open_client(s, s->port);
	loop_run(s->loop);
	assert_string_equal(s->line, "down: timed out: connected, but the server does not speak");
}

static void other_protocols_are_named(void **state)
{
	static const struct {
		const char *raw;
		bool close;
		const char *want;
	} rows[] = {
		{"HTTP/1.1 400 Bad Request\r\nX: y\r\n\r\n", false,
		 "not HTTP/2: the server answered \"HTTP/1.1 400 Bad Request\": it, or what stands in "
		 "between, speaks HTTP/1.1 alone"},
		{"\x15\x03\x01\x02\x02\x02\x16xxxx", false,
		 "the server speaks TLS: write https://"},
		{"\x15\x03\x01", true, "the server speaks TLS: write https://"},
		{"SSH-2", true, "not HTTP/2: the server answered \"SSH-2\""},
		{"\x1b[2J\x01\x02\x03\x04\x05\x06", false,
		 "not HTTP/2: the server answered \"\\x1b[2J\\x01\\x02\\x03\\x04\\x05\\x06\""},
		{"", true,
		 "the server closed the connection without a word: does it want TLS? Then write https://"},
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		s->raw = rows[i].raw;
		s->raw_close = rows[i].close;
		s->told = (struct text)TEXT(s->line);
		open_client(s, s->port);
		loop_run(s->loop);
		assert_memory_equal(s->line, "down: ", 6);
		assert_string_equal(s->line + 6, rows[i].want);
		h2_close(TAKE_PTR(s->client));
		loop_watch_free(TAKE_PTR(s->serve));
		close(TAKE_FD(s->fd));
	}
}

static void on_end_close(void *arg, const char *problem _unused_)
{
	struct scene *s = arg;

	h2_close(TAKE_PTR(s->client));
	text_add(&s->told, "closed ");
	loop_timer_at(s->deadline, loop_now_ms(s->loop) + 20);
}

static void may_be_closed_from_a_callback(void **state)
{
	const struct h2_request req = {
		.method = "POST",
		.path = "/trailers",
		.body = "w",
		.n_body = 1,
		.header = on_header,
		.data = on_data,
		.end = on_end_close,
		.arg = *state,
	};
	struct scene *s = *state;

	come_up(s);
	h2_send(s->client, &req);
	request(s, "/trailers", "v", false);
	loop_run(s->loop);
	assert_string_equal(s->line + strlen(s->line) - 16, "closed deadline ");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(answers_arrive),
		T(a_large_answer_passes_flow_control),
		T(several_at_once),
		T(an_open_stream_ends_when_the_server_ends_it),
		T(cancel_tells_the_server_and_nobody_else),
		T(a_request_cancelled_at_once_is_forgotten),
		T(a_broken_stream_leaves_the_connection),
		T(goodbye_is_told_with_its_reason),
		T(goodbye_after_the_last_answer),
		T(goodbye_without_an_answer),
		T(a_request_after_the_goodbye),
		T(pings_when_silent_while_waiting),
		T(never_pings_without_a_stream),
		T(a_half_open_connection_is_found),
		T(a_byte_now_and_then_is_no_sign_of_life),
		T(a_closed_connection_is_told),
		T(refused),
		T(silent_server_times_out),
		T(other_protocols_are_named),
		T(may_be_closed_from_a_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
