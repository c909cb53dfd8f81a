/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between a client and a server, and turns bad when told to: proxy PORT SERVER_PORT
 *
 *	SIGHUP	all is well: bytes pass both ways (as it begins)
 *	SIGUSR1	no etcd: connections break off, new ones are answered by a web page
 *	SIGUSR2	slow: of what the server says one byte a second arrives, on each connection
 *	SIGQUIT	silent: connections stand, nothing passes any more
 *	SIGALRM	cut: of what the server says the first 3,000 bytes arrive, on each new connection; then it closes
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define PAIRS_MAX 16
#define CUT_BYTES 3000 /* a TLS handshake, and then some */

static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
			   "<html><body><h1>It works!</h1></body></html>\n";

static volatile sig_atomic_t mode = SIGHUP;

struct pair {
	int client, server; /* -1 = free; server -1 = answered by the page */
	size_t said_bytes;  /* by the server */
};

static struct pair pairs[PAIRS_MAX];

static void on_signal(int sig)
{
	mode = sig;
}

static int die(const char *what)
{
	perror(what);
	exit(1);
}

static int tcp_open(uint16_t port, bool listening)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr =
					       htonl(listening ? INADDR_ANY : INADDR_LOOPBACK)};
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (!listening) {
		if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
			return fd;
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 16) < 0)
		die("listen");
	return fd;
}

static void drop(struct pair *p)
{
	if (p->client >= 0)
		close(p->client);
	if (p->server >= 0)
		close(p->server);
	p->client = p->server = -1;
}

static void take(int listener, uint16_t server_port)
{
	int fd = accept(listener, NULL, NULL);

	for (size_t i = 0; fd >= 0 && i < PAIRS_MAX; i++) {
		struct pair *p = &pairs[i];

		if (p->client >= 0)
			continue;
		p->client = fd;
		p->said_bytes = 0;
		p->server = mode == SIGUSR1 ? -1 : tcp_open(server_port, false);
		if (mode != SIGUSR1 && p->server < 0)
			drop(p);
		return;
	}
	if (fd >= 0)
		close(fd);
}

/* False: one end has closed. */
static bool pass(int from, int to, size_t max, size_t *ret_said_bytes)
{
	char bytes[65536];
	ssize_t n = recv(from, bytes, MIN(max, sizeof(bytes)), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	*ret_said_bytes += (size_t)MAX(n, 0);
	return n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

/* How much more of what the server says may pass. */
static size_t rest(const struct pair *p)
{
	return mode == SIGALRM ? CUT_BYTES - MIN(p->said_bytes, (size_t)CUT_BYTES) : SIZE_MAX;
}

static void serve(struct pair *p, bool client_readable, bool server_readable)
{
	char request[4096];
	size_t asked_bytes = 0;

	if (p->server < 0) {
		if (client_readable && recv(p->client, request, sizeof(request), 0) > 0)
			send(p->client, page, sizeof(page) - 1, MSG_NOSIGNAL);
		if (client_readable)
			drop(p);
	} else if ((client_readable && !pass(p->client, p->server, SIZE_MAX, &asked_bytes)) ||
		   (server_readable && !pass(p->server, p->client, rest(p), &p->said_bytes))) {
		drop(p);
	}
}

/* What came since the last second: a byte of each. */
static void drip(void)
{
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		if (pairs[i].server >= 0 &&
		    !pass(pairs[i].server, pairs[i].client, 1, &pairs[i].said_bytes))
			drop(&pairs[i]);
	}
}

static void turn(int listener, uint16_t server_port, int was)
{
	struct pollfd fds[1 + 2 * PAIRS_MAX] = {{.fd = listener, .events = POLLIN}};
	const bool client = mode != SIGQUIT, server = client && mode != SIGUSR2;

	for (size_t i = 0; i < PAIRS_MAX; i++) {
		if (mode == SIGUSR1 && was != SIGUSR1)
			drop(&pairs[i]);
		fds[1 + 2 * i] = (struct pollfd){client ? pairs[i].client : -1, POLLIN, 0};
		fds[2 + 2 * i] = (struct pollfd){server ? pairs[i].server : -1, POLLIN, 0};
	}
	if (poll(fds, ARRAY_SIZE(fds), 200) < 0)
		return;
	if (fds[0].revents)
		take(listener, server_port);
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		bool from_client = fds[1 + 2 * i].revents, from_server = fds[2 + 2 * i].revents;

		if (pairs[i].client >= 0 && (from_client || from_server))
			serve(&pairs[i], from_client, from_server);
	}
}

int main(int argc, char **argv)
{
	const int signals[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGALRM};
	time_t dripped = 0;
	int listener, was = SIGHUP;

	if (argc != 3)
		return 2;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction act = {.sa_handler = on_signal};

		sigaction(signals[i], &act, NULL);
	}
	for (size_t i = 0; i < PAIRS_MAX; i++)
		pairs[i] = (struct pair){-1, -1};
	listener = tcp_open((uint16_t)atoi(argv[1]), true);
	for (;;) {
		int now = mode;

		turn(listener, (uint16_t)atoi(argv[2]), was);
		was = now;
		if (mode == SIGUSR2 && time(NULL) != dripped) {
			dripped = time(NULL);
			drip();
		}
	}
}
