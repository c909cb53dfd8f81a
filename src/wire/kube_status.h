/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_KUBE_STATUS_H
#define WIRE_KUBE_STATUS_H
/* What the API server says when it says no, and what others say in its place.
 *
 * It answers with a metav1.Status, in protobuf (kube_read.h), or in JSON whatever was asked for; its
 * flow control answers with a line of text, proxies and load balancers with a page of HTML.
 */

#include "base/text.h"
#include "wire/pb.h"

/* Texts are escaped and may be cut. */
struct kube_status {
	int64_t code;		/* as of HTTP; 0 = not said */
	uint32_t retry_after_s; /* 0 = not said */
	char reason[64];	/* "Expired", "Forbidden", …; "" = not said */
	char message[300];
};

/* As a Status says it. Raw texts, terminated. */
void kube_status_set(struct kube_status *s, const char *reason, const char *message);
void kube_status_set_retry(struct kube_status *s, int64_t retry_after_s);

/* Of a body that is no protobuf, or of its beginning: a Status in JSON, or the first printable words as
 * message. */
void kube_status_decode(struct pb_bytes body, struct kube_status *ret);

/* "HTML, not protobuf: …": what a body is that begins like this. */
void kube_status_describe(struct pb_bytes begin, struct text *ret);

#endif
