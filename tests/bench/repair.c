/* SPDX-License-Identifier: Apache-2.0 */
/* Breaks the data plane of an agent in the current network namespace and measures how long it stays
 * broken. The judge: it knows nothing of the product but the kernel objects, and serves flanneld and
 * Loden alike.
 *
 *	repair delete route|neigh|fdb LINK TRIALS TIMEOUT_MS
 *		deletes one random object of LINK at a time; waits for the kernel to announce it back
 *	repair nft COMMAND TRIALS TIMEOUT_MS
 *		runs COMMAND, which changes the rule set once; waits for somebody else's next change
 *	repair flap|del LINK PEERS TIMEOUT_MS
 *		takes LINK down and up, or deletes it; waits until it has all PEERS routes, neighbours and
 *		FDB entries again. "command_ms" of "all_back_ms" the kernel takes for the damage itself
 *	repair count LINK
 *		prints "ROUTES NEIGHBOURS FDB-ENTRIES" of LINK
 *
 * Prints one JSON object a line. Exit 0 even if nothing was repaired: that is a result.
 */
#include <assert.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OBJECT_BYTES 256
#define OBJECTS_MAX  40000
#define SAMPLES	     16

enum kind {
	KIND_ROUTE,
	KIND_NEIGH,
	KIND_FDB,
	KIND__COUNT,
};

static const char *const kind_names[KIND__COUNT] = {"route", "neigh", "fdb"};

/* A dumped message, ready to be sent back as a deletion. */
struct object {
	unsigned char bytes[OBJECT_BYTES];
	unsigned len;
};

static struct object objects[OBJECTS_MAX];

static void die(const char *what)
{
	fprintf(stderr, "repair: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

static int open_socket(unsigned groups)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int size = 32 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die("netlink socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static unsigned new_type(enum kind kind)
{
	return kind == KIND_ROUTE ? RTM_NEWROUTE : RTM_NEWNEIGH;
}

/* The attribute that tells objects of a kind on one link apart. */
static const struct rtattr *key_of(enum kind kind, const struct nlmsghdr *h)
{
	const size_t head = sizeof(struct rtmsg); /* of ndmsg, too */
	unsigned wanted = kind == KIND_ROUTE ? RTA_DST : kind == KIND_NEIGH ? NDA_DST : NDA_LLADDR;
	int left = (int)(h->nlmsg_len - NLMSG_SPACE(head));
	const struct rtattr *a = (const void *)((const char *)h + NLMSG_SPACE(head));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == wanted)
			return a;
	return NULL;
}

static bool on_link(enum kind kind, const struct nlmsghdr *h, int ifindex)
{
	const struct rtmsg *r = NLMSG_DATA(h);
	const struct ndmsg *n = NLMSG_DATA(h);
	int left = (int)(h->nlmsg_len - NLMSG_SPACE(sizeof(*r)));
	const struct rtattr *a = RTM_RTA(r);

	if (kind == KIND_FDB)
		return n->ndm_family == AF_BRIDGE && n->ndm_ifindex == ifindex;
	if (kind == KIND_NEIGH)
		return n->ndm_family == AF_INET && n->ndm_ifindex == ifindex &&
		       (n->ndm_state & NUD_PERMANENT);
	if (r->rtm_family != AF_INET || r->rtm_table != RT_TABLE_MAIN || r->rtm_type != RTN_UNICAST)
		return false;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTA_OIF)
			return *(const int *)RTA_DATA(a) == ifindex;
	return false;
}

/* Objects of `kind` on the link; kept in objects[] if `keep`. */
static unsigned dump(int fd, enum kind kind, int ifindex, bool keep)
{
	static char buf[1 << 18];
	static unsigned seq;

	struct {
		struct nlmsghdr h;

		union {
			struct rtmsg r;
			struct ndmsg n;
		};
	} req = {.h = {.nlmsg_type = kind == KIND_ROUTE ? RTM_GETROUTE : RTM_GETNEIGH,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = ++seq}};

	unsigned n = 0;

	static_assert(sizeof(req.r) == sizeof(req.n));
	req.h.nlmsg_len = NLMSG_LENGTH(sizeof(req.r));
	if (kind == KIND_ROUTE)
		req.r.rtm_family = AF_INET;
	else
		req.n.ndm_family = kind == KIND_FDB ? AF_BRIDGE : AF_INET;
	if (send(fd, &req, req.h.nlmsg_len, 0) < 0)
		die("dump");
	for (;;) {
		ssize_t got = recv(fd, buf, sizeof(buf), 0);

		if (got < 0)
			die("dump reply");
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, got); h = NLMSG_NEXT(h, got)) {
			if (h->nlmsg_seq != seq)
				continue;
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				return n;
			if (h->nlmsg_type != new_type(kind) || !on_link(kind, h, ifindex))
				continue;
			if (keep && n < OBJECTS_MAX && h->nlmsg_len <= OBJECT_BYTES) {
				memcpy(objects[n].bytes, h, h->nlmsg_len);
				objects[n].len = h->nlmsg_len;
			}
			n++;
		}
	}
}

