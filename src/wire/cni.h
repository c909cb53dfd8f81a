/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CNI_H
#define WIRE_CNI_H
/* The envelope of the Container Network Interface: what is the same for every plugin.
 *
 * Keys of JSON match as Go matches them (wire/gojson.h). What is decoded is borrowed from the
 * json_t it comes from. Texts of errors and the order of checks are the reference plugins'.
 */

#include "model/cni.h"
#include "wire/gojson.h"

/* The configuration's network name and version ("0.1.0" if absent or empty), as text: whether it is
 * a version that a plugin knows is checked by its caller. -EINVAL and `e`. */
int cni_decode_name(const json_t *root, const char **ret, struct cni_error *e);
int cni_decode_version(const json_t *root, const char **ret, struct cni_error *e);

/* The IPAM plugin's type, "" = none. */
int cni_decode_ipam_type(const json_t *root, const char **ret, struct err *err);
/* What the plugins before said, if anything: ret->has_prev and ret->prev. ret->version is set
 * already; the result must be of its family. */
int cni_decode_prev(const json_t *root, struct arena *a, struct cni_conf *ret, struct err *err);

/* An argument that a plugin understands. */
struct cni_arg {
	const char *key;   /* exact case */
	const char *value; /* out; untouched if absent */
};

/* CNI_ARGS, "K=V;K2=V2": fills in the values, copied into `a`. Any other key is an error unless
 * IgnoreUnknown is true. */
int cni_decode_args(const char *text, struct cni_arg *args, size_t n, struct arena *a,
		    struct err *err);

/* An error object, as a delegate printed it. */
int cni_decode_error(const json_t *root, struct cni_error *ret, struct err *err);
const char *cni_encode_error(const struct cni_error *e, struct arena *a);

/* The answer to VERSION: one compact line with its newline. */
const char *cni_encode_versions(struct arena *a);

#endif
