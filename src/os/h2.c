/* SPDX-License-Identifier: Apache-2.0 */
#include "os/h2.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

/* syscalls: socket connect setsockopt getsockopt close */

/* Above this much unsent output nothing more is produced until some has gone. */
#define LIMIT_OUTPUT_BYTES 65536
/* RFC 9113, 4.1: length (3), type, flags, stream id (4). */
#define FRAME_HEAD_SIZE	   9
#define AUTHORITY_SIZE	   264 /* a name, a port */
#define PROBLEM_SIZE	   400
/* Room for what is on its way to us. It is given back by halves, and nothing waits here for anybody: so the more, the fewer
 * frames that say so, of which each costs as much as an event. */
#define WINDOW_BYTES	   (1 << 20)
#define PARTING_MS \
 1000 /* what is under way when a server says goodbye is answered at once, or is a watch */

struct h2_stream {
	struct h2 *conn;
	struct h2_stream *next;
	int32_t id;
	bool cancelled;	      /* only nghttp2 still knows it */
	struct h2_request on; /* its callbacks */
	size_t n_body, n_sent;
	uint8_t body[];
};

struct h2 {
	struct h2_conf conf;
	char authority[AUTHORITY_SIZE];
	struct event *connecting; /* TCP; NULL = no longer */
	struct tls *tls;	  /* NULL = plain text */
	struct bufferevent *transport;
	nghttp2_session *session;
	struct h2_stream *streams; /* all that nghttp2 may still name */
	struct loop_watch *timer;
	/* When a frame was last complete. Bytes prove nothing: through what lets one pass a second an
	 * answer to PING takes longer than anybody should wait, and an event several minutes. */
	uint64_t heard_ms;
	uint64_t timer_ms; /* what it is armed for; UINT64_MAX = not */
	unsigned depth;	   /* within so many calls that use this object */
	bool connected;	   /* HTTP/2 may begin */
	bool preface_seen; /* what came first looked like HTTP/2 */
	bool up, is_down, closed;
	bool ping_sent;		    /* and nothing heard since */
	bool frame_seen;	    /* in the bytes being read */
	char problem[PROBLEM_SIZE]; /* "" = none yet */
	/* The server takes no more requests, and ends when those under way are answered: Kubernetes' says 401
	 * so. "" = it does not. */
	char parting[PROBLEM_SIZE];
	struct loop_watch *parted; /* that takes too long */
};

/* ---- the end of things ---- */

static void connecting_end(struct h2 *c)
{
	if (!c->connecting)
		return;
	close(event_get_fd(c->connecting));
	event_free(TAKE_PTR(c->connecting));
}

static void conn_free(struct h2 *c)
{
	while (c->streams) {
		struct h2_stream *s = c->streams;

		c->streams = s->next;
		free(s);
	}
	loop_watch_free(c->timer);
	loop_watch_free(c->parted);
	connecting_end(c);
	if (c->transport)
		bufferevent_free(c->transport);
	tls_free(c->tls);
	nghttp2_session_del(c->session);
	free(c);
}

/* Callbacks may close the connection; nghttp2 must not lose its session within one of its own. */
static void enter(struct h2 *c)
{
	c->depth++;
}

static void leave(struct h2 *c)
{
	if (--c->depth == 0 && c->closed)
		conn_free(c);
}

void h2_close(struct h2 *c)
{
	if (!c)
		return;
	c->closed = true;
	enter(c);
	leave(c);
}

static void timer_at(struct h2 *c, uint64_t at_ms)
{
	c->timer_ms = at_ms;
	loop_timer_at(c->timer, at_ms);
}

