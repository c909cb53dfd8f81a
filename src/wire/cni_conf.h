/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CNI_CONF_H
#define WIRE_CNI_CONF_H
/* Configurations of single plugins: keys, defaults and texts of the reference plugins.
 *
 * A key that a plugin does not implement yet and that asks for something (not false, 0 or empty) is
 * an error that names it: a pod with a network other than the one asked for is worse than none.
 * Results borrow from `root`. All: 0, or -EINVAL with a story.
 */

#include "model/cni.h"
#include "wire/gojson.h"

/* `args` is CNI_ARGS. */
int cni_conf_bridge(const json_t *root, const char *args, struct arena *a, struct bridge_conf *ret,
		    struct err *err);
/* The bridge's ipMasq alone, for a DEL; false if it cannot be read. */
bool cni_conf_bridge_masq(const json_t *root);
/* host-local's. Ranges are not checked yet: core/ipam.h. */
int cni_conf_ipam(const json_t *root, const char *args, struct arena *a, struct ipam_conf *ret,
		  struct err *err);
/* host-local's data directory alone, for a DEL whose ranges are lost. */
int cni_conf_ipam_dir(const json_t *root, const char **ret, struct err *err);

/* resolv.conf: n bytes of text. Copied into `a`. */
void cni_conf_resolv(const char *text, size_t n, struct arena *a, struct cni_dns *ret);

#endif
