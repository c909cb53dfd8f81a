/* SPDX-License-Identifier: Apache-2.0 */
#include "os/nft_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/culprit.h"
#include "wire/nl_nft_guard.h"

#define LIMIT_NFT_FOREIGN 256 /* foreign base chains at hooks forward and input */
#define REQUEST_BYTES	  640 /* a dump request with two names of NL_NFT_NAME_SIZE */

struct nft_foreign {
	struct fw_chain chain;
	struct nft_place place;
	bool dormant; /* its table is switched off: no packet comes here */
	char table_name[NL_NFT_NAME_SIZE], chain_name[NL_NFT_NAME_SIZE]; /* uncut */
};

void nft_read_init(struct nft_read *rd, struct nlsock *sock)
{
	*rd = (struct nft_read){.sock = sock};
}

void nft_read_fini(struct nft_read *rd)
{
	free(rd->foreign);
	rd->foreign = NULL;
	for (size_t i = 0; i < FW__COUNT; i++)
		free(rd->peers.of[i].bytes);
	rd->peers = (struct nft_peers){0};
}

static int on_generation(void *arg, const struct nl_msg *m)
{
	struct nft_read *rd = arg;

	return nl_nft_decode(m, &rd->msg) ? 0 : -EBADMSG;
}

int nft_read_generation(struct nft_read *rd, uint32_t *ret, struct err *err)
{
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_ack ack;
	int r;

	rd->msg.type = NL_NFT_OTHER;
	nl_nft_get_gen(&b, nlsock_seq(rd->sock));
	r = nlsock_request(rd->sock, &b, on_generation, rd, &ack);
	if (r == -EINVAL || r == -EOPNOTSUPP) /* nfnetlink knows no such subsystem */
		return err_set(err, -EOPNOTSUPP, "this kernel has no nf_tables");
	if (r == -EPERM)
		return err_set(err, r, "nf_tables: not permitted (CAP_NET_ADMIN is missing)");
	if (r == 0 && rd->msg.type != NL_NFT_GEN)
		r = -ENOMSG;
	if (r < 0)
		return err_set(err, r, "nf_tables: cannot read the generation: %s", strerror(-r));
	*ret = rd->msg.gen.id;
	return 0;
}

/* Names that do not fit are cut: they are for the reader only. */
static void cut_copy(char *dst, size_t size_bytes, const char *s)
{
	struct text t = {.buf = dst, .size_bytes = size_bytes};

	text_add(&t, "%s", s);
}

/* Ours or flannel's of that name; NULL = another's. */
static struct nft_own *find_own(struct nft_read *rd, enum fw_family family, const char *table)
{
	if (strcmp(table, rd->fw_table) == 0)
		return &rd->own[family];
	return fw_is_flannel_table(family, table) ? &rd->flannel[family] : NULL;
}

static void add_own_chain(struct nft_own *o, const struct nl_nft_chain *c)
{
	struct fw_table *t = &o->table;
	struct fw_own_chain own = {
		.nat = c->nat,
		.hook = c->hook,
		.priority = c->priority,
		.policy_drop = c->policy_drop,
	};
	size_t at;

	o->use++;
	if (!c->base || t->n_chains == FW_CHAINS_MAX ||
	    !text_copy(own.name, sizeof(own.name), c->name)) {
		t->extra = true;
		return;
	}
	for (at = t->n_chains++; at > 0 && strcmp(t->chains[at - 1].name, own.name) > 0; at--)
		t->chains[at] = t->chains[at - 1];
	t->chains[at] = own;
}

static int add_foreign(struct nft_read *rd, const struct nl_nft_chain *c)
{
	struct nft_foreign *f;

	if (rd->n_foreign == LIMIT_NFT_FOREIGN)
		return -E2BIG;
	if (rd->n_foreign == rd->n_space) {
		size_t space = rd->n_space ? 2 * rd->n_space : 4;

		f = reallocarray(rd->foreign, space, sizeof(*f));
		if (!f)
			return -ENOMEM;
		rd->foreign = f;
		rd->n_space = space;
	}
	f = &rd->foreign[rd->n_foreign++];
	*f = (struct nft_foreign){
		.chain =
			{
				.family = c->family,
				.hook = c->hook,
				.priority = c->priority,
				.policy_drop = c->policy_drop,
				.owner = FW_OWNER_NATIVE,
			},
	};
	if (c->family != FW_INET && strcmp(c->table, "filter") == 0 &&
	    strcmp(c->name, "FORWARD") == 0)
		f->chain.owner = FW_OWNER_IPTABLES;
	if (!c->base)
		f->chain.owner = FW_OWNER_FLANNEL;
	cut_copy(f->chain.table, sizeof(f->chain.table), c->table);
	cut_copy(f->chain.chain, sizeof(f->chain.chain), c->name);
	text_copy(f->table_name, sizeof(f->table_name), c->table);
	text_copy(f->chain_name, sizeof(f->chain_name), c->name);
	return 0;
}

