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
#include "os/culprit.h"
#include "os/nft_read.h"
#include "os/nlsock.h"
#include "wire/nl_nft.h"

/* syscalls: setsockopt */

#define PEERS_PER_BATCH 512   /* 28 bytes each, if IPv6 */
#define TX_BYTES	16384 /* FW_CHAINS_MAX * FW_RULES_MAX rules of at most 420 bytes */

struct nft {
	struct nlsock request, watch;
	struct nft_read read;
	struct nl_nft msg; /* the one being looked at */
	uint8_t *rx;	   /* borrowed */
	uint8_t tx[TX_BYTES];
};

static int open_sockets(struct nft *n, struct err *err)
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
	int r;

	r = nlsock_open(&n->request, NETLINK_NETFILTER, n->rx, err);
	if (r == 0)
		r = nlsock_open(&n->watch, NETLINK_NETFILTER, n->rx, err);
	if (r == 0) {
		setsockopt(n->watch.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
		r = nlsock_join(&n->watch, NFNLGRP_NFTABLES, err);
	}
	if (r == 0)
		return 0;
	nlsock_close(&n->request);
	nlsock_close(&n->watch);
	if (r == -EPROTONOSUPPORT) /* not even nfnetlink */
		return err_set(err, -EOPNOTSUPP, "this kernel has no nf_tables");
	return err_wrap(err, r, "nf_tables");
}

int nft_open(uint8_t *rx, struct nft **ret, struct err *err)
{
	struct nft *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return err_set(err, -ENOMEM, "out of memory");
	n->rx = rx;
	n->request = n->watch = NLSOCK_CLOSED;
	nft_read_init(&n->read, &n->request);
	r = open_sockets(n, err);
	if (r < 0 && r != -EOPNOTSUPP) {
		nft_close(n);
		return r;
	}
	*ret = n;
	return 0;
}

/* A module may have been loaded since. */
static int be_open(struct nft *n, struct err *err)
{
	return n->request.fd >= 0 ? 0 : open_sockets(n, err);
}

void nft_close(struct nft *n)
{
	if (!n)
		return;
	nlsock_close(&n->request);
	nlsock_close(&n->watch);
	nft_read_fini(&n->read);
	free(n);
}

bool nft_is_there(struct nft *n)
{
	uint32_t generation;

	return be_open(n, NULL) != -EOPNOTSUPP &&
	       nft_read_generation(&n->read, &generation, NULL) != -EOPNOTSUPP;
}

static struct nl_buf tx(struct nft *n)
{
	return NL_BUF(n->tx);
}

int nft_dump(struct nft *n, const struct os_names *names, unsigned kinds, os_object_fn *fn,
	     void *arg, struct err *err)
{
	int r = be_open(n, err);

	if (r == -EOPNOTSUPP)
		return 0;
	if (r == 0 && (kinds & OBJECT_BIT(OBJECT_GUARD_PEER)))
		r = nft_read_peers(&n->read, names, fn, arg, err);
	if (r == 0 && (kinds & ~OBJECT_BIT(OBJECT_GUARD_PEER)))
		r = nft_read_dump(&n->read, names, kinds, fn, arg, err);
	return r;
}

/* ---- changing ---- */

static bool encode_splice(struct nl_buf *b, uint32_t seq, const struct fw_chain *c, size_t n_ours,
			  const struct nft_place *place)
{
	return nl_nft_put_splice(b, seq,
				 &(struct nl_nft_splice){
					 .family = c->family,
					 .table = c->table,
					 .chain = c->chain,
					 .generation = place->generation,
					 .handles = place->handles,
					 .n_handles = place->n_handles,
					 .before = place->before,
					 .ours = c->ours,
					 .n_ours = n_ours,
				 });
}

