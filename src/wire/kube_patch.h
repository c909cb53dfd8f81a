/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_KUBE_PATCH_H
#define WIRE_KUBE_PATCH_H
/* Bodies of the two PATCHes of nodes/<name>/status (flannel.md 4.2), strategic merge patches.
 *
 * Both say only what they change and have no precondition: nobody else writes these keys, and this
 * condition's type is its merge key.
 */

#include "base/text.h"
#include "model/kube.h"

#define KUBE_PATCH_TYPE "application/strategic-merge-patch+json"
#define KUBE_PATCH_SIZE 24576 /* all ten annotations at their longest, each byte an escape of six */

/* {"metadata":{"annotations":{…}}} with those of `anns` that are in `bits`; cut ones are left out. `prefix`
 * from kube_prefix_parse(). */
void kube_patch_annotations(const char *prefix, const struct kube_anns *anns, unsigned bits,
			    struct text *ret);

/* {"status":{"conditions":[{"type":"NetworkUnavailable",…}]}} */
struct kube_patch_condition {
	bool unavailable;   /* status: True */
	const char *reason; /* one word in camel case */
	const char *message;
	int64_t now_s;	      /* since 1970: lastHeartbeatTime */
	int64_t transition_s; /* when status changed last: lastTransitionTime */
};

void kube_patch_condition(const struct kube_patch_condition *c, struct text *ret);

#endif
