/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/call.h"

void call_begin(struct call *call, struct call **list, void (*free)(struct call *call))
{
	call->free = free;
	call->at = list;
	call->next = *list;
	if (call->next)
		call->next->at = &call->next;
	*list = call;
}

void call_over(struct call *call)
{
	if (!call->at)
		return;
	*call->at = call->next;
	if (call->next)
		call->next->at = call->at;
	call->at = NULL;
	if (call->stream)
		h2_cancel(TAKE_PTR(call->stream));
}

void call_enter(struct call *call)
{
	call->depth++;
}

void call_leave(struct call *call)
{
	if (--call->depth == 0 && !call->at)
		call->free(call);
}

void call_cancel(struct call *call)
{
	if (!call)
		return;
	call_enter(call);
	call_over(call);
	call_leave(call);
}

void call_all_broken(struct call *list)
{
	for (struct call *call = list; call; call = call->next)
		call->stream = NULL;
}
