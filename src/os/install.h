/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_INSTALL_H
#define OS_INSTALL_H
/* Files that others run or read, put in their place: copies, whole or not at all (os/file.h). */

#include "base/err.h"

/* In the bytes of each of our plugins (cni/main.c). */
#define INSTALL_MARK " (loden)\n"

enum install_found {
	INSTALL_NONE,  /* nothing is there */
	INSTALL_SAME,  /* the source's bytes */
	INSTALL_OURS,  /* others, or without the mode's bits; but ours: they contain the mark */
	INSTALL_OTHER, /* others, of somebody else */
	INSTALL_FOUND__COUNT,
};

extern const char *const install_found_names[];

/* What is at `path`, compared with `source`. enum install_found, or < 0. Reads in pieces of 16 kB. */
int install_look(const char *path, const char *source, unsigned mode, struct err *err);

/* Makes `path` a copy of `source`, with this mode. Directories above it are made. */
int install_copy(const char *path, const char *source, unsigned mode, struct err *err);

#endif
