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

static struct sockaddr_in address(const char *ip, unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, ip, &a.sin_addr) != 1) {
		fprintf(stderr, "nat_probe: not an IPv4 address: %s\n", ip);
		exit(2);
	}
	return a;
}

static int udp_socket(unsigned port)
{
	struct sockaddr_in a = address("0.0.0.0", port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		fprintf(stderr, "nat_probe: port %u: %s\n", port, strerror(errno));
		exit(1);
	}
	return fd;
}

static int serve(unsigned port)
{
	struct {
		struct in_addr ip;
		unsigned long n;
	} sources[SOURCES_MAX] = {0};

	size_t n_sources = 0;
	int fd = udp_socket(port);
	const int queue_bytes = 8 << 20; /* seconds of it: on a busy machine our turn comes late */
	char text[INET_ADDRSTRLEN];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof(queue_bytes));
	while (!ended) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		char word;
		size_t i = 0;

		if (recvfrom(fd, &word, 1, 0, (struct sockaddr *)&from, &len) < 0)
			continue;
		while (i < n_sources && sources[i].ip.s_addr != from.sin_addr.s_addr)
			i++;
		if (i == n_sources && n_sources < SOURCES_MAX)
			sources[n_sources++].ip = from.sin_addr;
		if (i < SOURCES_MAX)
			sources[i].n++;
		sendto(fd, &word, 1, 0, (struct sockaddr *)&from, len);
	}
	for (size_t i = 0; i < n_sources; i++)
		printf("%s %lu\n", inet_ntop(AF_INET, &sources[i].ip, text, sizeof(text)),
		       sources[i].n);
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
	struct sockaddr_in to = address(ip, port);
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
