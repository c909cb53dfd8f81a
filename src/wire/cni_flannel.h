/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CNI_FLANNEL_H
#define WIRE_CNI_FLANNEL_H
/* The flannel plugin's configuration, subnet.env as it reads it, and what it hands to its delegate.
 *
 * The plugin makes no interfaces. From its own small configuration and the node's subnet.env it
 * builds the configuration of another plugin (normally bridge with host-local), byte for byte as
 * the original does: the text is also kept on disk, where either's DEL finds it.
 */

#include "model/cni.h"
#include "wire/gojson.h"

struct cni_flannel {
	const char *subnet_file, *data_dir;
	json_t *delegate, *ipam, *runtime; /* objects, borrowed; NULL = absent */
};

/* The plugin's own keys. -EINVAL with a story. */
int cni_flannel_conf(const json_t *root, struct cni_flannel *ret, struct err *err);

/* subnet.env: n bytes of text, read from `path` (for the story). All that flannel writes must be
 * there for at least one family. */
int cni_flannel_env(const char *text, size_t n, const char *path, struct flannel_env *ret,
		    struct err *err);

/* The delegate's configuration; the caller json_decref()s it. `version` is the text that the
 * plugin's own configuration has, "" = none. `env` NULL: without what subnet.env would say, as a
 * DEL needs it whose saved configuration is lost. -EINVAL with a story. */
int cni_flannel_delegate(const struct cni_flannel *c, const char *name, const char *version,
			 const struct flannel_env *env, json_t **ret, struct err *err);

#endif
