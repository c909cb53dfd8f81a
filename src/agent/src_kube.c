/* SPDX-License-Identifier: Apache-2.0 */
/* Leases from the Kubernetes API: Nodes with flannel's annotations (flannel.md 4).
 *
 *	up ─▶ our own Node, whole: list, watch ─▶ all Nodes: list, watch their metadata ─▶ events …
 *
 * A Node is 13 kB, of which its metadata are 1.4 kB; a kubelet writes it every few minutes, and 5,000 of
 * them are many. podCIDRs are not in the metadata, but never change: they are remembered by UID
 * (kube_nodes.h), also over restarts (core's leases say whose they are). So whole Nodes are listed only by an
 * agent that knows nothing, and one is fetched when a new one has joined.
 *
 * A list is told when it is complete, podCIDRs and all: an incomplete one would delete routes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/kube_learn.h"
#include "agent/kube_nodes.h"
#include "agent/kube_own.h"
#include "agent/kube_watch.h"
#include "agent/told.h"
#include "base/log.h"
#include "os/file.h"
#include "os/filewatch.h"
#include "wire/kube_lease.h"
#include "wire/netconf.h"

/* More new Nodes than this at once: one list instead. */
#define FETCHES_MAX	 16
#define LIMIT_KUBE_NODES 65536

struct source {
	struct source_conf conf;
	struct kube_access access;
	char prefix[KUBE_PREFIX_SIZE];
	char node[KUBE_NAME_SIZE];	   /* "" = not known yet: our Pod says */
	char pod[2 * KUBE_NAME_SIZE + 30]; /* path of our Pod, as long as that is so */
	struct kube_call *asking;	   /* for it */
	struct ip public_ip, public_ip6;   /* node-public-ip, as last told */
	struct kube_client *client;
	struct kube_watch *mine, *all;
	struct kube_own *own;
	struct kube_learn *learn; /* NULL: not in a pod */
	struct kube_nodes nodes;

	bool mine_seen; /* in the list under way */
	uint64_t told_store;

	bool watching;		  /* all: the list is continued */
	bool listing, list_ended; /* … but for what is still to be fetched */
	struct lease *leases;	  /* while listing */
	size_t n_leases, size_leases;

	char fetch[FETCHES_MAX][KUBE_NAME_SIZE];
	size_t n_fetch;
	struct kube_call *fetching; /* the first of them */

	struct filewatch net_watch;
	struct loop_watch *net_news;
	struct loop_watch *net_retry;

	struct told told;
};

/* ---- what is told ---- */

static void tell(struct source *s, struct event *ev)
{
	told_event(&s->told, ev);
}

static void tell_own(void *arg, const struct event *own)
{
	struct event ev = *own;

	tell(arg, &ev);
}

static void tell_up(struct source *s)
{
	char name[TOLD_NAME_SIZE];

	text_add(&TEXT(name), "Kubernetes API %s", kube_client_name(s->client));
	if (!told_up(&s->told, name))
		return;
	log_info("kube.up", "server=%s nodes=%zu", kube_client_name(s->client), s->nodes.n);
	told_source(&s->told);
}

static void on_failed(void *arg, const char *problem)
{
	struct source *s = arg;

	if (!told_down(&s->told, problem))
		return;
	log_warn("kube.down", "problem=\"%s\"", s->told.problem);
	told_source(&s->told);
}

static void malformed(void *arg, const char *problem)
{
	struct source *s = arg;

	if (told_malformed(&s->told))
		log_warn("node.malformed", "problem=\"%s\"", problem);
}

/* ---- the configuration ---- */

static void read_net(struct source *s)
{
	const char *path = s->conf.opts->net_config_path;
	char where[FILE_PATH_SIZE + 30];
	const struct netconf *net;
	uint8_t *bytes = NULL;
	struct err err = {""};
	size_t n = 0;
	int r;

	filewatch_arm(&s->net_watch, path);
	r = file_load(path, LIMIT_NETCONF_BYTES, &bytes, &n, &err);
	text_add(&TEXT(where), "--net-config-path %s", path);
	net = told_config(&s->told, (const char *)bytes, n, r != 0 ? err.text : NULL, where);
	free(bytes);
	if (net)
		kube_own_net(s->own, net);
}

