/* SPDX-License-Identifier: Apache-2.0 */
#include "os/flanneld.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/culprit.h"
#include "os/file.h"

/* syscalls: openat newfstatat fstat getdents64 close */

#define PATH_SIZE 80

/* Are they one file? 1 yes, 0 no, -errno: cannot be told. */
static int is_same(const char *proc, const char *pid, const char *what)
{
	struct stat its, ours;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s/%s", proc, pid, what);
	if (stat(path, &its) < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/self/%s", proc, what);
	if (stat(path, &ours) < 0)
		return -errno;
	return its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

/* Gone, or dead and not yet buried: nothing of it can be looked at. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ESRCH;
}

static bool is_flanneld(const char *proc, const char *pid)
{
	char path[PATH_SIZE], comm[32];
	int net, exe;

	snprintf(path, sizeof(path), "%s/%s/comm", proc, pid);
	if (file_read(path, comm, sizeof(comm), NULL) < 0 || strcmp(comm, "flanneld\n") != 0)
		return false;
	/* A namespace's own link asks for CAP_SYS_PTRACE, which we do not have; but each has files of
	 * its own here, whose numbers differ. */
	net = is_same(proc, pid, "net/dev");
	exe = is_same(proc, pid, "exe");
	return net != 0 && exe != 1 && !is_gone(net) && !is_gone(exe);
}

static bool is_number(const char *s)
{
	return s[0] != '\0' && strlen(s) <= 10 && s[strspn(s, "0123456789")] == '\0';
}

void flanneld_look(struct flanneld *f, const char *proc, bool suspect, uint64_t now_ms)
{
	uint64_t wait_ms = suspect ? FLANNELD_SUSPECT_MS : FLANNELD_LOOK_MS;
	char pid[16];
	DIR *dir;

	snprintf(pid, sizeof(pid), "%u", f->who.pid);
	if (f->who.pid && is_flanneld(proc, pid))
		return;
	/* One that has gone may have been started anew. */
	if (!f->who.pid && f->looked_ms && now_ms < f->looked_ms + wait_ms)
		return;
	f->who = (struct culprit){0};
	f->looked_ms = now_ms;
	dir = opendir(proc);
	for (struct dirent *e = dir ? readdir(dir) : NULL; e && !f->who.pid; e = readdir(dir)) {
		if (is_number(e->d_name) && is_flanneld(proc, e->d_name))
			culprit_lookup((uint32_t)strtoul(e->d_name, NULL, 10), "flanneld", &f->who);
	}
	if (dir)
		closedir(dir);
}
