/* SPDX-License-Identifier: Apache-2.0 */
/* Leases from etcd: one snapshot of configuration and leases, one watch that continues it.
 *
 *	up ─▶ list <prefix>/config … <prefix>/subnets0 at revision R ─▶ watch from R + 1 ─▶ events …
 *	 ▲         ▲ compacted, restored from a backup, asked for            │
 *	 │         └─────────────────────────────────────────────────────────┤
 *	 └──────── connection lost: watch from the last revision + 1 ◀───────┘
 *
 * The range holds both, because "config" sorts before "subnets/", and what other keys lie between is passed
 * over. Flannel reads the leases by the prefix "<prefix>/subnets" without a slash, so that a sibling
 * such as <prefix>/subnets-meta is a lease to it, and breaks it; here it is just another key.
 *
 * One range in one watch has one order: a single revision tells how far we are.
 *
 * A list without a configuration, and without a lease that we hold, is not our network's: the etcd was
 * wiped, or is another cluster's. Of such an etcd nothing is told but that, and nothing is written to it;
 * once it has a configuration it is listed anew.
 */
#include "agent/etcd_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/etcd_withdraw.h"
#include "agent/told.h"
#include "base/log.h"
#include "wire/etcd_lease.h"

struct source {
	struct source_conf conf;
	struct etcd_access access;
	struct etcd_client *client;
	struct etcd_own *own;
	struct etcd_keys keys;

	struct etcd_list *list;
	struct etcd_call *watch;
	struct loop_watch *again; /* to list anew from a clean stack */
	uint64_t cluster_id;
	uint64_t told_store;
	int64_t revision; /* all up to here is told; 0 = nothing yet */
	bool list_wanted;
	int64_t newest; /* of the watch message under way */
	struct etcd_watch_reply reply;
	char refused[sizeof(((struct etcd_watch_reply *)0)->cancel_reason) + 50]; /* "" = no */

	struct lease *leases; /* while listing */
	size_t n_leases, size_leases;
	bool config_seen;
	bool stranger; /* what was listed last is not our network's */

	struct ip public_ip, public_ip6; /* as last published */
	struct told told;
};

/* ---- what is told ---- */

static void tell(struct source *s, struct event *ev)
{
	told_event(&s->told, ev);
}

static void tell_up(struct source *s)
{
	char name[TOLD_NAME_SIZE];

	snprintf(name, sizeof(name), "etcd %s", etcd_client_name(s->client));
	if (!told_up(&s->told, name))
		return;
	log_info("etcd.up", "endpoint=%s revision=%lld", etcd_client_name(s->client),
		 (long long)s->revision);
	told_source(&s->told);
}

static void on_failed(void *arg, const char *problem)
{
	struct source *s = arg;

	if (!told_down(&s->told, problem))
		return;
	log_warn("etcd.down", "problem=\"%s\"", s->told.problem);
	told_source(&s->told);
}

/* Before anything out of it: what is on disk may be of another. etcd's header comes first in a list, and the
 * configuration is the first pair. */
static void tell_store(struct source *s, const struct etcd_header *header)
{
	struct event ev = {.type = EVENT_STORE, .store.id = header->cluster_id};

	if (header->cluster_id == 0 || header->cluster_id == s->told_store)
		return;
	s->told_store = header->cluster_id;
	tell(s, &ev);
}

static void config_missing(struct source *s)
{
	char problem[2 * ETCD_KEYS_KEY_SIZE + SERVER_URL_AUTHORITY_SIZE + 300];
	struct text t = TEXT(problem);

	text_add(
		&t,
		"etcd %s has no key %s, so no new lease is written there. If it is another cluster's, "
		"mend --etcd-endpoints or --etcd-prefix; else create the key: etcdctl put %s "
		"'{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}', for example",
		etcd_client_name(s->client), s->keys.config, s->keys.config);
	etcd_own_net(s->own, NULL);
	told_config_problem(&s->told, problem);
}

