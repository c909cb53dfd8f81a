/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dial.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "core/backoff.h"
#include "os/dns.h"

#define CONNECT_TIMEOUT_MS 5000
#define LOOKUP_TIMEOUT_MS  5000

struct dial {
	struct dial_conf conf;
	struct h2 *conn; /* NULL while waiting */
	bool connected;
	size_t i;		   /* place of this or the next try */
	struct dns_lookup *lookup; /* of its name; NULL = none is under way */
	struct ip addresses[DNS_ADDRESSES_MAX];
	size_t n_addresses, k; /* k: that of this try */
	size_t n_failed;       /* places in this round */
	char problem[600];     /* of this round */
	uint64_t well_ms;      /* since when it serves; 0 = it does not, yet */
	struct backoff backoff;
	uint64_t random;
	struct loop_watch *timer;
};

const struct dial_place *dial_place(const struct dial *d)
{
	return &d->conf.places[d->i];
}

/* Tries the next address, place, or round; `well`: it served for some time. */
static void go_on(struct dial *d, bool well)
{
	if (well) {
		backoff_reset(&d->backoff);
		d->n_failed = 0;
		d->problem[0] = '\0';
	} else if (++d->k < d->n_addresses) {
		loop_timer_at(d->timer, 0);
		return;
	} else {
		d->n_failed++;
	}
	d->n_addresses = 0;
	d->i = (d->i + 1) % d->conf.n_places;
	if (d->n_failed < d->conf.n_places) {
		loop_timer_at(d->timer, 0);
		return;
	}
	d->n_failed = 0;
	loop_timer_at(d->timer, loop_now_ms(d->conf.loop) +
					backoff_next_ms(&d->backoff, backoff_random(&d->random)));
	d->conf.failed(d->conf.arg, d->problem);
	d->problem[0] = '\0';
}

static void add_problem(struct dial *d, const char *problem)
{
	const struct dial_place *p = dial_place(d);
	struct text t = {
		.buf = d->problem, .size_bytes = sizeof(d->problem), .len = strlen(d->problem)};
	char ip[IP_STRLEN];

	text_add(&t, "%s%s", t.len ? "; " : "", p->name);
	if (!ip_is_set(&p->ip) && d->n_addresses > 0)
		text_add(&t, " (%s)", ip_format(&d->addresses[d->k], ip));
	text_add(&t, ": %s", problem);
}

/* The connection is gone or of no use. */
static void leave(struct dial *d, const char *why)
{
	char problem[sizeof(((struct err *)0)->text)];
	bool well = d->well_ms && loop_now_ms(d->conf.loop) - d->well_ms >= DIAL_WELL_MS;
	bool was_connected = d->connected;

	text_copy(problem, sizeof(problem), why); /* it may lie in what is freed here */
	log_debug("dial.left", "place=%s problem=\"%s\"", dial_place(d)->name, problem);
	d->connected = false;
	d->well_ms = 0;
	h2_close(TAKE_PTR(d->conn));
	if (was_connected)
		d->conf.broken(d->conf.arg, problem);
	if (!well)
		add_problem(d, problem);
	go_on(d, well);
}

static void on_up(void *arg)
{
	struct dial *d = arg;

	d->connected = true;
	d->conf.connected(d->conf.arg);
}

static void on_down(void *arg, const char *problem)
{
	leave(arg, problem);
}

static void connect_to(struct dial *d)
{
	const struct dial_place *p = dial_place(d);

	d->conn = h2_open(&(struct h2_conf){
		.loop = d->conf.loop,
		.ip = d->addresses[d->k],
		.port = p->port,
		.authority = p->authority,
		.tls = p->tls,
		.host = p->proves,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.ping_after_ms = d->conf.ping_after_ms,
		.ping_timeout_ms = d->conf.ping_timeout_ms,
		.up = on_up,
		.down = on_down,
		.arg = d,
	});
}

static void on_addresses(void *arg, const struct ip *addresses, size_t n, const char *problem)
{
	struct dial *d = arg;

	if (n == 0) {
		add_problem(d, problem);
		dns_lookup_free(TAKE_PTR(d->lookup));
		go_on(d, false);
		return;
	}
	memcpy(d->addresses, addresses, n * sizeof(*addresses));
	d->n_addresses = n;
	dns_lookup_free(TAKE_PTR(d->lookup));
	connect_to(d);
}

static void on_timer(void *arg)
{
	struct dial *d = arg;
	const struct dial_place *p = dial_place(d);

	if (d->n_addresses == 0) {
		d->k = 0;
		if (!ip_is_set(&p->ip)) {
			d->lookup = dns_lookup_new(&(struct dns_conf){
				.loop = d->conf.loop,
				.host = p->host,
				.timeout_ms = LOOKUP_TIMEOUT_MS,
				.done = on_addresses,
				.arg = d,
			});
			return;
		}
		d->addresses[0] = p->ip;
		d->n_addresses = 1;
	}
	connect_to(d);
}

struct dial *dial_new(const struct dial_conf *conf)
{
	struct dial *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->conf = *conf;
	d->random = conf->seed | 1; /* never 0 */
	d->timer = loop_timer(conf->loop, on_timer, d);
	loop_timer_at(d->timer, 0);
	return d;
}

void dial_free(struct dial *d)
{
	if (!d)
		return;
	h2_close(d->conn);
	dns_lookup_free(d->lookup);
	loop_watch_free(d->timer);
	free(d);
}

struct h2 *dial_conn(const struct dial *d)
{
	return d->connected ? d->conn : NULL;
}

void dial_well(struct dial *d)
{
	if (!d->well_ms)
		d->well_ms = loop_now_ms(d->conf.loop);
}

void dial_leave(struct dial *d, const char *problem)
{
	if (d->connected)
		leave(d, problem);
}
