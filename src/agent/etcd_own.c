/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/backoff.h"
#include "core/subnets.h"
#include "wire/etcd_lease.h"

#define KEY_SIZE      (ETCD_PREFIX_MAX + ETCD_LEASE_KEY_SIZE + 16)
/* So many lost races in a row are bad luck among many that start together: again at once, nearly. */
#define QUICK_RACES   4
#define QUICK_RACE_MS 100

enum own_step {
	STEP_IDLE,
	STEP_LISTING,
	STEP_GRANTING,
	STEP_WRITING, /* created, reused or rewritten */
	STEP_RENEWING,
};

/* A key of ours, or about to be. */
struct own_key {
	char key[KEY_SIZE];
	char value[ETCD_LEASE_VALUE_SIZE];
	struct lease lease;
	int64_t mod_revision; /* as last seen; 0 = does not exist */
	int64_t lease_id;     /* 0 = reservation */
};

struct seen {
	int64_t mod_revision, lease_id;
};

struct etcd_own {
	struct etcd_own_conf conf;
	struct netconf net;
	struct lease wanted; /* without subnet */
	bool have_net;	     /* else `net` is what it was last */
	bool have_wanted, synced;

	bool held;
	struct own_key have;		 /* if held */
	struct cidr pods_use, pods_use6; /* what was held first; unset until then */
	int64_t ttl_s;			 /* granted */
	uint64_t granted_ms, renew_ms;
	bool listed;	       /* the list under way had our key */
	int64_t list_revision; /* have.mod_revision when that list began; 0 = no list */

	enum own_step step;
	struct etcd_list *list;
	struct etcd_call *call;
	struct own_key next;	  /* what is being written */
	char stale_key[KEY_SIZE]; /* to be deleted along with it; "" = none */
	int64_t stale_revision;
	int64_t seen_revision; /* newest change of next.key meanwhile, our own perhaps */
	uint64_t asked_ms;     /* when the grant or renewal under way was asked for */
	struct etcd_txn_reply txn;
	struct etcd_lease_reply reply;

	struct subnets_entry *entries; /* while listing */
	struct seen *seen;	       /* one for each of them */
	size_t n_entries, size_entries;

	struct loop_watch *timer;
	uint64_t retry_ms;   /* nothing before */
	bool waits_for_room; /* …but when some lease goes */
	uint64_t more_ms;    /* no search for an IPv6 subnet before */
	unsigned n_races;    /* lost in a row */
	struct backoff backoff;
	uint64_t random;
	enum own_state told;
	char problem[sizeof(((struct err *)0)->text)]; /* last told */
};

static void kick(struct etcd_own *o);

static uint64_t now_ms(const struct etcd_own *o)
{
	return loop_now_ms(o->conf.source->loop);
}

static uint64_t random_next(struct etcd_own *o)
{
	return backoff_random(&o->random);
}

/* ---- what is told ---- */

static void tell_held(struct etcd_own *o)
{
	struct event ev = {.type = EVENT_OWN, .own = {.state = OWN_HELD, .lease = &o->have.lease}};
	uint64_t end_ms = o->granted_ms + (uint64_t)o->ttl_s * 1000;

	ev.own.expires_s = -1;
	if (o->have.lease_id != 0)
		ev.own.expires_s = end_ms > now_ms(o) ? (int64_t)(end_ms - now_ms(o)) / 1000 : 0;
	o->told = OWN_HELD;
	o->problem[0] = '\0';
	o->conf.tell(o->conf.arg, &ev);
}

static void tell_problem(struct etcd_own *o, enum own_state state, const char *problem)
{
	struct event ev = {.type = EVENT_OWN, .own = {.state = state, .problem = o->problem}};

	if (o->told == state && strcmp(o->problem, problem) == 0)
		return;
	o->told = state;
	snprintf(o->problem, sizeof(o->problem), "%s", problem);
	log_warn("own.problem", "problem=\"%s\"", o->problem);
	if (cidr_is_set(&o->pods_use))
		ev.own.lease = &o->have.lease;
	o->conf.tell(o->conf.arg, &ev);
}

/* ---- steps and their ends ---- */

