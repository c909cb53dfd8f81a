/* SPDX-License-Identifier: Apache-2.0 */
#include "model/plan.h"

const char *const op_verb_names[OP__COUNT] = {
	[OP_ADD] = "add",
	[OP_SET] = "set",
	[OP_RECREATE] = "recreate",
	[OP_DEL] = "del",
};
static_assert(OP__COUNT == 4, "name the new verb");

/* What was there instead; of links and tables only the difference, they are long. */
static void format_old(const struct op *op, const struct devmap *m, struct text *t)
{
	char buf[OP_STRLEN] = "";
	struct text was = TEXT(buf);

	if (op->object.kind == OBJECT_LINK) {
		link_compare(op->object.link, op->old.link, &was);
	} else if (op->object.kind == OBJECT_FW_TABLE) {
		fw_table_why(op->object.fw_table, op->old.fw_table, &was);
	} else {
		text_add(&was, "was ");
		object_format_value(&op->old, m, &was);
	}
	if (was.len > 0)
		text_add(t, " (%s)", buf);
}

void op_format(const struct op *op, const struct devmap *m, struct text *t)
{
	char buf[OP_STRLEN] = "";
	struct text value = TEXT(buf);

	text_add(t, "%s.%s ", object_kind_names[op->object.kind], op_verb_names[op->verb]);
	object_format_key(&op->object, m, t);
	object_format_value(&op->object, m, &value);
	if (value.len > 0)
		text_add(t, " %s", buf);
	if (op->old.any)
		format_old(op, m, t);
}
