/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting a link without waiting for the kernel's bookkeeping.
 *
 * RTM_DELLINK takes the link out of every table, drops its addresses, routes and bridge port, sends
 * its RTM_DELLINK notifications and releases the rtnl lock. Then, still inside the request, it waits
 * in rcu_barrier() until nobody can hold a pointer to the device any more: some 20 ms in which
 * nothing that anybody could see happens (net/core/dev.c, netdev_run_todo).
 *
 * So a child makes the request, and the parent answers when the notification has come. It then asks
 * for the link once more: that request needs the lock, so its "no such device" says that the
 * deletion is complete in all namespaces. If the kernel refuses, the child tells why; if the
 * notification gets lost, the child's end is the answer, just later.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cni/pod.h"

struct deleting {
	struct nlsock *s;    /* makes the request, in the child */
	struct nlsock watch; /* hears of it, in the parent */
	uint32_t ifindex;
	int word[2]; /* pipe: the child's word, a struct nl_ack */
	bool heard;  /* of its end */
};

static int on_news(void *arg, const struct nl_msg *m)
{
	struct deleting *d = arg;
	struct nl_pod_link link;

	if (m->type == RTM_DELLINK && nl_pod_decode_link(m, &link) == 0 &&
	    link.ifindex == d->ifindex)
		d->heard = true;
	return 0;
}

/* In the child. */
static void make_request(struct deleting *d)
{
	struct nl_ack ack = {0};
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);

	/* The runtime reads our output until everybody has closed it. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	nl_pod_del(&b, d->ifindex, nlsock_seq(d->s));
	ack.code = nlsock_request(d->s, &b, NULL, NULL, &ack);
	if (ack.code == -ENODEV)
		ack.code = 0;
	_exit(write(d->word[1], &ack, sizeof(ack)) == sizeof(ack) ? 0 : 1);
}

/* The child has spoken, or died. */
static int hear_child(struct deleting *d, struct err *err)
{
	struct nl_ack ack;
	ssize_t n = read(d->word[0], &ack, sizeof(ack));

	if (n != sizeof(ack))
		return err_set(err, -EIO, "the process that was to delete it died");
	d->heard = true;
	if (ack.code < 0)
		return err_set(err, ack.code, "%s%s%s", strerror(-ack.code),
			       ack.text[0] ? ": " : "", ack.text);
	return 0;
}

static int wait_for_end(struct deleting *d, struct err *err)
{
	while (!d->heard) {
		struct pollfd fds[2] = {
			{.fd = d->watch.fd, .events = POLLIN},
			{.fd = d->word[0], .events = POLLIN},
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return err_set(err, -errno, "poll: %s", strerror(errno));
		if (fds[1].revents)
			return hear_child(d, err);
		if (fds[0].revents)
			nlsock_drain(&d->watch, on_news, d);
	}
	return 0;
}

/* Asks once more, which waits for the lock that the deletion holds. */
static int confirm(struct deleting *d, struct err *err)
{
	struct nl_pod_link link;
	int r = pod_link(&d->watch, d->ifindex, "the deleted link", &link, err);

	if (r == 0)
		return hear_child(d, err);
	return r == POD_NO_LINK ? 0 : r;
}

int pod_delete(struct nlsock *s, uint32_t ifindex, struct err *err)
{
	struct deleting d = {.s = s, .watch = NLSOCK_CLOSED, .ifindex = ifindex, .word = {-1, -1}};
	pid_t child;
	int r;

	if (pipe2(d.word, O_CLOEXEC) < 0)
		return err_set(err, -errno, "pipe: %s", strerror(errno));
	r = nlsock_open(&d.watch, NETLINK_ROUTE, s->rx, err);
	if (r == 0)
		r = nlsock_join(&d.watch, RTNLGRP_LINK, err);
	child = r == 0 ? fork() : -1;
	if (child == 0)
		make_request(&d);
	close(d.word[1]);
	if (r == 0 && child < 0)
		r = err_set(err, -errno, "fork: %s", strerror(errno));
	if (r == 0)
		r = wait_for_end(&d, err);
	if (r == 0)
		r = confirm(&d, err);
	close(d.word[0]);
	nlsock_close(&d.watch);
	return r;
}
