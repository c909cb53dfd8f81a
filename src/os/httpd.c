/* SPDX-License-Identifier: Apache-2.0 */
#include "os/httpd.h"

#include <stdlib.h>
#include <string.h>

struct httpd {
	struct httpd_conf conf;
	struct serve *serve;
};

struct answer {
	const char *status;
	const char *body;
	const char *type; /* NULL: plain text */
};

static bool path_is(const char *path, size_t n, const char *name)
{
	return n == strlen(name) && !memcmp(path, name, n);
}

/* `request` begins "METHOD SP target SP HTTP/1.x CR LF"; the headers say nothing to us. */
static struct answer choose(const struct httpd *h, const char *request)
{
	const size_t method = strcspn(request, " \r\n");
	const char *target = request + method + 1;
	size_t n;

	if (method == 0 || request[method] != ' ')
		return (struct answer){"400 Bad Request", "400 Bad Request"};
	n = strcspn(target, " ?\r\n");
	if (strncmp(target + strcspn(target, " \r\n"), " HTTP/1.", 8))
		return (struct answer){"400 Bad Request", "400 Bad Request"};
	if (path_is(target, n, "/healthz") || path_is(target, n, "/livez"))
		return (struct answer){"200 OK", "flanneld is running"};
	if (path_is(target, n, "/metrics"))
		return (struct answer){"200 OK", h->conf.metrics(h->conf.arg),
				       h->conf.metrics_type};
	if (!path_is(target, n, "/readyz"))
		return (struct answer){"404 Not Found", "404 page not found\n"};
	if (h->conf.ready(h->conf.arg))
		return (struct answer){"200 OK", "flanneld is ready"};
	return (struct answer){"503 Service Unavailable", "flanneld is not ready yet"};
}

static void answer(void *arg, const char *request, FILE *ret_answer)
{
	const struct answer a = choose(arg, request);

	fprintf(ret_answer,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		a.status, a.type ? a.type : "text/plain; charset=utf-8", strlen(a.body),
		strncmp(request, "HEAD ", 5) ? a.body : "");
}

int httpd_open(const struct httpd_conf *conf, struct httpd **ret, struct err *err)
{
	struct serve_conf serve = {.loop = conf->loop, .end = "\r\n\r\n", .fn = answer};
	struct httpd *h;
	int fd, r;

	r = serve_listen_tcp(&conf->ip, conf->port, &fd, err);
	if (r < 0)
		return r;
	h = calloc(1, sizeof(*h));
	if (!h)
		abort();
	h->conf = *conf;
	serve.arg = h;
	h->serve = serve_open(&serve, fd);
	*ret = h;
	return 0;
}

void httpd_close(struct httpd *h)
{
	if (!h)
		return;
	serve_close(h->serve);
	free(h);
}
