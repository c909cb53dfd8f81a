/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "os/file.h"
#include "os/kernel_impl.h"
#include "os/legacy.h"

struct dump {
	struct os *os;
	const struct os_dump *what;
	enum object_kind kind; /* of the list that is being read */
	bool flannel_firewall; /* something of it was seen */
};

static void feed(struct dump *d, enum object_kind kind, const void *value)
{
	d->what->fn(d->what->arg, &(struct object){.kind = kind, .any = value});
}

static int on_message(void *arg, const struct nl_msg *m)
{
	struct dump *d = arg;
	struct nl_ours ours = kernel_ours(d->os);
	struct nl_object o;
	int r = nl_rt_decode(m, &ours, &o);

	if (r < 0 || r == NL_NOT_OURS)
		return MIN(r, 0);
	if (o.object.kind == d->kind)
		d->what->fn(d->what->arg, &o.object);
	return 0;
}

/* Lists of addresses and nexthops have a generation count, so that the kernel can tell that one changed
 * while we read it. Then all of it is handed over again; but not of nexthops, which are leftovers, to be
 * deleted: those that were missed are found by the next dump. */
static int dump_rt(struct dump *d, enum object_kind kind, uint32_t ifindex, bool v6,
		   struct err *err)
{
	const unsigned max = kind == OBJECT_NEXTHOP ? 1 : LIMIT_DUMP_TRIES;
	int r = NLSOCK_INTERRUPTED;

	d->kind = kind;
	for (unsigned i = 0; r == NLSOCK_INTERRUPTED && i < max; i++) {
		struct nl_buf b = kernel_tx(d->os);

		nl_rt_dump(&b, kind, ifindex, v6, nlsock_seq(&d->os->request));
		r = nlsock_dump(&d->os->request, &b, on_message, d, err);
	}
	if (kind == OBJECT_NEXTHOP && (r == -EOPNOTSUPP || r == NLSOCK_INTERRUPTED))
		return 0; /* not supported: before Linux 5.3 */
	if (r == NLSOCK_INTERRUPTED)
		return err_set(err, -EAGAIN, "%s list keeps changing while it is read",
			       object_kind_names[kind]);
	return r < 0 ? err_wrap(err, r, "cannot list %s", object_kind_names[kind]) : 0;
}

/* One dump per VXLAN link: the kernel filters by interface, and there may be thousands of others'. */
static int dump_neigh(struct dump *d, enum object_kind kind, struct err *err)
{
	static const enum dev devs[] = {DEV_VXLAN, DEV_VXLAN6};

	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(devs) && r == 0; i++) {
		uint32_t ifindex = d->os->map.dev[devs[i]].ifindex;

		if (ifindex)
			r = dump_rt(d, kind, ifindex, false, err);
	}
	return r == -ENODEV ? 0 : r; /* the link went away meanwhile, and its entries with it */
}

/* ---- what is no rtnetlink dump ---- */

static int dump_links(struct dump *d)
{
	static const enum dev devs[] = {DEV_VXLAN, DEV_VXLAN6, DEV_BRIDGE};

	for (size_t i = 0; i < ARRAY_SIZE(devs); i++) {
		const struct nl_link *l = &d->os->link[devs[i]];

		if (!d->what->peek)
			d->os->seen[devs[i]] = *l;
		if (l->ifindex)
			feed(d, OBJECT_LINK, &l->link);
	}
	return 0;
}

static int dump_sysctls(struct dump *d)
{
	for (size_t i = 0; i < d->os->names.n_sysctls; i++) {
		struct sysctl s = d->os->names.sysctls[i];
		char path[FILE_PATH_SIZE];

		kernel_sysctl_path(d->os, s.path, path);
		if (file_read(path, s.value, sizeof(s.value), NULL) < 0)
			s.value[0] = '\0';
		s.value[strcspn(s.value, "\n")] = '\0';
		feed(d, OBJECT_SYSCTL, &s);
	}
	return 0;
}

static int dump_envfile(struct dump *d, struct err *err)
{
	struct envfile e = {0};
	int r;

	if (!d->os->names.envfile_path)
		return 0;
	filewatch_arm(&d->os->envfile, d->os->names.envfile_path);
	r = file_read(d->os->names.envfile_path, e.text, sizeof(e.text), err);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return r;
	feed(d, OBJECT_ENVFILE, &e);
	return 0;
}

static void on_firewall(void *arg, const struct object *o)
{
	struct dump *d = arg;

	d->flannel_firewall |= o->kind == OBJECT_FW_TABLE
				       ? fw_is_flannel_table(o->fw_table->family, o->fw_table->name)
				       : o->fw_chain->owner == FW_OWNER_FLANNEL;
	d->what->fn(d->what->arg, o);
}

static int dump_firewall(struct dump *d, enum object_kind kind, struct err *err)
{
	int r = nft_dump(d->os->nft, &d->os->names, OBJECT_BIT(kind), on_firewall, d, err);

	if (r == 0 && kind == OBJECT_FW_CHAIN)
		legacy_dump("/proc", d->what->fn, d->what->arg);
	return r;
}

static void look_for_flanneld(struct dump *d)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	flanneld_look(&d->os->flanneld, "/proc", d->flannel_firewall,
		      (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

static int dump_kind(struct dump *d, enum object_kind kind, struct err *err)
{
	int r;

	switch (kind) {
	case OBJECT_LINK:
		return dump_links(d);
	case OBJECT_SYSCTL:
		return dump_sysctls(d);
	case OBJECT_ADDR:
	case OBJECT_NEXTHOP:
		return dump_rt(d, kind, 0, false, err);
	case OBJECT_NEIGH:
	case OBJECT_FDB:
		return dump_neigh(d, kind, err);
	case OBJECT_ROUTE:
		r = dump_rt(d, kind, 0, false, err);
		return r == 0 && d->os->names.dev[DEV_VXLAN6][0] ? dump_rt(d, kind, 0, true, err)
								 : r;
	case OBJECT_FW_TABLE:
	case OBJECT_FW_CHAIN:
		return dump_firewall(d, kind, err);
	case OBJECT_GUARD_PEER:
	case OBJECT_GUARD:
		return nft_dump(d->os->nft, &d->os->names, OBJECT_BIT(kind), d->what->fn,
				d->what->arg, err);
	case OBJECT_ENVFILE:
		return dump_envfile(d, err);
	case OBJECT__COUNT:
		break;
	}
	assert(!"kind");
	return 0;
}

int kernel_dump(struct os *os, const struct os_dump *what, struct os_taken *ret_taken,
		struct err *err)
{
	struct dump d = {.os = os, .what = what};
	int r = kernel_roles(os, err);

	for (enum object_kind k = 0; k < OBJECT__COUNT && r == 0; k++) {
		if (what->kinds & OBJECT_BIT(k))
			r = dump_kind(&d, k, err);
	}
	if (r < 0)
		return r;
	if (what->kinds & (OBJECT_BIT(OBJECT_FW_TABLE) | OBJECT_BIT(OBJECT_FW_CHAIN)))
		look_for_flanneld(&d);
	*ret_taken = (struct os_taken){os->flanneld.who};
	return 0;
}
