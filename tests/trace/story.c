/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the brain does, told ---- */

static const struct devmap *devs(const struct story *s)
{
	return &s->kernel.devs;
}

static void on_dump(void *arg, unsigned kinds)
{
	struct story *s = arg;

	fprintf(s->out, "  %lu dump", (unsigned long)s->rig.now_ms);
	for (int kind = 0; kind < OBJECT__COUNT && kinds != OBJECT_ALL; kind++) {
		if (kinds & OBJECT_BIT(kind))
			fprintf(s->out, " %s", object_kind_names[kind]);
	}
	fprintf(s->out, kinds == OBJECT_ALL ? " all\n" : "\n");
}

static void on_plan(void *arg, const struct plan *plan, const struct repair *repair)
{
	struct story *s = arg;
	char line[1024];

	if (repair) {
		fprintf(s->out, "  repair %u: %s", repair->n_ops, repair->what);
		if (repair->who.pid)
			fprintf(s->out, ", by %u %s%s%s", repair->who.pid, repair->who.comm,
				repair->who.unit[0] ? " of " : "", repair->who.unit);
		fprintf(s->out, "\n");
	}
	for (size_t i = 0, n; i < plan->n; i += n) {
		const struct op *op = &plan->ops[i];

		for (n = 1; i + n < plan->n; n++) {
			const struct op *next = &plan->ops[i + n];

			if (next->verb != op->verb || next->object.kind != op->object.kind)
				break;
		}
		for (size_t j = i; j < i + n && (j < i + 1 || n <= 4); j++) {
			struct text t = TEXT(line);

			op_format(&plan->ops[j], devs(s), &t);
			fprintf(s->out, "  plan %s\n", line);
		}
		if (n > 4)
			fprintf(s->out, "  plan … and %zu more such\n", n - 1);
	}
}

static void on_failure(void *arg, const struct op *op, const struct op_failure *f)
{
	struct story *s = arg;
	char line[64];
	struct text t = TEXT(line);

	text_add(&t, "%s.%s ", object_kind_names[op->object.kind], op_verb_names[op->verb]);
	object_format_key(&op->object, devs(s), &t);
	fprintf(s->out, "  refused %s: %s\n", line, f->text);
}

static void on_publish(void *arg, const struct lease *l)
{
	struct story *s = arg;
	char ip[IP_STRLEN], mac[MAC_STRLEN];

	if (ip_is_set(&l->public_ip))
		fprintf(s->out, "  publish %s mac %s", ip_format(&l->public_ip, ip),
			mac_format(&l->vtep_mac, mac));
	if (ip_is_set(&l->public_ip6))
		fprintf(s->out, "%s %s mac %s", ip_is_set(&l->public_ip) ? "," : "  publish",
			ip_format(&l->public_ip6, ip), mac_format(&l->vtep_mac6, mac));
	fprintf(s->out, "\n");
}

static void on_relist(void *arg)
{
	struct story *s = arg;

	fprintf(s->out, "  %lu relist\n", (unsigned long)s->rig.now_ms);
}

static void on_dropped(void *arg, const char *why)
{
	struct story *s = arg;

	fprintf(s->out, "  dropped: %s\n", why);
}

/* Status and notes, if they changed. */
static void tell(struct story *s)
{
	char line[sizeof(s->status)];
	struct text t = TEXT(line);
	struct status st;

	if (!s->running)
		return;
	brain_status(s->rig.brain, s->rig.now_ms, &st);
	text_add(&t, "%s", st.ready == READY_YES ? "ready" : "not ready");
	if (st.problem[0])
		text_add(&t, ": %s", st.problem);
	if (st.have_lease)
		text_add(&t, "; %zu of %zu peers verified, generation %lu", st.n_verified,
			 st.n_peers, (unsigned long)st.generation);
	if (st.families[FAMILY_V6].enabled)
		text_add(&t, "; IPv4 %s, IPv6 %s",
			 st.families[FAMILY_V4].works ? "works" : "does not",
			 st.families[FAMILY_V6].works ? "works" : "does not");
	if (strcmp(line, s->status) != 0)
		fprintf(s->out, "  status %s\n", line);
	memcpy(s->status, line, sizeof(line));
	if (strcmp(st.notes, s->notes) != 0) {
		if (!st.notes[0])
			fprintf(s->out, "  note nothing more\n");
		for (const char *p = st.notes; *p; p += strcspn(p, "\n") + 1)
			fprintf(s->out, "  note %.*s\n", (int)strcspn(p, "\n"), p);
	}
	memcpy(s->notes, st.notes, sizeof(s->notes));
}