/* The first problem is the cause, later ones are its consequences. */
_printf_(2, 3) static void set_problem(struct h2 *c, const char *fmt, ...)
{
	va_list ap;

	if (c->problem[0])
		return;
	if (c->parting[0]) {
		text_copy(c->problem, sizeof(c->problem), c->parting);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(c->problem, sizeof(c->problem), fmt, ap);
	va_end(ap);
}

static void set_problem_errno(struct h2 *c, int code)
{
	const char *why = strerror(code);

	/* It will stand in the middle of a line. */
	set_problem(c, "%c%s", tolower((unsigned char)why[0]), why + 1);
}

/* Tells the owner, once; the problem is set. The caller is between enter() and leave(). */
static void go_down(struct h2 *c)
{
	if (c->is_down)
		return;
	c->is_down = true;
	if (c->transport)
		bufferevent_disable(c->transport, EV_READ | EV_WRITE);
	connecting_end(c);
	timer_at(c, UINT64_MAX);
	if (!c->closed)
		c->conf.down(c->conf.arg, c->problem);
}

/* ---- what nghttp2 calls ---- */

static struct h2_stream *stream_find(nghttp2_session *session, int32_t id)
{
	struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);

	return s && !s->cancelled && !s->conn->closed ? s : NULL;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t n_name _unused_, const uint8_t *value, size_t n_value _unused_,
		     uint8_t flags _unused_, void *arg _unused_)
{
	struct h2_stream *s = stream_find(session, frame->hd.stream_id);

	/* nghttp2 terminates both. */
	if (s)
		s->on.header(s->on.arg, (const char *)name, (const char *)value);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags _unused_, int32_t id,
		   const uint8_t *bytes, size_t n, void *arg _unused_)
{
	struct h2_stream *s = stream_find(session, id);

	if (s)
		s->on.data(s->on.arg, bytes, n);
	return 0;
}

/* The server is done with a stream that we hold open. */
static void finish(struct h2_stream *s)
{
	s->cancelled = true;
	nghttp2_submit_rst_stream(s->conn->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR);
	s->on.end(s->on.arg, NULL);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
	struct h2 *c = arg;
	char problem[PROBLEM_SIZE];

	if (!s)
		return 0;
	for (struct h2_stream **at = &c->streams; *at; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	if (c->parting[0] && code == NGHTTP2_REFUSED_STREAM)
		text_copy(problem, sizeof(problem), c->parting);
	else
		snprintf(problem, sizeof(problem), "the server broke the request off (%s)",
			 nghttp2_http2_strerror(code));
	if (!s->cancelled && !c->closed)
		s->on.end(s->on.arg, code == NGHTTP2_NO_ERROR ? NULL : problem);
	free(s);
	return 0;
}

static bool is_waiting(const struct h2 *c)
{
	for (const struct h2_stream *s = c->streams; s; s = s->next)
		if (!s->cancelled)
			return true;
	return false;
}

static void on_parted(void *arg)
{
	struct h2 *c = arg;

	enter(c);
	set_problem(c, "the server ended the connection");
	go_down(c);
	leave(c);
}

static void on_goaway(struct h2 *c, const nghttp2_goaway *frame)
{
	char why[60] = "", words[PROBLEM_SIZE];
	struct text t = TEXT(why);

	text_add_escaped(&t, (const char *)frame->opaque_data, frame->opaque_data_len);
	snprintf(words, sizeof(words), "the server ended the connection (%s%s%s)",
		 nghttp2_http2_strerror(frame->error_code), why[0] ? ": " : "", why);
	if (frame->error_code != NGHTTP2_NO_ERROR || !is_waiting(c)) {
		set_problem(c, "%s", words);
	} else if (!c->parted) {
		text_copy(c->parting, sizeof(c->parting), words);
		c->parted = loop_timer(c->conf.loop, on_parted, c);
		loop_timer_at(c->parted, loop_now_ms(c->conf.loop) + PARTING_MS);
	}
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct h2_stream *s = stream_find(session, frame->hd.stream_id);
	struct h2 *c = arg;

	c->frame_seen = true;
	if (s && s->on.keep_open && frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
	    (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
		finish(s);
	if (frame->hd.type == NGHTTP2_GOAWAY)
		on_goaway(c, &frame->goaway);
	if (frame->hd.type == NGHTTP2_SETTINGS && !c->up) {
		c->up = true;
		if (!c->closed)
			c->conf.up(c->conf.arg);
	}
	return 0;
}

static ssize_t on_body_wanted(nghttp2_session *session _unused_, int32_t id _unused_, uint8_t *buf,
			      size_t n, uint32_t *flags, nghttp2_data_source *source,
			      void *arg _unused_)
{
	struct h2_stream *s = source->ptr;
	size_t left = s->n_body - s->n_sent;

	if (left == 0 && s->on.keep_open)
		return NGHTTP2_ERR_DEFERRED;
	n = MIN(n, left);
	memcpy(buf, s->body + s->n_sent, n);
	s->n_sent += n;
	if (s->n_sent == s->n_body && !s->on.keep_open)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static void session_open(struct h2 *c)
{
	/* No pushes; a server that sends more headers than this is not ours. */
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 8192},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES}, /* of a stream */
	};
	nghttp2_session_callbacks *calls;

	if (nghttp2_session_callbacks_new(&calls) != 0)
		abort();
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
	if (nghttp2_session_client_new(&c->session, calls, c) != 0)
		abort();
	nghttp2_session_callbacks_del(calls);
	if (nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings,
				    ARRAY_SIZE(settings)) != 0 ||
	    nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES) !=
		    0)
		abort();
}