static bool is_guard(const struct nft_read *rd, const char *table)
{
	return rd->guard_table[0] && strcmp(table, rd->guard_table) == 0;
}

static void add_guard_chain(struct nft_read *rd, const struct nl_nft_chain *c)
{
	struct nft_guard *g = &rd->guard[c->family];

	if (strcmp(c->name, NL_NFT_GUARD_CHAIN) != 0)
		return;
	g->have_chain = true;
	g->strange_chain = !c->base || c->nat || c->hook != FW_HOOK_INPUT ||
			   c->priority != NL_NFT_GUARD_PRIORITY || c->policy_drop;
}

static int on_chain(void *arg, const struct nl_msg *m)
{
	struct nft_read *rd = arg;
	const struct nl_nft_chain *c = &rd->msg.chain;
	struct nft_own *own;

	if (!nl_nft_decode(m, &rd->msg))
		return -EBADMSG;
	if (rd->msg.type != NL_NFT_CHAIN)
		return 0;
	if (!c->base && strncmp(c->name, "ufw-", 4) == 0 && strcmp(c->table, "filter") == 0)
		rd->ufw[c->family] = true;
	own = find_own(rd, c->family, c->table);
	if (own)
		add_own_chain(own, c);
	else if (is_guard(rd, c->table))
		add_guard_chain(rd, c);
	else if (c->base ? c->hook == FW_HOOK_FORWARD ||
				   (c->hook == FW_HOOK_INPUT && rd->arrival.port)
			 : c->family != FW_INET && fw_flannel_chain(c->table, c->name))
		return add_foreign(rd, c);
	return 0;
}

static void set_table(struct nft_foreign *f, const struct nl_nft_table *t)
{
	struct culprit owner;

	f->dormant = t->dormant;
	f->chain.table_owned = t->owned;
	if (!t->owned)
		return;
	culprit_lookup(t->owner_port, NULL, &owner);
	text_copy(f->chain.owner_name, sizeof(f->chain.owner_name), owner.comm);
}

static int on_table(void *arg, const struct nl_msg *m)
{
	struct nft_read *rd = arg;
	const struct nl_nft_table *t = &rd->msg.table;
	struct nft_own *own;

	if (!nl_nft_decode(m, &rd->msg))
		return -EBADMSG;
	if (rd->msg.type != NL_NFT_TABLE)
		return 0;
	own = find_own(rd, t->family, t->name);
	if (own) {
		own->have = true;
		own->table.dormant = t->dormant;
		if (t->use != own->use)
			own->table.extra = true; /* sets and the like */
		return 0;
	}
	if (is_guard(rd, t->name)) {
		rd->guard[t->family].have_table = true;
		rd->guard[t->family].dormant = t->dormant;
		return 0;
	}
	for (size_t i = 0; i < rd->n_foreign; i++) {
		struct nft_foreign *f = &rd->foreign[i];

		if (f->chain.family == t->family && strcmp(f->table_name, t->name) == 0)
			set_table(f, t);
	}
	return 0;
}

static int on_own_rule(void *arg, const struct nl_msg *m)
{
	struct nft_read *rd = arg;
	const struct nl_nft_rule *rule = &rd->msg.rule;
	struct nft_own *own;
	struct fw_table *t;

	if (!nl_nft_decode(m, &rd->msg))
		return -EBADMSG;
	own = rd->msg.type == NL_NFT_RULE ? find_own(rd, rule->family, rule->table) : NULL;
	if (!own)
		return 0;
	t = &own->table;
	for (size_t i = 0; i < t->n_chains; i++) {
		struct fw_own_chain *c = &t->chains[i];

		if (strcmp(c->name, rule->chain) != 0)
			continue;
		if (c->n_rules < FW_RULES_MAX)
			c->rules[c->n_rules++] = rule->rule;
		else
			t->extra = true;
	}
	return 0; /* else in a chain that is extra anyway */
}

