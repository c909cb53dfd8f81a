/* SPDX-License-Identifier: Apache-2.0 */
#include "os/install.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

/* syscalls: openat fstat read fchmod close */

#define PIECE (16 << 10)

const char *const install_found_names[] = {
	[INSTALL_NONE] = "missing",
	[INSTALL_SAME] = "the same",
	[INSTALL_OURS] = "of another version",
	[INSTALL_OTHER] = "somebody else's",
};
static_assert(ARRAY_SIZE(install_found_names) == INSTALL_FOUND__COUNT, "each has a name");

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

/* A whole piece, but for the last. */
static ssize_t read_piece(int fd, char *buf)
{
	size_t len = 0;
	ssize_t n;

	while (len < PIECE) {
		n = read(fd, buf + len, PIECE - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* Of a pipe that somebody put there we would wait for ever. */
static int open_file(const char *path, struct stat *ret_st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0 && fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode))
		return fd;
	if (fd >= 0) {
		close(fd);
		errno = EINVAL;
	}
	return -1;
}

static int compare(int there, int source, const char *path, const char *source_path,
		   struct err *err)
{
	const size_t overlap = strlen(INSTALL_MARK) - 1;
	char a[sizeof(INSTALL_MARK) + PIECE] = "", b[PIECE];
	bool same = true, marked = false;
	ssize_t n, m;

	do {
		/* The mark may lie across two pieces. */
		memmove(a, a + PIECE, overlap);
		n = read_piece(there, a + overlap);
		if (n < 0)
			return fail(err, "read", path);
		m = same ? read_piece(source, b) : 0;
		if (m < 0)
			return fail(err, "read", source_path);
		same = same && n == m && memcmp(a + overlap, b, (size_t)n) == 0;
		marked = marked || memmem(a, overlap + (size_t)n, INSTALL_MARK, overlap + 1);
	} while (n == PIECE && (same || !marked));
	if (same)
		return INSTALL_SAME;
	return marked ? INSTALL_OURS : INSTALL_OTHER;
}

int install_look(const char *path, const char *source, unsigned mode, struct err *err)
{
	struct stat there_st, source_st;
	_cleanup_(close_fd) int from = open_file(source, &source_st);
	_cleanup_(close_fd) int there = -1;
	int r;

	if (from < 0)
		return fail(err, "read", source);
	there = open_file(path, &there_st);
	if (there < 0)
		return errno == ENOENT ? INSTALL_NONE : fail(err, "read", path);
	r = compare(there, from, path, source, err);
	return r == INSTALL_SAME && (there_st.st_mode & mode) != mode ? INSTALL_OURS : r;
}

int install_copy(const char *path, const char *source, unsigned mode, struct err *err)
{
	struct stat st;
	_cleanup_(close_fd) int from = open_file(source, &st);
	struct file_new f;
	char buf[PIECE];
	ssize_t n = 0;
	int r;

	if (from < 0)
		return fail(err, "read", source);
	r = file_new_open(path, &f, err);
	if (r < 0)
		return r;
	while (r == 0 && (n = read_piece(from, buf)) > 0)
		r = file_new_write(&f, buf, (size_t)n);
	if (n < 0)
		r = fail(err, "read", source);
	else if (r < 0 || (r = fchmod(f.fd, mode) < 0 ? -errno : 0) < 0)
		err_set(err, r, "cannot write %s: %s", f.temp, strerror(-r));
	if (r < 0) {
		file_new_drop(&f);
		return r;
	}
	return file_new_commit(&f, err);
}
