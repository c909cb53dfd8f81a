/* SPDX-License-Identifier: Apache-2.0 */
/* One TCP connection, both families:
 *
 *	tcp_probe serve PORT		tells everybody his address, for ever
 *	tcp_probe ask ADDRESS PORT	prints what he is told; fails after two seconds
 */
#include <arpa/inet.h>
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void serve(const char *port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 16) < 0)
		err(1, "cannot listen on %s", port);
	for (;;) {
		struct sockaddr_in6 from;
		socklen_t n = sizeof(from);
		char text[INET6_ADDRSTRLEN + 1] = "";
		int peer = accept(fd, (struct sockaddr *)&from, &n);

		if (peer < 0)
			err(1, "accept");
		inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text));
		if (write(peer, text, strlen(text)) < 0)
			warn("write");
		close(peer);
	}
}

static int ask(const char *address, const char *port)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	const struct timeval patience = {.tv_sec = 5};
	struct addrinfo *to;
	char text[100] = "";
	const char *told = text;
	int fd;

	if (getaddrinfo(address, port, &hints, &to) != 0)
		errx(1, "%s: no address", address);
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		err(1, "socket");
	if (connect(fd, to->ai_addr, to->ai_addrlen) < 0)
		err(1, "%s", address);
	freeaddrinfo(to);
	if (read(fd, text, sizeof(text) - 1) <= 0)
		err(1, "%s: no answer", address);
	if (strncmp(text, "::ffff:", 7) == 0)
		told += 7;
	puts(told);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc == 4 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argv[3]);
	errx(2, "usage: tcp_probe serve PORT | ask ADDRESS PORT");
}
