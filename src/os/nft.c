/* SPDX-License-Identifier: Apache-2.0 */
#include "os/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "model/fw_walk.h"
#include "os/culprit.h"
#include "os/nlsock.h"
#include "wire/nl_nft.h"

#define TX_BYTES 16384 /* FW_CHAINS_MAX * FW_RULES_MAX rules of at most 420 bytes */

/* Ours in one foreign chain that one transaction deletes; with more the next pass goes on. */
#define LIMIT_NFT_HANDLES 64
#define LIMIT_NFT_FORWARD 256 /* foreign base chains at hook forward */

struct foreign {
	struct fw_chain chain;
	bool dormant; /* its table is switched off: no packet comes here */
	char table_name[NL_NFT_NAME_SIZE], chain_name[NL_NFT_NAME_SIZE]; /* uncut */
};

/* What one generation of the rule set holds for us, and the names it was read with. */
struct reading {
	bool valid;
	uint32_t generation;
	char fw_table[FW_NAME_SIZE], fw_comment[FW_COMMENT_SIZE];
	bool have_own[FW__COUNT];
	uint32_t own_use[FW__COUNT]; /* chains seen in the own table */
	struct fw_table own[FW__COUNT];
	struct foreign *foreign;
	size_t n_foreign, n_space;
};

struct nft {
	struct nlsock request, watch;
	struct reading reading;
	struct fw_walk walk;
	struct nl_nft msg; /* the one being looked at */
	uint8_t rx[NLSOCK_RX_BYTES];
	uint8_t tx[TX_BYTES];
};

