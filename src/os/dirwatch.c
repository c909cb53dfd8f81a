/* SPDX-License-Identifier: Apache-2.0 */
#include "os/dirwatch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* syscalls: inotify_init1 inotify_add_watch read */

#define MASK                                                                          \
 (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR | \
  IN_DELETE_SELF | IN_MOVE_SELF)

int dirwatch_open(struct err *err)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	return fd >= 0 ? fd : err_set(err, -errno, "cannot watch files: %s", strerror(errno));
}

void dirwatch_add(int fd, const char *dir)
{
	(void)inotify_add_watch(fd, dir, MASK);
}

void dirwatch_read(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}
