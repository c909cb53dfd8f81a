/* SPDX-License-Identifier: Apache-2.0 */
#include "os/kernel.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/kernel_impl.h"

struct nl_buf kernel_tx(struct os *os)
{
	return NL_BUF(os->tx);
}

struct nl_ours kernel_ours(const struct os *os)
{
	return (struct nl_ours){&os->map, os->names.nexthop_base};
}

void kernel_sysctl_path(const char *path, char ret_path[64])
{
	snprintf(ret_path, 64, "/proc/sys/%s", path);
}

/* ---- roles ---- */

struct lookup {
	struct os *os;
	struct nl_link link;
};

static int found_link(void *arg, const struct nl_msg *m)
{
	struct lookup *l = arg;

	return nl_link_decode(m, &l->os->map, &l->link);
}

static int look_up(struct lookup *l, const char *name, uint32_t ifindex, struct nl_ack *ret_ack)
{
	struct nl_buf b = kernel_tx(l->os);

	nl_link_get(&b, name, ifindex, nlsock_seq(&l->os->request));
	return nlsock_request(&l->os->request, &b, found_link, l, ret_ack);
}

/* The uplink is the first role, so that a VXLAN link's lower link is known when it is decoded. */
static_assert(DEV_UPLINK == DEV_NONE + 1, "see above");

int kernel_roles(struct os *os, struct err *err)
{
	bool moved = false;

	for (enum dev d = DEV_NONE + 1; d < DEV__COUNT; d++) {
		struct lookup l = {.os = os};
		struct nl_ack ack;
		int r = 0;

		if (os->names.dev[d][0])
			r = look_up(&l, os->names.dev[d], 0, &ack);
		/* Renamed by somebody? A link that is ours stays so under any name. */
		if (r == -ENODEV && d != DEV_UPLINK && os->map.dev[d].ifindex) {
			r = look_up(&l, NULL, os->map.dev[d].ifindex, &ack);
			if (r == 0 && strcmp(l.link.link.alias, os->seen[d].link.alias) != 0)
				r = -ENODEV;
		}
		if (r < 0 && r != -ENODEV)
			return err_set(err, r, "cannot look up link %s: %s", os->names.dev[d],
				       ack.text[0] ? ack.text : strerror(-r));
		if (r < 0)
			l.link = (struct nl_link){0};
		l.link.link.dev = d;
		moved |= os->map.dev[d].ifindex != l.link.ifindex;
		os->map.dev[d].ifindex = l.link.ifindex;
		os->seen[d] = l.link;
	}
	if (moved || !os->roles_known)
		kernel_watch_filter(os, os->hushed);
	os->roles_known = true;
	return 0;
}

static void set_names(struct os *os, const struct os_names *names)
{
	os->names = *names;
	for (enum dev d = DEV_NONE + 1; d < DEV__COUNT; d++) {
		if (strcmp(os->map.dev[d].name, names->dev[d]) == 0)
			continue;
		os->map.dev[d].ifindex = 0;
		memcpy(os->map.dev[d].name, names->dev[d], LINK_NAME_SIZE);
		os->seen[d] = (struct nl_link){0};
		os->roles_known = false;
	}
}

static const struct devmap *devmap(struct os *os)
{
	return &os->map;
}

static void watch_fds(struct os *os, int ret_fds[2])
{
	ret_fds[0] = os->watch.fd;
	ret_fds[1] = nft_watch_fd(os->nft);
}

const struct os_ops os_ops_kernel = {
	.set_names = set_names,
	.dump = kernel_dump,
	.devmap = devmap,
	.apply = kernel_apply,
	.facts = kernel_facts,
	.watch_fds = watch_fds,
	.watch_read = kernel_watch_read,
};

/* ---- life ---- */

static void close_os(struct os **os)
{
	kernel_close(*os);
}

int kernel_open(struct os **ret_os, struct err *err)
{
	_cleanup_(close_os) struct os *os = calloc(1, sizeof(*os));
	int r;

	if (!os)
		return err_set(err, -ENOMEM, "out of memory");
	os->request.fd = os->watch.fd = -1;
	r = nlsock_open(&os->request, NETLINK_ROUTE, os->rx, err);
	if (r == 0)
		r = kernel_watch_open(os, err);
	if (r == 0)
		r = nft_open(&os->nft, err);
	if (r < 0)
		return r;
	*ret_os = TAKE_PTR(os);
	return 0;
}

void kernel_close(struct os *os)
{
	if (!os)
		return;
	nlsock_close(&os->request);
	nlsock_close(&os->watch);
	nft_close(os->nft);
	free(os);
}