/* ConfigMaps are replaced by moving a symbolic link beside the file: any news of the directory will do. */
#define NET_LOOK_MS 60000

static void on_net_news(void *arg, int fd)
{
	struct source *s = arg;

	(void)fd;
	filewatch_read(&s->net_watch);
	read_net(s);
}

static void on_net_retry(void *arg)
{
	struct source *s = arg;

	read_net(s);
	loop_timer_at(s->net_retry, loop_now_ms(s->conf.loop) + NET_LOOK_MS);
}

/* ---- Nodes become leases ---- */

static void tell_gone(struct source *s, const struct kube_known *k)
{
	struct lease key = {.node = k->id};
	struct event ev = {.type = EVENT_LEASE_GONE, .gone.lease = &key};

	if (!k->told && !k->told6)
		return;
	if (k->told)
		key.subnet = k->subnet;
	if (k->told6)
		key.subnet6 = k->subnet6;
	tell(s, &ev);
}

static void collect(struct source *s, struct kube_known *k, const struct lease *l)
{
	if (k->listed == 0 && s->n_leases == LIMIT_KUBE_NODES)
		return;
	if (s->n_leases == s->size_leases) {
		s->size_leases = MAX(s->size_leases * 2, (size_t)64);
		s->leases = reallocarray(s->leases, s->size_leases, sizeof(*s->leases));
		if (!s->leases)
			abort();
	}
	if (k->listed == 0)
		k->listed = (uint32_t)++s->n_leases;
	s->leases[k->listed - 1] = *l;
}

static void put(struct source *s, struct kube_known *k, const struct lease *l)
{
	struct event ev = {.type = EVENT_LEASE_PUT, .put.lease = l};
	bool told = cidr_is_set(&l->subnet), told6 = cidr_is_set(&l->subnet6);

	if (s->listing) {
		collect(s, k, l);
	} else {
		if (k->told != told || k->told6 != told6) /* another key */
			tell_gone(s, k);
		tell(s, &ev);
	}
	k->told = told;
	k->told6 = told6;
}

/* Gone from the list under way: the last one takes its place. */
static void uncollect(struct source *s, struct kube_known *k)
{
	struct lease *last;

	if (k->listed == 0)
		return;
	last = &s->leases[--s->n_leases];
	if (k->listed - 1 != s->n_leases) {
		s->leases[k->listed - 1] = *last;
		kube_nodes_find(&s->nodes, last->node)->listed = k->listed;
	}
	k->listed = 0;
}

static void forget(struct source *s, uint64_t id)
{
	struct kube_known *k = kube_nodes_find(&s->nodes, id);
	struct kube_known was;

	if (!k)
		return;
	if (s->listing)
		uncollect(s, k);
	was = *k;
	kube_nodes_remove(&s->nodes, id);
	if (!s->listing)
		tell_gone(s, &was);
}

static void fetch(struct source *s, const char *name);

/* Does it say that it has a half of which we do not know the network? */
static bool lacks_cidrs(const struct kube_known *k, const struct kube_node *n)
{
	if (k->whole)
		return false;
	return (!cidr_is_set(&k->subnet) && n->anns.present & KUBE_ANN_BIT(KUBE_ANN_PUBLIC_IP)) ||
	       (!cidr_is_set(&k->subnet6) && n->anns.present & KUBE_ANN_BIT(KUBE_ANN_PUBLIC_IPV6));
}