int nft_open(struct nft **ret, struct err *err)
{
	/* Of a transaction's many messages only the last matters, NEWGEN: a flood of the others would
	 * fill the queue. It comes in a datagram of its own. Loads of BPF swap as ntohs() does. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 ntohs(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = {ARRAY_SIZE(code), code};
	struct nft *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return err_set(err, -ENOMEM, "out of memory");
	n->request = n->watch = NLSOCK_CLOSED;
	r = nlsock_open(&n->request, NETLINK_NETFILTER, n->rx, err);
	if (r < 0)
		goto out;
	r = nlsock_open(&n->watch, NETLINK_NETFILTER, n->rx, err);
	if (r < 0)
		goto out;
	setsockopt(n->watch.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
	r = nlsock_join(&n->watch, NFNLGRP_NFTABLES, err);
	if (r < 0)
		goto out;
	*ret = TAKE_PTR(n);
out:
	nft_close(n);
	return r;
}

void nft_close(struct nft *n)
{
	if (!n)
		return;
	nlsock_close(&n->request);
	nlsock_close(&n->watch);
	free(n->reading.foreign);
	free(n);
}

static struct nl_buf tx(struct nft *n)
{
	return NL_BUF(n->tx);
}

/* ---- generation ---- */

static int on_generation(void *arg, const struct nl_msg *m)
{
	struct nft *n = arg;

	return nl_nft_decode(m, &n->msg) ? 0 : -EBADMSG;
}

/* -EOPNOTSUPP if this kernel has no nf_tables. */
static int get_generation(struct nft *n, uint32_t *ret, struct err *err)
{
	struct nl_buf b = tx(n);
	struct nl_ack ack;
	int r;

	n->msg.type = NL_NFT_OTHER;
	nl_nft_get_gen(&b, nlsock_seq(&n->request));
	r = nlsock_request(&n->request, &b, on_generation, n, &ack);
	if (r == -EINVAL || r == -EOPNOTSUPP) /* nfnetlink knows no such subsystem */
		return err_set(err, -EOPNOTSUPP, "this kernel has no nf_tables");
	if (r == -EPERM)
		return err_set(err, r, "nf_tables: not permitted (CAP_NET_ADMIN is missing)");
	if (r == 0 && n->msg.type != NL_NFT_GEN)
		r = -ENOMSG;
	if (r < 0)
		return err_set(err, r, "nf_tables: cannot read the generation: %s", strerror(-r));
	*ret = n->msg.gen.id;
	return 0;
}

/* ---- reading ---- */

/* Names that do not fit are cut: they are for the reader only. */
static void cut_copy(char *dst, size_t size_bytes, const char *s)
{
	struct text t = {.buf = dst, .size_bytes = size_bytes};

	text_add(&t, "%s", s);
}

static bool is_own(const struct nft *n, const char *table)
{
	return strcmp(table, n->reading.fw_table) == 0;
}

static void add_own_chain(struct reading *rd, const struct nl_nft_chain *c)
{
	struct fw_table *t = &rd->own[c->family];
	struct fw_own_chain own = {
		.nat = c->nat,
		.hook = c->hook,
		.priority = c->priority,
		.policy_drop = c->policy_drop,
	};
	size_t at;

	rd->own_use[c->family]++;
	if (!c->base || t->n_chains == FW_CHAINS_MAX ||
	    !text_copy(own.name, sizeof(own.name), c->name)) {
		t->extra = true;
		return;
	}
	for (at = t->n_chains++; at > 0 && strcmp(t->chains[at - 1].name, own.name) > 0; at--)
		t->chains[at] = t->chains[at - 1];
	t->chains[at] = own;
}

static int add_foreign(struct reading *rd, const struct nl_nft_chain *c)
{
	struct foreign *f;

	if (rd->n_foreign == LIMIT_NFT_FORWARD)
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
	*f = (struct foreign){
		.chain =
			{
				.family = c->family,
				.priority = c->priority,
				.policy_drop = c->policy_drop,
				.owner = FW_OWNER_NATIVE,
			},
	};
	if (c->family != FW_INET && strcmp(c->table, "filter") == 0 &&
	    strcmp(c->name, "FORWARD") == 0)
		f->chain.owner = FW_OWNER_IPTABLES;
	cut_copy(f->chain.table, sizeof(f->chain.table), c->table);
	cut_copy(f->chain.chain, sizeof(f->chain.chain), c->name);
	text_copy(f->table_name, sizeof(f->table_name), c->table);
	text_copy(f->chain_name, sizeof(f->chain_name), c->name);
	return 0;
}

static int on_chain(void *arg, const struct nl_msg *m)
{
	struct nft *n = arg;
	const struct nl_nft_chain *c = &n->msg.chain;

	if (!nl_nft_decode(m, &n->msg))
		return -EBADMSG;
	if (n->msg.type != NL_NFT_CHAIN)
		return 0;
	if (is_own(n, c->table))
		add_own_chain(&n->reading, c);
	else if (c->base && c->hook == FW_HOOK_FORWARD)
		return add_foreign(&n->reading, c);
	return 0;
}

static void set_table(struct foreign *f, const struct nl_nft_table *t)
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
	struct nft *n = arg;
	struct reading *rd = &n->reading;
	const struct nl_nft_table *t = &n->msg.table;

	if (!nl_nft_decode(m, &n->msg))
		return -EBADMSG;
	if (n->msg.type != NL_NFT_TABLE)
		return 0;
	if (is_own(n, t->name)) {
		rd->have_own[t->family] = true;
		rd->own[t->family].dormant = t->dormant;
		if (t->use != rd->own_use[t->family])
			rd->own[t->family].extra = true; /* sets and the like */
		return 0;
	}
	for (size_t i = 0; i < rd->n_foreign; i++) {
		struct foreign *f = &rd->foreign[i];

		if (f->chain.family == t->family && strcmp(f->table_name, t->name) == 0)
			set_table(f, t);
	}
	return 0;
}

static int on_own_rule(void *arg, const struct nl_msg *m)
{
	struct nft *n = arg;
	const struct nl_nft_rule *rule = &n->msg.rule;
	struct fw_table *t;

	if (!nl_nft_decode(m, &n->msg))
		return -EBADMSG;
	if (n->msg.type != NL_NFT_RULE || !is_own(n, rule->table))
		return 0;
	t = &n->reading.own[rule->family];
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
	struct nft *n;
	struct foreign *f;
	const char *chain;
	bool base;
};

static void add_ours(struct fw_chain *c, const struct nl_nft_rule *rule)
{
	if (c->n_ours == FW_RULES_MAX) {
		c->ours_extra = true;
		return;
	}
	c->ours[c->n_ours] = rule->rule;
	c->handles[c->n_ours] = rule->handle;
	c->n_ours++;
}

static int on_foreign_rule(void *arg, const struct nl_msg *m)
{
	struct walk *w = arg;
	struct nft *n = w->n;
	const struct nl_nft_rule *rule = &n->msg.rule;
	bool ours;

	if (!nl_nft_decode(m, &n->msg))
		return -EBADMSG;
	/* The names again: Linux before 4.15 dumps all rules. */
	if (n->msg.type != NL_NFT_RULE || rule->family != w->f->chain.family ||
	    strcmp(rule->table, w->f->table_name) != 0 || strcmp(rule->chain, w->chain) != 0)
		return 0;
	ours = w->base && strcmp(rule->rule.comment, n->reading.fw_comment) == 0;
	if (ours)
		add_ours(&w->f->chain, rule);
	fw_walk_rule(&n->walk, &rule->step, ours);
	return 0;
}

