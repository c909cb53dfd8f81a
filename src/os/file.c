/* SPDX-License-Identifier: Apache-2.0 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* syscalls: openat read write close fsync fchmod linkat newfstatat fstat */
/* syscalls: rename renameat mkdir mkdirat unlink unlinkat */

#define PATH_SIZE FILE_PATH_SIZE

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int fail(struct err *err, const char *what, const char *path)
{
	int code = -errno;

	return err_set(err, code, "cannot %s %s: %s", what, path, strerror(-code));
}

int file_read(const char *path, char *buf, size_t size_bytes, struct err *err)
{
	_cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	ssize_t n;
	char more;

	if (fd < 0)
		return fail(err, "open", path);
	while (len < size_bytes - 1) {
		n = read(fd, buf + len, size_bytes - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(err, "read", path);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return len == size_bytes - 1 && read(fd, &more, 1) == 1 ? FILE_LONGER : 0;
}

int file_load(const char *path, size_t limit_bytes, uint8_t **ret, size_t *ret_n, struct err *err)
{
	/* Of a pipe that somebody put there we would wait for ever. */
	_cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	uint8_t *bytes;
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(err, "open", path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > limit_bytes)
		return err_set(err, -EFBIG, "cannot read %s: not a file of at most %zu bytes", path,
			       limit_bytes);
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		abort();
	while (len < (size_t)st.st_size &&
	       ((n = read(fd, bytes + len, (size_t)st.st_size - len)) > 0 ||
		(n < 0 && errno == EINTR)))
		len += (size_t)MAX(n, 0);
	if (n < 0) {
		n = fail(err, "read", path);
		free(bytes);
		return (int)n;
	}
	*ret = bytes;
	*ret_n = len;
	return 0;
}

static int write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_text(int fd, const char *text)
{
	return write_all(fd, text, strlen(text));
}

int file_write(const char *path, const char *text, struct err *err)
{
	_cleanup_(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return fail(err, "open", path);
	if (write_text(fd, text) < 0)
		return fail(err, "write", path);
	return 0;
}

/* Every directory above `path`. */
static int make_parents(const char *path, unsigned mode, struct err *err)
{
	char dir[PATH_SIZE];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
		if (mkdir(dir, mode) < 0 && errno != EEXIST)
			return fail(err, "create directory", dir);
	}
	return 0;
}

int file_make_parents(const char *path, struct err *err)
{
	return make_parents(path, 0755, err);
}

/* Without this a crash may undo the rename. Not every file system can; then nothing is lost. */
static void sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_SIZE];

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	{
		_cleanup_(close_fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			(void)!fsync(fd);
	}
}

int file_new_open(const char *path, struct file_new *ret, struct err *err)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash - path) + 1 : 0, r;
	struct stat st;

	ret->fd = -1;
	/* Same directory, so that rename() is atomic; hidden, so that nobody takes it for the file. */
	r = snprintf(ret->temp, sizeof(ret->temp), "%.*s.%s.tmp", dir_len, path, path + dir_len);
	if (r < 0 || (size_t)r >= sizeof(ret->temp))
		return err_set(err, -ENAMETOOLONG, "path too long: %s", path);
	memcpy(ret->path, path, strlen(path) + 1);
	r = file_make_parents(path, err);
	if (r < 0)
		return r;
	(void)unlink(ret->temp);
	ret->fd = open(ret->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (ret->fd < 0)
		return fail(err, "create", ret->temp);
	if (fchmod(ret->fd, stat(path, &st) == 0 ? st.st_mode & 07777 : 0644) < 0) {
		r = fail(err, "write", path);
		file_new_drop(ret);
	}
	return r;
}

int file_new_write(void *file_new, const void *bytes, size_t n)
{
	const struct file_new *f = file_new;

	return write_all(f->fd, bytes, n) < 0 ? -errno : 0;
}

void file_new_drop(struct file_new *f)
{
	close_fd(&f->fd);
	f->fd = -1;
	(void)unlink(f->temp);
}

int file_new_commit(struct file_new *f, struct err *err)
{
	int r;

	if (fsync(f->fd) < 0 || rename(f->temp, f->path) < 0) {
		r = fail(err, "write", f->path);
		file_new_drop(f);
		return r;
	}
	close_fd(&f->fd);
	f->fd = -1;
	sync_parent(f->path);
	return 0;
}

int file_replace(const char *path, const char *text, struct err *err)
{
	struct file_new f;
	int r = file_new_open(path, &f, err);

	if (r < 0)
		return r;
	if (write_text(f.fd, text) < 0) {
		r = fail(err, "write", path);
		file_new_drop(&f);
		return r;
	}
	return file_new_commit(&f, err);
}

int file_make_dir(const char *path, unsigned mode, struct err *err)
{
	int r = make_parents(path, mode, err);

	if (r == 0 && mkdir(path, mode) < 0 && errno != EEXIST)
		r = fail(err, "create directory", path);
	return r;
}

/* Where the file system has no nameless files: a crash may leave an empty one. */
static int create_in_place(int dir_fd, const char *name, unsigned mode, const char *text,
			   struct err *err)
{
	_cleanup_(close_fd) int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return errno == EEXIST ? FILE_EXISTS : fail(err, "create", name);
	if (write_text(fd, text) == 0)
		return 0;
	r = fail(err, "write", name);
	(void)unlinkat(dir_fd, name, 0);
	return r;
}

int file_create(int dir_fd, const char *name, unsigned mode, const char *text, struct err *err)
{
	_cleanup_(close_fd) int fd = openat(dir_fd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
	char self[40];

	/* Kernels and file systems that do not know O_TMPFILE: open(2). */
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
		return create_in_place(dir_fd, name, mode, text, err);
	if (fd < 0)
		return fail(err, "create", name);
	if (write_text(fd, text) < 0)
		return fail(err, "write", name);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, dir_fd, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	return errno == EEXIST ? FILE_EXISTS : fail(err, "create", name);
}

int file_remove(const char *path, struct err *err)
{
	return unlink(path) < 0 && errno != ENOENT ? fail(err, "remove", path) : 0;
}

struct file_id file_identify(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct file_id){0};
	return (struct file_id){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (uint64_t)st.st_size,
		.changed_ns = st.st_ctim.tv_sec * 1000000000ll + st.st_ctim.tv_nsec,
	};
}

bool file_id_eq(const struct file_id *a, const struct file_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed_ns == b->changed_ns;
}