static void take_config(struct source *s, const struct etcd_kv *kv, bool broken)
{
	char where[ETCD_KEYS_KEY_SIZE + 10], trouble[60];
	const struct netconf *net;

	snprintf(where, sizeof(where), "etcd key %s", s->keys.config);
	snprintf(trouble, sizeof(trouble), "the value is longer than %d bytes",
		 LIMIT_ETCD_KV_BYTES);
	net = told_config(&s->told, (const char *)kv->value.p, kv->value.n, broken ? trouble : NULL,
			  where);
	if (net)
		etcd_own_net(s->own, net);
}

static void malformed(struct source *s, const char *problem)
{
	if (told_malformed(&s->told))
		log_warn("lease.malformed", "problem=\"%s\"", problem);
}

/* ---- keys ---- */

/* The lease's part of a key, if it is one. */
static bool lease_key(const struct source *s, struct pb_bytes key, struct pb_bytes *ret)
{
	size_t n = strlen(s->keys.leases);

	if (key.n < n || memcmp(key.p, s->keys.leases, n) != 0)
		return false;
	*ret = (struct pb_bytes){key.p + n, key.n - n};
	return true;
}

static bool is_config(const struct source *s, struct pb_bytes key)
{
	return key.n == strlen(s->keys.config) && memcmp(key.p, s->keys.config, key.n) == 0;
}

/* False: told and to be skipped. */
static bool lease_decode(struct source *s, struct pb_bytes key, const struct etcd_kv *kv,
			 bool broken, struct lease *ret)
{
	char shown[100] = "";
	struct text t = TEXT(shown);
	struct err err;

	if (!broken && etcd_lease_decode(key, kv->value, ret, &err) == 0) {
		ret->since = (uint64_t)kv->create_revision;
		return true;
	}
	if (broken) {
		text_add_escaped(&t, (const char *)key.p, key.n);
		err_set(&err, 0, "bad value: too long: key \"%s\"", shown);
	}
	malformed(s, err.text);
	return false;
}

/* ---- the snapshot ---- */

static void watch_start(struct source *s);

static void leases_drop(struct source *s)
{
	free(TAKE_PTR(s->leases));
	s->n_leases = s->size_leases = 0;
}

static void on_list_kv(void *arg, const struct etcd_kv *kv, bool broken)
{
	struct source *s = arg;
	struct pb_bytes key;
	struct lease l;

	if (is_config(s, kv->key)) {
		s->config_seen = true;
		tell_store(s, etcd_list_header(s->list));
		take_config(s, kv, broken);
		return;
	}
	if (!lease_key(s, kv->key, &key) || s->n_leases == LIMIT_ETCD_LEASES)
		return;
	etcd_own_saw(s->own, kv);
	if (!lease_decode(s, key, kv, broken, &l))
		return;
	if (s->n_leases == s->size_leases) {
		s->size_leases = MAX(s->size_leases * 2, (size_t)64);
		s->leases = reallocarray(s->leases, s->size_leases, sizeof(*s->leases));
		if (!s->leases)
			abort();
	}
	s->leases[s->n_leases++] = l;
}

static void tell_leases(struct source *s)
{
	struct event ev = {
		.type = EVENT_LEASES,
		.leases = {.leases = s->leases,
			   .n = s->n_leases,
			   .n_malformed = s->told.n_malformed},
	};

	log_info("etcd.listed", "leases=%zu malformed=%zu revision=%lld", s->n_leases,
		 s->told.n_malformed, (long long)s->revision);
	tell(s, &ev);
}

static void on_list_done(void *arg, const struct etcd_header *header, enum grpc_code code,
			 const char *problem)
{
	struct source *s = arg;

	s->list = NULL;
	if (code == GRPC_OK) {
		s->cluster_id = header->cluster_id;
		s->revision = header->revision;
		if (!s->config_seen)
			config_missing(s);
		s->stranger = !s->config_seen && !etcd_own_is_listed(s->own);
		if (!s->stranger)
			tell_leases(s);
		etcd_own_list_end(s->own);
		watch_start(s);
	} else if (code == GRPC_OUT_OF_RANGE) {
		loop_timer_at(s->again, 0); /* compacted while we read */
	} else {
		etcd_client_fail(s->client, problem);
	}
	leases_drop(s);
}