/* ---- bytes in and out ---- */

/* nghttp2's frames into the transport, as far as there is room. */
static void flush(struct h2 *c)
{
	struct evbuffer *out;
	const uint8_t *bytes;
	ssize_t n;

	if (c->is_down || c->closed)
		return;
	out = bufferevent_get_output(c->transport);
	while (evbuffer_get_length(out) < LIMIT_OUTPUT_BYTES) {
		n = nghttp2_session_mem_send(c->session, &bytes);
		if (n == 0)
			break;
		if (n < 0 || evbuffer_add(out, bytes, (size_t)n) < 0)
			abort();
	}
}

/* nghttp2 must not be asked to send within its own callbacks: on_readable() does it after them. Nor is it asked
 * after the server's goodbye: it would refuse new requests at once, within h2_send(). */
static void flush_soon(struct h2 *c)
{
	if (c->depth == 0 && !c->parting[0])
		flush(c);
}

/* One that knows nothing of ALPN (RFC 7301) may know HTTP/2 all the same; where that fails, it is the likely cause. */
static const char *disagrees(const struct h2 *c)
{
	return c->tls && !tls_is_for_h2(c->tls)
		       ? ", and has not agreed to HTTP/2 in the TLS handshake (ALPN): something "
			 "there speaks HTTP/1.1 alone"
		       : "";
}

/* An HTTP/2 server speaks first a SETTINGS frame of stream 0 (RFC 9113, 3.4). Anything else is told in
 * its own words. */
