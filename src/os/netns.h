/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_NETNS_H
#define OS_NETNS_H
/* Network namespaces by path, as a runtime names them: a bind mount, or /proc/PID/ns/net.
 *
 * Sockets stay in the namespace in which they were opened; /proc/sys/net shows that of the process
 * that opens a file; what is executed lives where its parent was.
 */

#include "base/err.h"

/* 0 and a descriptor; NETNS_NONE if there is no namespace at that path (nothing there, or a file that
 * once was one: an empty file under a lost mount); -errno. The story is the reference plugins'. */
#define NETNS_NONE 1
int netns_open(const char *path, int *ret_fd, struct err *err);

/* Is it the one we are in? */
bool netns_is_own(const char *path);
/* A descriptor of the one we are in. */
int netns_open_own(int *ret_fd, struct err *err);

/* The whole process moves there. */
int netns_enter(int fd, struct err *err);

#endif
