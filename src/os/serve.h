/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_SERVE_H
#define OS_SERVE_H
/* A small server for short questions: a client sends one request, gets one answer, and is gone.
 *
 * The status socket and the health endpoints are both this. What a client can cost is bounded: so
 * many at once (one more, and the oldest is dropped), so many bytes of request, so long without a
 * byte moving. (libevent's own HTTP server is not used: in 2.1 it can bound none but the last, so one
 * idle crowd on a health port would take all descriptors of an agent.)
 */

#include <stdio.h>

#include "base/err.h"
#include "model/ip.h"
#include "os/loop.h"

#define SERVE_CLIENTS_MAX 8
#define SERVE_REQUEST_MAX 4096
#define SERVE_TIMEOUT_MS  2000

struct serve;

/* `request` is everything up to and with the end mark, or up to the client's end of file;
 * terminated, may hold anything else. The answer is what is written to `ret_answer`. */
typedef void serve_fn(void *arg, const char *request, FILE *ret_answer);

struct serve_conf {
	struct loop *loop;
	const char *end; /* where a request ends: "\n", "\r\n\r\n" */
	serve_fn *fn;
	void *arg;
};

/* Listening sockets, non-blocking; -errno with a story. A unix socket takes the place of a dead one
 * of the same name: the caller holds the lock that proves it dead. */
int serve_listen_unix(const char *path, unsigned mode, int *ret_fd, struct err *err);
int serve_listen_tcp(const struct ip *ip, uint16_t port, int *ret_fd, struct err *err);

/* Takes over `listen_fd`. Aborts without memory. */
struct serve *serve_open(const struct serve_conf *conf, int listen_fd);
/* NULL is fine. */
void serve_close(struct serve *s);

#endif