static bool encode_removal(struct nl_buf *b, uint32_t seq, const struct fw_chain *c,
			   const struct nft_place *place)
{
	const struct fw_flannel_chain *f = fw_flannel_chain(c->table, c->chain);

	assert(f);
	return nl_nft_del_chain(b, seq,
				&(struct nl_nft_removal){
					.family = c->family,
					.table = c->table,
					.chain = c->chain,
					.generation = place->generation,
					.base = f->base,
					.handles = place->handles,
					.n_handles = place->n_handles,
				});
}

/* In a chain of others, our accepts replaced by the first n_ours of `c`; a chain of flannel's goes, and
 * the jumps to it. Where all that is and belongs is what the rules say now, for the dump may be past.
 * If somebody is quicker still, the kernel refuses the batch and we begin again. */
static int put_chain(struct nft *n, const struct os_names *names, const struct fw_chain *c,
		     size_t n_ours, struct nl_ack *ret_ack, struct err *err)
{
	const bool flannels = c->owner == FW_OWNER_FLANNEL;
	int r = -EAGAIN;

	assert(names->fw_comment[0]); /* or all rules without one were ours */
	for (int tries = 0; tries < LIMIT_DUMP_TRIES; tries++) {
		struct nft_place place;
		struct nl_buf b = tx(n);
		uint32_t seq;
		bool fits;

		r = nft_read_place(&n->read, names, c, &place, err);
		if (r < 0)
			return r;
		if (!flannels && place.n_handles == 0 && n_ours == 0)
			return 0;
		seq = nlsock_seq(&n->request);
		fits = flannels ? encode_removal(&b, seq, c, &place)
				: encode_splice(&b, seq, c, n_ours, &place);
		if (!fits)
			return err_set(err, -EMSGSIZE, "nf_tables: too large a change");
		r = nlsock_transact(&n->request, &b, ret_ack, err);
		if (r != -ERESTART)
			return r;
	}
	return r;
}

static int put_table(struct nft *n, const struct op *op, struct nl_ack *ret_ack, struct err *err)
{
	const struct fw_table *t = op->object.fw_table, *old = op->old.fw_table;
	struct nl_buf b = tx(n);
	uint32_t seq = nlsock_seq(&n->request);
	bool fits;

	if (op->verb == OP_DEL)
		fits = nl_nft_del_table(&b, seq, t);
	else if (old && fw_table_same_chains(t, old))
		fits = nl_nft_put_rules(&b, seq, t);
	else
		fits = nl_nft_put_table(&b, seq, t);
	if (!fits)
		return err_set(err, -EMSGSIZE, "nf_tables: too large a change");
	return nlsock_transact(&n->request, &b, ret_ack, err);
}

static int put_guard(struct nft *n, const struct os_names *names, const struct op *op,
		     struct nl_ack *ret_ack, struct err *err)
{
	const struct guard *g = op->object.guard;
	const bool again = op->old.guard != NULL;
	struct nl_buf b = tx(n);
	uint32_t seq = nlsock_seq(&n->request);
	bool fits;
	int r = 0;

	if (again && nl_nft_wake_guard(&b, seq, names->guard_table, g->family))
		r = nlsock_transact(&n->request, &b, ret_ack, err);
	if (r < 0)
		return r;
	b = tx(n);
	seq = nlsock_seq(&n->request);
	if (op->verb == OP_DEL)
		fits = nl_nft_del_guard(&b, seq, names->guard_table, g->family);
	else
		fits = nl_nft_put_guard(&b, seq, names->guard_table, g, again);
	if (!fits)
		return err_set(err, -EMSGSIZE, "nf_tables: too large a change");
	return nlsock_transact(&n->request, &b, ret_ack, err);
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

static void table_of(struct nft *n, const struct os_names *names, const struct op *op,
		     struct ownership *ret)
{
	const struct object *o = &op->object;

