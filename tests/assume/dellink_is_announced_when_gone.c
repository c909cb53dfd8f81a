/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#include "assume.h"
#include "wire/nl_pod.h"

const char sentence[] =
	"RTM_DELLINK of a veth is announced before the request returns, and whoever then asks for "
	"either end is told that it is gone, and may use both names again at once.";

#define ROUNDS 20

static uint8_t rx[NLSOCK_RX_BYTES];
static struct nlsock a, b; /* one in each namespace */
static int ns_b;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void open_both(void)
{
	int ns_a = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct err err = {0};

	check(nlsock_open(&a, NETLINK_ROUTE, rx, &err) == 0, "%s", err.text);
	check(unshare(CLONE_NEWNET) == 0, "unshare");
	ns_b = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	check(nlsock_open(&b, NETLINK_ROUTE, rx, &err) == 0, "%s", err.text);
	check(ns_a >= 0 && ns_b >= 0, "open");
	close(ns_a);
}

/* Exclusively: fails if either name is still known. */
static void create(void)
{
	const struct nl_pod_veth veth = {
		.host_name = "vetha",
		.pod_name = "vethb",
		.host_mac = {{2, 0, 0, 0, 0, 1}},
		.pod_mac = {{2, 0, 0, 0, 0, 2}},
		.netns_fd = ns_b,
	};
	uint8_t bytes[512];
	struct nl_buf m = NL_BUF(bytes);
	struct nl_ack ack;

	nl_pod_add_veth(&m, &veth, nlsock_seq(&a));
	check(nlsock_request(&a, &m, NULL, NULL, &ack) == 0, "create: %d %s", ack.code, ack.text);
}

static int on_link(void *arg, const struct nl_msg *m)
{
	struct nl_pod_link *ret = arg;

	return m->type == RTM_NEWLINK ? nl_pod_decode_link(m, ret) : 0;
}

/* 0 = there is none of that name. */
static uint32_t index_of(struct nlsock *s, const char *name)
{
	struct nl_pod_link link = {0};
	uint8_t bytes[128];
	struct nl_buf m = NL_BUF(bytes);
	struct nl_ack ack;
	int r;

	nl_pod_get(&m, 0, name, nlsock_seq(s));
	r = nlsock_request(s, &m, on_link, &link, &ack);
	check(r == 0 || r == -ENODEV, "get %s: %d", name, r);
	return r == 0 ? link.ifindex : 0;
}

static int on_news(void *arg, const struct nl_msg *m)
{
	bool *gone = arg;

	*gone |= m->type == RTM_DELLINK;
	return 0;
}

/* One deletion by a child; how much longer its request took than the news, in µs. */
static int64_t delete_once(void)
{
	struct nlsock watch = NLSOCK_CLOSED;
	struct err err = {0};
	uint8_t bytes[128];
	struct nl_buf m = NL_BUF(bytes);
	struct nl_ack ack;
	bool gone = false;
	int64_t heard_us;
	int status;
	pid_t child;

	check(nlsock_open(&watch, NETLINK_ROUTE, rx, &err) == 0 &&
		      nlsock_join(&watch, RTNLGRP_LINK, &err) == 0,
	      "%s", err.text);
	nl_pod_del(&m, index_of(&b, "vethb"), nlsock_seq(&b));
	child = fork();
	if (child == 0)
		_exit(nlsock_request(&b, &m, NULL, NULL, &ack) == 0 ? 0 : 1);
	while (!gone) {
		struct pollfd fd = {.fd = watch.fd, .events = POLLIN};

		check(poll(&fd, 1, 5000) == 1, "no news");
		nlsock_drain(&watch, on_news, &gone);
	}
	check(index_of(&watch, "vethb") == 0, "the near end is still known");
	check(index_of(&a, "vetha") == 0, "the far end is still known");
	heard_us = now_us();
	create();
	check(waitpid(child, &status, 0) == child && status == 0, "the request failed");
	nlsock_close(&watch);
	return now_us() - heard_us;
}

void prove(void)
{
	int64_t longer_us = 0;

	open_both();
	create();
	for (int i = 0; i < ROUNDS; i++)
		longer_us += delete_once();
	printf("on average the request took %lld us longer than the news\n",
	       (long long)longer_us / ROUNDS);
}