static int walk_foreign(struct nft *n, struct foreign *f, struct err *err)
{
	struct walk w = {.n = n, .f = f, .chain = f->chain_name, .base = true};
	struct fw_chain *c = &f->chain;

	fw_walk_begin(&n->walk, c->policy_drop);
	for (; w.chain; w.chain = fw_walk_next(&n->walk), w.base = false) {
		struct nl_buf b = tx(n);
		int r;

		nl_nft_get_rules(&b, nlsock_seq(&n->request), c->family, f->table_name, w.chain);
		r = nlsock_dump(&n->request, &b, on_foreign_rule, &w, err);
		if (r != 0)
			return r;
	}
	c->may_drop = n->walk.may_drop && !f->dormant;
	c->may_drop_before_ours = n->walk.may_drop_before_ours && !f->dormant;
	c->n_before = n->walk.n_before;
	return 0;
}

/* 0, NLSOCK_INTERRUPTED or -errno. */
static int read_all(struct nft *n, struct err *err)
{
	struct reading *rd = &n->reading;
	struct nl_buf b = tx(n);
	int r;

	rd->n_foreign = 0;
	memset(rd->have_own, 0, sizeof(rd->have_own));
	memset(rd->own_use, 0, sizeof(rd->own_use));
	memset(rd->own, 0, sizeof(rd->own));
	for (unsigned i = 0; i < FW__COUNT; i++) {
		rd->own[i].family = (enum fw_family)i;
		text_copy(rd->own[i].name, sizeof(rd->own[i].name), rd->fw_table);
	}

	nl_nft_get_chains(&b, nlsock_seq(&n->request));
	r = nlsock_dump(&n->request, &b, on_chain, n, err);
	if (r != 0)
		return r;
	b = tx(n);
	nl_nft_get_tables(&b, nlsock_seq(&n->request));
	r = nlsock_dump(&n->request, &b, on_table, n, err);
	for (unsigned i = 0; r == 0 && i < FW__COUNT; i++) {
		if (!rd->have_own[i])
			continue;
		b = tx(n);
		nl_nft_get_rules(&b, nlsock_seq(&n->request), (enum fw_family)i, rd->fw_table,
				 NULL);
		r = nlsock_dump(&n->request, &b, on_own_rule, n, err);
	}
	for (size_t i = 0; r == 0 && i < rd->n_foreign; i++)
		r = walk_foreign(n, &rd->foreign[i], err);
	return r;
}

/* The same generation and the same names: the same answer. Except that a table with an owner goes
 * without a new generation when its owner's socket closes (nft_rcv_nl_event). */
static bool still_valid(const struct reading *rd, uint32_t generation, const struct os_names *names)
{
	if (!rd->valid || rd->generation != generation ||
	    strcmp(rd->fw_table, names->fw_table) != 0 ||
	    strcmp(rd->fw_comment, names->fw_comment) != 0)
		return false;
	for (size_t i = 0; i < rd->n_foreign; i++) {
		if (rd->foreign[i].chain.table_owned)
			return false;
	}
	return true;
}