/* A Node as listed, added, changed or fetched; whole or its metadata. */
static void take(struct source *s, const struct kube_node *n)
{
	uint64_t id = kube_uid_id(n->uid);
	uint64_t anns = kube_anns_hash(&n->anns);
	const char *manager = kube_anns_get(&n->anns, KUBE_ANN_SUBNET_MANAGER);
	struct kube_known *k;
	struct lease l;
	struct err err = {""};
	int r;

	if (!manager || strcmp(manager, "true") != 0) {
		forget(s, id); /* not (any longer) one of flannel's */
		return;
	}
	k = kube_nodes_add(&s->nodes, id);
	/* A heartbeat: of what comes it is all but a few. */
	if (n->metadata_only && !s->listing && k->anns == anns)
		return;
	k->anns = 0;
	if (!n->metadata_only) {
		r = kube_lease_cidrs(n, &k->subnet, &k->subnet6, &err);
		if (r != KUBE_LEASE_WHOLE)
			malformed(s, err.text);
		if (r < 0 || r == KUBE_LEASE_UNASSIGNED)
			return;
		k->whole = true;
	} else if (lacks_cidrs(k, n)) {
		fetch(s, n->name);
		if (!cidr_is_set(&k->subnet) && !cidr_is_set(&k->subnet6))
			return;
	}
	r = kube_lease_of(n, &k->subnet, &k->subnet6, &l, &err);
	if (err.text[0])
		malformed(s, err.text);
	/* One that cannot be read changes nothing: the peer stays as it was. */
	if (r != KUBE_LEASE_WHOLE && r != KUBE_LEASE_HALF)
		return;
	l.node = id;
	put(s, k, &l);
	k->anns = anns;
}

/* ---- the list of all ---- */

static void leases_drop(struct source *s)
{
	free(TAKE_PTR(s->leases));
	s->n_leases = s->size_leases = 0;
}

/* Everything is told and what changes will be: the source is up. */
static void told_all(struct source *s)
{
	if (!s->watching || s->listing)
		return;
	tell_up(s);
	if (s->learn)
		kube_learn_ask(s->learn);
}

static void list_end(struct source *s)
{
	struct event ev = {
		.type = EVENT_LEASES,
		.leases = {.leases = s->leases,
			   .n = s->n_leases,
			   .n_malformed = s->told.n_malformed},
	};

	if (!s->listing || !s->list_ended || s->n_fetch > 0)
		return;
	s->listing = false;
	kube_nodes_sweep(&s->nodes);
	log_info("kube.listed", "leases=%zu malformed=%zu", s->n_leases, s->told.n_malformed);
	tell(s, &ev);
	leases_drop(s);
	told_all(s);
}

static void on_all_begin(void *arg)
{
	struct source *s = arg;

	leases_drop(s);
	for (size_t i = 0; i < s->nodes.size; i++)
		s->nodes.slots[i].listed = 0;
	kube_client_cancel(TAKE_PTR(s->fetching));
	s->n_fetch = 0;
	s->told.n_malformed = 0;
	s->listing = true;
	s->list_ended = false;
}

static void on_all_node(void *arg, const struct kube_node *n)
{
	take(arg, n);
}

static void on_all_gone(void *arg, const struct kube_node *n)
{
	forget(arg, kube_uid_id(n->uid));
}

static void on_all_listed(void *arg)
{
	struct source *s = arg;

	s->list_ended = true;
	list_end(s);
}

static void on_all_watching(void *arg)
{
	struct source *s = arg;

	s->watching = true;
	told_all(s);
}

/* ---- Nodes that have joined ---- */

static void fetch_next(struct source *s);

static void on_fetched_node(void *arg, enum kube_read_type type, const struct kube_read *r,
			    const struct err *err)
{
	struct source *s = arg;

	if (type == KUBE_READ_NODE)
		take(s, &r->node);
	else if (type == KUBE_READ_BAD)
		malformed(s, err->text);
}