/* One chain being walked: which rules, and whose base chain it belongs to. */
struct walk {
	struct nft_read *rd;
	struct nft_foreign *f;
	const char *chain;
	bool base;
};

static void add_ours(struct nft_foreign *f, const struct nl_nft_rule *rule)
{
	if (f->place.n_handles < LIMIT_NFT_HANDLES)
		f->place.handles[f->place.n_handles++] = rule->handle;
	if (f->chain.n_ours < FW_RULES_MAX)
		f->chain.ours[f->chain.n_ours++] = rule->rule;
	else
		f->chain.ours_extra = true;
}

static int on_foreign_rule(void *arg, const struct nl_msg *m)
{
	struct walk *w = arg;
	struct nft_read *rd = w->rd;
	const struct nl_nft_rule *rule = &rd->msg.rule;
	struct fw_walk_rule step = {.rule = &rule->rule, .step = &rule->step};

	if (!nl_nft_decode(m, &rd->msg))
		return -EBADMSG;
	/* The names again: Linux before 4.15 dumps all rules. */
	if (rd->msg.type != NL_NFT_RULE || rule->family != w->f->chain.family ||
	    strcmp(rule->table, w->f->table_name) != 0 || strcmp(rule->chain, w->chain) != 0)
		return 0;
	step.handle = rule->handle;
	step.ours = w->base && w->f->chain.hook == FW_HOOK_FORWARD && rd->fw_comment[0] &&
		    strcmp(rule->rule.comment, rd->fw_comment) == 0;
	if (step.ours)
		add_ours(w->f, rule);
	fw_walk_rule(&rd->walk, &step);
	return 0;
}

/* A jump from flannel's base chain to the chain that it made. */
static int on_jump(void *arg, const struct nl_msg *m)
{
	struct walk *w = arg;
	const struct nl_nft_rule *rule = &w->rd->msg.rule;
	struct nft_place *place = &w->f->place;

	if (!nl_nft_decode(m, &w->rd->msg))
		return -EBADMSG;
	if (w->rd->msg.type != NL_NFT_RULE || rule->family != w->f->chain.family ||
	    strcmp(rule->table, w->f->table_name) != 0 || strcmp(rule->chain, w->chain) != 0)
		return 0;
	if ((rule->step.effect == FW_EFFECT_JUMP || rule->step.effect == FW_EFFECT_GOTO) &&
	    strcmp(rule->step.chain, w->f->chain_name) == 0 && place->n_handles < LIMIT_NFT_HANDLES)
		place->handles[place->n_handles++] = rule->handle;
	return 0;
}

static int read_jumps(struct nft_read *rd, struct nft_foreign *f, struct err *err)
{
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	struct walk w = {
		.rd = rd, .f = f, .chain = fw_flannel_chain(f->table_name, f->chain_name)->base};
	int r;

	nl_nft_get_rules(&b, nlsock_seq(rd->sock), f->chain.family, f->table_name, w.chain);
	r = nlsock_dump(rd->sock, &b, on_jump, &w, err);
	return r == -ENOENT ? 0 : r; /* no such base chain: nothing jumps */
}

static int walk_foreign(struct nft_read *rd, struct nft_foreign *f, struct err *err)
{
	uint8_t bytes[REQUEST_BYTES];
	struct walk w = {.rd = rd, .f = f, .chain = f->chain_name, .base = true};
	struct fw_chain *c = &f->chain;

	if (c->hook == FW_HOOK_INPUT)
		fw_walk_begin_input(&rd->walk, c->policy_drop, &rd->arrival);
	else
		fw_walk_begin(&rd->walk, c->policy_drop, rd->networks);
	for (; w.chain; w.chain = fw_walk_next(&rd->walk), w.base = false) {
		struct nl_buf b = NL_BUF(bytes);
		int r;

		nl_nft_get_rules(&b, nlsock_seq(rd->sock), c->family, f->table_name, w.chain);
		r = nlsock_dump(rd->sock, &b, on_foreign_rule, &w, err);
		if (r != 0)
			return r;
	}
	c->drops = rd->walk.drops && !f->dormant;
	c->drops_before_ours = rd->walk.drops_before_ours && !f->dormant;
	c->n_before = rd->walk.n_before;
	c->ufw = rd->ufw[c->family] && strcmp(f->table_name, "filter") == 0;
	f->place.before = rd->walk.drop_handle;
	return 0;
}

