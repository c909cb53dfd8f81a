/* SPDX-License-Identifier: Apache-2.0 */
#include "os/filewatch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/text.h"

/* syscalls: inotify_init1 inotify_add_watch inotify_rm_watch read close */

#define MASK                                                                            \
 (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | \
  IN_DELETE_SELF | IN_ONLYDIR)

int filewatch_open(struct filewatch *w, struct err *err)
{
	w->wd = -1;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return w->fd >= 0 ? 0 : err_set(err, -errno, "cannot watch files: %s", strerror(errno));
}

void filewatch_close(struct filewatch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	*w = (struct filewatch)FILEWATCH_INIT;
}

static void disarm(struct filewatch *w)
{
	if (w->wd >= 0)
		inotify_rm_watch(w->fd, w->wd);
	w->wd = -1;
}

void filewatch_arm(struct filewatch *w, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char dir[sizeof(w->dir)];

	text_add(&TEXT(dir), "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
	if (w->wd >= 0 && !strcmp(dir, w->dir) && !strcmp(name, w->name))
		return;
	disarm(w);
	memcpy(w->dir, dir, sizeof(w->dir));
	if (text_copy(w->name, sizeof(w->name), name))
		w->wd = inotify_add_watch(w->fd, dir, MASK);
}

bool filewatch_read(struct filewatch *w)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool ours = false;
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *e;

		for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const void *)(buf + at);
			if (e->mask & IN_Q_OVERFLOW)
				ours = true;
			else if (e->wd != w->wd) /* of a directory watched before */
				continue;
			else if (e->len)
				ours |= !strcmp(e->name, w->name);
			else { /* the directory itself went, and the file with it */
				ours = true;
				disarm(w);
			}
		}
	}
	return ours;
}
