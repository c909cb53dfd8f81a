/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/masq.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "os/nlsock.h"
#include "wire/nl_masq.h"

#define LIMIT_STALE    64 /* rules of one attachment; more go with the next call */
#define BATCH_BYTES    16384
#define N_POSTROUTING  3 /* rules that stand there */
#define LIMIT_ATTEMPTS 5 /* somebody else deleted a rule by its handle before us */

static uint8_t rx[NLSOCK_RX_BYTES];

struct found {
	const char *key;
	uint64_t handles[LIMIT_STALE];
	size_t n, n_postrouting;
};

static int on_rule(void *arg, const struct nl_msg *m)
{
	struct found *f = arg;
	struct nl_masq_rule rule;

	if (nl_masq_decode(m, &rule) != 0)
		return 0;
	if (strcmp(rule.chain, NL_MASQ_POSTROUTING) == 0)
		f->n_postrouting++;
	else if (strncmp(rule.comment, f->key, strlen(f->key)) == 0 && f->n < LIMIT_STALE)
		f->handles[f->n++] = rule.handle;
	return 0;
}

/* The attachment's rules. No table is no rules. */
static int find(struct nlsock *s, const char *key, struct found *ret, struct err *err)
{
	int r = NLSOCK_INTERRUPTED;

	for (int i = 0; i < LIMIT_DUMP_TRIES && r == NLSOCK_INTERRUPTED; i++) {
		uint8_t bytes[512];
		struct nl_buf b = NL_BUF(bytes);

		*ret = (struct found){.key = key};
		nl_masq_get(&b, nlsock_seq(s));
		r = nlsock_dump(s, &b, on_rule, ret, err);
	}
	if (r == NLSOCK_INTERRUPTED)
		return err_set(err, -EAGAIN, "the rules change too fast to be read");
	return r == -ENOENT ? 0 : r;
}

static int send_change(struct nlsock *s, const struct nl_masq_change *c, struct err *err)
{
	uint8_t bytes[BATCH_BYTES];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_ack ack;
	int r;

	if (!nl_masq_put(&b, nlsock_seq(s), c))
		return err_set(err, -EMSGSIZE, "too many addresses");
	r = nlsock_transact(s, &b, &ack, err);
	if (ack.code == 0)
		return r;
	return err_set(err, ack.code, "%s%s%s", strerror(-ack.code), ack.text[0] ? ": " : "",
		       ack.text);
}

/* Looks and changes; once more if what was seen is past. */
static int apply(const struct cni_plan_owner *o, struct nl_masq_change *c, struct err *err)
{
	struct nlsock s = NLSOCK_CLOSED;
	char key[CNI_MASQ_KEY_SIZE];
	struct found found;
	int r;

	cni_masq_key(o, key);
	r = nlsock_open(&s, NETLINK_NETFILTER, rx, err);
	if (r < 0)
		return r;
	for (int i = 0; i < LIMIT_ATTEMPTS; i++) {
		r = find(&s, key, &found, err);
		if (r < 0 || (found.n == 0 && c->n_addrs == 0))
			break;
		c->gone = found.handles;
		c->n_gone = found.n;
		c->with_table = c->n_addrs > 0 && found.n_postrouting != N_POSTROUTING;
		r = send_change(&s, c, err);
		if (r != -ENOENT)
			break;
	}
	nlsock_close(&s);
	return r;
}

int masq_add(const struct cni_plan_owner *o, const struct cni_result *r, struct arena *a,
	     struct err *err)
{
	struct cidr *addrs = arena_array(a, struct cidr, r->n_ips);
	char comment[CNI_MASQ_COMMENT_SIZE];
	struct nl_masq_change c = {.addrs = addrs, .n_addrs = r->n_ips, .comment = comment};
	int rc;

	cni_masq_comment(o, comment);
	for (size_t i = 0; i < r->n_ips; i++)
		addrs[i] = r->ips[i].address;
	rc = apply(o, &c, err);
	return rc < 0 ? err_wrap(err, rc, "ipMasq: cannot masquerade the pod by nf_tables") : 0;
}

int masq_del(const struct cni_plan_owner *o, struct err *err)
{
	struct nl_masq_change c = {0};
	int rc = apply(o, &c, err);

	if (rc == -EPROTONOSUPPORT || rc == -EOPNOTSUPP || rc == -EINVAL)
		return 0;
	return rc < 0 ? err_wrap(err, rc, "ipMasq: cannot remove the pod's rules") : 0;
}