static void init_own(struct nft_own *o, enum fw_family family, const char *name)
{
	*o = (struct nft_own){.table.family = family};
	text_copy(o->table.name, sizeof(o->table.name), name);
}

static int read_rules(struct nft_read *rd, const struct nft_own *o, struct err *err)
{
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);

	if (!o->have)
		return 0;
	nl_nft_get_rules(&b, nlsock_seq(rd->sock), o->table.family, o->table.name, NULL);
	return nlsock_dump(rd->sock, &b, on_own_rule, rd, err);
}

static int on_guard_rule(void *arg, const struct nl_msg *m)
{
	struct nft_read *rd = arg;
	const struct nl_nft_rule *rule = &rd->msg.rule;
	struct nft_guard *g;

	if (!nl_nft_decode(m, &rd->msg))
		return -EBADMSG;
	if (rd->msg.type != NL_NFT_RULE || !is_guard(rd, rule->table) ||
	    strcmp(rule->chain, NL_NFT_GUARD_CHAIN) != 0)
		return 0;
	g = &rd->guard[rule->family];
	g->n_rules++;
	g->port = nl_nft_guard_port(rule->rule.comment);
	g->n_dropped = rule->rule.n_packets;
	return 0;
}

static int read_guards(struct nft_read *rd, struct err *err)
{
	uint8_t bytes[REQUEST_BYTES];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < FW__COUNT; i++) {
		struct nl_buf b = NL_BUF(bytes);

		rd->guard[i].n_rules = 0;
		if (!rd->guard[i].have_chain)
			continue;
		nl_nft_get_rules(&b, nlsock_seq(rd->sock), (enum fw_family)i, rd->guard_table,
				 NULL);
		r = nlsock_dump(rd->sock, &b, on_guard_rule, rd, err);
	}
	return r;
}

/* What a rule counts makes no new generation. */
static void recount_guards(struct nft_read *rd)
{
	struct nft_guard was[FW__COUNT];
	struct err ignored = {0};

	memcpy(was, rd->guard, sizeof(was));
	if (read_guards(rd, &ignored) != 0)
		memcpy(rd->guard, was, sizeof(was));
}

