/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "os/culprit.h"
#include "os/kernel_impl.h"
#include "wire/nl_watch.h"

/* syscalls: setsockopt */

int kernel_watch_open(struct os *os, struct err *err)
{
	static const unsigned groups[] = {
		RTNLGRP_LINK,	    RTNLGRP_NEIGH,	RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
	};
	int r = nlsock_open(&os->watch, NETLINK_ROUTE, os->rx, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(groups); i++)
		r = nlsock_join(&os->watch, groups[i], err);
	return r;
}

/* ---- what need not wake us ---- */

/* Offsets into a notification; each is one message in one datagram. */
#define AT_TYPE	   offsetof(struct nlmsghdr, nlmsg_type)
#define AT_PORT	   offsetof(struct nlmsghdr, nlmsg_pid)
#define AT_FAMILY  (NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_family))
#define AT_IFINDEX (NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_ifindex))

/* Of the program below. */
#define KEEP 10
#define DROP 11

#define LOAD(size, at)	    BPF_STMT(BPF_LD | (size) | BPF_ABS, (at))
#define JUMP_EQ(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (yes), (no))
#define RETURN(k)	    BPF_STMT(BPF_RET | BPF_K, (k))

/* A busy host changes its neighbours all the time, and we make changes by the thousand ourselves.
 * Most of these carry our port; FDB changes and the removal of a neighbour do not, and are left out
 * while we make some. Loads are big-endian, netlink is the host's: hence htonl(). */
void kernel_watch_filter(struct os *os, unsigned hushed)
{
	const uint8_t fdb = hushed & OBJECT_BIT(OBJECT_FDB) ? DROP - 7 : 0;
	const uint8_t neigh = hushed & OBJECT_BIT(OBJECT_NEIGH) ? DROP - 7 : 0;
	struct sock_filter f[] = {
		LOAD(BPF_W, AT_PORT),
		JUMP_EQ(htonl(os->request.port), DROP - 2, 0),
		LOAD(BPF_H, AT_TYPE),
		JUMP_EQ(htons(RTM_NEWNEIGH), 1, 0),
		JUMP_EQ(htons(RTM_DELNEIGH), 0, KEEP - 5),
		LOAD(BPF_B, AT_FAMILY),
		JUMP_EQ(AF_BRIDGE, fdb, neigh),
		LOAD(BPF_W, AT_IFINDEX),
		JUMP_EQ(htonl(os->map.dev[DEV_VXLAN].ifindex), KEEP - 9, 0),
		JUMP_EQ(htonl(os->map.dev[DEV_VXLAN6].ifindex), KEEP - 10, DROP - 10),
		[KEEP] = RETURN(UINT32_MAX),
		[DROP] = RETURN(0),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(f), .filter = f};

	/* Without it we merely wake more often. */
	(void)setsockopt(os->watch.fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
	os->hushed = hushed;
}

/* ---- reading ---- */

struct reading {
	const struct os *os;
	struct nl_watch watch;
	struct os_notice notice;
	uint32_t port; /* of the last foreign change */
};

static int on_message(void *arg, const struct nl_msg *m)
{
	struct reading *r = arg;
	struct nl_news news;

	if (m->port == r->os->request.port || !nl_watch_decode(m, &r->watch, &news))
		return 0;
	r->notice.kinds |= news.kinds;
	r->notice.uplink |= news.uplink;
	if (news.port)
		r->port = news.port;
	return 0;
}

int kernel_watch_read(struct os *os, int fd, struct os_notice *ret)
{
	struct reading reading = {
		.os = os,
		.watch = {.ours = kernel_ours(os),
			  .seen = os->seen,
			  .host_routes = os->names.host_routes},
	};
	int r;

	if (fd == os->envfile.fd) {
		*ret = (struct os_notice){.kinds = OBJECT_BIT(OBJECT_ENVFILE)};
		return filewatch_read(&os->envfile);
	}
	if (fd != os->watch.fd)
		return nft_watch_read(os->nft, ret);
	r = nlsock_drain(&os->watch, on_message, &reading);
	if (r == -ENOBUFS) {
		reading.notice.lost = reading.notice.uplink = true;
		reading.notice.kinds = OBJECT_ALL;
	} else if (r < 0) {
		return r;
	}
	if (reading.notice.kinds == 0 && !reading.notice.uplink)
		return 0;
	culprit_lookup(reading.port, NULL, &reading.notice.who);
	*ret = reading.notice;
	return 1;
}
