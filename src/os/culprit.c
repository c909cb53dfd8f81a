/* SPDX-License-Identifier: Apache-2.0 */
#include "os/culprit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* syscalls: openat read close */

/* The beginning of /proc/<pid>/<file>, terminated; "" if it cannot be read. */
static void read_proc(uint32_t pid, const char *file, char *buf, size_t size_bytes)
{
	char path[40];
	ssize_t n;
	int fd;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, buf, size_bytes - 1);
	buf[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* Lines are "id:controllers:path" (cgroups(7)): the unified hierarchy "0::", else systemd's own. */
static const char *cgroup_path(char *lines)
{
	const char *path = NULL;
	char *save = NULL;

	for (char *p = strtok_r(lines, "\n", &save); p; p = strtok_r(NULL, "\n", &save)) {
		char *systemd = strstr(p, ":name=systemd:");

		if (strncmp(p, "0::", 3) == 0 && strcmp(p, "0::/") != 0)
			return p + 3;
		if (systemd)
			path = systemd + strlen(":name=systemd:");
	}
	return path;
}

void culprit_lookup(uint32_t pid, const char *comm, struct culprit *ret)
{
	char name[sizeof(ret->comm)], lines[2048];
	const char *path, *last;

	*ret = (struct culprit){.pid = pid};
	if (pid == 0)
		return;
	read_proc(pid, "comm", name, sizeof(name));
	name[strcspn(name, "\n")] = '\0';
	text_copy(ret->comm, sizeof(ret->comm), comm && comm[0] ? comm : name);
	if (strcmp(ret->comm, name) != 0)
		return;
	read_proc(pid, "cgroup", lines, sizeof(lines));
	path = cgroup_path(lines);
	last = path ? strrchr(path, '/') : NULL;
	if (last) {
		struct text t = TEXT(ret->unit);

		text_add(&t, "%s", last + 1);
	}
}
