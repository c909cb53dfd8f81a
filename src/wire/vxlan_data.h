/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_VXLAN_DATA_H
#define WIRE_VXLAN_DATA_H
/* What flannel's vxlan backend says about a node's VTEP: {"VNI":1,"VtepMAC":"aa:bb:cc:dd:ee:ff"}, byte for
 * byte, in etcd's values and in annotations (flannel.md 4.3). A peer's VNI is not used: all have ours.
 */

#include "base/text.h"
#include "model/ip.h"
#include "wire/gojson.h"

void vxlan_data_format(uint32_t vni, const struct mac *mac, struct text *ret);
/* 0, or -EINVAL with a story that begins with `name`. */
int vxlan_data_decode(const json_t *data, const char *name, struct mac *ret, struct err *err);

#endif
