/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_OPS_H
#define OS_OPS_H
/* Every effect the agent has on the kernel, as one table.
 *
 * The real table is os_ops_kernel (os/kernel.c); a test may hand the agent another. All calls run to
 * their end (they take microseconds to milliseconds) and happen on the one thread; only waiting is done in the
 * loop (os/loop.h). Nothing here decides anything: what to dump and what to apply comes from core.
 *
 * Names, roles: `struct os` holds the sockets and the devmap. The agent tells it once which names
 * play which role (os_names); indexes are looked up by the kernel side and may change at any time.
 */

#include "base/arena.h"
#include "base/err.h"
#include "model/plan.h"
#include "model/status.h"
#include "model/uplink.h"

struct os; /* opaque, os/kernel.h */

/* What plays which role and which marks are ours. All borrowed until the next call. */
struct os_names {
	char dev[DEV__COUNT][LINK_NAME_SIZE]; /* "" = no such role now */
	/* Our mark on links. A link that carries it plays its role under another name too, if none
	 * has the right one: somebody renamed it, or the VNI is another now. "" = by name only. */
	char link_alias[LINK_ALIAS_SIZE];
	uint32_t nexthop_base; /* earlier versions' ids: base .. base + 2^24 - 1 */
	char fw_table[FW_NAME_SIZE];
	char guard_table[FW_NAME_SIZE];
	char fw_comment[FW_COMMENT_SIZE]; /* marks our accepts in foreign chains */
	/* Of the cluster, or unset: drops that spare them are not in our way; others' routes to subnets
	 * in them are dumped as well. */
	struct cidr networks[2];
	bool host_routes; /* the host's routes decide about peers: when they change, that is news */
	struct fw_arrival arrival; /* drops at hook input that spare these are not in our way */
	const char *envfile_path;
	const char *proc_sys;	      /* where switches are; NULL: /proc/sys */
	const struct sysctl *sysctls; /* paths to read back; values ignored */
	size_t n_sysctls;
};

/* Called for each object of ours that a dump finds; the object is borrowed for the call. */
typedef void os_object_fn(void *arg, const struct object *o);

struct os_dump {
	unsigned kinds; /* OBJECT_BIT()s */
	os_object_fn *fn;
	void *arg;
	bool peek; /* for somebody else's eyes: what it finds is still news to the watch */
};

/* Whether this node is another's: a real flanneld that lives here (looked for when firewall kinds are
 * dumped; pid 0 = none). */
struct os_taken {
	struct culprit flanneld;
};

#define OS_WATCH_FDS 3 /* rtnetlink, nf_tables, subnet.env */

/* What a kernel notification told. Coalesced over one read of the sockets. */
struct os_notice {
	unsigned kinds;	    /* OBJECT_BIT()s */
	bool uplink;	    /* something about the host's own links, addresses or routes changed */
	bool lost;	    /* ENOBUFS: anything may have changed (kinds is then OBJECT_ALL) */
	struct culprit who; /* of the last foreign change in the read; pid 0 = kernel or unknown */
};

struct os_ops {
	void (*set_names)(struct os *os, const struct os_names *names);

	/* Dumps all objects of ours of some kinds. What the kernel interrupted (NLM_F_DUMP_INTR) is read again, at
	 * most LIMIT_DUMP_TRIES times: then its objects are handed over again, and the last counts.
	 * 0, or -errno and what was handed over must be thrown away. */
	int (*dump)(struct os *os, const struct os_dump *what, struct os_taken *ret_taken,
		    struct err *err);

	/* The roles as of the last dump or apply. Borrowed. */
	const struct devmap *(*devmap)(struct os *os);

	/* Runs the ops in order, batched; a failed op does not stop the others. Failures are appended in `a`.
	 * 0 even if ops failed; -errno if the kernel cannot be talked to at all. */
	int (*apply)(struct os *os, const struct plan *plan, struct arena *a,
		     const struct op_failure **ret_failures, size_t *ret_n_failures,
		     struct err *err);

	/* All interfaces, their addresses, the host's routes, and how `reach` (unset = skip) is reached. */
	int (*facts)(struct os *os, const struct ip *reach, struct arena *a,
		     struct iface_facts *ret_facts, struct err *err);

	/* Non-blocking descriptors (-1 = none) that become readable when something happened, and how to read
	 * one: 1 = `ret` holds something, 0 = nothing of interest, < 0 error. Own changes are not reported. */
	void (*watch_fds)(struct os *os, int ret_fds[OS_WATCH_FDS]);
	int (*watch_read)(struct os *os, int fd, struct os_notice *ret);
};

extern const struct os_ops os_ops_kernel;

#endif