/* ---- life ---- */

void story_init(struct story *s, FILE *out)
{
	*s = (struct story){.out = out};
	s->conf = (struct brain_conf){
		.seed = 1,
		.ip_masq = true,
		.forward_rules = true,
		.bridge = true,
		.bridge_name = "cni0",
		.spread_threshold = 256,
		.audit_ms = 30000,
	};
	sim_init(&s->kernel);
}

void story_fini(struct story *s)
{
	if (s->running)
		rig_fini(&s->rig);
	sim_fini(&s->kernel);
}

static void start(struct story *s)
{
	struct uplink uplink = s->rig.uplink;
	struct cidr subnet = s->rig.subnet, subnet6 = s->rig.subnet6;

	rig_init(&s->rig, &s->conf, &s->kernel);
	s->rig.uplink = uplink;
	s->rig.subnet = subnet;
	s->rig.subnet6 = subnet6;
	s->rig.hooks = (struct rig_hooks){
		.arg = s,
		.dump = on_dump,
		.plan = on_plan,
		.failure = on_failure,
		.publish = on_publish,
		.relist = on_relist,
		.dropped = on_dropped,
	};
	s->rig.now_ms = 1000;
	s->running = true;
}

/* ---- the words ---- */

/* The rest of the line from word i on. */
static void join(const struct words *w, size_t i, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size_bytes = size};

	buf[0] = '\0';
	for (; i < w->n; i++)
		text_add(&t, "%s%s", t.len ? " " : "", w->word[i]);
}

static const char *do_agent(struct story *s, const struct words *w)
{
	const char *instance = words_after(w, "instance");

	if (words_has(w, "no-bridge"))
		s->conf.bridge = false;
	if (words_has(w, "no-masq"))
		s->conf.ip_masq = false;
	if (words_has(w, "no-forward"))
		s->conf.forward_rules = false;
	if (words_has(w, "blackhole"))
		s->conf.blackhole_route = true;
	if (words_has(w, "vxlan-guard"))
		s->conf.vxlan_guard = true;
	s->conf.spread_threshold = words_number(w, "scopes-above", s->conf.spread_threshold);
	text_copy(s->conf.instance, sizeof(s->conf.instance), instance ? instance : "");
	return s->running ? "the agent runs already" : NULL;
}

/* network CIDR [vni N] … */
static bool take_config(const struct words *w, struct netconf *ret)
{
	struct netconf net = netconf_defaults();
	char complaints[400];

	net.backend = BACKEND_VXLAN;
	text_copy(net.backend_text, sizeof(net.backend_text), "vxlan");
	net.ipv6 = words_has(w, "network6");
	net.ipv4 = words_has(w, "network");
	if (net.ipv4 && !cidr_parse(words_after(w, "network"), &net.network))
		return false;
	if (net.ipv6 && !cidr_parse(words_after(w, "network6"), &net.network6))
		return false;
	net.vxlan.vni = words_number(w, "vni", net.vxlan.vni);
	net.vxlan.port = (uint16_t)words_number(w, "port", net.vxlan.port);
	net.vxlan.mtu_bytes = words_number(w, "mtu", net.vxlan.mtu_bytes);
	net.vxlan.learning = words_has(w, "learning");
	net.vxlan.direct_routing = words_has(w, "direct");
	*ret = net;
	return netconf_derive(ret, &TEXT(complaints)) == 0;
}