static int ack(int fd)
{
	char buf[8192];
	ssize_t got = recv(fd, buf, sizeof(buf), 0);
	struct nlmsghdr *h = (void *)buf;

	if (got < 0 || h->nlmsg_type != NLMSG_ERROR)
		die("ack");
	return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sends the stored object back as a deletion. A dumped route by nexthop id also shows the gateway and
 * the device of the nexthop, which a deletion must not name. */
static void delete_object(int fd, enum kind kind, const struct object *o)
{
	unsigned char bytes[OBJECT_BYTES];
	struct nlmsghdr *in = (void *)o->bytes, *out = (void *)bytes;

	memcpy(bytes, o->bytes, o->len);
	if (kind == KIND_ROUTE) {
		const struct rtattr *dst = key_of(kind, in);
		struct rtmsg *r = NLMSG_DATA(out);

		r->rtm_flags = 0;
		memcpy(bytes + NLMSG_SPACE(sizeof(*r)), dst, dst->rta_len);
		out->nlmsg_len = (unsigned)(NLMSG_SPACE(sizeof(*r)) + RTA_ALIGN(dst->rta_len));
	}
	out->nlmsg_type = kind == KIND_ROUTE ? RTM_DELROUTE : RTM_DELNEIGH;
	out->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	out->nlmsg_pid = 0;
	if (send(fd, out, out->nlmsg_len, 0) < 0)
		die("delete");
	if (ack(fd) != 0)
		die("delete refused");
}

/* Until the kernel announces the object again; negative after timeout_ms. */
static double wait_back(int watch, enum kind kind, const struct object *o, int ifindex,
			double start, int timeout_ms)
{
	static char buf[1 << 16];
	const struct rtattr *want = key_of(kind, (const void *)o->bytes);

	for (;;) {
		int left = (int)(start + timeout_ms - now_ms());
		struct pollfd p = {.fd = watch, .events = POLLIN};
		ssize_t got;

		if (left <= 0 || poll(&p, 1, left) <= 0)
			return -1;
		got = recv(watch, buf, sizeof(buf), 0);
		for (struct nlmsghdr *h = (void *)buf; got > 0 && NLMSG_OK(h, got);
		     h = NLMSG_NEXT(h, got)) {
			const struct rtattr *have;

			/* A deleted neighbour is announced as failed before it is announced as gone. */
			if (h->nlmsg_type != new_type(kind) ||
			    (kind == KIND_NEIGH && !on_link(kind, h, ifindex)))
				continue;
			have = key_of(kind, h);
			if (have && have->rta_len == want->rta_len &&
			    memcmp(have, want, want->rta_len) == 0)
				return now_ms() - start;
		}
	}
}

static void run_delete(const char *kind_name, const char *link, unsigned trials, int timeout_ms)
{
	int fd = open_socket(0), watch = open_socket(RTMGRP_NEIGH | RTMGRP_IPV4_ROUTE);
	double *ms = calloc(trials, sizeof(*ms));
	int ifindex = (int)if_nametoindex(link);
	unsigned back = 0, n, kind = 0;

	while (kind < KIND__COUNT && strcmp(kind_names[kind], kind_name) != 0)
		kind++;
	if (kind == KIND__COUNT || !ms)
		die("kind");
	n = dump(fd, kind, ifindex, true);
	if (n == 0) {
		fprintf(stderr, "repair: %s has no %s to delete\n", link, kind_name);
		exit(1);
	}
	srand(1);
	for (unsigned i = 0; i < trials; i++) {
		const struct object *o = &objects[(unsigned)rand() % n];
		double start, took;
		char drop[1 << 14];

		while (recv(watch, drop, sizeof(drop), MSG_DONTWAIT) > 0)
			;
		start = now_ms();
		delete_object(fd, kind, o);
		took = wait_back(watch, kind, o, ifindex, start, timeout_ms);
		if (took >= 0)
			ms[back++] = took;
		/* Let the agent come to rest, at no fixed beat. */
		sleep_ms(40 + (unsigned)rand() % 40);
	}
	qsort(ms, back, sizeof(*ms), cmp_double);
	printf("{\"what\":\"delete %s\",\"objects\":%u,\"trials\":%u,\"repaired\":%u", kind_name, n,
	       trials, back);
	if (back)
		printf(",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f", ms[back / 2],
		       ms[back * 99 / 100 < back ? back * 99 / 100 : back - 1], ms[back - 1]);
	printf("}\n");
}

/* Until the rule set has a new generation; the time of it, negative after timeout_ms. */
static double wait_generation(int watch, int timeout_ms)
{
	static char buf[1 << 16];
	double start = now_ms();

	for (;;) {
		int left = (int)(start + timeout_ms - now_ms());
		struct pollfd p = {.fd = watch, .events = POLLIN};
		ssize_t got;

		if (left <= 0 || poll(&p, 1, left) <= 0)
			return -1;
		got = recv(watch, buf, sizeof(buf), 0);
		for (struct nlmsghdr *h = (void *)buf; got > 0 && NLMSG_OK(h, got);
		     h = NLMSG_NEXT(h, got)) {
			if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWGEN)
				return now_ms();
		}
	}
}

