/* SPDX-License-Identifier: Apache-2.0 */
#include "os/nlsock.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* syscalls: socket bind getsockname setsockopt sendto recvmsg close */

/* Datagrams per drain, so that a flood cannot hold the loop. */
#define DRAIN_MAX 8192

static bool enable(int fd, int option)
{
	const int one = 1;

	return setsockopt(fd, SOL_NETLINK, option, &one, sizeof(one)) == 0;
}

int nlsock_open(struct nlsock *ret, int protocol, uint8_t *rx, struct err *err)
{
	struct nlsock s = {.rx = rx};
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	socklen_t n = sizeof(address);
	int r;

	s.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (s.fd < 0)
		return err_set(err, -errno, "cannot open a netlink socket: %s", strerror(errno));
	if (bind(s.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(s.fd, (struct sockaddr *)&address, &n) < 0) {
		r = err_set(err, -errno, "cannot bind a netlink socket: %s", strerror(errno));
		nlsock_close(&s);
		return r;
	}
	s.port = address.nl_pid;
	/* Each is a convenience: Linux 4.12, 4.3, 4.20. */
	enable(s.fd, NETLINK_EXT_ACK);
	enable(s.fd, NETLINK_CAP_ACK);
	enable(s.fd, NETLINK_GET_STRICT_CHK);
	*ret = s;
	return 0;
}

void nlsock_close(struct nlsock *s)
{
	if (s->fd >= 0)
		close(TAKE_FD(s->fd));
}

static void set_rcvbuf(const struct nlsock *s, int bytes)
{
	/* FORCE needs CAP_NET_ADMIN; without it net.core.rmem_max caps. */
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int nlsock_join(struct nlsock *s, unsigned group, struct err *err)
{
	if (setsockopt(s->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return err_set(err, -errno, "cannot join netlink group %u: %s", group,
			       strerror(errno));
	if (!s->grown)
		set_rcvbuf(s, NLSOCK_RCVBUF_BYTES);
	return 0;
}

uint32_t nlsock_seq(struct nlsock *s)
{
	/* 0 is what notifications carry. */
	if (++s->seq == 0)
		s->seq = 1;
	return s->seq;
}

static int send_all(struct nlsock *s, const struct nl_buf *b)
{
	ssize_t n;

	do {
		n = send(s->fd, b->bytes, b->len, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == b->len ? 0 : -EIO;
}

/* One datagram of the kernel's. 1; 0 if the queue is empty; -ENOBUFS if something was lost. */
static int receive(struct nlsock *s, struct nl_bytes *ret)
{
	for (;;) {
		struct sockaddr_nl from;
		struct iovec iov = {s->rx, NLSOCK_RX_BYTES};
		struct msghdr h = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		ssize_t n = recvmsg(s->fd, &h, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (h.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		if (from.nl_pid != 0)
			continue;
		*ret = (struct nl_bytes){s->rx, (size_t)n};
		return 1;
	}
}

/* Leftovers of an exchange that was given up would be taken for answers to the next one. */
static void flush(struct nlsock *s)
{
	struct nl_bytes rest;
	int r;

	do {
		r = receive(s, &rest);
	} while (r == 1 || r == -EMSGSIZE || r == -ENOBUFS);
}

/* ---- requests ---- */

static void ask(const struct nl_buf *b, uint16_t flag)
{
	uint8_t *at = b->bytes + b->last + offsetof(struct nlmsghdr, nlmsg_flags);
	uint16_t flags;

	memcpy(&flags, at, sizeof(flags));
	flags |= flag;
	memcpy(at, &flags, sizeof(flags));
}

static uint32_t last_seq(const struct nl_buf *b)
{
	uint32_t seq;

	memcpy(&seq, b->bytes + b->last + offsetof(struct nlmsghdr, nlmsg_seq), sizeof(seq));
	return seq;
}

/* One exchange: what the answers' reader needs. */
struct exchange {
	uint32_t last; /* sequence number whose acknowledgement ends it */
	bool dump;
	nlsock_msg_fn *msg;
	nlsock_fail_fn *fail;
	void *arg;
	bool done, interrupted;
	struct nl_ack ack; /* the one that ended it */
};

static int answer(struct exchange *x, const struct nl_msg *m)
{
	struct nl_ack ack;

	if (x->dump && m->seq != x->last)
		return 0;
	if (m->flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (nl_ack_decode(m, &ack)) {
		if (ack.code < 0 && x->fail)
			x->fail(x->arg, &ack);
		if (m->seq == x->last) {
			x->done = true;
			x->ack = ack;
		}
		return 0;
	}
	/* Below NLMSG_MIN_TYPE are only NOOP and OVERRUN besides. */
	return x->msg && m->type >= NLMSG_MIN_TYPE ? x->msg(x->arg, m) : 0;
}

static int exchange(struct nlsock *s, const struct nl_buf *b, struct exchange *x)
{
	struct nl_bytes rest;
	struct nl_msg m;
	int r;

	assert(b->len > 0);
	x->last = last_seq(b);
	r = send_all(s, b);
	while (r == 0 && !x->done) {
		r = receive(s, &rest);
		if (r == 0)
			r = -ENOMSG;
		if (r < 0)
			break;
		r = 0;
		while (r == 0 && nl_msg_next(&rest, &m))
			r = answer(x, &m);
		if (r == 0 && rest.n > 0)
			r = -EBADMSG;
	}
	if (r < 0)
		flush(s);
	return r;
}

int nlsock_request(struct nlsock *s, struct nl_buf *b, nlsock_msg_fn *fn, void *arg,
		   struct nl_ack *ret_ack)
{
	struct exchange x = {.msg = fn, .arg = arg};
	int r;

	ask(b, NLM_F_ACK);
	r = exchange(s, b, &x);
	*ret_ack = x.ack;
	if (r < 0) {
		*ret_ack = (struct nl_ack){.code = r};
		return r;
	}
	return x.ack.code;
}

int nlsock_batch(struct nlsock *s, struct nl_buf *b, nlsock_fail_fn *fn, void *arg, struct err *err)
{
	struct exchange x = {.fail = fn, .arg = arg};
	int r;

	if (b->len == 0)
		return 0;
	ask(b, NLM_F_ACK);
	r = exchange(s, b, &x);
	return r < 0 ? err_set(err, r, "netlink batch: %s", strerror(-r)) : 0;
}

int nlsock_dump(struct nlsock *s, struct nl_buf *b, nlsock_msg_fn *fn, void *arg, struct err *err)
{
	struct exchange x = {.dump = true, .msg = fn, .arg = arg};
	int r;

	ask(b, NLM_F_DUMP);
	r = exchange(s, b, &x);
	if (r < 0)
		return err_set(err, r, "netlink dump: %s", strerror(-r));
	if (x.ack.code < 0)
		return err_set(err, x.ack.code, "netlink dump: %s%s%s", strerror(-x.ack.code),
			       x.ack.text[0] ? ": " : "", x.ack.text);
	return x.interrupted ? NLSOCK_INTERRUPTED : 0;
}

/* ---- notifications ---- */

int nlsock_drain(struct nlsock *s, nlsock_msg_fn *fn, void *arg)
{
	bool lost = false;
	struct nl_bytes rest;
	struct nl_msg m;
	int r;

	for (size_t i = 0; i < DRAIN_MAX; i++) {
		r = receive(s, &rest);
		if (r == 0)
			break;
		if (r == -ENOBUFS || r == -EMSGSIZE) {
			lost = true;
			if (!s->grown)
				set_rcvbuf(s, NLSOCK_RCVBUF_GROWN_BYTES);
			s->grown = true;
			continue;
		}
		if (r < 0)
			return r;
		while (nl_msg_next(&rest, &m)) {
			r = fn(arg, &m);
			if (r < 0)
				return r;
		}
	}
	return lost ? -ENOBUFS : 0;
}

static void on_refusal(void *arg, const struct nl_ack *ack)
{
	struct nl_ack *first = arg;

	if (first->code == 0)
		*first = *ack;
}

static int on_late_refusal(void *arg, const struct nl_msg *m)
{
	struct nl_ack ack;

	if (nl_ack_decode(m, &ack) && ack.code < 0)
		on_refusal(arg, &ack);
	return 0;
}

int nlsock_transact(struct nlsock *s, struct nl_buf *b, struct nl_ack *ret_ack, struct err *err)
{
	struct nl_ack first = {0};
	int r;

	*ret_ack = first;
	r = nlsock_batch(s, b, on_refusal, &first, err);
	if (r < 0)
		return r;
	/* One answer ends the exchange; the others lie behind it. */
	nlsock_drain(s, on_late_refusal, &first);
	*ret_ack = first;
	return first.code;
}
