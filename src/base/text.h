/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
/* Text written into a buffer somebody else owns. Too long is cut, remembered and never overrun. */

#include "base/base.h"

struct text {
	char *buf;	   /* borrowed; terminated after every call */
	size_t size_bytes; /* of buf, terminator included; > 0 */
	size_t len;	   /* bytes written, terminator excluded */
	bool cut;	   /* something did not fit */
};

#define TEXT(array) ((struct text){.buf = (array), .size_bytes = sizeof(array)})

void text_add(struct text *t, const char *fmt, ...) _printf_(2, 3);

/* Appends `s` (n bytes, need not be terminated) so that no reader can be fooled: control bytes,
 * quotes, backslashes and anything outside printable ASCII become \xNN. For strings that peers,
 * pods or other programs control. */
void text_add_escaped(struct text *t, const char *s, size_t n);

/* Copies `s` into a fixed field. False (and dst = "") if it does not fit. */
bool text_copy(char *dst, size_t size_bytes, const char *s);

#endif
