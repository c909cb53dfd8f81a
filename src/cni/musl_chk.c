/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind cni/musl_fortify.h, by the names that compilers give them (GCC manual, Object
 * Size Checking). libjansson.a, which Debian compiles with _FORTIFY_SOURCE, calls them, too. */
#include <stdlib.h>

#include "cni/musl_fortify.h"

#undef memcpy
#undef memmove
#undef memset
#undef snprintf
#undef vsnprintf

void *__memcpy_chk(void *d, const void *s, size_t n, size_t size);
void *__memmove_chk(void *d, const void *s, size_t n, size_t size);
void *__memset_chk(void *d, int c, size_t n, size_t size);
char *__strncpy_chk(char *d, const char *s, size_t n, size_t size);
int __snprintf_chk(char *s, size_t n, int flag, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
int __vsnprintf_chk(char *s, size_t n, int flag, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 5, 0)));

/* An overflow that is about to happen. */
static void check(size_t n, size_t size)
{
	if (n > size)
		abort();
}

void *__memcpy_chk(void *d, const void *s, size_t n, size_t size)
{
	check(n, size);
	return memcpy(d, s, n);
}

void *__memmove_chk(void *d, const void *s, size_t n, size_t size)
{
	check(n, size);
	return memmove(d, s, n);
}

void *__memset_chk(void *d, int c, size_t n, size_t size)
{
	check(n, size);
	return memset(d, c, n);
}

char *__strncpy_chk(char *d, const char *s, size_t n, size_t size)
{
	check(n, size);
	return strncpy(d, s, n);
}

int __vsnprintf_chk(char *s, size_t n, int flag, size_t size, const char *fmt, va_list ap)
{
	(void)flag; /* 0: musl has no %n to refuse more strictly */
	check(n, size);
	return vsnprintf(s, n, fmt, ap);
}

int __snprintf_chk(char *s, size_t n, int flag, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = __vsnprintf_chk(s, n, flag, size, fmt, ap);
	va_end(ap);
	return len;
}