static void step_end(struct etcd_own *o)
{
	o->step = STEP_IDLE;
	o->call = NULL;
	o->list = NULL;
}

static void wait(struct etcd_own *o, uint64_t ms)
{
	o->retry_ms = now_ms(o) + ms;
}

static void wait_backoff(struct etcd_own *o)
{
	wait(o, backoff_next_ms(&o->backoff, random_next(o)));
}

/* A call failed for a reason that is not about leases. */
static void failed(struct etcd_own *o, const char *what, const char *problem)
{
	struct err err;

	step_end(o);
	/* With the connection: that is the source's story. */
	if (!etcd_client_is_up(o->conf.client))
		return;
	err_set(&err, 0, "%s failed: %s", what, problem);
	log_debug("own.failed", "problem=\"%s\"", err.text);
	if (!o->held)
		tell_problem(o, OWN_LOST, err.text);
	wait_backoff(o);
	kick(o);
}

/* Ours no longer: look anew, at once. */
static void lose(struct etcd_own *o, const char *problem)
{
	char subnet[CIDR_STRLEN];
	struct err err;

	err_set(&err, 0, "our lease %s %s", cidr_format(&o->have.lease.subnet, subnet), problem);
	if (o->step != STEP_IDLE) {
		etcd_client_cancel(o->call);
		step_end(o);
	}
	o->held = false;
	/* Without a configuration that is the story, and it is the source's. */
	if (o->have_net)
		tell_problem(o, OWN_LOST, err.text);
	o->retry_ms = 0;
	kick(o);
}

/* ---- calls ---- */

static void call_start(struct etcd_own *o, const char *method, const struct pb_out *request,
		       const struct pb_want *wants,
		       void (*done)(void *arg, enum grpc_code code, const char *problem))
{
	const bool txn = wants == etcd_txn_wants;
	const struct etcd_call_conf call = {
		.method = method,
		.request = request,
		.wants = wants,
		.reply = txn ? (void *)&o->txn : (void *)&o->reply,
		.reply_size = txn ? sizeof(o->txn) : sizeof(o->reply),
		.done = done,
		.arg = o,
	};

	o->call = etcd_client_call(o->conf.client, &call);
}

static const struct pb_want nothing_wanted[] = {PB_WANT_END};

static void on_revoked(void *arg _unused_, enum grpc_code code, const char *problem)
{
	if (code != GRPC_OK && code != GRPC_NOT_FOUND)
		log_debug("own.not_revoked", "problem=\"%s\"", problem);
}

/* Best effort: without it the etcd lease lapses by itself, a day later, holding nothing. */
static void revoke(struct etcd_own *o, int64_t lease_id)
{
	uint8_t buf[16];
	struct pb_out request = PB_OUT(buf);
	const struct etcd_call_conf call = {
		.method = ETCD_METHOD_LEASE_REVOKE,
		.request = &request,
		.wants = nothing_wanted,
		.done = on_revoked,
	};

	if (lease_id == 0 || !etcd_client_is_up(o->conf.client))
		return;
	etcd_encode_lease_id(lease_id, &request);
	etcd_client_call(o->conf.client, &call);
}

static void schedule_renewal(struct etcd_own *o)
{
	uint64_t ttl_ms = (uint64_t)o->ttl_s * 1000;
	uint64_t margin_ms = (uint64_t)o->conf.source->renew_margin_min * 60000;

	/* flannel's margin; of a lease shorter than that, the last two thirds. */
	o->renew_ms = o->granted_ms + ttl_ms - MIN(margin_ms, ttl_ms / 3 * 2);
}

static void on_renewed(void *arg, enum grpc_code code, const char *problem)
{
	struct etcd_own *o = arg;

	if (code != GRPC_OK) {
		failed(o, "renewing our lease", problem);
		return;
	}
	step_end(o);
	if (o->reply.ttl_s <= 0) {
		lose(o, "has expired");
		return;
	}
	o->ttl_s = o->reply.ttl_s;
	o->granted_ms = o->asked_ms;
	schedule_renewal(o);
	backoff_reset(&o->backoff);
	log_info("own.renewed", "ttl_s=%lld", (long long)o->ttl_s);
	tell_held(o);
	kick(o);
}

