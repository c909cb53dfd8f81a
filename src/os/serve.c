/* SPDX-License-Identifier: Apache-2.0 */
#include "os/serve.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* syscalls: socket bind listen accept4 setsockopt shutdown close */
/* syscalls: chmod fchmod fchmodat unlink unlinkat */

#define BACKLOG 16

struct client {
	struct serve *serve;
	struct bufferevent *bev; /* NULL = free slot */
	uint64_t accepted;	 /* running number: the lowest is the oldest */
	bool answered;
};

struct serve {
	struct serve_conf conf;
	int listen_fd;
	struct loop_watch *listening;
	uint64_t n_accepted;
	struct client clients[SERVE_CLIENTS_MAX];
};

int serve_listen_unix(const char *path, unsigned mode, int *ret_fd, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, r;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, -ENAMETOOLONG, "socket %s: name longer than %zu bytes", path,
			       sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "socket %s: %s", path, strerror(errno));
	unlink(path);
	/* fchmod before bind: nobody can connect in between. */
	if (fchmod(fd, mode) < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0) {
		r = err_set(err, -errno, "socket %s: %s", path, strerror(errno));
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int serve_listen_tcp(const struct ip *ip, uint16_t port, int *ret_fd, struct err *err)
{
	struct sockaddr_in6 addr6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct sockaddr *to = (const struct sockaddr *)&addr6;
	socklen_t len = sizeof(addr6);
	char text[IP_STRLEN];
	size_t n;
	const uint8_t *bytes = ip_bytes(ip, &n);
	int fd, r, one = 1;

	memcpy(&addr6.sin6_addr, ip->b, sizeof(addr6.sin6_addr));
	if (ip_is_v4(ip)) {
		memcpy(&addr.sin_addr, bytes, sizeof(addr.sin_addr));
		to = (const struct sockaddr *)&addr;
		len = sizeof(addr);
	}
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, to, len) < 0 || listen(fd, BACKLOG) < 0) {
		r = err_set(err, -errno, "cannot listen on %s port %u: %s", ip_format(ip, text),
			    port, strerror(errno));
		if (fd >= 0)
			close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static void client_drop(struct client *c)
{
	if (c->bev)
		bufferevent_free(c->bev); /* closes the descriptor */
	*c = (struct client){.serve = c->serve};
}

static void client_answer(struct client *c, const char *request)
{
	char *text = NULL;
	size_t n = 0;
	FILE *answer = open_memstream(&text, &n);

	if (!answer)
		abort();
	c->serve->conf.fn(c->serve->conf.arg, request, answer);
	if (fclose(answer) != 0)
		abort();
	c->answered = true;
	bufferevent_write(c->bev, text, n);
	free(text);
}

/* Enough read for a request? What comes after one was answered is thrown away. */
static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	const char *end = c->serve->conf.end;
	struct evbuffer_ptr at = evbuffer_search(in, end, strlen(end), NULL);
	char request[SERVE_REQUEST_MAX + 1];
	size_t n;

	if (c->answered) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (at.pos < 0) {
		if (evbuffer_get_length(in) >= SERVE_REQUEST_MAX)
			client_drop(c);
		return;
	}
	n = MIN((size_t)at.pos + strlen(end), (size_t)SERVE_REQUEST_MAX);
	evbuffer_copyout(in, request, n);
	request[n] = '\0';
	evbuffer_drain(in, evbuffer_get_length(in));
	client_answer(c, request);
}

/* All sent. Our half is closed, and the client's awaited: closing at once would send a reset if it
 * still has something on the way, and take the answer with it. */
static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	if (c->answered)
		shutdown(bufferevent_getfd(bev), SHUT_WR);
}

/* End of file, an error, or no byte moved in time. */
static void on_end(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_drop(arg);
}

static struct client *free_slot(struct serve *s)
{
	struct client *oldest = &s->clients[0];

	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++) {
		if (!s->clients[i].bev)
			return &s->clients[i];
		if (s->clients[i].accepted < oldest->accepted)
			oldest = &s->clients[i];
	}
	client_drop(oldest);
	return oldest;
}

static void on_connect(void *arg, int fd)
{
	const struct timeval timeout = {.tv_sec = SERVE_TIMEOUT_MS / 1000,
					.tv_usec = SERVE_TIMEOUT_MS % 1000 * 1000};
	struct serve *s = arg;
	struct client *c;
	int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (peer < 0)
		return;
	c = free_slot(s);
	c->bev = bufferevent_socket_new(loop_base(s->conf.loop), peer, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev)
		abort();
	c->accepted = s->n_accepted++;
	bufferevent_setcb(c->bev, on_read, on_written, on_end, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, SERVE_REQUEST_MAX);
	bufferevent_set_timeouts(c->bev, &timeout, &timeout);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

struct serve *serve_open(const struct serve_conf *conf, int listen_fd)
{
	struct serve *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->conf = *conf;
	s->listen_fd = listen_fd;
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		s->clients[i].serve = s;
	s->listening = loop_readable(conf->loop, listen_fd, on_connect, s);
	return s;
}

void serve_close(struct serve *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SERVE_CLIENTS_MAX; i++)
		client_drop(&s->clients[i]);
	loop_watch_free(s->listening);
	close(s->listen_fd);
	free(s);
}