/* 0, NLSOCK_INTERRUPTED or -errno. */
static int read_all(struct nft_read *rd, struct err *err)
{
	uint8_t bytes[REQUEST_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	int r;

	rd->n_foreign = 0;
	memset(rd->ufw, 0, sizeof(rd->ufw));
	memset(rd->guard, 0, sizeof(rd->guard));
	for (unsigned i = 0; i < FW__COUNT; i++) {
		init_own(&rd->own[i], (enum fw_family)i, rd->fw_table);
		init_own(&rd->flannel[i], (enum fw_family)i,
			 i == FW_IP6 ? "flannel-ipv6" : "flannel-ipv4");
	}

	nl_nft_get_chains(&b, nlsock_seq(rd->sock));
	r = nlsock_dump(rd->sock, &b, on_chain, rd, err);
	if (r != 0)
		return r;
	b = NL_BUF(bytes);
	nl_nft_get_tables(&b, nlsock_seq(rd->sock));
	r = nlsock_dump(rd->sock, &b, on_table, rd, err);
	for (unsigned i = 0; r == 0 && i < FW__COUNT; i++)
		r = read_rules(rd, &rd->own[i], err);
	for (unsigned i = 0; r == 0 && i < FW__COUNT; i++)
		r = read_rules(rd, &rd->flannel[i], err);
	if (r == 0)
		r = read_guards(rd, err);
	for (size_t i = 0; r == 0 && i < rd->n_foreign; i++)
		r = rd->foreign[i].chain.owner == FW_OWNER_FLANNEL
			    ? read_jumps(rd, &rd->foreign[i], err)
			    : walk_foreign(rd, &rd->foreign[i], err);
	return r;
}

/* The same generation and the same names: the same answer. Except that a table with an owner goes
 * without a new generation when its owner's socket closes (nft_rcv_nl_event). */
static bool still_valid(const struct nft_read *rd, uint32_t generation,
			const struct os_names *names)
{
	if (!rd->valid || rd->generation != generation ||
	    strcmp(rd->fw_table, names->fw_table) != 0 ||
	    strcmp(rd->guard_table, names->guard_table) != 0 ||
	    strcmp(rd->fw_comment, names->fw_comment) != 0 ||
	    !cidr_eq(&rd->networks[0], &names->networks[0]) ||
	    !cidr_eq(&rd->networks[1], &names->networks[1]) ||
	    !fw_arrival_eq(&rd->arrival, &names->arrival))
		return false;
	for (size_t i = 0; i < rd->n_foreign; i++) {
		if (rd->foreign[i].chain.table_owned)
			return false;
	}
	return true;
}

/* Brings `rd` up to date: all of it from one generation. */
static int read_consistent(struct nft_read *rd, const struct os_names *names, struct err *err)
{
	uint32_t before, after;
	int r;

	for (int tries = 0; tries < LIMIT_DUMP_TRIES; tries++) {
		r = nft_read_generation(rd, &before, err);
		if (r < 0)
			return r;
		if (still_valid(rd, before, names))
			return 0;
		rd->valid = false;
		text_copy(rd->fw_table, sizeof(rd->fw_table), names->fw_table);
		text_copy(rd->guard_table, sizeof(rd->guard_table), names->guard_table);
		text_copy(rd->fw_comment, sizeof(rd->fw_comment), names->fw_comment);
		memcpy(rd->networks, names->networks, sizeof(rd->networks));
		rd->arrival = names->arrival;
		r = read_all(rd, err);
		if (r < 0)
			return err_wrap(err, r, "nf_tables");
		if (r == NLSOCK_INTERRUPTED)
			continue;
		r = nft_read_generation(rd, &after, err);
		if (r < 0)
			return r;
		if (before == after) {
			rd->generation = after;
			rd->valid = true;
			return 0;
		}
	}
	return err_set(err, -EAGAIN, "nf_tables: the rules change faster than they can be read");
}

int nft_read_place(struct nft_read *rd, const struct os_names *names, const struct fw_chain *c,
		   struct nft_place *ret, struct err *err)
{
	struct nft_place place = {0};
	int r = read_consistent(rd, names, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < rd->n_foreign; i++) {
		const struct nft_foreign *f = &rd->foreign[i];

		if (f->chain.family == c->family && strcmp(f->table_name, c->table) == 0 &&
		    strcmp(f->chain_name, c->chain) == 0)
			place = f->place;
	}
	place.generation = rd->generation;
	*ret = place;
	return 0;
}

/* ---- the guard's set ---- */

/* They are kept for as long as nobody changes them: as bytes, 20 kB for 5,000 peers. */
static size_t address_bytes(enum fw_family family)
{
	return family == FW_IP ? 4 : 16;
}

static int add_peer(struct nft_read *rd, const struct ip *ip)
{
	struct nft_set *set = &rd->peers.of[rd->family];
	const uint8_t *bytes;
	size_t size;

	bytes = ip_bytes(ip, &size);
	if (size != address_bytes(rd->family))
		return 0; /* not a set of ours */
	if (set->n == set->room) {
		size_t room = set->room ? 2 * set->room : 64;
		uint8_t *more = reallocarray(set->bytes, room, size);

		if (!more)
			return -ENOMEM;
		set->bytes = more;
		set->room = room;
	}
	memcpy(set->bytes + set->n++ * size, bytes, size);
	return 0;
}

static int on_peers(void *arg, const struct nl_msg *m)
{
	struct nft_read *rd = arg;
	struct nl_bytes rest;
	struct ip ip;
	int r = 0;

	if (!nl_nft_decode(m, &rd->msg))
		return -EBADMSG;
	if (rd->msg.type != NL_NFT_ELEMENTS)
		return 0;
	rest = rd->msg.elements.list;
	while (r == 0 && nl_nft_guard_next_peer(&rest, &ip))
		r = add_peer(rd, &ip);
	return r;
}

static int by_address4(const void *a, const void *b)
{
	return memcmp(a, b, 4);
}

static int by_address6(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* Both families' sets, sorted. 0, NLSOCK_INTERRUPTED or -errno. */
static int read_sets(struct nft_read *rd, struct err *err)
{
	static const enum fw_family families[] = {FW_IP, FW_IP6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		uint8_t bytes[REQUEST_BYTES];
		struct nl_buf b = NL_BUF(bytes);
		struct nft_set *set = &rd->peers.of[families[i]];
		int r;

		rd->family = families[i];
		set->n = 0;
		nl_nft_get_peers(&b, nlsock_seq(rd->sock), families[i], rd->peers.table);
		r = nlsock_dump(rd->sock, &b, on_peers, rd, err);
		if (r != 0 && r != -ENOENT) /* no such table or set */
			return r;
		if (set->n > 1)
			qsort(set->bytes, set->n, address_bytes(families[i]),
			      families[i] == FW_IP ? by_address4 : by_address6);
	}
	return 0;
}

/* Brings rd->peers up to date: all of them from one generation, as read_consistent(). */
static int read_peers(struct nft_read *rd, const char *table, struct err *err)
{
	struct nft_peers *p = &rd->peers;
	uint32_t before, after;

	for (int tries = 0; tries < LIMIT_DUMP_TRIES; tries++) {
		int r = nft_read_generation(rd, &before, err);

		if (r < 0 || (p->valid && p->generation == before && !strcmp(p->table, table)))
			return r;
		p->valid = false;
		text_copy(p->table, sizeof(p->table), table);
		r = read_sets(rd, err);
		if (r < 0)
			return err_wrap(err, r, "nf_tables: peers");
		if (r == NLSOCK_INTERRUPTED)
			continue;
		r = nft_read_generation(rd, &after, err);
		if (r < 0)
			return r;
		p->generation = after;
		p->valid = before == after;
		if (p->valid)
			return 0;
	}
	return err_set(err, -EAGAIN, "nf_tables: the rules change faster than they can be read");
}

static void feed_set(const struct nft_set *set, size_t size, os_object_fn *fn, void *arg)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct guard_peer peer = {ip_from_bytes(set->bytes + i * size, size)};

		fn(arg, &(struct object){.kind = OBJECT_GUARD_PEER, .guard_peer = &peer});
	}
}