	*ret = (struct ownership){.n = n, .table = names->guard_table};
	if (o->kind == OBJECT_FW_CHAIN) {
		ret->family = o->fw_chain->family;
		ret->table = o->fw_chain->table;
	} else if (o->kind == OBJECT_FW_TABLE) {
		ret->family = o->fw_table->family;
		ret->table = o->fw_table->name;
	} else if (o->kind == OBJECT_GUARD) {
		ret->family = o->guard->family;
	} else {
		ret->family = ip_is_v4(&o->guard_peer->ip) ? FW_IP : FW_IP6;
	}
}

static void explain(struct ownership *o, int code, const struct nl_ack *ack, const struct err *err,
		    struct text *t)
{
	struct nft *n = o->n;
	struct nl_buf b = tx(n);
	struct culprit owner;
	struct err none = {""};
	uint32_t generation;

	/* Each request is then refused in its own way. */
	if ((code == -EINVAL || code == -EOPNOTSUPP) &&
	    nft_read_generation(&n->read, &generation, &none) == -EOPNOTSUPP) {
		text_add(t, "%s", none.text);
		return;
	}
	if (ack->code == 0 && err->text[0]) {
		text_add(t, "%s", err->text);
		return;
	}
	if (code == -EPERM) {
		nl_nft_get_tables(&b, nlsock_seq(&n->request));
		if (nlsock_dump(&n->request, &b, on_owner, o, NULL) < 0) {
			text_add(t, "not permitted (CAP_NET_ADMIN is missing)");
			return;
		}
	}
	if (o->owned) {
		culprit_lookup(o->port, NULL, &owner);
		text_add(t, "table %s %s belongs to ", fw_family_names[o->family], o->table);
		text_add_escaped(t, owner.comm, strlen(owner.comm));
		text_add(t, "%spid %u alone (owner flag)", owner.comm[0] ? ", " : "", o->port);
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
	struct ownership of;
	int r;

	r = be_open(n, &story);
	if (r < 0) {
		text_add(&t, "%s", story.text);
		return err_set(err, r, "%s", text);
	}
	if (op->object.kind == OBJECT_FW_TABLE)
		r = put_table(n, op, &ack, &story);
	else if (op->object.kind == OBJECT_GUARD)
		r = put_guard(n, names, op, &ack, &story);
	else
		r = put_chain(n, names, op->object.fw_chain,
			      remove ? 0 : op->object.fw_chain->n_ours, &ack, &story);
	if (r == 0)
		return 0;
	table_of(n, names, op, &of);
	explain(&of, r, &ack, &story, &t);
	return err_set(err, r, "nf_tables: %s", text);
}

/* May op i be in one transaction with the first? */
static bool is_alike(const struct op *ops, size_t i)
{
	const struct op *a = &ops[0], *b = &ops[i];

	return b->object.kind == OBJECT_GUARD_PEER && a->verb == b->verb &&
	       ip_is_v4(&a->object.guard_peer->ip) == ip_is_v4(&b->object.guard_peer->ip);
}

int nft_apply_peers(struct nft *n, const struct os_names *names, const struct plan *rest,
		    size_t *ret_n, char text[120], struct err *err)
{
	struct text t = {.buf = text, .size_bytes = 120};
	struct nl_buf b = tx(n);
	struct err story = {""};
	struct ownership of;
	struct nl_ack ack;
	size_t alike = 1;
	int r;

	while (alike < MIN(rest->n, (size_t)PEERS_PER_BATCH) && is_alike(rest->ops, alike))
		alike++;
	*ret_n = alike;
	r = be_open(n, &story);
	if (r < 0) {
		text_add(&t, "%s", story.text);
		return err_set(err, r, "%s", text);
	}
	if (!nl_nft_put_peers(&b, nlsock_seq(&n->request), names->guard_table, rest->ops, alike))
		return err_set(err, -EMSGSIZE, "nf_tables: too large a change");
	r = nlsock_transact(&n->request, &b, &ack, &story);
	if (r == 0)
		return 0;
	table_of(n, names, rest->ops, &of);
	explain(&of, r, &ack, &story, &t);
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
	w->ret->kinds = OBJECT_BIT(OBJECT_FW_TABLE) | OBJECT_BIT(OBJECT_FW_CHAIN) |
			OBJECT_BIT(OBJECT_GUARD_PEER) | OBJECT_BIT(OBJECT_GUARD);
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
