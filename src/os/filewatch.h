/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_FILEWATCH_H
#define OS_FILEWATCH_H
/* Tells when one small file is written, replaced or removed: inotify on its directory, because the
 * file itself may not be there, and is replaced by rename. */

#include "base/err.h"

struct filewatch {
	int fd; /* readable when there may be news; -1 = closed */
	int wd; /* -1 = the directory is not watched: it does not exist, or no longer */
	char dir[256], name[256];
};

#define FILEWATCH_INIT \
 {                     \
  .fd = -1, .wd = -1   \
 }

int filewatch_open(struct filewatch *w, struct err *err);
void filewatch_close(struct filewatch *w);

/* Watches `path` from now on. To be called again before each look at the file: the directory may have come
 * into being since. Costs nothing while it is watched. */
void filewatch_arm(struct filewatch *w, const char *path);

/* Takes what has been told. Is any of it about the file? */
bool filewatch_read(struct filewatch *w);

#endif
