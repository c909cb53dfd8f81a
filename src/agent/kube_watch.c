/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/backoff.h"

#define ACCEPT_META KUBE_ACCEPT ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define ACCEPT_LIST KUBE_ACCEPT ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

/* As client-go's reflector: an end is to be expected, and not of all watches at once. */
#define WATCH_MIN_S	300
#define WATCH_SPREAD_S	300
/* A server that went back in time is asked for a list by each of its agents. */
#define GONE_SPREAD_MS	5000
/* A list by watch pauses for so long: the server does not know that we wait for the end of it. */
#define STREAM_PAUSE_MS 5000
/* A watch that ends sooner than this is not worth asking for at once again. */
#define SHORT_MS	1000
#define SHORT_WAIT_MS	5000
#define BUSY_WAIT_MS	1000 /* 429 without Retry-After */

enum state {
	STATE_IDLE,	/* no connection */
	STATE_WAITING,	/* until the timer fires */
	STATE_STREAMED, /* a list by watch */
	STATE_PAGED,
	STATE_WATCHING,
};

struct kube_watch {
	struct kube_watch_conf conf;
	enum state state;
	struct kube_call *call;
	struct loop_watch *timer;
	bool list_wanted, list_full;
	bool synced;
	char version[KUBE_VERSION_SIZE];	/* all up to here is told; "" = nothing yet */
	char token[LIMIT_KUBE_TOKEN_BYTES + 1]; /* of the next page; "" = the first */
	uint64_t began_ms, heard_ms;
	uint64_t random;
};

static void go(struct kube_watch *w);

static uint64_t random_below(struct kube_watch *w, uint64_t n)
{
	return backoff_random(&w->random) % n;
}

static void stop(struct kube_watch *w)
{
	kube_client_cancel(TAKE_PTR(w->call));
	loop_timer_at(w->timer, UINT64_MAX);
	w->state = STATE_IDLE;
	w->synced = false;
}

static void wait_ms(struct kube_watch *w, uint64_t ms)
{
	stop(w);
	w->state = STATE_WAITING;
	loop_timer_at(w->timer, loop_now_ms(w->conf.loop) + ms);
}

static bool is_full(const struct kube_watch *w)
{
	return !w->conf.metadata || (w->list_full && w->state != STATE_WATCHING);
}

/* ---- what comes ---- */

static void list_complete(struct kube_watch *w)
{
	w->list_wanted = false;
	w->token[0] = '\0';
	kube_client_well(w->conf.client);
	w->conf.listed(w->conf.arg);
}

/* The rest of the list follows as changes, on the same stream if it has the right view. */
static void stream_complete(struct kube_watch *w)
{
	bool other_view = w->conf.metadata && w->list_full;

	w->state = STATE_WATCHING;
	w->synced = true;
	loop_timer_at(w->timer, UINT64_MAX);
	w->list_full = false;
	list_complete(w);
	if (other_view && w->state == STATE_WATCHING)
		wait_ms(w, 0);
}

static void no_streams(struct kube_watch *w, const char *why)
{
	log_info("kube.no_stream_list", "why=\"%s\"", why);
	*w->conf.pages_only = true;
	wait_ms(w, 0);
}

static void gone(struct kube_watch *w, const char *why)
{
	log_info("kube.list_again", "why=\"%s\"", why);
	w->list_wanted = true;
	w->token[0] = '\0';
	wait_ms(w, random_below(w, GONE_SPREAD_MS));
}

/* The server says no: by its status, or by an event within a watch. */
static void refused(struct kube_watch *w, const struct kube_status *s, const char *problem)
{
	bool streamed = w->state == STATE_STREAMED;

	if (streamed && (s->code == 400 || s->code == 422 || s->code == 500))
		no_streams(w, problem);
	else if (s->code == 410 || (w->token[0] && s->code == 400))
		gone(w, problem);
	else if (s->code == 429)
		wait_ms(w, s->retry_after_s ? s->retry_after_s * 1000ull : BUSY_WAIT_MS);
	else
		kube_client_fail(w->conf.client, problem);
}

/* A server restored from a backup says what is older than what we know, and then waits, as we do, for the
 * version that it had. False: begins anew. */