static void list_start(struct source *s)
{
	const struct etcd_list_conf list = {
		.from = s->keys.config,
		.to = s->keys.end,
		.kv = on_list_kv,
		.done = on_list_done,
		.arg = s,
	};

	s->told.n_malformed = 0;
	s->config_seen = false;
	s->revision = 0;
	s->list_wanted = false;
	etcd_own_list_begin(s->own);
	s->list = etcd_list_start(s->client, &list);
}

/* ---- the watch ---- */

/* Not from where we are: the list or the watch may be calling. */
static void list_again(struct source *s, const char *why)
{
	log_info("etcd.list_again", "why=\"%s\"", why);
	s->list_wanted = true;
	loop_timer_at(s->again, 0);
}

static void on_put(struct source *s, const struct etcd_kv *kv, bool broken)
{
	struct event ev = {.type = EVENT_LEASE_PUT};
	struct pb_bytes key;
	struct lease l;

	if (is_config(s, kv->key)) {
		if (s->stranger)
			list_again(s, "it has a configuration now");
		else
			take_config(s, kv, broken);
		return;
	}
	if (s->stranger || !lease_key(s, kv->key, &key))
		return;
	/* One that cannot be read changes nothing: the peer stays as it was. */
	if (lease_decode(s, key, kv, broken, &l)) {
		ev.put.lease = &l;
		tell(s, &ev);
	}
	etcd_own_saw(s->own, kv);
}

static void on_delete(struct source *s, const struct etcd_kv *kv)
{
	struct lease l = {0};
	struct event ev = {.type = EVENT_LEASE_GONE, .gone.lease = &l};
	struct pb_bytes key;

	if (is_config(s, kv->key)) {
		config_missing(s);
		return;
	}
	if (s->stranger || !lease_key(s, kv->key, &key) || etcd_lease_key_parse(key, &l, NULL) < 0)
		return;
	tell(s, &ev);
	etcd_own_saw_gone(s->own, kv);
}

static void on_watch_item(void *arg, const struct pb_field *f)
{
	struct source *s = arg;
	struct etcd_event ev = {0};
	bool broken = f->type != PB_BYTES || etcd_decode_event(f->bytes, &ev) < 0 || f->cut;

	if (broken && ev.kv.key.n == 0) {
		malformed(s, "an event that is too long or makes no sense");
		return;
	}
	s->newest = MAX(s->newest, ev.kv.mod_revision);
	if (ev.deleted)
		on_delete(s, &ev.kv);
	else
		on_put(s, &ev.kv, broken);
}

/* What was configured in the one before does not count here. */
static void list_other(struct source *s, const char *why)
{
	etcd_own_net(s->own, NULL);
	list_again(s, why);
}

static void on_watch_message(void *arg)
{
	struct source *s = arg;
	const struct etcd_watch_reply *r = &s->reply;
	struct text t = TEXT(s->refused);

	/* Only now: the events of one revision come in one message. */
	s->revision = MAX(s->revision, s->newest);
	if (r->compact_revision > 0) {
		list_again(s, "our revision was compacted");
	} else if (r->canceled) {
		text_add(&t, "the watch was refused: ");
		text_add_escaped(&t, r->cancel_reason, strlen(r->cancel_reason));
		loop_timer_at(s->again, 0);
	} else if (r->created && r->header.cluster_id != s->cluster_id) {
		list_other(s, "this is another etcd than before");
	} else if (r->created && r->header.revision < s->revision) {
		list_other(s, "etcd went back in time");
	} else if (r->created) {
		etcd_client_well(s->client);
		tell_up(s);
		etcd_own_synced(s->own, true);
	}
}

static void on_watch_done(void *arg, enum grpc_code code, const char *problem)
{
	struct source *s = arg;

	s->watch = NULL;
	etcd_client_fail(s->client, code == GRPC_OK ? "the server ended the watch" : problem);
}

