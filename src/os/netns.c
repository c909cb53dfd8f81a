/* SPDX-License-Identifier: Apache-2.0 */
#include "os/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define OWN "/proc/self/ns/net"

int netns_open(const char *path, int *ret_fd, struct err *err)
{
	struct statfs fs;
	int fd, code;

	/* O_NONBLOCK: whatever else lies there, a fifo say, must not stop us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		code = errno;
		return err_set(err, code == ENOENT || code == ENOTDIR ? NETNS_NONE : -code,
			       "failed to Statfs \"%s\": %s", path,
			       code == ENOENT ? "no such file or directory" : strerror(code));
	}
	if (fstatfs(fd, &fs) < 0) {
		code = -errno;
		close(fd);
		return err_set(err, code, "failed to Statfs \"%s\": %s", path, strerror(-code));
	}
	/* Before Linux 3.19 namespaces were files of procfs. */
	if (fs.f_type != NSFS_MAGIC && fs.f_type != PROC_SUPER_MAGIC) {
		close(fd);
		return err_set(err, NETNS_NONE, "unknown FS magic on \"%s\": %lx", path,
			       (unsigned long)fs.f_type);
	}
	*ret_fd = fd;
	return 0;
}

bool netns_is_own(const char *path)
{
	struct stat own, other;

	return stat(path, &other) == 0 && stat(OWN, &own) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

int netns_open_own(int *ret_fd, struct err *err)
{
	int fd = open(OWN, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", OWN, strerror(errno));
	*ret_fd = fd;
	return 0;
}

int netns_enter(int fd, struct err *err)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_set(err, -errno, "cannot enter the network namespace: %s",
			       strerror(errno));
	return 0;
}
