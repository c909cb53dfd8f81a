/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_RESERVE_H
#define OS_RESERVE_H
/* Who holds which address: host-local's directory of small files, shared with the Go plugin.
 *
 *	<data dir>/<network>/lock		flock()ed by whoever reads or writes anything here
 *	<data dir>/<network>/10.244.1.2		"<container id>\r\n<interface>", or by old versions only
 *						"<container id>"; white space around it does not count
 *	<data dir>/<network>/last_reserved_ip.0	the address that set 0 gave last
 *
 * Both implementations may work on it at the same time: same names, same bytes, same lock. Ours puts a
 * reservation there in one step, so that being killed never leaves one without an owner. The Go plugin can
 * leave an empty file; since files are only written under the lock, an empty one that is seen under
 * the lock is free.
 */

#include "base/arena.h"
#include "base/err.h"
#include "model/ip.h"

struct reserve {
	int dir_fd, lock_fd;
};

#define RESERVE_CLOSED ((struct reserve){.dir_fd = -1, .lock_fd = -1})

/* Opens and locks; waits for the lock until a signal comes (-EINTR). RESERVE_NONE if there is no
 * such directory and `create` is false. */
#define RESERVE_NONE 1
int reserve_open(const char *data_dir, const char *network, bool create, struct reserve *ret,
		 struct err *err);
/* Also unlocks. A closed one is fine. */
void reserve_close(struct reserve *r);

struct reserve_owner {
	const char *container_id, *ifname;
};

/* What lies there. */
struct reserve_view {
	struct ip *taken; /* sorted */
	size_t n_taken;
	const char **own; /* names of the owner's files */
	size_t n_own;
	const char **own_old; /* those without an interface */
	size_t n_own_old;
};

int reserve_read(const struct reserve *r, const struct reserve_owner *owner, struct arena *a,
		 struct reserve_view *ret, struct err *err);

/* RESERVE_TAKEN if somebody has it. */
#define RESERVE_TAKEN 1
int reserve_take(const struct reserve *r, const struct ip *ip, const struct reserve_owner *owner,
		 struct err *err);
int reserve_release(const struct reserve *r, const char *name, struct err *err);

/* Unset if unknown. */
struct ip reserve_last(const struct reserve *r, size_t set);
int reserve_set_last(const struct reserve *r, size_t set, const struct ip *ip, struct err *err);

#endif