static bool take_version(struct kube_watch *w, const char *version)
{
	if (w->state == STATE_WATCHING && kube_version_is_older(version, w->version)) {
		w->version[0] = '\0';
		gone(w, "the API server went back in time");
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

static void on_bookmark(struct kube_watch *w, const struct kube_read *r)
{
	if (take_version(w, r->node.resource_version) && w->state == STATE_STREAMED &&
	    r->initial_end)
		stream_complete(w);
}

static void on_item(void *arg, enum kube_read_type type, const struct kube_read *r,
		    const struct err *err)
{
	struct kube_watch *w = arg;

	w->heard_ms = loop_now_ms(w->conf.loop);
	switch (type) {
	case KUBE_READ_NODE:
		on_node(w, r);
		break;
	case KUBE_READ_BOOKMARK:
		on_bookmark(w, r);
		break;
	case KUBE_READ_LIST_END:
		text_copy(w->version, sizeof(w->version), r->list.resource_version);
		text_copy(w->token, sizeof(w->token), r->list.continue_token);
		break;
	case KUBE_READ_STATUS:
		refused(w, &r->status, r->status.message);
		break;
	case KUBE_READ_BAD:
		w->conf.bad(w->conf.arg, err->text);
		break;
	}
}

static void on_done(void *arg, const struct kube_answer *answer)
{
	struct kube_watch *w = arg;
	bool brief = loop_now_ms(w->conf.loop) - w->began_ms < SHORT_MS;

	w->call = NULL;
	if (!kube_client_is_up(w->conf.client)) /* kube_watch_lost() comes */
		return;
	if (!answer->ok) {
		refused(w, &answer->status, answer->problem);
	} else if (w->state == STATE_STREAMED) {
		no_streams(w, "it ended before all was listed");
	} else if (w->state == STATE_PAGED && !w->token[0]) {
		w->list_full = false;
		w->state = STATE_WATCHING;
		list_complete(w);
		if (w->state == STATE_WATCHING)
			wait_ms(w, 0);
	} else {
		wait_ms(w, w->state == STATE_WATCHING && brief ? SHORT_WAIT_MS : 0);
	}
}

/* ---- what is asked ---- */

static void ask(struct kube_watch *w, const char *accept, bool watch, const struct text *query)
{
	char path[KUBE_PATH_SIZE];
	struct text t = TEXT(path);

	text_add(&t, "/api/v1/nodes?%s", query->buf);
	if (w->conf.name)
		text_add(&t, "&fieldSelector=metadata.name%%3D%s", w->conf.name);
	if (watch)
		text_add(&t, "&watch=true&allowWatchBookmarks=true&timeoutSeconds=%u",
			 (unsigned)(WATCH_MIN_S + random_below(w, WATCH_SPREAD_S)));
	w->began_ms = w->heard_ms = loop_now_ms(w->conf.loop);
	w->call = kube_client_call(w->conf.client, &(struct kube_call_conf){
							   .method = "GET",
							   .path = path,
							   .accept = accept,
							   .watch = watch,
							   .item = on_item,
							   .done = on_done,
							   .arg = w,
						   });
}

static void list(struct kube_watch *w)
{
	char buf[LIMIT_KUBE_TOKEN_BYTES + 100];
	struct text query = TEXT(buf);

	w->state = *w->conf.pages_only ? STATE_PAGED : STATE_STREAMED;
	if (!w->token[0])
		w->conf.begin(w->conf.arg);
	if (*w->conf.pages_only) {
		text_add(&query, "limit=500%s%s", w->token[0] ? "&continue=" : "", w->token);
		ask(w, is_full(w) ? KUBE_ACCEPT : ACCEPT_LIST, false, &query);
		return;
	}
	text_add(&query, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	ask(w, is_full(w) ? KUBE_ACCEPT : ACCEPT_META, true, &query);
	loop_timer_at(w->timer, w->heard_ms + STREAM_PAUSE_MS);
}

static void watch(struct kube_watch *w)
{
	char buf[KUBE_VERSION_SIZE + 20];
	struct text query = TEXT(buf);

	w->state = STATE_WATCHING;
	w->synced = true;
	text_add(&query, "resourceVersion=%s", w->version);
	ask(w, is_full(w) ? KUBE_ACCEPT : ACCEPT_META, true, &query);
}

static void go(struct kube_watch *w)
{
	if (w->list_wanted || !w->version[0])
		list(w);
	else
		watch(w);
}

static void on_timer(void *arg)
{
	struct kube_watch *w = arg;
	uint64_t until_ms = w->heard_ms + STREAM_PAUSE_MS;

	if (w->state == STATE_WAITING)
		go(w);
	else if (w->state == STATE_STREAMED && loop_now_ms(w->conf.loop) < until_ms)
		loop_timer_at(w->timer, until_ms);
	else if (w->state == STATE_STREAMED)
		no_streams(w, "the server does not say when all is listed");
}

/* ---- coming and going ---- */

void kube_watch_up(struct kube_watch *w)
{
	/* Whatever of a list has come is of another server. */
	w->token[0] = '\0';
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
	w->token[0] = '\0';
	if (w->state != STATE_IDLE)
		wait_ms(w, 0);
}

bool kube_watch_synced(const struct kube_watch *w)
{
	return w->synced;
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
