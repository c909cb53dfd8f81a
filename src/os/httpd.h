/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_HTTPD_H
#define OS_HTTPD_H
/* The health endpoints: /healthz and /readyz, bytes as flanneld sends them (flannel.md 8.2), and /metrics.
 *
 * Any method, HTTP/1.x, one request per connection. /healthz (and /livez) is 200 while the process turns its
 * loop; /readyz asks `ready` each time, and so can go back to 503, which flanneld's never does.
 */

#include "os/serve.h"

typedef bool httpd_ready_fn(void *arg);
/* Borrowed until the next call. */
typedef const char *httpd_metrics_fn(void *arg);

struct httpd;

struct httpd_conf {
	struct loop *loop;
	struct ip ip;
	uint16_t port;
	httpd_ready_fn *ready;
	const char *metrics_type; /* of the text that metrics() gives */
	httpd_metrics_fn *metrics;
	void *arg;
};

/* 0; -errno if the address cannot be had. */
int httpd_open(const struct httpd_conf *conf, struct httpd **ret, struct err *err);
/* NULL is fine. */
void httpd_close(struct httpd *h);

#endif