static void renew(struct etcd_own *o)
{
	uint8_t buf[16];
	struct pb_out request = PB_OUT(buf);

	o->step = STEP_RENEWING;
	o->asked_ms = now_ms(o);
	etcd_encode_lease_id(o->have.lease_id, &request);
	call_start(o, ETCD_METHOD_LEASE_RENEW, &request, etcd_lease_wants, on_renewed);
}

/* ---- writing ---- */

/* The key was not as we had seen it. What it is now, a new list tells. */
static void race_lost(struct etcd_own *o)
{
	if (!o->held || o->next.lease_id != o->have.lease_id)
		revoke(o, o->next.lease_id);
	o->held = false;
	o->n_races++;
	log_info("own.race_lost", "key=\"%s\" times=%u", o->next.key, o->n_races);
	if (o->n_races <= QUICK_RACES)
		wait(o, 1 + random_next(o) % QUICK_RACE_MS);
	else
		wait_backoff(o);
	kick(o);
}

static void on_written(void *arg, enum grpc_code code, const char *problem)
{
	struct etcd_own *o = arg;
	char text[LEASE_STRLEN];
	bool renewed = !o->held || o->next.lease_id != o->have.lease_id;

	/* NOT_FOUND: the etcd lease has expired, and took our key along. */
	if (code != GRPC_OK && code != GRPC_NOT_FOUND) {
		revoke(o, renewed ? o->next.lease_id : 0);
		failed(o, "writing our lease", problem);
		return;
	}
	step_end(o);
	if (code == GRPC_NOT_FOUND || !o->txn.succeeded ||
	    o->seen_revision > o->txn.header.revision) {
		race_lost(o);
		return;
	}
	o->have = o->next;
	o->have.mod_revision = o->txn.header.revision;
	o->held = true;
	o->pods_use = o->have.lease.subnet;
	if (cidr_is_set(&o->have.lease.subnet6))
		o->pods_use6 = o->have.lease.subnet6;
	if (renewed && o->have.lease_id != 0) {
		o->ttl_s = o->reply.ttl_s;
		o->granted_ms = o->asked_ms;
		schedule_renewal(o);
	}
	o->n_races = 0;
	backoff_reset(&o->backoff);
	log_info("own.written", "lease=\"%s\" reservation=%d", lease_format(&o->have.lease, text),
		 o->have.lease_id == 0);
	tell_held(o);
	kick(o);
}

static void write_next(struct etcd_own *o)
{
	struct text value = TEXT(o->next.value);
	struct etcd_txn txn = {
		.compares = {{ETCD_COMPARE_MOD_REVISION, o->next.key, o->next.mod_revision}},
		.n_compares = 1,
		.writes = {{o->next.key, o->next.value, o->next.lease_id}},
		.n_writes = 1,
	};
	struct etcd_write put = txn.writes[0];
	uint8_t buf[4 * KEY_SIZE + ETCD_LEASE_VALUE_SIZE + 200];
	struct pb_out request = PB_OUT(buf);

	etcd_lease_value_format(&o->next.lease, o->net.vxlan.vni, &value);
	if (o->next.mod_revision == 0)
		txn.compares[0].target = ETCD_COMPARE_VERSION;
	if (o->stale_key[0]) {
		txn.compares[txn.n_compares++] = (struct etcd_compare){
			ETCD_COMPARE_MOD_REVISION, o->stale_key, o->stale_revision};
		/* First what goes: of a key of the same IPv4 subnet flannel would forget the new one
		 * with the old. */
		txn.writes[0] = (struct etcd_write){o->stale_key, NULL, 0};
		txn.writes[txn.n_writes++] = put;
	}
	o->step = STEP_WRITING;
	o->seen_revision = 0;
	etcd_encode_txn(&txn, &request);
	call_start(o, ETCD_METHOD_TXN, &request, etcd_txn_wants, on_written);
}

