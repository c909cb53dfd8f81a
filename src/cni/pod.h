/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CNI_POD_H
#define CNI_POD_H
/* The netlink conversations of a call: on the host first, then inside the pod.
 *
 * Between pod_enter() and pod_leave() sysctls are the pod's, while the host's socket still speaks
 * to the host.
 */

#include "base/arena.h"
#include "core/cni_plan.h"
#include "os/nlsock.h"
#include "wire/nl_pod.h"

struct pod {
	int netns_fd; /* -1 = none; owned */
	int host_fd;  /* of the host's namespace while we are inside */
	struct nlsock host, inside;
	uint32_t bridge, veth, eth; /* indexes of what pod_run() found or made; 0 = not yet */
	bool created;		    /* the veth pair is this call's work */
	struct nl_pod_link made;    /* the host's end as it was when made */
};

/* Opens the host's socket. */
int pod_open(struct pod *p, struct err *err);
void pod_close(struct pod *p);
/* Moves into the pod and opens a socket there. */
int pod_enter(struct pod *p, struct err *err);
/* Back to the host. Fine if we are there. */
int pod_leave(struct pod *p, struct err *err);

/* A link by index, or if that is 0 by name. POD_NO_LINK if there is none. */
#define POD_NO_LINK 1
int pod_link(struct nlsock *s, uint32_t ifindex, const char *name, struct nl_pod_link *ret,
	     struct err *err);

struct pod_addrs {
	struct cidr *v;
	size_t n;
};

int pod_addrs(struct nlsock *s, uint32_t ifindex, bool v6, struct arena *a, struct pod_addrs *ret,
	      struct err *err);
int pod_routes(struct nlsock *s, struct arena *a, struct nl_pod_route **ret, size_t *ret_n,
	       struct err *err);

/* Runs a plan, entering the pod on the way. POD_NAME_TAKEN: a foreign link has the name meant for the
 * host's end, nothing of the pod's was made. < 0: see p->created. */
#define POD_NAME_TAKEN 2

struct pod_names {
	const char *bridge, *host, *ifname, *alias;
};

int pod_run(struct pod *p, const struct cni_plan *plan, const struct pod_names *names,
	    struct err *err);

/* Waits until the host's end is operational (its peer is up): told by the kernel, not polled. */
int pod_wait_up(struct pod *p, struct nl_pod_link *ret, struct err *err);

/* Tells those in the bridge the pod's IPv4 addresses; after pod_wait_up(). mac: what the pod's link
 * has. A failure is none of ours: they will ask. */
void pod_announce(struct pod *p, const struct mac *mac);

/* Deletes a link (both ends of a veth); `s` must be of the namespace that we are in. When this returns the link is out of
 * reach in every namespace and its names are free; the kernel may still be giving back its memory. 0
 * also if it was gone. */
int pod_delete(struct nlsock *s, uint32_t ifindex, struct err *err);

#endif
