/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H
/* Errors with a story.
 *
 * A function returns int: 0 done; < 0 is -errno, unexpected; > 0 a documented outcome of that
 * function. The story lives in a struct err on the caller's stack, is made where the failure
 * happened, wrapped on the way up, and printed once, by whoever stops it. Nothing is allocated;
 * a text that does not fit is cut. Every function here takes err == NULL: then the story is
 * dropped and only the number travels.
 */

#include "base/base.h"

struct err {
	char text[400]; /* always terminated; "" = no story */
};

/* Both return `code`, so that `return err_set(e, -EINVAL, "…")` is one line.
 * err_set starts the story anew; err_wrap puts "<new text>: " in front of it. */
int err_set(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);
int err_wrap(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);

#endif