static void on_granted(void *arg, enum grpc_code code, const char *problem)
{
	struct etcd_own *o = arg;

	if (code == GRPC_OK && (o->reply.id == 0 || o->reply.ttl_s <= 0)) {
		code = GRPC_INTERNAL;
		problem = "the answer grants none";
	}
	if (code != GRPC_OK) {
		failed(o, "asking for an etcd lease", problem);
		return;
	}
	o->next.lease_id = o->reply.id;
	write_next(o);
}

static void grant(struct etcd_own *o)
{
	uint8_t buf[16];
	struct pb_out request = PB_OUT(buf);

	o->step = STEP_GRANTING;
	o->asked_ms = now_ms(o);
	etcd_encode_lease_grant(o->conf.source->lease_ttl_s, &request);
	call_start(o, ETCD_METHOD_LEASE_GRANT, &request, etcd_lease_wants, on_granted);
}

static void key_format(const struct etcd_own *o, const struct lease *l, char key[KEY_SIZE])
{
	struct text t = {.buf = key, .size_bytes = KEY_SIZE};

	text_add(&t, "%s", o->conf.from);
	etcd_lease_key_format(l, &t);
}

/* Real flannel stops at a key with an IPv6 subnet whose value has no PublicIPv6: while we have none, what
 * was published `before` stays. And in a key without one it means nothing. */
static void complete6(struct lease *l, const struct lease *before)
{
	if (!cidr_is_set(&l->subnet6)) {
		l->public_ip6 = (struct ip){0};
		l->vtep_mac6 = (struct mac){0};
	} else if (!ip_is_set(&l->public_ip6)) {
		l->public_ip6 = before->public_ip6;
		l->vtep_mac6 = before->vtep_mac6;
	}
}

/* What was published has changed: same key, same etcd lease. */
static void rewrite(struct etcd_own *o, const struct lease *l)
{
	o->next = o->have;
	o->next.lease = *l;
	o->stale_key[0] = '\0';
	write_next(o);
}

/* ---- choosing ---- */

static void choose(struct etcd_own *o)
{
	const struct subnets_input in = {
		.net = &o->net,
		.entries = o->entries,
		.n_entries = o->n_entries,
		.public_ip = o->wanted.public_ip,
		.public_ip6 = o->wanted.public_ip6,
		.held = o->pods_use,
		.held6 = o->pods_use6,
		.previous = o->conf.source->previous,
		.previous6 = o->conf.source->previous6,
		.seed = random_next(o),
	};
	struct subnets_choice c;

	subnets_choose(&in, &c);
	log_info("own.choice", "verdict=%s why=\"%s\"", subnets_verdict_names[c.verdict], c.why);
	o->stale_key[0] = '\0';
	o->next = (struct own_key){.lease = o->wanted};
	o->next.lease.subnet = c.subnet;
	o->next.lease.subnet6 = c.subnet6;
	if (o->held && c.verdict != SUBNETS_CREATE) {
		o->more_ms = now_ms(o) + backoff_next_ms(&o->backoff, random_next(o));
		kick(o);
		return;
	}
	switch (c.verdict) {
	case SUBNETS_REUSE:
		complete6(&o->next.lease, &o->entries[c.index].lease);
		o->next.mod_revision = o->seen[c.index].mod_revision;
		o->next.lease_id = o->seen[c.index].lease_id;
		break;
	case SUBNETS_CREATE:
		complete6(&o->next.lease, &o->next.lease);
		if (!c.drop_stale)
			break;
		key_format(o, &o->entries[c.stale].lease, o->stale_key);
		o->stale_revision = o->seen[c.stale].mod_revision;
		break;
	case SUBNETS_TAKEN:
	case SUBNETS_FULL:
	case SUBNETS_FOREIGN:
	case SUBNETS__COUNT:
		tell_problem(o, c.verdict == SUBNETS_TAKEN ? OWN_TAKEN : OWN_LOST, c.why);
		o->waits_for_room = true;
		wait_backoff(o);
		kick(o);
		return;
	}
	key_format(o, &o->next.lease, o->next.key);
	if (c.reservation)
		write_next(o);
	else
		grant(o);
}

static void entries_drop(struct etcd_own *o)
{
	free(TAKE_PTR(o->entries));
	free(TAKE_PTR(o->seen));
	o->n_entries = o->size_entries = 0;
}

