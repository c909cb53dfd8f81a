/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CNI_LIST_H
#define WIRE_CNI_LIST_H
/* A conflist, as a container runtime reads it: which plugins will it execute? */

#include "wire/gojson.h"

#define CNI_LIST_TYPES 32

struct cni_list {
	const char *types[CNI_LIST_TYPES]; /* each once; borrowed from `root` */
	size_t n;
};

/* Of the list, of its plugins' IPAM, and of what flannel calls in turn. -EINVAL with a story about what no runtime
 * would take. */
int cni_list_decode(const json_t *root, struct cni_list *ret, struct err *err);

#endif