/* Brings n->reading up to date: all of it from one generation. */
static int read_consistent(struct nft *n, const struct os_names *names, struct err *err)
{
	struct reading *rd = &n->reading;
	uint32_t before, after;
	int r;

	for (int tries = 0; tries < LIMIT_DUMP_TRIES; tries++) {
		r = get_generation(n, &before, err);
		if (r < 0)
			return r;
		if (still_valid(rd, before, names))
			return 0;
		rd->valid = false;
		text_copy(rd->fw_table, sizeof(rd->fw_table), names->fw_table);
		text_copy(rd->fw_comment, sizeof(rd->fw_comment), names->fw_comment);
		r = read_all(n, err);
		if (r < 0)
			return err_wrap(err, r, "nf_tables");
		if (r == NLSOCK_INTERRUPTED)
			continue;
		r = get_generation(n, &after, err);
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

int nft_dump(struct nft *n, const struct os_names *names, unsigned kinds, os_object_fn *fn,
	     void *arg, struct err *err)
{
	const struct reading *rd = &n->reading;
	int r = read_consistent(n, names, err);

	if (r == -EOPNOTSUPP)
		return 0; /* nothing there, and nothing that drops */
	if (r < 0)
		return r;
	for (unsigned i = 0; i < FW__COUNT && (kinds & OBJECT_BIT(OBJECT_FW_TABLE)); i++) {
		struct object o = {.kind = OBJECT_FW_TABLE, .fw_table = &rd->own[i]};

		if (rd->have_own[i])
			fn(arg, &o);
	}
	for (size_t i = 0; i < rd->n_foreign && (kinds & OBJECT_BIT(OBJECT_FW_CHAIN)); i++) {
		struct object o = {.kind = OBJECT_FW_CHAIN, .fw_chain = &rd->foreign[i].chain};

		fn(arg, &o);
	}
	return 0;
}

/* ---- changing ---- */

/* The first refusal of a batch: those behind it follow from it. */
static void on_refusal(void *arg, const struct nl_ack *ack)
{
	struct nl_ack *first = arg;

	if (first->code == 0)
		*first = *ack;
}

static int on_late_refusal(void *arg, const struct nl_msg *m)
{
	struct nl_ack ack;

	if (nl_ack_decode(m, &ack) && ack.code < 0)
		on_refusal(arg, &ack);
	return 0;
}

static int send_batch(struct nft *n, struct nl_buf *b, struct nl_ack *ret_ack, struct err *err)
{
	int r;

	*ret_ack = (struct nl_ack){0};
	r = nlsock_batch(&n->request, b, on_refusal, ret_ack, err);
	if (r < 0)
		return r;
	/* One answer ends the exchange; the others lie behind it. */
	nlsock_drain(&n->request, on_late_refusal, ret_ack);
	return ret_ack->code;
}

/* The handles of our rules in one foreign chain. */
struct handles {
	struct nft *n;
	const struct fw_chain *chain;
	const char *comment;
	size_t n_handles;
	uint64_t handles[LIMIT_NFT_HANDLES];
};

static int on_handle(void *arg, const struct nl_msg *m)
{
	struct handles *h = arg;
	const struct nl_nft_rule *rule = &h->n->msg.rule;

	if (!nl_nft_decode(m, &h->n->msg))
		return -EBADMSG;
	if (h->n->msg.type == NL_NFT_RULE && rule->family == h->chain->family &&
	    strcmp(rule->table, h->chain->table) == 0 &&
	    strcmp(rule->chain, h->chain->chain) == 0 &&
	    strcmp(rule->rule.comment, h->comment) == 0 && h->n_handles < LIMIT_NFT_HANDLES)
		h->handles[h->n_handles++] = rule->handle;
	return 0;
}

/* Our accepts in a chain replaced by `ours`. The handles are read anew: those of the dump may be
 * past. If somebody is quicker still, the kernel refuses the batch and we begin again. */
static int splice(struct nft *n, const struct fw_chain *c, const char *comment, size_t n_ours,
		  struct nl_ack *ret_ack, struct err *err)
{
	int r = -EAGAIN;

	for (int tries = 0; tries < LIMIT_DUMP_TRIES; tries++) {
		struct handles h = {.n = n, .chain = c, .comment = comment};
		struct nl_nft_splice s = {
			.family = c->family,
			.table = c->table,
			.chain = c->chain,
			.handles = h.handles,
			.ours = c->ours,
			.n_ours = n_ours,
		};
		struct nl_buf b = tx(n);

		r = get_generation(n, &s.generation, err);
		if (r < 0)
			return r;
		nl_nft_get_rules(&b, nlsock_seq(&n->request), c->family, c->table, c->chain);
		r = nlsock_dump(&n->request, &b, on_handle, &h, err);
		if (r < 0)
			return r;
		s.n_handles = h.n_handles;
		if (s.n_handles == 0 && n_ours == 0)
			return 0;
		b = tx(n);
		if (!nl_nft_put_splice(&b, nlsock_seq(&n->request), &s))
			return err_set(err, -EMSGSIZE, "nf_tables: too large a change");
		r = send_batch(n, &b, ret_ack, err);
		if (r != -ERESTART)
			return r;
	}
	return r;
}

static int replace_table(struct nft *n, const struct fw_table *t, bool remove,
			 struct nl_ack *ret_ack, struct err *err)
{
	struct nl_buf b = tx(n);
	uint32_t seq = nlsock_seq(&n->request);

	if (!(remove ? nl_nft_del_table(&b, seq, t) : nl_nft_put_table(&b, seq, t)))
		return err_set(err, -EMSGSIZE, "nf_tables: too large a change");
	return send_batch(n, &b, ret_ack, err);
}

/* Whose table is it that we may not write? */
struct ownership {
	struct nft *n;
	enum fw_family family;
	const char *table;
	bool owned;
	uint32_t port;
};

static int on_owner(void *arg, const struct nl_msg *m)
{
	struct ownership *o = arg;
	const struct nl_nft_table *t = &o->n->msg.table;

	if (!nl_nft_decode(m, &o->n->msg))
		return -EBADMSG;
	if (o->n->msg.type == NL_NFT_TABLE && t->family == o->family &&
	    strcmp(t->name, o->table) == 0) {
		o->owned = t->owned;
		o->port = t->owner_port;
	}
	return 0;
}

static void explain(struct nft *n, const struct op *op, int code, const struct nl_ack *ack,
		    const struct err *err, struct text *t)
{
	bool chain = op->object.kind == OBJECT_FW_CHAIN;
	struct ownership o = {
		.n = n,
		.family = chain ? op->object.fw_chain->family : op->object.fw_table->family,
		.table = chain ? op->object.fw_chain->table : op->object.fw_table->name,
	};
	struct nl_buf b = tx(n);
	struct culprit owner;

	if (ack->code == 0 && err->text[0]) {
		text_add(t, "%s", err->text);
		return;
	}
	if (code == -EPERM) {
		nl_nft_get_tables(&b, nlsock_seq(&n->request));
		if (nlsock_dump(&n->request, &b, on_owner, &o, NULL) < 0) {
			text_add(t, "not permitted (CAP_NET_ADMIN is missing)");
			return;
		}
	}
	if (o.owned) {
		culprit_lookup(o.port, NULL, &owner);
		text_add(t, "table %s %s belongs to ", fw_family_names[o.family], o.table);
		text_add_escaped(t, owner.comm, strlen(owner.comm));
		text_add(t, "%spid %u alone (owner flag)", owner.comm[0] ? ", " : "", o.port);
		return;
	}
	text_add(t, "%s%s%s", strerror(-code), ack->text[0] ? ": " : "", ack->text);
}

int nft_apply(struct nft *n, const struct os_names *names, const struct op *op, char text[120],
	      struct err *err)
{
	struct text t = {.buf = text, .size_bytes = 120};
	struct nl_ack ack = {0};
	struct err story = {""};
	bool remove = op->verb == OP_DEL;
	int r;

	if (op->object.kind == OBJECT_FW_TABLE)
		r = replace_table(n, op->object.fw_table, remove, &ack, &story);
	else
		r = splice(n, op->object.fw_chain, names->fw_comment,
			   remove ? 0 : op->object.fw_chain->n_ours, &ack, &story);
	if (r == 0)
		return 0;
	explain(n, op, r, &ack, &story, &t);
	return err_set(err, r, "nf_tables: %s", text);
}

/* ---- watching ---- */

int nft_watch_fd(const struct nft *n)
{
	return n->watch.fd;
}

struct watcher {
	struct nft *n;
	struct os_notice *ret;
	uint32_t pid;
	char comm[16];
};

static int on_notice(void *arg, const struct nl_msg *m)
{
	struct watcher *w = arg;

	if (!nl_nft_decode(m, &w->n->msg) || w->n->msg.type != NL_NFT_GEN)
		return 0;
	if (m->port == w->n->request.port)
		return 0; /* our own transaction */
	w->ret->kinds = OBJECT_BIT(OBJECT_FW_TABLE) | OBJECT_BIT(OBJECT_FW_CHAIN);
	w->pid = w->n->msg.gen.pid;
	text_copy(w->comm, sizeof(w->comm), w->n->msg.gen.comm);
	return 0;
}

int nft_watch_read(struct nft *n, struct os_notice *ret)
{
	struct watcher w = {.n = n, .ret = ret};
	int r;

	*ret = (struct os_notice){0};
	r = nlsock_drain(&n->watch, on_notice, &w);
	if (r < 0 && r != -ENOBUFS)
		return r;
	culprit_lookup(w.pid, w.comm, &ret->who);
	if (r == -ENOBUFS) {
		ret->lost = true;
		ret->kinds = OBJECT_ALL;
	}
	return ret->kinds != 0;
}
