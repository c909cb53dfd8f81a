/* SPDX-License-Identifier: Apache-2.0 */
#include "os/dns.h"

#include <ares.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"

/* syscalls (cares): openat close read fstat newfstatat lseek uname getrandom */
/* syscalls (cares): socket connect setsockopt getsockname fcntl sendto recvfrom write writev */

/* glibc waits 5 s for a server before it asks the next one; whoever asks here has other endpoints to try. */
#define SERVER_TIMEOUT_MS 1500
#define SERVER_TRIES	  2

/* A socket of c-ares that is watched. */
struct watched {
	struct watched *next;
	struct dns_lookup *lookup;
	int fd;
	struct event *event;
};

struct dns_lookup {
	struct dns_conf conf;
	char host[256];
	ares_channel channel; /* NULL = none was needed */
	struct watched *watched;
	struct loop_watch *retry;    /* when c-ares wants to be asked for its own time limits */
	struct loop_watch *deadline; /* the time limit; once answered, the end */
	bool answered;
	struct ip addresses[DNS_ADDRESSES_MAX];
	size_t n;
	char problem[400];
};

static void add(struct dns_lookup *l, const struct ip *ip)
{
	for (size_t i = 0; i < l->n; i++)
		if (ip_eq(&l->addresses[i], ip))
			return;
	if (l->n < DNS_ADDRESSES_MAX)
		l->addresses[l->n++] = *ip;
}

static void add_family(struct dns_lookup *l, const struct ares_addrinfo_node *found, int family)
{
	for (; found; found = found->ai_next) {
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
		struct ip ip;

		if (found->ai_family != family)
			continue;
		if (family == AF_INET) {
			memcpy(&in4, found->ai_addr, sizeof(in4));
			ip = ip_from_bytes(&in4.sin_addr, sizeof(in4.sin_addr));
		} else {
			memcpy(&in6, found->ai_addr, sizeof(in6));
			ip = ip_from_bytes(&in6.sin6_addr, sizeof(in6.sin6_addr));
		}
		add(l, &ip);
	}
}

/* Told from the loop: c-ares must not be freed within its own calls, and answers from /etc/hosts at once. */
static void answer(struct dns_lookup *l)
{
	l->answered = true;
	loop_timer_at(l->deadline, 0);
}

static void on_answer(void *arg, int code, int n_timeouts _unused_, struct ares_addrinfo *found)
{
	struct dns_lookup *l = arg;

	if (code == ARES_EDESTRUCTION) /* that is us */
		return;
	if (code == ARES_SUCCESS) {
		add_family(l, found->nodes, AF_INET);
		add_family(l, found->nodes, AF_INET6);
	}
	if (l->n == 0 && (code == ARES_SUCCESS || code == ARES_ENODATA || code == ARES_ENOTFOUND))
		snprintf(l->problem, sizeof(l->problem),
			 "no host of this name, neither in /etc/hosts nor in the DNS");
	else if (l->n == 0)
		snprintf(l->problem, sizeof(l->problem),
			 "the name cannot be looked up by the servers of /etc/resolv.conf: %s",
			 ares_strerror(code));
	ares_freeaddrinfo(found);
	answer(l);
}

static void arm_retry(struct dns_lookup *l)
{
	struct timeval tv, *when = ares_timeout(l->channel, NULL, &tv);

	loop_timer_at(l->retry, when ? loop_now_ms(l->conf.loop) + (uint64_t)when->tv_sec * 1000 +
						(uint64_t)when->tv_usec / 1000 + 1
				     : UINT64_MAX);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct dns_lookup *l = ((struct watched *)arg)->lookup;

	/* This may end with the watched object freed, but not with the lookup. */
	ares_process_fd(l->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
			what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	arm_retry(l);
}

static void on_retry(void *arg)
{
	struct dns_lookup *l = arg;

	ares_process_fd(l->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_retry(l);
}

static void unwatch(struct watched **at)
{
	struct watched *w = *at;

	*at = w->next;
	event_free(w->event);
	free(w);
}

/* c-ares wants this of its socket `fd`; neither: it is about to be closed. */
static void on_want(void *arg, ares_socket_t fd, int readable, int writable)
{
	short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST);
	struct dns_lookup *l = arg;
	struct watched **at = &l->watched, *w;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	if (*at)
		unwatch(at);
	if (!readable && !writable)
		return;
	w = calloc(1, sizeof(*w));
	if (!w)
		abort();
	*w = (struct watched){.next = l->watched, .lookup = l, .fd = fd};
	w->event = event_new(loop_base(l->conf.loop), fd, what, on_socket, w);
	if (!w->event || event_add(w->event, NULL) < 0)
		abort();
	l->watched = w;
}

static void ask(struct dns_lookup *l)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
	struct ares_options options = {
		.timeout = SERVER_TIMEOUT_MS,
		.tries = SERVER_TRIES,
		.sock_state_cb = on_want,
		.sock_state_cb_data = l,
	};
	int code = ares_init_options(&l->channel, &options,
				     ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);

	if (code != ARES_SUCCESS) {
		l->channel = NULL;
		snprintf(l->problem, sizeof(l->problem), "the name cannot be looked up: %s",
			 ares_strerror(code));
		answer(l);
		return;
	}
	ares_getaddrinfo(l->channel, l->host, NULL, &hints, on_answer, l);
	arm_retry(l);
}

static void on_deadline(void *arg)
{
	struct dns_lookup *l = arg;

	if (!l->answered)
		snprintf(l->problem, sizeof(l->problem),
			 "timed out: the servers of /etc/resolv.conf do not answer for this name");
	l->conf.done(l->conf.arg, l->addresses, l->n, l->n ? NULL : l->problem);
}

struct dns_lookup *dns_lookup_new(const struct dns_conf *conf)
{
	static const struct ip loopback6 = {.b = {[15] = 1}};
	const struct ip loopback = ip_from_v4(INADDR_LOOPBACK);
	struct dns_lookup *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->conf = *conf;
	if (!text_copy(l->host, sizeof(l->host), conf->host))
		abort();
	l->deadline = loop_timer(conf->loop, on_deadline, l);
	l->retry = loop_timer(conf->loop, on_retry, l);
	loop_timer_at(l->deadline, loop_now_ms(conf->loop) + conf->timeout_ms);
	if (strcasecmp(l->host, "localhost") == 0) {
		add(l, &loopback);
		add(l, &loopback6);
		answer(l);
	} else {
		ask(l);
	}
	return l;
}

void dns_lookup_free(struct dns_lookup *l)
{
	if (!l)
		return;
	if (l->channel)
		ares_destroy(l->channel);
	while (l->watched)
		unwatch(&l->watched);
	loop_watch_free(l->retry);
	loop_watch_free(l->deadline);
	free(l);
}