static const char *do_config(struct story *s, const struct words *w)
{
	struct netconf net;
	char complaints[400];

	if (w->n > 1 && strcmp(w->word[1], "invalid") == 0) {
		join(w, 2, complaints, sizeof(complaints));
		rig_feed(&s->rig,
			 (struct event){.type = EVENT_CONFIG, .config = {NULL, complaints}});
		return NULL;
	}
	if (!take_config(w, &net))
		return "config [network CIDR] [network6 CIDR] …, or it is invalid";
	rig_feed(&s->rig, (struct event){.type = EVENT_CONFIG, .config = {&net, NULL}});
	return NULL;
}

/* A network without a router, and a part of it that is behind one all the same. */
static bool read_segment(const struct words *w, struct segment *s)
{
	const char *routed = words_after(w, "but"), *near = words_after(w, "near");

	if (routed && !cidr_parse(routed, &s->routes[s->n++].dst))
		return false;
	if (near && !cidr_parse(near, &s->routes[s->n].dst))
		return false;
	if (near)
		s->routes[s->n++].on_link = true;
	return true;
}

/* The second family's, and what is about it. */
static const char *uplink6(struct story *s, const struct words *w, struct uplink *u)
{
	s->rig.lacks = NULL;
	if (words_after(w, "and") && !ip_parse(words_after(w, "and"), &u->ip6))
		return "uplink NAME ADDRESS and ADDRESS …";
	u->public_ip6 = u->ip6;
	if (words_after(w, "advertised"))
		text_copy(u->advertised[0], LINK_NAME_SIZE, words_after(w, "advertised"));
	for (size_t i = 0; i < w->n && !s->rig.lacks; i++) {
		if (strcmp(w->word[i], "lacks4") == 0)
			u->ip = u->public_ip = (struct ip){0};
		if (strncmp(w->word[i], "lacks", 5) == 0) {
			join(w, i + 1, s->no_uplink, sizeof(s->no_uplink));
			s->rig.lacks = s->no_uplink;
		}
	}
	return NULL;
}

static const char *do_uplink(struct story *s, const struct words *w)
{
	struct uplink *u = &s->rig.uplink;
	const char *wrong = NULL;

	if (w->n > 1 && strcmp(w->word[1], "none") == 0) {
		join(w, 2, s->no_uplink, sizeof(s->no_uplink));
		*u = (struct uplink){0};
		s->rig.no_uplink = s->no_uplink;
	} else if (w->n > 2) {
		*u = (struct uplink){
			.ifindex = words_number(w, "index", 2),
			.mtu_bytes = words_number(w, "mtu", 1500),
			.up = !words_has(w, "down"),
		};
		if (!text_copy(u->name, sizeof(u->name), w->word[1]) ||
		    !ip_parse(w->word[2], &u->ip))
			return "uplink NAME ADDRESS …";
		if (!ip_is_v4(&u->ip)) { /* has IPv6 alone */
			u->ip6 = u->ip;
			u->ip = (struct ip){0};
		}
		u->public_ip = u->ip;
		if (words_after(w, "public") && !ip_parse(words_after(w, "public"), &u->public_ip))
			return "public ADDRESS";
		if (!read_segment(w, &u->segment))
			return "near CIDR [but CIDR]";
		u->segment.cut = words_has(w, "cut");
		s->rig.n_shortcuts = words_number(w, "shortcuts", 0);
		wrong = uplink6(s, w, u);
		sim_uplink(&s->kernel, u->name, u->mtu_bytes);
	} else {
		return "uplink NAME ADDRESS, or uplink none WHY";
	}
	rig_uplink(&s->rig);
	return wrong;
}

