/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ENVFILE_H
#define CORE_ENVFILE_H
/* subnet.env: the contract with CNI plugins, byte for byte as flannel writes it (flannel.md 8.1). */

#include "base/text.h"
#include "model/lease.h"
#include "model/netconf.h"

void envfile_write(const struct netconf *net, const struct lease *own, uint32_t mtu_bytes,
		   bool ip_masq, struct text *ret_text);

#endif