static void run_nft(const char *command, unsigned trials, int timeout_ms)
{
	int watch = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK};
	int group = NFNLGRP_NFTABLES;
	double *ms = calloc(trials, sizeof(*ms));
	unsigned back = 0;

	if (!ms || watch < 0 || bind(watch, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    setsockopt(watch, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		die("nfnetlink socket");
	for (unsigned i = 0; i < trials; i++) {
		pid_t pid = fork();
		double broken, whole;
		int status;

		if (pid == 0) {
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
			_exit(127);
		}
		broken = wait_generation(watch, timeout_ms);
		whole = broken < 0 ? -1 : wait_generation(watch, timeout_ms);
		if (waitpid(pid, &status, 0) < 0 || status != 0) {
			fprintf(stderr, "repair: failed: %s\n", command);
			exit(1);
		}
		if (whole >= 0)
			ms[back++] = whole - broken;
		sleep_ms(500);
	}
	qsort(ms, back, sizeof(*ms), cmp_double);
	printf("{\"what\":\"delete nft\",\"trials\":%u,\"repaired\":%u", trials, back);
	if (back)
		printf(",\"p50_ms\":%.3f,\"max_ms\":%.3f", ms[back / 2], ms[back - 1]);
	printf("}\n");
}

static void link_request(int fd, unsigned type, int ifindex, unsigned flags)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} req = {.h = {.nlmsg_len = sizeof(req),
		       .nlmsg_type = (unsigned short)type,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		 .i = {.ifi_index = ifindex, .ifi_flags = flags, .ifi_change = IFF_UP}};

	if (send(fd, &req, sizeof(req), 0) < 0 || ack(fd) != 0)
		die("link");
}

/* Is there a route to the stored object's destination by `link`? Asks for one: unlike a dump that
 * takes no lock which the agent needs. */
static bool has_route(int fd, const struct object *o, int ifindex)
{
	const struct rtattr *dst = key_of(KIND_ROUTE, (const void *)o->bytes);

	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		char attr[RTA_SPACE(4)];
	} req = {.h = {.nlmsg_len = sizeof(req),
		       .nlmsg_type = RTM_GETROUTE,
		       .nlmsg_flags = NLM_F_REQUEST},
		 .r = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_flags = RTM_F_FIB_MATCH}};

	char buf[8192];
	ssize_t got;

	memcpy(req.attr, dst, RTA_LENGTH(4));
	if (send(fd, &req, sizeof(req), 0) < 0)
		die("get route");
	got = recv(fd, buf, sizeof(buf), 0);
	if (got < 0)
		die("route");
	return ((struct nlmsghdr *)(void *)buf)->nlmsg_type == RTM_NEWROUTE &&
	       on_link(KIND_ROUTE, (void *)buf, ifindex);
}