static const char *do_own(struct story *s, const struct words *w)
{
	char why[200];
	bool taken = w->n > 1 && strcmp(w->word[1], "taken") == 0;
	bool lost = w->n > 1 && strcmp(w->word[1], "lost") == 0;

	if (taken || lost) {
		join(w, 2, why, sizeof(why));
		rig_feed(&s->rig, (struct event){.type = EVENT_OWN,
						 .own = {.state = taken ? OWN_TAKEN : OWN_LOST,
							 .problem = why}});
		return NULL;
	}
	s->rig.subnet6 = (struct cidr){0};
	if (w->n < 2 || !cidr_parse(w->word[1], &s->rig.subnet) ||
	    (words_after(w, "and") && !cidr_parse(words_after(w, "and"), &s->rig.subnet6)))
		return "own CIDR [and CIDR], own taken WHY, own lost WHY";
	if (!ip_is_v4(&s->rig.subnet.ip)) {
		s->rig.subnet6 = s->rig.subnet;
		s->rig.subnet = (struct cidr){0};
	}
	if (s->rig.is_published)
		rig_own(&s->rig);
	return NULL;
}

static const char *do_source(struct story *s, const struct words *w)
{
	char why[200] = "";

	if (w->n < 3)
		return "source up NAME, source down NAME WHY";
	join(w, 3, why, sizeof(why));
	rig_feed(&s->rig,
		 (struct event){.type = EVENT_SOURCE,
				.source = {strcmp(w->word[1], "up") == 0, w->word[2], why}});
	return NULL;
}

static const char *do_store(struct story *s, const struct words *w)
{
	if (w->n != 2 && !(w->n == 3 && words_has(w, "node")))
		return "store NUMBER [node]";
	rig_feed(&s->rig, (struct event){.type = EVENT_STORE,
					 .store = {.id = strtoul(w->word[1], NULL, 10),
						   .of_node = w->n == 3}});
	return NULL;
}

static struct lease *find_peer(struct story *s, const struct lease *key)
{
	for (size_t i = 0; i < s->n_peers; i++) {
		if (lease_cmp(&s->peers[i], key) == 0)
			return &s->peers[i];
	}
	return NULL;
}

static void set_peer(struct story *s, const struct lease *l)
{
	struct lease *p = find_peer(s, l);

	if (!p && s->n_peers < STORY_PEERS_MAX)
		p = &s->peers[s->n_peers++];
	if (p)
		*p = *l;
}

/* What an earlier run left: our own lease, and the peers as a list would have them now. */
static const char *do_disk(struct story *s, const struct words *w)
{
	struct netconf net;
	struct lease own;

	if (!words_lease(w, 1, &own) || !take_config(w, &net))
		return "disk CIDR via ADDRESS mac MAC … network CIDR … [store N] [expired]";
	set_peer(s, &own);
	rig_feed(&s->rig, (struct event){.type = EVENT_RECALLED,
					 .recalled = {
						 .conf = &net,
						 .leases = s->peers,
						 .n = s->n_peers,
						 .own = &own,
						 .expires_s = words_has(w, "expired") ? 0 : 3600,
						 .store_id = words_number(w, "store", 0),
						 .when = "yesterday",
					 }});
	return NULL;
}

static const char *do_peer(struct story *s, const struct words *w)
{
	struct lease l;

	if (!words_lease(w, 1, &l))
		return "peer CIDR via ADDRESS mac MAC";
	set_peer(s, &l);
	return NULL;
}

/* peers 5..9: 10.244.5.0/24 via 192.168.1.5 mac 02:00:00:00:00:05, and so on. */
static const char *do_peers(struct story *s, const struct words *w)
{
	unsigned from, to;

	if (w->n < 2 || sscanf(w->word[1], "%u..%u", &from, &to) != 2)
		return "peers FROM..TO";
	for (unsigned i = from; i <= to; i++) {
		struct lease l = {
			.subnet = {ip_from_v4(0x0af40000 + (i << 8)), 24},
			.public_ip = ip_from_v4(0xc0a80100 + i),
			.type = BACKEND_VXLAN,
			.vtep_mac = {{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}},
		};

		set_peer(s, &l);
	}
	return NULL;
}

