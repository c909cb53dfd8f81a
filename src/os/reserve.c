/* SPDX-License-Identifier: Apache-2.0 */
#include "os/reserve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

#define PATH_SIZE 512
#define LOCK_NAME "lock"
#define LAST_NAME "last_reserved_ip."

/* Modes of the Go plugin. */
#define DIR_MODE  0755
#define LOCK_MODE 0750
#define FILE_MODE 0600

static int fail(struct err *err, const char *what, const char *name)
{
	int code = -errno;

	return err_set(err, code, "cannot %s %s: %s", what, name, strerror(-code));
}

static int lock(struct reserve *r, struct err *err)
{
	r->lock_fd = openat(r->dir_fd, LOCK_NAME, O_RDONLY | O_CREAT | O_CLOEXEC, LOCK_MODE);
	if (r->lock_fd < 0)
		return fail(err, "open", LOCK_NAME);
	if (flock(r->lock_fd, LOCK_EX) < 0)
		return fail(err, "lock", LOCK_NAME);
	return 0;
}

int reserve_open(const char *data_dir, const char *network, bool create, struct reserve *ret,
		 struct err *err)
{
	_cleanup_(reserve_close) struct reserve r = RESERVE_CLOSED;
	char path[PATH_SIZE];
	int n, rc;

	n = snprintf(path, sizeof(path), "%s/%s", data_dir, network);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(err, -ENAMETOOLONG, "dataDir: path too long: %s", data_dir);
	r.dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r.dir_fd < 0 && errno == ENOENT) {
		if (!create)
			return RESERVE_NONE;
		rc = file_make_dir(path, DIR_MODE, err);
		if (rc < 0)
			return rc;
		r.dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (r.dir_fd < 0)
		return fail(err, "open", path);
	rc = lock(&r, err);
	if (rc < 0)
		return err_wrap(err, rc, "%s", path);
	*ret = (struct reserve){.dir_fd = TAKE_FD(r.dir_fd), .lock_fd = TAKE_FD(r.lock_fd)};
	return 0;
}

void reserve_close(struct reserve *r)
{
	if (r->lock_fd >= 0)
		close(TAKE_FD(r->lock_fd));
	if (r->dir_fd >= 0)
		close(TAKE_FD(r->dir_fd));
}

/* ---- reading ---- */

static int by_ip(const void *a, const void *b)
{
	return ip_cmp(a, b);
}

struct reading {
	int dir_fd;
	struct arena *a;
	struct reserve_view view;
	size_t taken_room, own_room, own_old_room;
	const char *own;     /* text of the owner's files */
	const char *own_old; /* text of those of old */
	char *buf;	     /* room for `own`, white space, and one byte more than both */
	size_t size_bytes;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The file's text without white space around it; NULL if it cannot be read or is longer than any
 * owner's. *ret_empty: there was nothing at all in it. */
static char *read_text(const struct reading *x, const char *name, bool *ret_empty)
{
	int fd = openat(x->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char *begin = x->buf, *end;
	ssize_t n;

	*ret_empty = false;
	if (fd < 0)
		return NULL;
	n = read(fd, x->buf, x->size_bytes);
	close(fd);
	*ret_empty = n == 0;
	if (n < 0 || (size_t)n == x->size_bytes)
		return NULL;
	end = begin + n;
	while (end > begin && is_space(end[-1]))
		end--;
	*end = '\0';
	while (is_space(*begin))
		begin++;
	return begin;
}

static void read_entry(struct reading *x, const char *name)
{
	struct reserve_view *v = &x->view;
	bool empty;
	char *text;
	struct ip ip;

	if (name[0] == '.' || strcmp(name, LOCK_NAME) == 0 ||
	    strncmp(name, LAST_NAME, strlen(LAST_NAME)) == 0)
		return;
	text = read_text(x, name, &empty);
	if (text && strcmp(text, x->own) == 0) {
		v->own = arena_room(x->a, v->own, v->n_own, &x->own_room, sizeof(*v->own));
		v->own[v->n_own++] = arena_strdup(x->a, name);
	} else if (text && strcmp(text, x->own_old) == 0) {
		v->own_old = arena_room(x->a, v->own_old, v->n_own_old, &x->own_old_room,
					sizeof(*v->own_old));
		v->own_old[v->n_own_old++] = arena_strdup(x->a, name);
	}
	/* Whatever has the name of an address and is not free is in the way, readable or not. */
	if (!empty && ip_parse(name, &ip)) {
		v->taken = arena_room(x->a, v->taken, v->n_taken, &x->taken_room, sizeof(ip));
		v->taken[v->n_taken++] = ip;
	}
}

int reserve_read(const struct reserve *r, const struct reserve_owner *owner, struct arena *a,
		 struct reserve_view *ret, struct err *err)
{
	struct reading x = {.dir_fd = r->dir_fd, .a = a, .own_old = owner->container_id};
	const struct dirent *entry;
	DIR *dir;
	int fd;

	x.own = arena_printf(a, "%s\r\n%s", owner->container_id, owner->ifname);
	x.size_bytes = strlen(x.own) + 64;
	x.buf = arena_calloc(a, 1, x.size_bytes + 1);
	/* A descriptor of its own: closedir() closes it, and its position is not shared. */
	fd = openat(r->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		int rc = fail(err, "read", "the directory of reservations");

		if (fd >= 0)
			close(fd);
		return rc;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		read_entry(&x, entry->d_name);
	if (errno) {
		int rc = fail(err, "read", "the directory of reservations");

		closedir(dir);
		return rc;
	}
	closedir(dir);
	if (x.view.n_taken > 0)
		qsort(x.view.taken, x.view.n_taken, sizeof(*x.view.taken), by_ip);
	*ret = x.view;
	return 0;
}

/* ---- writing ---- */

static bool is_empty(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size == 0;
}

int reserve_take(const struct reserve *r, const struct ip *ip, const struct reserve_owner *owner,
		 struct err *err)
{
	char name[IP_STRLEN], text[1024];
	int n, rc;

	ip_format(ip, name);
	n = snprintf(text, sizeof(text), "%s\r\n%s", owner->container_id, owner->ifname);
	if (n < 0 || (size_t)n >= sizeof(text))
		return err_set(err, -ENAMETOOLONG, "container id too long");
	rc = file_create(r->dir_fd, name, FILE_MODE, text, err);
	if (rc == FILE_EXISTS && is_empty(r->dir_fd, name)) {
		(void)unlinkat(r->dir_fd, name, 0);
		rc = file_create(r->dir_fd, name, FILE_MODE, text, err);
	}
	return rc == FILE_EXISTS ? RESERVE_TAKEN : rc;
}

int reserve_release(const struct reserve *r, const char *name, struct err *err)
{
	if (unlinkat(r->dir_fd, name, 0) < 0 && errno != ENOENT)
		return fail(err, "release", name);
	return 0;
}

struct ip reserve_last(const struct reserve *r, size_t set)
{
	char name[40], text[IP_STRLEN + 1];
	struct ip ip = {{0}};
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), LAST_NAME "%zu", set);
	fd = openat(r->dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ip;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n > 0) {
		text[n] = '\0';
		ip_parse(text, &ip);
	}
	return ip;
}

int reserve_set_last(const struct reserve *r, size_t set, const struct ip *ip, struct err *err)
{
	char name[40], text[IP_STRLEN];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), LAST_NAME "%zu", set);
	fd = openat(r->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return fail(err, "open", name);
	ip_format(ip, text);
	n = write(fd, text, strlen(text));
	if (n < 0) {
		int rc = fail(err, "write", name);

		close(fd);
		return rc;
	}
	close(fd);
	return 0;
}
