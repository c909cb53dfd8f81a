/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_DIRWATCH_H
#define OS_DIRWATCH_H
/* Tells when anything in some directories is written, replaced, removed or gets another mode. */

#include "base/err.h"

/* A descriptor, readable when there is news; the caller closes it. */
int dirwatch_open(struct err *err);

/* To be called again now and then: the directory may be another by now. One that is missing is not watched. */
void dirwatch_add(int fd, const char *dir);

/* Takes what has been told. */
void dirwatch_read(int fd);

#endif
