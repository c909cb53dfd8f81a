/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_learn.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "os/child.h"

struct kube_learn {
	struct kube_client *client;
	struct loop *loop;
	const char *state_dir;
	bool asked; /* on this connection */
	struct kube_call *call;
	struct child *writer;
	struct kube_server told[KUBE_SERVERS_MAX]; /* by this answer */
	size_t n_told;
	struct kube_server servers[KUBE_SERVERS_MAX]; /* to be remembered, the latest first */
	size_t n;
};

static bool is_server(const struct kube_server *a, const struct kube_server *b)
{
	return ip_eq(&a->ip, &b->ip) && a->port == b->port;
}

/* Appends it, unless it is there or there is no room. */
static size_t add(struct kube_server *list, size_t n, const struct kube_server *s)
{
	for (size_t i = 0; i < n; i++)
		if (is_server(&list[i], s))
			return n;
	if (n < KUBE_SERVERS_MAX)
		list[n++] = *s;
	return n;
}

static int write_out(void *arg, struct err *err)
{
	const struct kube_learn *l = arg;

	return kube_servers_write(l->state_dir, l->servers, l->n, err);
}

static void on_written(void *arg, int code, const struct err *err)
{
	struct kube_learn *l = arg;

	l->writer = NULL;
	if (code < 0)
		log_warn("kube.servers_not_kept", "why=\"%s\"", err->text);
}

/* True: something is to be written. */
static bool merge(struct kube_learn *l)
{
	struct kube_server list[KUBE_SERVERS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < l->n_told; i++)
		n = add(list, n, &l->told[i]);
	for (size_t i = 0; i < l->n; i++)
		n = add(list, n, &l->servers[i]);
	if (n == l->n && memcmp(list, l->servers, n * sizeof(*list)) == 0)
		return false;
	memcpy(l->servers, list, n * sizeof(*list));
	l->n = n;
	return true;
}

static void on_item(void *arg, enum kube_read_type type, const struct kube_read *r,
		    const struct err *err)
{
	struct kube_learn *l = arg;
	struct kube_server s;

	(void)err;
	if (type == KUBE_READ_SERVER && kube_server_parse(r->server, &s))
		l->n_told = add(l->told, l->n_told, &s);
}

static void on_done(void *arg, const struct kube_answer *answer)
{
	struct kube_learn *l = arg;
	const struct child_conf write = {l->loop, write_out, on_written, l};
	struct err err;

	l->call = NULL;
	if (!answer->ok)
		log_debug("kube.servers_not_told", "why=\"%s\"", answer->problem);
	/* One that is being written is not waited for: the next connection will do. */
	if (!answer->ok || l->writer || !merge(l))
		return;
	log_info("kube.servers", "of=\"%s\" known=%zu", kube_client_name(l->client), l->n);
	l->writer = child_start(&write, &err);
	if (!l->writer)
		on_written(l, -1, &err);
}

void kube_learn_ask(struct kube_learn *l)
{
	if (l->asked)
		return;
	l->asked = true;
	l->n_told = 0;
	l->call = kube_client_call(l->client, &(struct kube_call_conf){
						      .method = "GET",
						      .path = "/api",
						      .accept = KUBE_ACCEPT,
						      .item = on_item,
						      .done = on_done,
						      .arg = l,
					      });
}

void kube_learn_lost(struct kube_learn *l)
{
	l->asked = false;
	kube_client_cancel(TAKE_PTR(l->call));
}

struct kube_learn *kube_learn_new(struct kube_client *client, struct loop *loop,
				  const char *state_dir)
{
	struct kube_learn *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->client = client;
	l->loop = loop;
	l->state_dir = state_dir;
	l->n = kube_servers_read(state_dir, l->servers);
	return l;
}

void kube_learn_free(struct kube_learn *l)
{
	if (!l)
		return;
	kube_client_cancel(l->call);
	child_free(l->writer);
	free(l);
}
