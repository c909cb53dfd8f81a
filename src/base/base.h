/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE_H
#define BASE_BASE_H
/* What C forgot and every file wants. Nothing here allocates or does I/O. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

#define _cleanup_(fn)	   __attribute__((cleanup(fn)))
#define _printf_(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define _unused_	   __attribute__((unused))
/* `enum _packed_ x`: one byte. For enums that stand in objects kept by the thousand. */
#define _packed_	   __attribute__((packed))

/* Hand over ownership: yields the value and leaves the variable empty. */
#define TAKE_PTR(p)     \
 (                      \
	 {              \
__typeof__(p) taken_ = (p); \
(p) = NULL;                 \
taken_;                     \
	 })
#define TAKE_FD(fd) \
 (                  \
	 {          \
int taken_ = (fd);      \
(fd) = -1;              \
taken_;                 \
	 })

#endif
