/* SPDX-License-Identifier: Apache-2.0 */
#include "core/order.h"

struct order_stage order_stage(size_t i)
{
	assert(i < ORDER_STAGES);
	if (i < OBJECT__COUNT)
		return (struct order_stage){ORDER_IN_THE_WAY, (enum object_kind)i};
	i -= OBJECT__COUNT;
	if (i == 0)
		return (struct order_stage){ORDER_RECREATE, OBJECT_LINK};
	i -= 1;
	if (i < OBJECT__COUNT)
		return (struct order_stage){ORDER_MAKE, (enum object_kind)i};
	i -= OBJECT__COUNT;
	return (struct order_stage){ORDER_REMOVE, (enum object_kind)(OBJECT__COUNT - 1 - i)};
}
