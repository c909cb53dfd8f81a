/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CNI_MUSL_FORTIFY_H
#define CNI_MUSL_FORTIFY_H
/* What glibc's headers do for _FORTIFY_SOURCE and musl's do not: calls that write into a buffer whose
 * size the compiler knows are checked against it, at the compiler's time or, by cni/musl_chk.c, at
 * the program's. Included in front of every file that is compiled for musl (meson.build). */

#include <sched.h> /* musl declares memcpy and memset there once more */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Size of the object, and of the member, behind p; SIZE_MAX if unknown. */
#define FORTIFY_OBJECT(p) __builtin_object_size((p), 0)
#define FORTIFY_MEMBER(p) __builtin_object_size((p), 1)

#define memcpy(d, s, n)	    __builtin___memcpy_chk((d), (s), (n), FORTIFY_OBJECT(d))
#define memmove(d, s, n)    __builtin___memmove_chk((d), (s), (n), FORTIFY_OBJECT(d))
#define memset(d, c, n)	    __builtin___memset_chk((d), (c), (n), FORTIFY_OBJECT(d))
#define snprintf(s, n, ...) __builtin___snprintf_chk((s), (n), 0, FORTIFY_MEMBER(s), __VA_ARGS__)
#define vsnprintf(s, n, fmt, ap) \
 __builtin___vsnprintf_chk((s), (n), 0, FORTIFY_MEMBER(s), (fmt), (ap))

#endif
