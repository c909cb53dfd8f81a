/* SPDX-License-Identifier: Apache-2.0 */
#include "os/kernel.h"

#include <errno.h>
#include <linux/rtnetlink.h>
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
	return (struct nl_ours){
		.map = &os->map,
		.nexthop_base = os->names.nexthop_base,
		.networks = {os->names.networks[0], os->names.networks[1]},
	};
}

void kernel_sysctl_path(const struct os *os, const char *path, char ret_path[FILE_PATH_SIZE])
{
	snprintf(ret_path, FILE_PATH_SIZE, "%s/%s",
		 os->names.proc_sys ? os->names.proc_sys : "/proc/sys", path);
}

/* ---- roles ---- */

struct lookup {
	struct os *os;
	enum dev dev;
	struct nl_link link; /* ifindex 0 = none found */
};

static int found_link(void *arg, const struct nl_msg *m)
{
	struct lookup *l = arg;

	return nl_link_decode(m, &l->os->map, &l->link);
}

/* The uplink is the first role, so that a VXLAN link's lower link is known when it is decoded. */
static_assert(DEV_UPLINK == DEV_NONE + 1, "see above");

static int by_name(struct lookup *l, const char *name, struct err *err)
{
	struct nl_buf b = kernel_tx(l->os);
	struct nl_ack ack;
	int r;

	nl_link_get(&b, name, nlsock_seq(&l->os->request));
	r = nlsock_request(&l->os->request, &b, found_link, l, &ack);
	if (r == 0 || r == -ENODEV)
		return 0;
	return err_set(err, r, "cannot look up link %s: %s", name,
		       ack.text[0] ? ack.text : strerror(-r));
}

/* Is this a link of ours for the role that is looked for? */
static bool is_marked(const struct lookup *l, const struct nl_link *found)
{
	const struct link *link = &found->link;

	if (strcmp(link->alias, l->os->names.link_alias) != 0)
		return false;
	for (enum dev d = DEV_NONE + 1; d < DEV__COUNT; d++) {
		if (strcmp(link->name, l->os->names.dev[d]) == 0)
			return false;
	}
	if (l->dev == DEV_BRIDGE)
		return link->kind == LINK_BRIDGE;
	return link->kind == LINK_VXLAN && ip_is_v4(&link->vxlan.local) == (l->dev == DEV_VXLAN);
}

static int maybe_marked(void *arg, const struct nl_msg *m)
{
	struct lookup *l = arg;
	struct nl_link found;
	int r = m->type == RTM_NEWLINK ? nl_link_decode(m, &l->os->map, &found) : 0;

	if (r == 0 && m->type == RTM_NEWLINK && !found.port && is_marked(l, &found))
		l->link = found;
	return r;
}

/* Costly on a host with many links, and therefore only for a link of ours that its name does not find. */
static int by_mark(struct lookup *l, struct err *err)
{
	struct nl_buf b = kernel_tx(l->os);
	int r;

	if (l->os->names.link_alias[0] == '\0' || l->dev == DEV_UPLINK)
		return 0;
	nl_link_dump(&b, nlsock_seq(&l->os->request));
	r = nlsock_dump(&l->os->request, &b, maybe_marked, l, err);
	return r < 0 ? err_wrap(err, r, "cannot list links") : 0;
}

int kernel_roles(struct os *os, struct err *err)
{
	bool moved = false;

	for (enum dev d = DEV_NONE + 1; d < DEV__COUNT; d++) {
		struct lookup l = {.os = os, .dev = d};
		int r = 0;

		if (os->names.dev[d][0])
			r = by_name(&l, os->names.dev[d], err);
		if (os->names.dev[d][0] && r == 0 && l.link.ifindex == 0)
			r = by_mark(&l, err);
		if (r < 0)
			return r;
		l.link.link.dev = d;
		moved |= os->map.dev[d].ifindex != l.link.ifindex;
		os->map.dev[d].ifindex = l.link.ifindex;
		os->link[d] = l.link;
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
		os->link[d] = os->seen[d] = (struct nl_link){0};
		os->roles_known = false;
	}
}

static const struct devmap *devmap(struct os *os)
{
	return &os->map;
}

static void watch_fds(struct os *os, int ret_fds[OS_WATCH_FDS])
{
	ret_fds[0] = os->watch.fd;
	ret_fds[1] = nft_watch_fd(os->nft);
	ret_fds[2] = os->envfile.fd;
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

bool kernel_has_nf_tables(const struct os *os)
{
	return nft_is_there(os->nft);
}

int kernel_open(struct os **ret_os, struct err *err)
{
	_cleanup_(close_os) struct os *os = calloc(1, sizeof(*os));
	int r;

	if (!os)
		return err_set(err, -ENOMEM, "out of memory");
	os->request.fd = os->watch.fd = os->envfile.fd = -1;
	r = nlsock_open(&os->request, NETLINK_ROUTE, os->rx, err);
	if (r == 0)
		r = kernel_watch_open(os, err);
	if (r == 0)
		r = nft_open(os->rx, &os->nft, err);
	if (r == 0)
		r = filewatch_open(&os->envfile, err);
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
	filewatch_close(&os->envfile);
	free(os);
}