static const char *do_list(struct story *s, const struct words *w)
{
	rig_feed(&s->rig,
		 (struct event){.type = EVENT_LEASES,
				.leases = {s->peers, s->n_peers, words_number(w, "malformed", 0)}});
	return NULL;
}

static const char *do_put(struct story *s, const struct words *w)
{
	struct lease l;

	if (!words_lease(w, 1, &l))
		return "put CIDR via ADDRESS mac MAC";
	set_peer(s, &l);
	rig_feed(&s->rig, (struct event){.type = EVENT_LEASE_PUT, .put = {&l}});
	return NULL;
}

/* gone: the source says so; unpeer: it only no longer stands in the next list. */
static const char *do_gone(struct story *s, const struct words *w)
{
	struct lease l = {0}, *p;

	if (w->n < 2)
		return "gone CIDR|all";
	if (strcmp(w->word[1], "all") == 0) {
		s->n_peers = 0;
		return NULL;
	}
	if (!cidr_parse(w->word[1], &l.subnet) ||
	    (words_after(w, "and") && !cidr_parse(words_after(w, "and"), &l.subnet6)))
		return "gone CIDR [and CIDR]";
	if (!ip_is_v4(&l.subnet.ip)) {
		l.subnet6 = l.subnet;
		l.subnet = (struct cidr){0};
	}
	p = find_peer(s, &l);
	if (p)
		*p = s->peers[--s->n_peers];
	if (strcmp(w->word[0], "gone") == 0)
		rig_feed(&s->rig, (struct event){.type = EVENT_LEASE_GONE, .gone = {&l}});
	return NULL;
}

/* ---- other hands on the kernel ---- */

static void notice(struct story *s, unsigned kinds, const struct words *w)
{
	struct culprit who = {0};
	bool known = false;

	for (size_t i = 0; i + 2 < w->n; i++) {
		if (strcmp(w->word[i], "by") == 0) {
			known = true;
			who.pid = (uint32_t)strtoul(w->word[i + 1], NULL, 10);
			text_copy(who.comm, sizeof(who.comm), w->word[i + 2]);
			if (w->word[i + 3])
				text_copy(who.unit, sizeof(who.unit), w->word[i + 3]);
		}
	}
	if (s->running && !words_has(w, "quietly"))
		rig_feed(&s->rig, (struct event){.type = EVENT_NOTICE,
						 .notice = {kinds, false, known ? &who : NULL}});
}

static bool do_kernel_object(struct story *s, const struct words *w)
{
	const char *verb = w->word[1];
	struct words_object o;
	struct object b;

	if (!words_object(w, 2, &o))
		return false;
	b = words_borrow(&o);
	if (strcmp(verb, "add") == 0)
		sim_put(&s->kernel, &b);
	else if (strcmp(verb, "append") == 0)
		sim_append(&s->kernel, &b);
	else if (strcmp(verb, "prepend") == 0)
		sim_prepend(&s->kernel, &b);
	else if (strcmp(verb, "del") == 0)
		sim_del(&s->kernel, &b);
	else
		return false;
	notice(s, OBJECT_BIT(o.kind), w);
	return true;
}

static bool do_kernel_link(struct story *s, const struct words *w)
{
	const char *verb = w->word[1];
	enum dev dev;

	if (w->n < 3 || !words_dev(w->word[2], &dev))
		return false;
	if (strcmp(verb, "down") == 0 || strcmp(verb, "flap") == 0)
		sim_link_updown(&s->kernel, dev, false);
	if (strcmp(verb, "up") == 0 || strcmp(verb, "flap") == 0)
		sim_link_updown(&s->kernel, dev, true);
	/* Neighbours are announced, routes are not. */
	notice(s, OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_NEIGH), w);
	return true;
}