static void on_fetched(void *arg, const struct kube_answer *answer)
{
	struct source *s = arg;

	s->fetching = NULL;
	if (!kube_client_is_up(s->client))
		return;
	if (!answer->ok && answer->status.code != 404) {
		kube_client_fail(s->client, answer->problem);
		return;
	}
	memmove(s->fetch[0], s->fetch[1], --s->n_fetch * sizeof(s->fetch[0]));
	fetch_next(s);
	list_end(s);
}

static void fetch_next(struct source *s)
{
	char path[KUBE_NAME_SIZE + 20];
	struct text t = TEXT(path);

	if (s->n_fetch == 0 || s->fetching)
		return;
	text_add(&t, "/api/v1/nodes/%s", s->fetch[0]);
	s->fetching = kube_client_call(s->client, &(struct kube_call_conf){
							  .method = "GET",
							  .path = path,
							  .accept = KUBE_ACCEPT,
							  .item = on_fetched_node,
							  .done = on_fetched,
							  .arg = s,
						  });
}

static void fetch(struct source *s, const char *name)
{
	for (size_t i = 0; i < s->n_fetch; i++) {
		if (strcmp(s->fetch[i], name) == 0)
			return;
	}
	if (s->n_fetch == FETCHES_MAX) {
		kube_watch_relist(s->all, KUBE_WATCH_FULL);
		return;
	}
	text_copy(s->fetch[s->n_fetch++], sizeof(s->fetch[0]), name);
	fetch_next(s);
}

/* ---- our own Node ---- */

/* An annotation that is an address of its family; else unset. */
static struct ip node_ip(struct source *s, const struct kube_node *n, enum kube_ann ann, bool v6)
{
	const char *value = kube_anns_get(&n->anns, ann);
	char problem[KUBE_NAME_SIZE + 4 * KUBE_ANN_SIZE + 100];
	struct text t = TEXT(problem);
	struct ip ip;

	if (!value || !value[0])
		return (struct ip){0};
	if (ip_parse(value, &ip) && ip_is_v4(&ip) != v6)
		return ip;
	text_add(&t, "Node %s: annotation %s is no IPv%d address: ", s->node,
		 kube_ann_suffixes[ann], v6 ? 6 : 4);
	text_add_escaped(&t, value, strlen(value));
	malformed(s, problem);
	return (struct ip){0};
}

static void take_public_ip(struct source *s, const struct kube_node *n)
{
	struct ip ip = node_ip(s, n, KUBE_ANN_NODE_PUBLIC_IP, false);
	struct ip ip6 = node_ip(s, n, KUBE_ANN_NODE_PUBLIC_IPV6, true);

	if (ip_eq(&ip, &s->public_ip) && ip_eq(&ip6, &s->public_ip6))
		return;
	s->public_ip = ip;
	s->public_ip6 = ip6;
	if (s->conf.public_ip)
		s->conf.public_ip(s->conf.arg, &ip, &ip6);
}

static void on_mine_begin(void *arg)
{
	struct source *s = arg;

	s->mine_seen = false;
}

static void on_mine_node(void *arg, const struct kube_node *n)
{
	struct source *s = arg;
	uint64_t id = kube_uid_id(n->uid);
	struct event ev = {.type = EVENT_STORE, .store = {.id = id, .of_node = true}};

	s->mine_seen = true;
	/* No two clusters have a Node with this UID: it says which one this is. */
	if (s->told_store != id) {
		if (s->told_store)
			kube_watch_void(s->all);
		s->told_store = id;
		tell(s, &ev);
	}
	take_public_ip(s, n);
	kube_own_saw(s->own, n);
}

/* There is one, and nothing is known of it but what is wrong. */
static void on_mine_bad(void *arg, const char *problem)
{
	struct source *s = arg;

	s->mine_seen = true;
	malformed(s, problem);
	kube_own_unreadable(s->own, problem);
}

static void on_mine_gone(void *arg, const struct kube_node *n)
{
	struct source *s = arg;

	(void)n;
	kube_own_saw(s->own, NULL);
}

static void on_mine_listed(void *arg)
{
	struct source *s = arg;

	if (!s->mine_seen)
		kube_own_saw(s->own, NULL);
}

