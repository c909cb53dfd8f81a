/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/backoff.h"

#define ACCEPT_META KUBE_ACCEPT ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define ACCEPT_LIST KUBE_ACCEPT ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

/* As client-go's reflector: an end is to be expected, and not of all watches at once. */
#define WATCH_MIN_S    300
#define WATCH_SPREAD_S 300
/* A server that went back in time is asked for a list by each of its agents. */
#define GONE_SPREAD_MS 5000
/* A watch that ends sooner than this is not worth asking for at once again. */
#define SHORT_MS       1000
#define SHORT_WAIT_MS  5000
#define BUSY_WAIT_MS   1000 /* 429 without Retry-After */

enum state {
	STATE_IDLE,    /* no connection */
	STATE_WAITING, /* until the timer fires */
	STATE_LISTING,
	STATE_WATCHING,
};

struct kube_watch {
	struct kube_watch_conf conf;
	enum state state;
	struct kube_call *call;
	struct loop_watch *timer;
	bool list_wanted, list_full;
	char version[KUBE_VERSION_SIZE]; /* all up to here is told; "" = nothing yet */
	char listed[KUBE_VERSION_SIZE];	 /* of the list under way; "" = its end has not come */
	uint64_t began_ms;
	uint64_t random;
};

static uint64_t random_below(struct kube_watch *w, uint64_t n)
{
	return backoff_random(&w->random) % n;
}

static void stop(struct kube_watch *w)
{
	kube_client_cancel(TAKE_PTR(w->call));
	loop_timer_at(w->timer, UINT64_MAX);
	w->state = STATE_IDLE;
}

static void wait_ms(struct kube_watch *w, uint64_t ms)
{
	stop(w);
	w->state = STATE_WAITING;
	loop_timer_at(w->timer, loop_now_ms(w->conf.loop) + ms);
}

/* ---- what comes ---- */

static void gone(struct kube_watch *w, const char *why)
{
	log_info("kube.list_again", "why=\"%s\"", why);
	w->version[0] = '\0';
	w->list_wanted = true;
	wait_ms(w, random_below(w, GONE_SPREAD_MS));
}

static void back(struct kube_watch *w, const char *why)
{
	gone(w, why);
	w->conf.back(w->conf.arg);
}

/* The server says no: by its status, or by an event within a watch. */
static void refused(struct kube_watch *w, const struct kube_status *s, const char *problem)
{
	if (s->code == 410)
		gone(w, problem);
	else if (s->code == 429)
		wait_ms(w, s->retry_after_s ? s->retry_after_s * 1000ull : BUSY_WAIT_MS);
	else if (s->code == 504 && w->state == STATE_LISTING && w->version[0])
		back(w,
		     "the API server does not know what we know"); /* its cache does not get there */
	else
		kube_client_fail(w->conf.client, problem);
}

/* A Status where a Node should be. */
static void refused_within(struct kube_watch *w, const struct kube_status *s)
{
	char words[sizeof(s->message) + sizeof(s->reason) + 60];
	struct text t = TEXT(words);

	text_add(&t, "it says that something is wrong");
	if (s->code)
		text_add(&t, ": %lld", (long long)s->code);
	if (s->reason[0])
		text_add(&t, "%s %s", s->code ? "" : ":", s->reason);
	if (s->message[0])
		text_add(&t, ": %s", s->message);
	refused(w, s, words);
}

/* False: begins anew. */
static bool take_version(struct kube_watch *w, const char *version)
{
	if (kube_version_is_older(version, w->version)) {
		back(w, "the API server went back in time");
		return false;
	}
	text_copy(w->version, sizeof(w->version), version);
	return true;
}

static void on_node(struct kube_watch *w, const struct kube_read *r)
{
	if (w->state == STATE_WATCHING && !take_version(w, r->node.resource_version))
		return;
	if (r->event == KUBE_EVENT_DELETED)
		w->conf.gone(w->conf.arg, &r->node);
	else
		w->conf.node(w->conf.arg, &r->node);
}

static void on_item(void *arg, enum kube_read_type type, const struct kube_read *r,
		    const struct err *err)
{
	struct kube_watch *w = arg;

	switch (type) {
	case KUBE_READ_NODE:
		on_node(w, r);
		break;
	case KUBE_READ_BOOKMARK:
		take_version(w, r->node.resource_version);
		break;
	case KUBE_READ_LIST_END:
		if (!r->list.continue_token[0])
			text_copy(w->listed, sizeof(w->listed), r->list.resource_version);
		break;
	case KUBE_READ_STATUS:
		refused_within(w, &r->status);
		break;
	case KUBE_READ_SERVER:
		break; /* never of a list */
	case KUBE_READ_BAD:
		w->conf.bad(w->conf.arg, err->text);
		break;
	}
}

static void on_begun(void *arg)
{
	struct kube_watch *w = arg;

	if (w->state != STATE_WATCHING)
		return;
	kube_client_well(w->conf.client);
	w->conf.watching(w->conf.arg);
}

