/* SPDX-License-Identifier: Apache-2.0 */
/* New connections all the time, and whose source address arrives: is there a moment without NAT?
 *
 *	nat_probe serve PORT		answers each UDP datagram with the address that it came from
 *	nat_probe ask ADDRESS PORT	every millisecond from another port, so that each is a new connection
 *
 * Both run until SIGTERM. Then `serve` prints a line "ADDRESS COUNT" for each source, `ask` one line
 * "asked N answered N". What is not masqueraded is counted by `serve`: its answer may have no way back.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS	    1000000L
#define OPEN_MAX_   900 /* sockets that wait for their answer: 0.9 s */
#define PORT_FIRST  10000u
#define PORTS	    50000u /* none twice within 50 s: conntrack forgets an answered one after 30 s */
#define SOURCES_MAX 32

static volatile sig_atomic_t ended;

static void on_term(int signal)
{
	(void)signal;
	ended = 1;
}

/* IPv4's are written ::ffff:a.b.c.d, and the kernel speaks IPv4 with them. */
#define MAPPED "::ffff:"

static struct sockaddr_in6 address(const char *ip, unsigned port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	char text[INET6_ADDRSTRLEN];

	snprintf(text, sizeof(text), "%s%s", strchr(ip, ':') ? "" : MAPPED, ip);
	if (inet_pton(AF_INET6, text, &a.sin6_addr) != 1) {
		fprintf(stderr, "nat_probe: not an IP address: %s\n", ip);
		exit(2);
	}
	return a;
}

static int udp_socket(unsigned port)
{
	struct sockaddr_in6 a = address("::", port);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), no = 0;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		fprintf(stderr, "nat_probe: port %u: %s\n", port, strerror(errno));
		exit(1);
	}
	return fd;
}

static int serve(unsigned port)
{
	struct {
		struct in6_addr ip;
		unsigned long n;
	} sources[SOURCES_MAX] = {0};

	size_t n_sources = 0;
	int fd = udp_socket(port);
	const int queue_bytes = 8 << 20; /* seconds of it: on a busy machine our turn comes late */
	char text[INET6_ADDRSTRLEN];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof(queue_bytes));
	while (!ended) {
		struct sockaddr_in6 from;
		socklen_t len = sizeof(from);
		char word;
		size_t i = 0;

		if (recvfrom(fd, &word, 1, 0, (struct sockaddr *)&from, &len) < 0)
			continue;
		while (i < n_sources && memcmp(&sources[i].ip, &from.sin6_addr, 16) != 0)
			i++;
		if (i == n_sources && n_sources < SOURCES_MAX)
			sources[n_sources++].ip = from.sin6_addr;
		if (i < SOURCES_MAX)
			sources[i].n++;
		sendto(fd, &word, 1, 0, (struct sockaddr *)&from, len);
	}
	for (size_t i = 0; i < n_sources; i++) {
		inet_ntop(AF_INET6, &sources[i].ip, text, sizeof(text));
		printf("%s %lu\n", text + (strncmp(text, MAPPED, 7) == 0 ? 7 : 0), sources[i].n);
	}
	return 0;
}

/* Closes the socket; was there an answer? */
static unsigned long collect(int *fd)
{
	char word;
	unsigned long answered = *fd >= 0 && recv(*fd, &word, 1, MSG_DONTWAIT) == 1;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return answered;
}

static int ask(const char *ip, unsigned port)
{
	const struct timespec tick = {.tv_nsec = TICK_NS}, second = {.tv_sec = 1};
	struct sockaddr_in6 to = address(ip, port);
	unsigned long asked = 0, answered = 0;
	int open[OPEN_MAX_];

	for (size_t i = 0; i < OPEN_MAX_; i++)
		open[i] = -1;
	for (; !ended; asked++) {
		int *fd = &open[asked % OPEN_MAX_];

		answered += collect(fd);
		*fd = udp_socket(PORT_FIRST + (unsigned)(asked % PORTS));
		/* A refused one counts as lost. */
		(void)!sendto(*fd, "?", 1, 0, (struct sockaddr *)&to, sizeof(to));
		nanosleep(&tick, NULL);
	}
	nanosleep(&second, NULL); /* for the last answers */
	for (size_t i = 0; i < OPEN_MAX_; i++)
		answered += collect(&open[i]);
	printf("asked %lu answered %lu\n", asked, answered);
	return 0;
}

int main(int argc, char *argv[])
{
	struct sigaction action = {.sa_handler = on_term}; /* no SA_RESTART: it ends the wait */

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve((unsigned)atoi(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "ask"))
		return ask(argv[2], (unsigned)atoi(argv[3]));
	fprintf(stderr, "Usage: nat_probe serve PORT | ask ADDRESS PORT\n");
	return 2;
}