static void on_mine_watching(void *arg)
{
	struct source *s = arg;

	kube_own_synced(s->own, true);
	kube_watch_up(s->all);
}

/* ---- coming and going ---- */

static void on_back(void *arg)
{
	struct source *s = arg;

	kube_watch_void(s->mine);
	kube_watch_void(s->all);
}

static void on_pod(void *arg, enum kube_read_type type, const struct kube_read *r,
		   const struct err *err)
{
	struct source *s = arg;

	(void)err;
	if (type == KUBE_READ_NODE)
		text_copy(s->node, sizeof(s->node), r->pod_node);
}

static void on_pod_asked(void *arg, const struct kube_answer *answer)
{
	struct source *s = arg;
	char words[sizeof(s->pod) + sizeof(((struct err *)0)->text)];
	struct text t = TEXT(words);

	s->asking = NULL;
	if (!kube_client_is_up(s->client))
		return;
	if (s->node[0]) {
		log_info("kube.node", "node=%s pod=%s", s->node, s->pod);
		kube_watch_up(s->mine);
		return;
	}
	text_add(&t, "which Node we run on is not known: %s: %s; NODE_NAME would say it", s->pod,
		 answer->ok ? "it has no spec.nodeName" : answer->problem);
	kube_client_fail(s->client, words);
}

static void on_up(void *arg)
{
	struct source *s = arg;

	if (s->node[0])
		kube_watch_up(s->mine);
	else
		s->asking = kube_client_call(s->client, &(struct kube_call_conf){
								.method = "GET",
								.path = s->pod,
								.accept = KUBE_ACCEPT,
								.item = on_pod,
								.done = on_pod_asked,
								.arg = s,
							});
}

static void on_lost(void *arg)
{
	struct source *s = arg;

	s->watching = false;
	kube_own_synced(s->own, false);
	if (s->learn)
		kube_learn_lost(s->learn);
	kube_watch_lost(s->mine);
	kube_watch_lost(s->all);
	kube_watch_check(s->mine, s->all);
	/* What was to be fetched is found by a list again. */
	if (s->listing || s->n_fetch > 0)
		kube_watch_relist(s->all, KUBE_WATCH_META);
	s->n_fetch = 0;
}

static void on_new_certificate(void *arg)
{
	struct source *s = arg;

	kube_client_fail(s->client, "we have a new certificate to show");
}

static void kube_close(struct source *s)
{
	if (!s)
		return;
	loop_watch_free(s->net_news);
	loop_watch_free(s->net_retry);
	filewatch_close(&s->net_watch);
	kube_client_cancel(s->fetching);
	kube_client_cancel(s->asking);
	kube_own_free(s->own);
	kube_learn_free(s->learn);
	kube_watch_free(s->all);
	kube_watch_free(s->mine);
	kube_client_free(s->client);
	kube_access_fini(&s->access);
	kube_nodes_fini(&s->nodes);
	leases_drop(s);
	free(s);
}

/* As they go into paths; what has other characters is the name of nothing. */
static bool is_name(const char *text)
{
	return text && text[0] && strlen(text) < KUBE_NAME_SIZE &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(text);
}

static int find_name(struct source *s, struct err *err)
{
	const char *node = getenv("NODE_NAME"), *pod = getenv("POD_NAME");
	const char *namespace = getenv("POD_NAMESPACE");

	if (is_name(node)) {
		text_copy(s->node, sizeof(s->node), node);
		return 0;
	}
	if (node && node[0])
		return err_set(
			err, -EINVAL,
			"NODE_NAME: not the name of a Node (small letters, digits, - and .)");
	if (!is_name(pod) || !is_name(namespace))
		return err_set(
			err, -EINVAL,
			"--kube-subnet-mgr: which Node this is must be said by NODE_NAME, or by "
			"POD_NAME and POD_NAMESPACE (in a DaemonSet by fieldRef)");
	text_add(&TEXT(s->pod), "/api/v1/namespaces/%s/pods/%s", namespace, pod);
	return 0;
}

