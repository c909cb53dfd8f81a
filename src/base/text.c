/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_add(struct text *t, const char *fmt, ...)
{
	size_t room = t->size_bytes - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		t->cut = true;
		t->len = t->size_bytes - 1;
		return;
	}
	t->len += (size_t)n;
}

void text_add_escaped(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n && !t->cut; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			text_add(t, "%c", c);
		else
			text_add(t, "\\x%02x", c);
	}
}

bool text_copy(char *dst, size_t size_bytes, const char *s)
{
	size_t n = strlen(s);

	if (n >= size_bytes) {
		dst[0] = '\0';
		return false;
	}
	memcpy(dst, s, n + 1);
	return true;
}