/* Looking must not cost what is measured: dumps begin when routes picked at random are back. */
static bool seems_whole(int fd, unsigned n, int ifindex)
{
	for (int i = 0; i < SAMPLES && n > 0; i++) {
		if (!has_route(fd, &objects[(unsigned)rand() % n], ifindex))
			return false;
	}
	return true;
}

static void run_link(const char *what, const char *link, unsigned peers, int timeout_ms)
{
	int fd = open_socket(0), ifindex = (int)if_nametoindex(link);
	unsigned n[KIND__COUNT] = {0}, routes;
	double start, broken, took = -1;

	if (!ifindex)
		die(link);
	routes = dump(fd, KIND_ROUTE, ifindex, true);
	start = now_ms();
	if (strcmp(what, "del") == 0) {
		link_request(fd, RTM_DELLINK, ifindex, 0);
	} else {
		link_request(fd, RTM_NEWLINK, ifindex, 0);
		link_request(fd, RTM_NEWLINK, ifindex, IFF_UP);
	}
	broken = now_ms() - start;
	while (took < 0 && now_ms() - start < timeout_ms) {
		bool all;

		ifindex = (int)if_nametoindex(link);
		all = ifindex && seems_whole(fd, routes, ifindex);
		for (int k = 0; k < KIND__COUNT && all; k++) {
			n[k] = dump(fd, k, ifindex, false);
			all = n[k] >= peers;
		}
		if (all)
			took = now_ms() - start;
		else
			sleep_ms(2);
	}
	ifindex = (int)if_nametoindex(link);
	for (int k = 0; k < KIND__COUNT && ifindex; k++)
		n[k] = dump(fd, k, ifindex, false);
	printf("{\"what\":\"%s\",\"peers\":%u,\"routes\":%u,\"neighbours\":%u,\"fdb\":%u,"
	       "\"command_ms\":%.1f,\"all_back_ms\":%.1f}\n",
	       what, peers, n[KIND_ROUTE], n[KIND_NEIGH], n[KIND_FDB], broken, took);
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "delete") == 0) {
		run_delete(argv[2], argv[3], (unsigned)atoi(argv[4]), atoi(argv[5]));
	} else if (argc == 5 && strcmp(argv[1], "nft") == 0) {
		run_nft(argv[2], (unsigned)atoi(argv[3]), atoi(argv[4]));
	} else if (argc == 5 && (strcmp(argv[1], "flap") == 0 || strcmp(argv[1], "del") == 0)) {
		run_link(argv[1], argv[2], (unsigned)atoi(argv[3]), atoi(argv[4]));
	} else if (argc == 3 && strcmp(argv[1], "count") == 0) {
		int fd = open_socket(0), ifindex = (int)if_nametoindex(argv[2]);

		printf("%u %u %u\n", dump(fd, KIND_ROUTE, ifindex, false),
		       dump(fd, KIND_NEIGH, ifindex, false), dump(fd, KIND_FDB, ifindex, false));
	} else {
		fprintf(stderr,
			"usage: repair delete KIND LINK TRIALS TIMEOUT_MS | nft COMMAND TRIALS TIMEOUT_MS | flap|del LINK PEERS TIMEOUT_MS | count LINK\n");
		return 2;
	}
	return 0;
}
