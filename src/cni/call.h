/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CNI_CALL_H
#define CNI_CALL_H
/* One call of one plugin, as every applet gets it.
 *
 * A plugin that hands work to another of ours (flannel to bridge, bridge to host-local) makes a copy
 * with another configuration and calls it as a function. All memory is the process's.
 */

#include "model/cni.h"
#include "wire/gojson.h"

struct call {
	struct cni_env env;
	struct cni_conf conf;
	json_t *root;	  /* the configuration */
	const char *text; /* the same as text, for plugins that are executed; n bytes */
	size_t n;
	const char *blame; /* where its subnet came from, for stories; NULL = the configuration */
	struct arena *arena;
	struct cni_error *error; /* set by whoever returns < 0 */
};

/* "cannot …": hands a story on as an error without a code of its own. Returns -EINVAL. */
int call_fail(struct call *c, const struct err *err);
/* Fills in c->conf from c->root: name, version, ipam type. */
int call_decode(struct call *c);

/* SIGTERM, SIGINT and SIGHUP end what waits (EINTR) and are remembered; whoever makes something looks
 * between two steps and takes back what it made. */
void call_catch_signals(void);
bool call_stopped(void);

#endif