static void on_list_kv(void *arg, const struct etcd_kv *kv, bool broken)
{
	struct subnets_entry entry = {.reservation = kv->lease == 0};
	size_t n_from;
	struct etcd_own *o = arg;
	struct pb_bytes key;

	n_from = strlen(o->conf.from);
	if (kv->key.n < n_from || o->n_entries == LIMIT_ETCD_LEASES)
		return;
	key = (struct pb_bytes){kv->key.p + n_from, kv->key.n - n_from};
	/* Whatever its value is, a lease's key holds its subnet. */
	if (etcd_lease_key_parse(key, &entry.lease, NULL) < 0)
		return;
	if (!broken)
		etcd_lease_value_decode(kv->value, &entry.lease, NULL);
	if (o->n_entries == o->size_entries) {
		o->size_entries = MAX(o->size_entries * 2, (size_t)64);
		o->entries = reallocarray(o->entries, o->size_entries, sizeof(*o->entries));
		o->seen = reallocarray(o->seen, o->size_entries, sizeof(*o->seen));
		if (!o->entries || !o->seen)
			abort();
	}
	o->entries[o->n_entries] = entry;
	o->seen[o->n_entries++] = (struct seen){kv->mod_revision, kv->lease};
}

static void on_list_done(void *arg, const struct etcd_header *header _unused_, enum grpc_code code,
			 const char *problem)
{
	struct etcd_own *o = arg;

	if (code == GRPC_OK) {
		step_end(o);
		choose(o);
	} else {
		failed(o, "listing the leases", problem);
	}
	entries_drop(o);
}

static void look(struct etcd_own *o)
{
	const struct etcd_list_conf list = {
		.from = o->conf.from,
		.to = o->conf.to,
		.kv = on_list_kv,
		.done = on_list_done,
		.arg = o,
	};

	o->waits_for_room = false;
	o->step = STEP_LISTING;
	o->list = etcd_list_start(o->conf.client, &list);
}

/* ---- what to do next ---- */

/* IPv6 came later than our lease. A reservation is the operator's. */
static bool lacks6(const struct etcd_own *o)
{
	return o->have_net && o->net.ipv6 && ip_is_set(&o->wanted.public_ip6) &&
	       o->have.lease_id != 0 && !cidr_is_set(&o->have.lease.subnet6);
}

/* The one place that decides; called after whatever may have changed the answer. */
static void kick(struct etcd_own *o)
{
	char value[ETCD_LEASE_VALUE_SIZE];
	struct text t = TEXT(value);
	struct lease l = o->wanted;

	if (o->step != STEP_IDLE || !o->synced)
		return;
	if (!o->have_wanted || (!o->have_net && !o->held))
		return;
	if (o->retry_ms > now_ms(o)) {
		loop_timer_at(o->timer, o->retry_ms);
		return;
	}
	if (!o->held) {
		look(o);
		return;
	}
	l.subnet = o->have.lease.subnet;
	l.subnet6 = o->have.lease.subnet6;
	if (lacks6(o) && o->more_ms <= now_ms(o)) {
		look(o);
		return;
	}
	complete6(&l, &o->have.lease);
	etcd_lease_value_format(&l, o->net.vxlan.vni, &t);
	if (strcmp(value, o->have.value) != 0)
		rewrite(o, &l);
	else if (o->have.lease_id == 0)
		loop_timer_at(o->timer, UINT64_MAX);
	else if (o->renew_ms <= now_ms(o))
		renew(o);
	else
		loop_timer_at(o->timer, lacks6(o) ? MIN(o->renew_ms, o->more_ms) : o->renew_ms);
}

static void on_timer(void *arg)
{
	kick(arg);
}

/* ---- what the source saw ---- */

static bool key_is(const char *key, struct pb_bytes bytes)
{
	return strlen(key) == bytes.n && memcmp(key, bytes.p, bytes.n) == 0;
}

