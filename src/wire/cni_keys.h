/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CNI_KEYS_H
#define WIRE_CNI_KEYS_H
/* The keys that our CNI plugins read, for loden-cni(8). What the decoders of cni_conf.h and
 * cni_flannel.h ask for stands here; a unit test reads their sources and finds what is missing. */

#include "base/base.h"

enum cni_keys_plugin {
	CNI_KEYS_FLANNEL,
	CNI_KEYS_BRIDGE,
	CNI_KEYS_HOST_LOCAL,
	CNI_KEYS_LOOPBACK,
	CNI_KEYS__COUNT,
};

extern const char *const cni_keys_plugin_names[CNI_KEYS__COUNT];
extern const char *const cni_keys_plugin_help[CNI_KEYS__COUNT]; /* sentences */

struct cni_key {
	enum cni_keys_plugin plugin;
	const char *key;      /* where it stands, with dots: "ipam.ranges" */
	const char *value;    /* what it takes, in a word or two */
	const char *fallback; /* NULL: none, or the help says */
	const char *help;     /* without full stop */
};

extern const struct cni_key cni_keys[];
extern const size_t cni_keys_n;

#endif