/* Somebody's rule comes to stand first: a blanket drop, or one that picks somebody out. */
static bool do_kernel_rule(struct story *s, const struct words *w, bool blanket)
{
	struct fw_chain key = {.family = FW_IP, .table = "filter", .chain = "FORWARD"};
	struct fw_chain *c = (struct fw_chain *)sim_find(
		&s->kernel, &(struct object){.kind = OBJECT_FW_CHAIN, .fw_chain = &key});

	if (!c)
		return false;
	c->n_before++;
	c->drops |= blanket;
	c->drops_before_ours |= blanket && c->n_ours > 0;
	notice(s, OBJECT_BIT(OBJECT_FW_CHAIN) | OBJECT_BIT(OBJECT_FW_TABLE), w);
	return true;
}

/* The guards dropped so many more; nobody is told. */
static bool do_kernel_strays(struct story *s, const struct words *w)
{
	struct guard key = {.family = FW_IP};
	struct guard *g = (struct guard *)sim_find(
		&s->kernel, &(struct object){.kind = OBJECT_GUARD, .guard = &key});

	if (strcmp(w->word[1], "strays") != 0 || !g)
		return false;
	g->n_dropped += strtoul(w->word[2], NULL, 0);
	return true;
}

static const char *do_flanneld(struct story *s, const struct words *w)
{
	uint32_t pid = words_number(w, "pid", 0);

	if (w->n < 2 || (strcmp(w->word[1], "ends") != 0 && !pid))
		return "flanneld pid N | ends";
	s->rig.flanneld = (struct culprit){.pid = pid, .comm = "flanneld"};
	if (words_after(w, "unit"))
		text_copy(s->rig.flanneld.unit, sizeof(s->rig.flanneld.unit),
			  words_after(w, "unit"));
	return NULL;
}

static const char *do_kernel(struct story *s, const struct words *w)
{
	enum object_kind kind;

	if (w->n < 3)
		return "kernel VERB WHAT …";
	if (strcmp(w->word[1], "drops-first") == 0 || strcmp(w->word[1], "policy-first") == 0) {
		if (!do_kernel_rule(s, w, w->word[1][0] == 'd'))
			return "there is no such chain";
	} else if (strcmp(w->word[1], "flush") == 0 && words_kind(w->word[2], &kind)) {
		sim_flush(&s->kernel, kind);
		notice(s, OBJECT_BIT(kind), w);
	} else if (!do_kernel_strays(s, w) && !do_kernel_object(s, w) && !do_kernel_link(s, w)) {
		return "kernel add|append|prepend|del OBJECT, down|up|flap DEV, flush KIND, "
		       "drops-first CHAIN, policy-first CHAIN, strays N";
	}
	return NULL;
}

static const char *do_refuse(struct story *s, const struct words *w)
{
	static const struct {
		const char *name;
		int code;
		const char *text;
	} codes[] = {
		{"EPERM", -EPERM, "Operation not permitted"},
		{"EADDRINUSE", -EADDRINUSE, "Address already in use"},
		{"EEXIST", -EEXIST, "File exists"},
		{"EINVAL", -EINVAL, "Invalid argument"},
		{"EROFS", -EROFS, "Read-only file system"},
	};
	struct sim_fault *f = &s->kernel.faults[s->kernel.n_faults];

	if (w->n == 2 && strcmp(w->word[1], "nothing") == 0) {
		s->kernel.n_faults = 0;
		return NULL;
	}
	for (size_t i = 0; w->n > 2 && i < ARRAY_SIZE(codes); i++) {
		if (strcmp(w->word[1], codes[i].name) == 0) {
			f->code = codes[i].code;
			text_copy(f->text, sizeof(f->text), codes[i].text);
			join(w, 2, f->needle, sizeof(f->needle));
			s->kernel.n_faults++;
			return NULL;
		}
	}
	return "refuse EPERM|EADDRINUSE|EEXIST|EINVAL|EROFS PLAN-LINE, refuse nothing";
}

static const char *do_wait(struct story *s, const struct words *w)
{
	if (w->n != 2)
		return "wait MILLISECONDS";
	rig_run(&s->rig, s->rig.now_ms + strtoul(w->word[1], NULL, 10));
	return NULL;
}

