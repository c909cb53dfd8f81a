/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/told.h"

#include <string.h>

#include "base/text.h"
#include "wire/netconf.h"

#define MALFORMED_SAID	  10
#define MALFORMED_SAID_MS 60000

void told_event(struct told *t, struct event *ev)
{
	ev->now_ms = loop_now_ms(t->conf->loop);
	t->conf->fn(t->conf->arg, ev);
}

bool told_up(struct told *t, const char *name)
{
	if (t->up && strcmp(t->name, name) == 0)
		return false;
	t->up = true;
	t->problem[0] = '\0';
	text_add(&TEXT(t->name), "%s", name);
	return true;
}

bool told_down(struct told *t, const char *problem)
{
	if (strcmp(t->problem, problem) == 0)
		return false;
	t->up = false;
	text_add(&TEXT(t->problem), "%s", problem);
	return true;
}

void told_source(struct told *t)
{
	struct event ev = {.type = EVENT_SOURCE, .source.up = t->up};

	ev.source.name = t->up ? t->name : t->kind;
	ev.source.problem = t->up ? NULL : t->problem;
	told_event(t, &ev);
}

void told_config_problem(struct told *t, const char *problem)
{
	struct event ev = {.type = EVENT_CONFIG, .config.problem = t->complaints};

	if (strcmp(t->complaints, problem) == 0)
		return;
	text_add(&TEXT(t->complaints), "%s", problem);
	told_event(t, &ev);
}

const struct netconf *told_config(struct told *t, const char *json, size_t n, const char *trouble,
				  const char *where)
{
	char buf[TOLD_COMPLAINTS_SIZE] = "", problem[TOLD_COMPLAINTS_SIZE];
	struct text complaints = TEXT(buf), words = TEXT(problem);
	struct netconf net = {0};
	struct event ev = {.type = EVENT_CONFIG, .config.conf = &t->net};

	if (trouble)
		text_add(&complaints, "%s", trouble);
	else
		(t->conf->opts->kube_subnet_mgr ? netconf_decode_given
						: netconf_decode)(json, n, &net, &complaints);
	if (t->by_ipv4 && netconf_leads6(&net))
		text_add(&complaints,
			 "EnableIPv4: must be true, for leases in %s go by IPv4; a network of IPv6 "
			 "alone takes --kube-subnet-mgr: false",
			 t->kind);
	if (buf[0]) {
		text_add(&words, "%s: %s", where, buf);
		told_config_problem(t, problem);
		return NULL;
	}
	if (!t->have_net || !netconf_eq(&t->net, &net) || t->complaints[0]) {
		t->net = net;
		t->have_net = true;
		t->complaints[0] = '\0';
		told_event(t, &ev);
	}
	return &t->net;
}

bool told_malformed(struct told *t)
{
	uint64_t now_ms = loop_now_ms(t->conf->loop);

	t->n_malformed++;
	if (now_ms - t->malformed_ms >= MALFORMED_SAID_MS) {
		t->malformed_ms = now_ms;
		t->n_malformed_said = 0;
	}
	return t->n_malformed_said++ < MALFORMED_SAID;
}
