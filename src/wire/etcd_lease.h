/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_ETCD_LEASE_H
#define WIRE_ETCD_LEASE_H
/* flannel's leases as etcd holds them: key and value text, byte for byte (flannel.md 5.2).
 *
 *	<prefix>/subnets/10.5.52.0-24                        one lease
 *	<prefix>/subnets/10.12.13.0-24&fd00:12:13::-56       with an IPv6 part
 *	{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:…"}}
 *
 * Real flannel drops every peer when it meets a key or value it cannot parse, so what we write is
 * exactly what it would. What we read may come from anybody: one that is malformed is refused with a
 * story that names it, escaped, and concerns nobody else. Stricter than flannel in two points: the
 * whole of the key must match (flannel: its end), and host bits must be clear, as flannel writes it.
 */

#include "base/text.h"
#include "model/lease.h"
#include "wire/pb.h"

#define ETCD_LEASE_KEY_SIZE   100 /* both parts and a terminator, without prefix */
#define ETCD_LEASE_VALUE_SIZE 400 /* longest value that is ever written, with its terminator */

/* "10.5.52.0-24", for what follows "<prefix>/subnets/". */
void etcd_lease_key_format(const struct lease *l, struct text *ret);
/* Sets ret's subnets and nothing else. 0 or -EINVAL. */
int etcd_lease_key_parse(struct pb_bytes key, struct lease *ret, struct err *err);

/* The value of a VXLAN lease. */
void etcd_lease_value_format(const struct lease *l, uint32_t vni, struct text *ret);
/* Sets all of ret but its subnets. JSON by Go's rules: names match in any case, unknown ones are ignored,
 * null leaves a field unset. A backend we do not have makes the type BACKEND_NONE. 0 or -EINVAL. */
int etcd_lease_value_decode(struct pb_bytes value, struct lease *ret, struct err *err);

/* Both, the story naming both. */
int etcd_lease_decode(struct pb_bytes key, struct pb_bytes value, struct lease *ret,
		      struct err *err);

#endif