static void check_preface(struct h2 *c, struct evbuffer *in, bool last)
{
	uint8_t head[64];
	size_t n = (size_t)evbuffer_copyout(in, head, sizeof(head));
	char shown[100] = "";
	struct text t = TEXT(shown);

	if (c->preface_seen || (n < FRAME_HEAD_SIZE && !last))
		return;
	if (n >= FRAME_HEAD_SIZE && head[0] == 0 && head[3] == NGHTTP2_SETTINGS &&
	    memcmp(head + 5, "\0\0\0\0", 4) == 0) {
		c->preface_seen = true;
		return;
	}
	if (n == 0) {
		/* So does etcd when plain text comes to its TLS port. */
		set_problem(c, "the server closed the connection without a word%s",
			    c->tls ? disagrees(c) : ": does it want TLS? Then write https://");
		return;
	}
	/* A TLS alert record (RFC 8446, 5.1). */
	if (head[0] == 0x15 && head[1] == 0x03) {
		set_problem(c, "the server speaks TLS: write https://");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (head[i] == '\r' || head[i] == '\n')
			n = i;
	text_add_escaped(&t, (const char *)head, n);
	set_problem(c, "not HTTP/2: the server answered \"%s\"%s", shown,
		    n >= 7 && memcmp(head, "HTTP/1.", 7) == 0
			    ? ": it, or what stands in between, speaks HTTP/1.1 alone"
			    : "");
}

static void receive(struct h2 *c, struct evbuffer *in)
{
	struct evbuffer_iovec piece;
	ssize_t n;

	while (!c->problem[0] && !c->closed && evbuffer_peek(in, -1, NULL, &piece, 1) > 0) {
		n = nghttp2_session_mem_recv(c->session, piece.iov_base, piece.iov_len);
		if (n < 0)
			set_problem(c, "HTTP/2: %s", nghttp2_strerror((int)n));
		else
			evbuffer_drain(in, (size_t)n);
	}
}

static void on_readable(struct bufferevent *transport, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(transport);
	struct h2 *c = arg;
	bool was_up = c->up;

	enter(c);
	c->frame_seen = false;
	check_preface(c, in, false);
	if (c->preface_seen)
		receive(c, in);
	flush(c);
	if (c->parting[0] && !c->closed && !is_waiting(c))
		set_problem(c, "the server ended the connection");
	if (c->frame_seen)
		c->heard_ms = loop_now_ms(c->conf.loop);
	/* So it is after a protocol error, once nghttp2's GOAWAY is out. */
	if (!c->closed && !nghttp2_session_want_read(c->session) &&
	    !nghttp2_session_want_write(c->session))
		set_problem(c, "HTTP/2: protocol error of the server");
	if (c->problem[0]) {
		go_down(c);
	} else if (c->frame_seen && c->up && (c->ping_sent || !was_up)) {
		c->ping_sent = false;
		timer_at(c, c->heard_ms + c->conf.ping_after_ms);
	}
	leave(c);
}

static void on_writable(struct bufferevent *transport _unused_, void *arg)
{
	struct h2 *c = arg;

	enter(c); /* a request that waited for room may be refused now, and who hears that may close */
	flush(c);
	leave(c);
}

/* The transport stands. */
static void begin(struct h2 *c)
{
	c->connected = true;
	bufferevent_enable(c->transport, EV_READ);
	flush(c);
}

/* Before anything useful was said, TLS may know why. */
static void take_tls_problem(struct h2 *c)
{
	struct text t = TEXT(c->problem);

	if (!c->tls || c->up || c->problem[0])
		return;
	if (!tls_problem(c->tls, c->transport, &t))
		c->problem[0] = '\0';
}

static void on_transport(struct bufferevent *transport, short what, void *arg)
{
	int code = errno;
	struct h2 *c = arg;

	enter(c);
	if (what & BEV_EVENT_CONNECTED) {
		tls_settled(c->tls);
		begin(c);
	} else if (what & BEV_EVENT_EOF) {
		if (c->connected)
			check_preface(c, bufferevent_get_input(transport), true);
		take_tls_problem(c);
		set_problem(c, "the server closed the connection");
	} else {
		take_tls_problem(c);
		/* Closed with something of ours unread. */
		if (c->connected && code == ECONNRESET)
			check_preface(c, bufferevent_get_input(transport), true);
		set_problem_errno(c, code ? code : ECONNRESET);
	}
	if (c->problem[0])
		go_down(c);
	leave(c);
}

/* ---- time ---- */

static bool awaits_something(const struct h2 *c)
{
	for (const struct h2_stream *s = c->streams; s; s = s->next)
		if (!s->cancelled)
			return true;
	return false;
}

/* Connected, and the timer has run out: silent for long? */
static void check_silence(struct h2 *c)
{
	uint64_t now_ms = loop_now_ms(c->conf.loop);

	if (!awaits_something(c)) {
		timer_at(c, UINT64_MAX);
	} else if (c->ping_sent) {
		set_problem(c, "timed out: the server no longer answers");
	} else if (now_ms < c->heard_ms + c->conf.ping_after_ms) {
		timer_at(c, c->heard_ms + c->conf.ping_after_ms);
	} else {
		if (nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL) != 0)
			abort();
		flush(c);
		c->ping_sent = true;
		timer_at(c, now_ms + c->conf.ping_timeout_ms);
	}
}

static void on_timer(void *arg)
{
	struct h2 *c = arg;

	enter(c);
	if (c->problem[0])
		; /* h2_open() did not come that far */
	else if (c->up)
		check_silence(c);
	else if (c->connected)
		set_problem(c, "timed out: connected, but the server does not speak%s",
			    disagrees(c));
	else
		set_problem(c, "timed out: %s",
			    c->connecting ? "no TCP connection"
					  : "connected, but no TLS handshake");
	if (c->problem[0])
		go_down(c);
	leave(c);
}

/* ---- opening, requests ---- */

