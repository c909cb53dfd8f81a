/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CNI_RESULT_H
#define WIRE_CNI_RESULT_H
/* Results of ADD, in each of the three shapes that the spec has had.
 *
 * 0.1.0, 0.2.0: one IPv4 and one IPv6 block, each with its routes, no interfaces. 0.3.0 to 0.4.0:
 * interfaces, ips with "version", routes. 1.0.0 and later: without "version", more optional fields.
 * Written texts are byte for byte the reference plugins': four blanks a level, no newline at the
 * end; in 0.x keys in the spec's order and "dns" always there, in 1.x keys sorted and an empty dns
 * left out.
 */

#include "model/cni.h"
#include "wire/gojson.h"

/* `root` in the shape of the version that it names, or of `assumed` if it names none. Strings are
 * borrowed from it. *ret_version is the version found. -EINVAL with a story. */
int cni_result_decode(const json_t *root, enum cni_version assumed, struct arena *a,
		      struct cni_result *ret, enum cni_version *ret_version, struct err *err);

/* -EINVAL if `r` cannot be said in that version: 0.2.0 and earlier need an address. */
int cni_result_encode(const struct cni_result *r, enum cni_version version, struct arena *a,
		      const char **ret, struct err *err);

/* ---- parts of results that configurations use, too ---- */

/* Absent, null and (but not as a CIDR) "" leave *ret alone. An element of strings that is null is "".
 * Errors name `key`. */
int cni_result_get_ip(const json_t *o, const char *key, struct ip *ret, struct err *err);
int cni_result_get_cidr(const json_t *o, const char *key, struct cidr *ret, struct err *err);
int cni_result_get_strings(const json_t *o, const char *key, struct arena *a,
			   struct cni_strings *ret, struct err *err);
/* The array of routes under "routes". */
int cni_result_get_routes(const json_t *o, struct arena *a, struct cni_route **ret, size_t *ret_n,
			  struct err *err);
/* The object under "dns"; *ret_any: a field of it is there. */
int cni_result_get_dns(const json_t *o, struct arena *a, struct cni_dns *ret, bool *ret_any,
		       struct err *err);
json_t *cni_result_route_json(const struct cni_route *r);

#endif