/* Somebody put our key again. */
static void adopt(struct etcd_own *o, const struct etcd_kv *kv)
{
	bool same = key_is(o->have.value, kv->value);
	struct lease l = {0};
	char text[IP_STRLEN + 40], ip[IP_STRLEN];

	if (!same && etcd_lease_value_decode(kv->value, &l, NULL) < 0) {
		lose(o, "was overwritten with something that is no lease");
		return;
	}
	if (!same && !ip_eq(&l.public_ip, &o->have.lease.public_ip)) {
		snprintf(text, sizeof(text), "was taken over by %s", ip_format(&l.public_ip, ip));
		lose(o, text);
		return;
	}
	o->have.mod_revision = kv->mod_revision;
	if (kv->lease != o->have.lease_id) {
		/* Renewing tells how long the other etcd lease lasts. */
		o->have.lease_id = kv->lease;
		o->renew_ms = 0;
		if (kv->lease == 0)
			tell_held(o);
	}
	if (!same) {
		log_warn("own.overwritten", "key=\"%s\"", o->have.key);
		o->have.value[0] = '\0';
		wait_backoff(o); /* should it be another agent: no duel */
	}
	kick(o);
}

void etcd_own_saw(struct etcd_own *o, const struct etcd_kv *kv)
{
	if (o->step == STEP_WRITING && key_is(o->next.key, kv->key)) {
		o->seen_revision = kv->mod_revision;
		return;
	}
	if (!o->held || !key_is(o->have.key, kv->key))
		return;
	o->listed = true;
	/* A list may be of another history: etcd restored from a backup. But one that began before our
	 * last write, and events, may only be late. */
	if (o->list_revision == o->have.mod_revision ? kv->mod_revision != o->have.mod_revision
						     : kv->mod_revision > o->have.mod_revision)
		adopt(o, kv);
}

void etcd_own_saw_gone(struct etcd_own *o, const struct etcd_kv *kv)
{
	if (o->step == STEP_WRITING && key_is(o->next.key, kv->key)) {
		o->seen_revision = kv->mod_revision;
	} else if (o->step == STEP_WRITING && key_is(o->stale_key, kv->key)) {
		return; /* that is us; if not, the transaction fails */
	} else if (o->held && key_is(o->have.key, kv->key)) {
		if (kv->mod_revision > o->have.mod_revision)
			lose(o, "was deleted from etcd, or expired");
	} else if (o->waits_for_room) {
		o->retry_ms = 0;
		kick(o);
	}
}

void etcd_own_list_begin(struct etcd_own *o)
{
	o->listed = false;
	o->list_revision = o->held ? o->have.mod_revision : 0;
}

/* By the list that ends; one that began before our last write tells nothing. */
static bool is_gone(const struct etcd_own *o)
{
	return o->held && o->have.mod_revision == o->list_revision && !o->listed &&
	       o->step != STEP_WRITING;
}

bool etcd_own_is_listed(const struct etcd_own *o)
{
	return o->held && !is_gone(o);
}

void etcd_own_list_end(struct etcd_own *o)
{
	bool gone = is_gone(o);

	o->list_revision = 0;
	if (gone)
		lose(o, "is gone from etcd");
}

void etcd_own_synced(struct etcd_own *o, bool synced)
{
	o->synced = synced;
	if (!synced)
		return;
	o->retry_ms = 0;
	kick(o);
}

/* ---- what the program wants ---- */

void etcd_own_net(struct etcd_own *o, const struct netconf *net)
{
	o->have_net = net;
	if (!net)
		return;
	o->net = *net;
	kick(o);
}

void etcd_own_publish(struct etcd_own *o, const struct lease *l)
{
	o->wanted = *l;
	o->wanted.subnet = o->wanted.subnet6 = (struct cidr){0};
	o->have_wanted = true;
	kick(o);
}

struct etcd_own *etcd_own_new(const struct etcd_own_conf *conf)
{
	struct etcd_own *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->conf = *conf;
	o->random = ~conf->source->seed | 1; /* never 0, and not the client's stream */
	o->told = OWN_HELD;
	o->timer = loop_timer(conf->source->loop, on_timer, o);
	return o;
}

void etcd_own_free(struct etcd_own *o)
{
	if (!o)
		return;
	etcd_client_cancel(o->call);
	etcd_list_cancel(o->list);
	entries_drop(o);
	loop_watch_free(o->timer);
	free(o);
}