static void watch(struct kube_watch *w);

static void list_end(struct kube_watch *w)
{
	if (!w->listed[0]) {
		kube_client_fail(w->conf.client,
				 "the list of Nodes is not whole, though no part was asked for");
		return;
	}
	memcpy(w->version, w->listed, sizeof(w->version));
	w->list_wanted = w->list_full = false;
	w->conf.listed(w->conf.arg);
	if (w->state == STATE_LISTING) /* and nothing else came of it */
		watch(w);
}

static void on_done(void *arg, const struct kube_answer *answer)
{
	struct kube_watch *w = arg;
	bool brief = loop_now_ms(w->conf.loop) - w->began_ms < SHORT_MS;

	w->call = NULL;
	if (!kube_client_is_up(w->conf.client)) /* kube_watch_lost() comes */
		return;
	if (!answer->ok)
		refused(w, &answer->status, answer->problem);
	else if (w->state == STATE_LISTING)
		list_end(w);
	else
		wait_ms(w, brief ? SHORT_WAIT_MS : 0);
}

/* ---- what is asked ---- */

static void ask(struct kube_watch *w, const char *accept, const char *query)
{
	bool is_watch = w->state == STATE_WATCHING;
	char path[KUBE_PATH_SIZE];
	struct text t = TEXT(path);

	text_add(&t, "/api/v1/nodes?%s", query);
	if (w->conf.name)
		text_add(&t, "&fieldSelector=metadata.name%%3D%s", w->conf.name);
	if (is_watch)
		text_add(&t, "&watch=true&allowWatchBookmarks=true&timeoutSeconds=%u",
			 (unsigned)(WATCH_MIN_S + random_below(w, WATCH_SPREAD_S)));
	w->began_ms = loop_now_ms(w->conf.loop);
	w->call = kube_client_call(w->conf.client, &(struct kube_call_conf){
							   .method = "GET",
							   .path = path,
							   .accept = accept,
							   .watch = is_watch,
							   .begun = on_begun,
							   .item = on_item,
							   .done = on_done,
							   .arg = w,
						   });
}

static void list(struct kube_watch *w)
{
	bool metadata = w->conf.metadata && !w->list_full;
	char query[KUBE_VERSION_SIZE + 60];
	struct text t = TEXT(query);

	w->state = STATE_LISTING;
	w->listed[0] = '\0';
	w->conf.begin(w->conf.arg);
	if (w->version[0])
		text_add(&t, "resourceVersion=%s&resourceVersionMatch=NotOlderThan", w->version);
	else
		text_add(&t, "resourceVersion=0");
	ask(w, metadata ? ACCEPT_LIST : KUBE_ACCEPT, query);
}

static void watch(struct kube_watch *w)
{
	char query[KUBE_VERSION_SIZE + 20];
	struct text t = TEXT(query);

	w->state = STATE_WATCHING;
	text_add(&t, "resourceVersion=%s", w->version);
	ask(w, w->conf.metadata ? ACCEPT_META : KUBE_ACCEPT, query);
}

static void go(struct kube_watch *w)
{
	if (w->list_wanted)
		list(w);
	else
		watch(w);
}

static void on_timer(void *arg)
{
	struct kube_watch *w = arg;

	if (w->state == STATE_WAITING)
		go(w);
}

/* ---- coming and going ---- */

void kube_watch_up(struct kube_watch *w)
{
	if (w->state == STATE_IDLE)
		go(w);
}

void kube_watch_lost(struct kube_watch *w)
{
	stop(w);
}

void kube_watch_relist(struct kube_watch *w, enum kube_watch_list how)
{
	w->list_wanted = true;
	w->list_full |= how == KUBE_WATCH_FULL;
	if (w->state != STATE_IDLE)
		wait_ms(w, 0);
}

void kube_watch_check(struct kube_watch *w, const struct kube_watch *other)
{
	assert(w->state == STATE_IDLE);
	w->list_wanted = true;
	if (kube_version_is_older(w->version, other->version))
		memcpy(w->version, other->version, sizeof(w->version));
}

void kube_watch_void(struct kube_watch *w)
{
	if (!w->version[0])
		return;
	w->version[0] = '\0';
	w->list_wanted = true;
	if (w->state != STATE_IDLE)
		wait_ms(w, random_below(w, GONE_SPREAD_MS));
}

struct kube_watch *kube_watch_new(const struct kube_watch_conf *conf, enum kube_watch_list first)
{
	struct kube_watch *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->conf = *conf;
	w->random = conf->seed | 1; /* never 0 */
	w->list_wanted = true;
	w->list_full = first == KUBE_WATCH_FULL;
	w->timer = loop_timer(conf->loop, on_timer, w);
	return w;
}

void kube_watch_free(struct kube_watch *w)
{
	if (!w)
		return;
	stop(w);
	loop_watch_free(w->timer);
	free(w);
}
