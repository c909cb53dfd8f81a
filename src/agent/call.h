/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_CALL_H
#define AGENT_CALL_H
/* What every call to a server of ours has in common, etcd's and Kubernetes' alike: its place among those under way,
 * and its life. A call may be ended or cancelled within any of its own callbacks; it is freed when the last of
 * them has returned.
 */

#include "os/h2.h"

/* First member of a call. */
struct call {
	struct call *next, **at;  /* at: what points to us; NULL = over, no longer in the list */
	struct h2_stream *stream; /* NULL = ended */
	unsigned depth;		  /* within so many of its own callbacks */
	void (*free)(struct call *call);
};

void call_begin(struct call *call, struct call **list, void (*free)(struct call *call));
/* It is over: out of the list, its stream cancelled. Freed by the last call_leave(). */
void call_over(struct call *call);
/* Around each callback of the owner's. */
void call_enter(struct call *call);
void call_leave(struct call *call);
/* Over without a word; NULL is fine. */
void call_cancel(struct call *call);

/* The connection broke, and the streams went with it: all at once, for the end of one call may cancel others. */
void call_all_broken(struct call *list);

#endif