int nft_read_peers(struct nft_read *rd, const struct os_names *names, os_object_fn *fn, void *arg,
		   struct err *err)
{
	int r = names->guard_table[0] ? read_peers(rd, names->guard_table, err) : -EOPNOTSUPP;

	if (r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		return r;
	for (unsigned family = 0; family < FW__COUNT; family++)
		feed_set(&rd->peers.of[family], address_bytes((enum fw_family)family), fn, arg);
	return 0;
}

static void feed_guards(const struct nft_read *rd, os_object_fn *fn, void *arg)
{
	for (unsigned i = 0; i < FW__COUNT; i++) {
		const struct nft_guard *have = &rd->guard[i];
		const struct guard g = {
			.family = (enum fw_family)i,
			.port = have->port,
			.n_dropped = have->n_dropped,
			.altered = have->dormant || have->strange_chain || have->n_rules != 1,
		};

		if (have->have_chain)
			fn(arg, &(struct object){.kind = OBJECT_GUARD, .guard = &g});
	}
}

int nft_read_dump(struct nft_read *rd, const struct os_names *names, unsigned kinds,
		  os_object_fn *fn, void *arg, struct err *err)
{
	int r = read_consistent(rd, names, err);

	if (r == -EOPNOTSUPP)
		return 0; /* nothing there, and nothing that drops */
	if (r < 0)
		return r;
	for (unsigned i = 0; i < FW__COUNT && (kinds & OBJECT_BIT(OBJECT_FW_TABLE)); i++) {
		struct object own = {.kind = OBJECT_FW_TABLE, .fw_table = &rd->own[i].table};
		struct object left = {.kind = OBJECT_FW_TABLE, .fw_table = &rd->flannel[i].table};

		if (rd->own[i].have)
			fn(arg, &own);
		if (rd->flannel[i].have)
			fn(arg, &left);
	}
	if (kinds & OBJECT_BIT(OBJECT_GUARD)) {
		recount_guards(rd);
		feed_guards(rd, fn, arg);
	}
	for (size_t i = 0; i < rd->n_foreign && (kinds & OBJECT_BIT(OBJECT_FW_CHAIN)); i++) {
		struct object o = {.kind = OBJECT_FW_CHAIN, .fw_chain = &rd->foreign[i].chain};

		fn(arg, &o);
	}
	return 0;
}
