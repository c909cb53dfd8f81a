/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ASSUME_ASSUME_H
#define TESTS_ASSUME_ASSUME_H
/* One program proves one sentence about the kernel. assume.c holds main(): it makes a network namespace,
 * prints the sentence, and calls prove(). Exit 0: it is so; 1: it is not, and what was seen;
 * 77: this kernel cannot be asked.
 *
 * The namespace holds eth0 (veth, 192.168.77.1/24, up) and flannel.1 (vxlan on it, up, 10.1.0.0/32).
 */

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/nlsock.h"

/* What each program defines. */
extern const char sentence[];
void prove(void);

/* Ends the program unless `ok`. */
void check(bool ok, const char *fmt, ...) _printf_(2, 3);
_Noreturn void skip(const char *why);
/* Its exit code; output goes where ours goes. */
int sh(const char *command);
/* Lines of a command's output. */
unsigned lines(const char *command);
uint32_t ifindex(const char *name);

/* A request socket. */
extern struct nlsock request;

/* What a watcher heard, message by message. */
#define HEARD_MAX 512

struct heard {
	uint16_t type, flags;
	uint32_t port;
	uint8_t family; /* first byte of the body in all rtnetlink messages */
	uint8_t table;	/* of a route */
};

struct watcher {
	struct nlsock s;
	struct heard heard[HEARD_MAX];
	size_t n;
};

void watch(struct watcher *w, const unsigned *groups, size_t n_groups);
/* Reads what is there; forgets what was heard before. */
void hear(struct watcher *w);
/* How many messages of a type (and family, unless 0) it heard. */
unsigned heard(const struct watcher *w, uint16_t type, uint8_t family);

#endif
