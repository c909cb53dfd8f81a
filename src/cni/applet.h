/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CNI_APPLET_H
#define CNI_APPLET_H
/* The plugins in this program.
 *
 * Each function: 0, or < 0 with c->error set. Configurations without a name or of an unknown version
 * never get here; prevResult is decoded by those who need it.
 */

#include "cni/call.h"

struct applet {
	const char *name;
	int (*add)(struct call *c, struct cni_result *ret);
	int (*del)(struct call *c);
	int (*check)(struct call *c);
	int (*status)(struct call *c); /* NULL = always fine */
};

/* NULL if there is none of that name. */
const struct applet *applet_find(const char *name);

int bridge_add(struct call *c, struct cni_result *ret);
int bridge_del(struct call *c);
int bridge_check(struct call *c);
int bridge_status(struct call *c);

int flannel_add(struct call *c, struct cni_result *ret);
int flannel_del(struct call *c);
int flannel_check(struct call *c);
int flannel_status(struct call *c);

int host_local_add(struct call *c, struct cni_result *ret);
int host_local_del(struct call *c);
int host_local_check(struct call *c);
/* Does this call's attachment hold an address? Needs only name and data directory of the
 * configuration. */
int host_local_holds(struct call *c, bool *ret);

int loopback_add(struct call *c, struct cni_result *ret);
int loopback_del(struct call *c);
int loopback_check(struct call *c);

#endif
