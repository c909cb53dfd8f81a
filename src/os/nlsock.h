/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_NLSOCK_H
#define OS_NLSOCK_H
/* Netlink sockets: requests, batches, dumps, notifications.
 *
 * The kernel works a request off inside send(): when that returns, every acknowledgement and the
 * first part of a dump lie in the socket's queue, and each further recv() of a dump produces the next
 * part. So nothing here ever waits: an empty queue where an answer is due means that the answer
 * was lost, and is an error. Replies that no kernel sent are dropped.
 *
 * Receiving goes through one buffer that the caller owns and may share among its sockets; what a
 * callback gets lies in it and is borrowed for the call.
 */

#include "base/err.h"
#include "wire/nl.h"

/* The kernel fills dumps up to this much per recv() (net/netlink/af_netlink.c, netlink_recvmsg). */
#define NLSOCK_RX_BYTES		  32768
#define NLSOCK_RCVBUF_BYTES	  (1u << 20) /* of watches: 2,520 unread route notifications, measured */
#define NLSOCK_RCVBUF_GROWN_BYTES (8u << 20) /* after an overrun: 20,000 */
#define LIMIT_DUMP_TRIES	  8

struct nlsock {
	int fd;	       /* -1 = closed */
	uint32_t port; /* our address; messages that we caused carry it */
	uint32_t seq;  /* of the last request */
	uint8_t *rx;   /* NLSOCK_RX_BYTES, borrowed */
	bool grown;
};

#define NLSOCK_CLOSED ((struct nlsock){.fd = -1})

/* A message that answers, or notifies. < 0 stops reading and is handed on. */
typedef int nlsock_msg_fn(void *arg, const struct nl_msg *m);
/* One request of a batch failed; ack is borrowed. */
typedef void nlsock_fail_fn(void *arg, const struct nl_ack *ack);

/* `protocol`: NETLINK_ROUTE, NETLINK_NETFILTER. Non-blocking, close-on-exec, with extended acks and
 * strict checking of dump filters where the kernel has them. */
int nlsock_open(struct nlsock *ret, int protocol, uint8_t *rx, struct err *err);
/* A closed one is fine. */
void nlsock_close(struct nlsock *s);

/* Joins a multicast group and sees to a large receive buffer. */
int nlsock_join(struct nlsock *s, unsigned group, struct err *err);
/* Next sequence number; one per message. */
uint32_t nlsock_seq(struct nlsock *s);

/* Sends the one message in `b` and reads its answers into `fn` (NULL drops them) up to the
 * acknowledgement, which is asked for here. 0, or -errno: the kernel's with its words in `ret_ack`
 * (ret_ack->seq is the request's), or our own with seq 0. */
int nlsock_request(struct nlsock *s, struct nl_buf *b, nlsock_msg_fn *fn, void *arg,
		   struct nl_ack *ret_ack);

/* Sends all messages in `b`, asks for an acknowledgement of the last only, and reports each that
 * failed (the kernel always answers those). 0 even then; -errno if the kernel cannot be talked to.
 * Keep it to NLSOCK_BATCH messages: so many answers fit the default receive buffer. */
#define NLSOCK_BATCH 128
int nlsock_batch(struct nlsock *s, struct nl_buf *b, nlsock_fail_fn *fn, void *arg,
		 struct err *err);

/* Sends the batch in `b`, one transaction of nf_tables, which happens whole or not at all: 0, or -errno.
 * If the kernel refused it, `ret_ack` is its first refusal, for those behind follow from it; else
 * ret_ack->code is 0. */
int nlsock_transact(struct nlsock *s, struct nl_buf *b, struct nl_ack *ret_ack, struct err *err);

/* Sends the one dump request in `b` and reads every message into `fn`. 0; NLSOCK_INTERRUPTED if
 * objects changed meanwhile, so that some may be missing or doubled (NLM_F_DUMP_INTR); -errno. */
#define NLSOCK_INTERRUPTED 1
int nlsock_dump(struct nlsock *s, struct nl_buf *b, nlsock_msg_fn *fn, void *arg, struct err *err);

/* Reads notifications until the queue is empty (or a great many were read: then call again). 0; -ENOBUFS if some were lost (the receive buffer is
 * then grown, once); -errno. */
int nlsock_drain(struct nlsock *s, nlsock_msg_fn *fn, void *arg);

#endif