/* A connecting socket; -1 = not even that, the problem is set. */
static int tcp_connect(struct h2 *c)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(c->conf.port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(c->conf.port)};
	const struct sockaddr *to = (const struct sockaddr *)&in4;
	socklen_t size = sizeof(in4);
	size_t n;
	const uint8_t *bytes = ip_bytes(&c->conf.ip, &n);
	int one = 1;
	int fd;

	if (ip_is_v4(&c->conf.ip)) {
		memcpy(&in4.sin_addr, bytes, n);
	} else {
		memcpy(&in6.sin6_addr, bytes, n);
		to = (const struct sockaddr *)&in6;
		size = sizeof(in6);
	}
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || (connect(fd, to, size) < 0 && errno != EINPROGRESS)) {
		set_problem_errno(c, errno);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	/* Requests are small and wait for answers: nothing to be gained by delay. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* The one place that knows of plain text and TLS. */
static void transport_new(struct h2 *c, int fd)
{
	struct event_base *base = loop_base(c->conf.loop);

	if (c->tls)
		c->transport = tls_transport(c->tls, base, fd);
	else
		c->transport = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->transport)
		abort();
	bufferevent_setcb(c->transport, on_readable, on_writable, on_transport, c);
	if (!c->tls)
		begin(c);
}

static void on_connected(evutil_socket_t fd, short what _unused_, void *arg)
{
	struct h2 *c = arg;
	socklen_t size = sizeof(int);
	int code = 0;

	enter(c);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
		code = errno;
	if (code == 0) {
		event_free(TAKE_PTR(c->connecting));
		transport_new(c, fd);
	} else {
		set_problem_errno(c, code);
		go_down(c);
	}
	leave(c);
}

static void connecting_begin(struct h2 *c, int fd)
{
	c->connecting = event_new(loop_base(c->conf.loop), fd, EV_WRITE, on_connected, c);
	if (!c->connecting || event_add(c->connecting, NULL) < 0)
		abort();
}

struct h2 *h2_open(const struct h2_conf *conf)
{
	struct h2 *c = calloc(1, sizeof(*c));
	struct err err;
	int fd = -1;

	if (!c)
		abort();
	c->conf = *conf;
	if (!text_copy(c->authority, sizeof(c->authority), conf->authority))
		abort();
	c->conf.authority = c->authority;
	c->timer = loop_timer(conf->loop, on_timer, c);
	session_open(c);
	if (conf->tls && tls_new(conf->tls, conf->host, &c->tls, &err) < 0)
		set_problem(c, "%s", err.text);
	else
		fd = tcp_connect(c);
	if (fd >= 0) {
		connecting_begin(c, fd);
		timer_at(c, loop_now_ms(conf->loop) + conf->connect_timeout_ms);
	} else {
		timer_at(c, 0);
	}
	return c;
}

static nghttp2_nv header_nv(const char *name, const char *value)
{
	return (nghttp2_nv){
		.name = (uint8_t *)name,
		.namelen = strlen(name),
		.value = (uint8_t *)value,
		.valuelen = strlen(value),
	};
}

struct h2_stream *h2_send(struct h2 *c, const struct h2_request *req)
{
	struct h2_stream *s = calloc(1, sizeof(*s) + req->n_body);
	nghttp2_data_provider body = {.source.ptr = s, .read_callback = on_body_wanted};
	nghttp2_nv headers[4 + H2_HEADERS_MAX];
	size_t n = 0;

	if (!s)
		abort();
	assert(c->up && !c->is_down && req->n_headers <= H2_HEADERS_MAX);
	s->conn = c;
	s->on = *req;
	s->n_body = req->n_body;
	if (req->n_body > 0)
		memcpy(s->body, req->body, req->n_body);
	headers[n++] = header_nv(":method", req->method);
	headers[n++] = header_nv(":scheme", c->tls ? "https" : "http");
	headers[n++] = header_nv(":path", req->path);
	headers[n++] = header_nv(":authority", c->authority);
	for (size_t i = 0; i < req->n_headers; i++)
		headers[n++] = header_nv(req->headers[i].name, req->headers[i].value);
	s->id = nghttp2_submit_request(c->session, NULL, headers, n, req->n_body > 0 ? &body : NULL,
				       s);
	if (s->id < 0)
		abort();
	s->next = c->streams;
	c->streams = s;
	if (c->timer_ms == UINT64_MAX)
		timer_at(c, loop_now_ms(c->conf.loop) + c->conf.ping_after_ms);
	flush_soon(c);
	return s;
}

void h2_cancel(struct h2_stream *s)
{
	struct h2 *c = s->conn;

	s->cancelled = true;
	nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
	flush_soon(c);
}
