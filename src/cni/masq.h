/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CNI_MASQ_H
#define CNI_MASQ_H
/* Masquerading of one pod, for bridges that are asked to (ipMasq): rules in nf_tables, found again by
 * network, container and interface alone. Both are to be called on the host. */

#include "base/arena.h"
#include "core/cni_masq.h"

/* One rule for each address; whatever rules the attachment had before go. */
int masq_add(const struct cni_plan_owner *o, const struct cni_result *r, struct arena *a,
	     struct err *err);
/* 0 also if there is nothing, or no nf_tables. */
int masq_del(const struct cni_plan_owner *o, struct err *err);

#endif