static void know(struct source *s, const struct lease *l)
{
	struct kube_known *k;

	if (l->node == 0)
		return;
	k = kube_nodes_add(&s->nodes, l->node);
	k->subnet = l->subnet;
	k->subnet6 = l->subnet6;
}

static int kube_open(const struct source_conf *conf, struct source **ret, struct err *err)
{
	struct source *s = calloc(1, sizeof(*s));
	struct kube_watch_conf watch = {
		.loop = conf->loop, .seed = conf->seed, .bad = malformed, .arg = s};
	int r;

	if (!s)
		abort();
	s->conf = *conf;
	s->public_ip = conf->told_ip;
	s->public_ip6 = conf->told_ip6;
	s->told = (struct told){.conf = &s->conf, .kind = "Kubernetes API"};
	s->net_watch = (struct filewatch)FILEWATCH_INIT;
	r = kube_prefix_parse(conf->opts->kube_annotation_prefix, s->prefix, err);
	if (r == 0)
		r = find_name(s, err);
	if (r == 0)
		r = kube_access_from_opts(conf->opts, &s->access, err);
	if (r < 0) {
		free(s);
		return r;
	}
	kube_access_warn(&s->access);
	s->client = kube_client_new(&(struct kube_client_conf){
		.loop = conf->loop,
		.access = &s->access,
		.requests = conf->requests,
		.prefix = s->prefix,
		.seed = conf->seed,
		.up = on_up,
		.lost = on_lost,
		.failed = on_failed,
		.arg = s,
	});
	kube_access_start(&s->access, conf->kube_exec, conf->loop, on_new_certificate, s);
	s->own = kube_own_new(&(struct kube_own_conf){
		.source = &s->conf,
		.client = s->client,
		.node = s->node,
		.prefix = s->prefix,
		.tell = tell_own,
		.arg = s,
	});
	if (s->access.in_pod)
		s->learn = kube_learn_new(s->client, conf->loop, conf->opts->state_dir);
	for (size_t i = 0; i < conf->n_known; i++)
		know(s, &conf->known[i]);
	watch.back = on_back;
	watch.client = s->client;
	watch.metadata = true;
	watch.begin = on_all_begin;
	watch.node = on_all_node;
	watch.gone = on_all_gone;
	watch.listed = on_all_listed;
	watch.watching = on_all_watching;
	s->all = kube_watch_new(&watch, s->nodes.n > 0 ? KUBE_WATCH_META : KUBE_WATCH_FULL);
	watch.metadata = false;
	watch.name = s->node;
	watch.begin = on_mine_begin;
	watch.node = on_mine_node;
	watch.gone = on_mine_gone;
	watch.listed = on_mine_listed;
	watch.watching = on_mine_watching;
	watch.bad = on_mine_bad;
	s->mine = kube_watch_new(&watch, KUBE_WATCH_FULL);
	r = filewatch_open(&s->net_watch, err);
	if (r < 0)
		log_warn("kube.net_not_watched", "why=\"%s\"", err->text);
	else
		s->net_news = loop_readable(conf->loop, s->net_watch.fd, on_net_news, s);
	s->net_retry = loop_timer(conf->loop, on_net_retry, s);
	loop_timer_at(s->net_retry, 0);
	*ret = s;
	return 0;
}

static void kube_publish(struct source *s, const struct lease *l)
{
	kube_own_publish(s->own, l);
}

static void kube_relist(struct source *s)
{
	kube_watch_relist(s->all, KUBE_WATCH_META);
}

static void kube_ready(struct source *s, bool ready, const char *problem)
{
	kube_own_ready(s->own, ready, problem);
}

const struct source_ops source_kube = {
	.name = "kube",
	.open = kube_open,
	.close = kube_close,
	.publish = kube_publish,
	.relist = kube_relist,
	.ready = kube_ready,
};
