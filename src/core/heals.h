/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HEALS_H
#define CORE_HEALS_H
/* How often objects of each kind were repaired, and after whose hand, for whoever draws curves of it.
 *
 * Bounded, though anybody can call a process what he likes: the first HEALS_NAMED pairs of kind and
 * name have a count of their own, the rest counts as nobody's.
 */

#include "model/status.h"

#define HEALS_NAMED (STATUS_HEALS_MAX - OBJECT__COUNT)

struct heals {
	size_t n;
	struct status_heals of[STATUS_HEALS_MAX]; /* first nobody's, by kind */
};

void heals_init(struct heals *h);
/* One repair in which these kinds were different. */
void heals_add(struct heals *h, unsigned kinds, const struct culprit *who);

#endif