static const char *untold(struct story *s, char *const *lines, size_t n)
{
	FILE *out = s->out;
	const char *wrong = NULL;

	s->out = fopen("/dev/null", "w");
	for (size_t i = 0; i < n && !wrong; i++)
		wrong = story_line(s, lines[i]);
	fclose(s->out);
	s->out = out;
	s->status[0] = s->notes[0] = '\0';
	return wrong;
}

/* The usual beginning, not told: a node that has been running for a while with n peers. */
static const char *do_cluster(struct story *s, const struct words *w)
{
	char peers[32];
	char *lines[] = {(char[]){"source up etcd"},
			 (char[]){"config network 10.244.0.0/16"},
			 (char[]){"uplink eth0 192.168.0.1"},
			 (char[]){"own 10.244.0.0/24"},
			 peers,
			 (char[]){"list"},
			 (char[]){"wait 100"}};

	if (w->n != 2)
		return "cluster PEERS";
	snprintf(peers, sizeof(peers), "peers 1..%s", w->word[1]);
	return untold(s, lines, ARRAY_SIZE(lines));
}

/* The same with both families and one peer. */
static const char *do_dual_cluster(struct story *s, const struct words *w)
{
	char *lines[] = {
		(char[]){"source up etcd"},
		(char[]){"config network 10.244.0.0/16 network6 fd00:10:244::/56"},
		(char[]){"uplink eth0 192.168.0.1 and 2001:db8::1"},
		(char[]){"own 10.244.0.0/24 and fd00:10:244::/64"},
		(char[]){"peer 10.244.1.0/24 via 192.168.0.2 mac 02:00:00:00:00:02 and "
			 "fd00:10:244:1::/64 via6 2001:db8::2 mac6 02:00:00:00:06:02"},
		(char[]){"list"},
		(char[]){"wait 100"},
	};

	(void)w;
	return untold(s, lines, ARRAY_SIZE(lines));
}

/* alone: the source is not there to give us our lease. A reboot takes the kernel's objects along. */
static const char *do_restart(struct story *s, const struct words *w)
{
	rig_fini(&s->rig);
	if (strcmp(w->word[0], "reboot") == 0) {
		sim_fini(&s->kernel);
		sim_init(&s->kernel);
	}
	if (words_has(w, "alone"))
		s->rig.subnet = (struct cidr){0};
	start(s);
	s->status[0] = '\0';
	return NULL;
}

static const char *do_show(struct story *s, const struct words *w)
{
	static char buf[1 << 16];
	struct text t = TEXT(buf);

	(void)w;
	buf[0] = '\0';
	sim_print(&s->kernel, &t);
	for (const char *p = buf; *p; p += strcspn(p, "\n") + 1)
		fprintf(s->out, "  has %.*s\n", (int)strcspn(p, "\n"), p);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(struct story *s, const struct words *w);
} commands[] = {
	{"agent", do_agent},	 {"config", do_config},
	{"uplink", do_uplink},	 {"own", do_own},
	{"source", do_source},	 {"peer", do_peer},
	{"peers", do_peers},	 {"list", do_list},
	{"put", do_put},	 {"gone", do_gone},
	{"unpeer", do_gone},	 {"kernel", do_kernel},
	{"refuse", do_refuse},	 {"wait", do_wait},
	{"restart", do_restart}, {"show", do_show},
	{"cluster", do_cluster}, {"flanneld", do_flanneld},
	{"reboot", do_restart},	 {"disk", do_disk},
	{"store", do_store},	 {"dual-cluster", do_dual_cluster},
};

const char *story_line(struct story *s, char *line)
{
	struct words w;
	const char *wrong;

	words_split(line, &w);
	if (!w.n)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(w.word[0], commands[i].name) != 0)
			continue;
		if (!s->running && commands[i].run != do_agent && commands[i].run != do_kernel)
			start(s);
		wrong = commands[i].run(s, &w);
		tell(s);
		return wrong;
	}
	return "unknown word";
}