/* From the revision after the last one that was told. */
static void watch_start(struct source *s)
{
	const char *from = s->keys.config, *to = s->keys.end;
	const struct etcd_range range = {
		.key = {(const uint8_t *)from, strlen(from)},
		.end = {(const uint8_t *)to, strlen(to)},
	};
	uint8_t buf[2 * ETCD_KEYS_KEY_SIZE + 50];
	struct pb_out request = PB_OUT(buf);
	const struct etcd_call_conf call = {
		.method = ETCD_METHOD_WATCH,
		.request = &request,
		.wants = etcd_watch_wants,
		.reply = &s->reply,
		.reply_size = sizeof(s->reply),
		.repeated = ETCD_WATCH_EVENTS,
		.watch = true,
		.item = on_watch_item,
		.message = on_watch_message,
		.done = on_watch_done,
		.arg = s,
	};

	s->newest = s->revision;
	etcd_encode_watch(&range, s->revision + 1, &request);
	s->watch = etcd_client_call(s->client, &call);
}

/* ---- coming and going ---- */

static void on_up(void *arg)
{
	struct source *s = arg;

	if (s->revision == 0 || s->list_wanted)
		list_start(s);
	else
		watch_start(s);
}

static void on_lost(void *arg)
{
	struct source *s = arg;

	etcd_own_synced(s->own, false);
}

static void on_again(void *arg)
{
	struct source *s = arg;
	char refused[sizeof(s->refused)];

	if (!etcd_client_is_up(s->client))
		return;
	if (s->refused[0]) {
		memcpy(refused, s->refused, sizeof(refused));
		s->refused[0] = '\0';
		etcd_client_fail(s->client, refused);
		return;
	}
	etcd_own_synced(s->own, false);
	etcd_client_cancel(TAKE_PTR(s->watch));
	etcd_list_cancel(TAKE_PTR(s->list));
	leases_drop(s);
	list_start(s);
}

static void tell_own(void *arg, const struct event *own)
{
	struct event ev = *own;

	tell(arg, &ev);
}

static void etcd_close(struct source *s)
{
	if (!s)
		return;
	etcd_own_free(s->own);
	etcd_list_cancel(s->list);
	etcd_client_free(s->client);
	loop_watch_free(s->again);
	leases_drop(s);
	free(s);
}

static int etcd_open(const struct source_conf *conf, struct source **ret, struct err *err)
{
	struct source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		abort();
	s->conf = *conf;
	s->told = (struct told){.conf = &s->conf, .kind = "etcd", .by_ipv4 = true};
	r = etcd_access_from_opts(conf->opts, &s->access, err);
	if (r == 0)
		r = etcd_keys_make(conf->opts->etcd_prefix, &s->keys, err);
	if (r < 0) {
		free(s);
		return r;
	}
	etcd_access_warn(conf->opts, &s->access);
	s->client = etcd_client_new(&(struct etcd_client_conf){
		.loop = conf->loop,
		.access = &s->access,
		.seed = conf->seed,
		.up = on_up,
		.lost = on_lost,
		.failed = on_failed,
		.arg = s,
	});
	s->own = etcd_own_new(&(struct etcd_own_conf){
		.source = &s->conf,
		.client = s->client,
		.from = s->keys.leases,
		.to = s->keys.end,
		.tell = tell_own,
		.arg = s,
	});
	s->again = loop_timer(conf->loop, on_again, s);
	*ret = s;
	return 0;
}

static void etcd_publish(struct source *s, const struct lease *l)
{
	bool moved = ip_is_set(&s->public_ip) && (!ip_eq(&s->public_ip, &l->public_ip) ||
						  !ip_eq(&s->public_ip6, &l->public_ip6));

	s->public_ip = l->public_ip;
	s->public_ip6 = l->public_ip6;
	/* A connection from an address that is gone stands, and nothing passes. */
	if (moved)
		etcd_client_fail(s->client, "our own address is another now");
	etcd_own_publish(s->own, l);
}

static void etcd_relist(struct source *s)
{
	list_again(s, "asked for");
}

const struct source_ops source_etcd = {
	.name = "etcd",
	.open = etcd_open,
	.close = etcd_close,
	.publish = etcd_publish,
	.relist = etcd_relist,
	.withdraw = etcd_withdraw,
};
