/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/nl.h"

#include <linux/netlink.h>
#include <string.h>

#include "base/text.h"

#define ALIGN4(n) (((n) + 3) & ~(size_t)3)

/* ---- writing ---- */

/* Room for n bytes, zero-padded to 4; NULL once the message does not fit. */
static uint8_t *reserve(struct nl_buf *b, size_t n)
{
	size_t padded = ALIGN4(n);
	uint8_t *at;

	if (b->full || padded < n || padded > b->size_bytes - b->len) {
		b->full = true;
		return NULL;
	}
	at = b->bytes + b->len;
	memset(at + n, 0, padded - n);
	b->len += padded;
	return at;
}

void nl_begin(struct nl_buf *b, uint16_t type, uint16_t flags, uint32_t seq, const void *header,
	      size_t n)
{
	struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = seq};
	uint8_t *at;

	b->begin = b->len;
	b->full = false;
	at = reserve(b, sizeof(h));
	if (at)
		memcpy(at, &h, sizeof(h));
	at = reserve(b, n);
	if (at && n > 0)
		memcpy(at, header, n);
}

bool nl_end(struct nl_buf *b)
{
	uint32_t len = (uint32_t)(b->len - b->begin);

	if (b->full) {
		b->len = b->begin;
		b->full = false;
		return false;
	}
	memcpy(b->bytes + b->begin + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
	b->last = b->begin;
	return true;
}

void nl_put(struct nl_buf *b, uint16_t type, const void *value, size_t n)
{
	struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + n), .nla_type = type};
	uint8_t *at;

	if (n > UINT16_MAX - sizeof(a)) {
		b->full = true;
		return;
	}
	at = reserve(b, sizeof(a) + n);
	if (!at)
		return;
	memcpy(at, &a, sizeof(a));
	if (n > 0)
		memcpy(at + sizeof(a), value, n);
}

void nl_put_u8(struct nl_buf *b, uint16_t type, uint8_t v)
{
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_u16(struct nl_buf *b, uint16_t type, uint16_t v)
{
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_u32(struct nl_buf *b, uint16_t type, uint32_t v)
{
	nl_put(b, type, &v, sizeof(v));
}

static void put_be(struct nl_buf *b, uint16_t type, uint64_t v, size_t n)
{
	uint8_t be[8];

	for (size_t i = 0; i < n; i++)
		be[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	nl_put(b, type, be, n);
}

void nl_put_be16(struct nl_buf *b, uint16_t type, uint16_t v)
{
	put_be(b, type, v, sizeof(v));
}

void nl_put_be32(struct nl_buf *b, uint16_t type, uint32_t v)
{
	put_be(b, type, v, sizeof(v));
}

void nl_put_be64(struct nl_buf *b, uint16_t type, uint64_t v)
{
	put_be(b, type, v, sizeof(v));
}

void nl_put_str(struct nl_buf *b, uint16_t type, const char *s)
{
	nl_put(b, type, s, strlen(s) + 1);
}

void nl_put_ip(struct nl_buf *b, uint16_t type, const struct ip *ip)
{
	size_t n;
	const uint8_t *bytes = ip_bytes(ip, &n);

	nl_put(b, type, bytes, n);
}

size_t nl_nest(struct nl_buf *b, uint16_t type)
{
	size_t nest = b->len;

	nl_put(b, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void nl_nest_end(struct nl_buf *b, size_t nest)
{
	size_t n = b->len - nest;
	uint16_t len = (uint16_t)n;

	if (n > UINT16_MAX)
		b->full = true;
	if (!b->full)
		memcpy(b->bytes + nest + offsetof(struct nlattr, nla_len), &len, sizeof(len));
}

/* ---- reading ---- */

static void advance(struct nl_bytes *rest, size_t n)
{
	n = MIN(ALIGN4(n), rest->n);
	rest->p += n;
	rest->n -= n;
}

bool nl_msg_next(struct nl_bytes *rest, struct nl_msg *ret)
{
	struct nlmsghdr h;

	if (rest->n < sizeof(h))
		return false;
	memcpy(&h, rest->p, sizeof(h));
	if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > rest->n)
		return false;
	*ret = (struct nl_msg){
		.type = h.nlmsg_type,
		.flags = h.nlmsg_flags,
		.seq = h.nlmsg_seq,
		.port = h.nlmsg_pid,
		.body = {rest->p + sizeof(h), h.nlmsg_len - sizeof(h)},
	};
	advance(rest, h.nlmsg_len);
	return true;
}

bool nl_attr_next(struct nl_bytes *rest, struct nl_attr *ret)
{
	struct nlattr a;

	if (rest->n < sizeof(a))
		return false;
	memcpy(&a, rest->p, sizeof(a));
	if (a.nla_len < sizeof(a) || a.nla_len > rest->n)
		return false;
	*ret = (struct nl_attr){
		.type = a.nla_type & NLA_TYPE_MASK,
		.value = {rest->p + sizeof(a), a.nla_len - sizeof(a)},
	};
	advance(rest, a.nla_len);
	return true;
}

bool nl_header(const struct nl_msg *m, void *ret_header, size_t n, struct nl_bytes *ret_attrs)
{
	if (m->body.n < n)
		return false;
	memcpy(ret_header, m->body.p, n);
	*ret_attrs = m->body;
	advance(ret_attrs, n);
	return true;
}

bool nl_attr_find(struct nl_bytes attrs, uint16_t type, struct nl_attr *ret)
{
	struct nl_attr a;

	while (nl_attr_next(&attrs, &a)) {
		if (a.type == type) {
			*ret = a;
			return true;
		}
	}
	return false;
}

uint8_t nl_get_u8(const struct nl_attr *a)
{
	return a->value.n == 1 ? a->value.p[0] : 0;
}

uint32_t nl_get_u32(const struct nl_attr *a)
{
	uint32_t v = 0;

	if (a->value.n == sizeof(v))
		memcpy(&v, a->value.p, sizeof(v));
	return v;
}

static uint64_t get_be(const struct nl_attr *a, size_t n)
{
	uint64_t v = 0;

	if (a->value.n != n)
		return 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | a->value.p[i];
	return v;
}

uint16_t nl_get_be16(const struct nl_attr *a)
{
	return (uint16_t)get_be(a, sizeof(uint16_t));
}

uint32_t nl_get_be32(const struct nl_attr *a)
{
	return (uint32_t)get_be(a, sizeof(uint32_t));
}

uint64_t nl_get_be64(const struct nl_attr *a)
{
	return get_be(a, sizeof(uint64_t));
}

struct ip nl_get_ip(const struct nl_attr *a)
{
	return ip_from_bytes(a->value.p, a->value.n);
}

bool nl_get_str(const struct nl_attr *a, char *dst, size_t size_bytes)
{
	size_t n = a->value.n ? strnlen((const char *)a->value.p, a->value.n) : 0;
	bool fits = n < size_bytes;

	if (!fits)
		n = 0;
	if (n > 0) /* a value that is not there has no address */
		memcpy(dst, a->value.p, n);
	dst[n] = '\0';
	return fits;
}

/* ---- tables ---- */

/* Writes one member if the attribute has the right size. Big-endian members are stored by value:
 * their C type is the host's. */
static void read_field(const struct nl_field *f, const struct nl_attr *a, uint8_t *member)
{
	const uint8_t *p = a->value.p;
	size_t n = a->value.n;
	bool flag = true;
	struct ip ip;

	switch (f->how) {
	case NL_BOOL:
		flag = nl_get_u8(a) != 0;
		if (n == 1)
			memcpy(member, &flag, sizeof(flag));
		return;
	case NL_PRESENT:
		memcpy(member, &flag, sizeof(flag));
		return;
	case NL_U8:
	case NL_U16:
	case NL_U32:
	case NL_MAC:
		if (n == f->size)
			memcpy(member, p, n);
		return;
	case NL_BE16:
		if (n == f->size)
			memcpy(member, &(uint16_t){nl_get_be16(a)}, n);
		return;
	case NL_BE32:
		if (n == f->size)
			memcpy(member, &(uint32_t){nl_get_be32(a)}, n);
		return;
	case NL_BE64:
		if (n == f->size)
			memcpy(member, &(uint64_t){nl_get_be64(a)}, n);
		return;
	case NL_IP:
		ip = nl_get_ip(a);
		if (n == 4 || n == 16)
			memcpy(member, &ip, sizeof(ip));
		return;
	case NL_STR:
		nl_get_str(a, (char *)member, f->size);
		return;
	case NL_NEST:
		memcpy(member, &a->value, sizeof(a->value));
		return;
	}
}

bool nl_read(const struct nl_field *fields, size_t n, struct nl_bytes attrs, void *ret)
{
	struct nl_attr a;

	while (nl_attr_next(&attrs, &a)) {
		for (size_t i = 0; i < n; i++) {
			if (fields[i].type == a.type)
				read_field(&fields[i], &a, (uint8_t *)ret + fields[i].offset);
		}
	}
	return attrs.n == 0;
}

/* ---- acknowledgements ---- */

bool nl_ack_decode(const struct nl_msg *m, struct nl_ack *ret)
{
	struct nl_bytes rest = m->body;
	struct nl_ack ack = {.seq = m->seq};
	struct nlmsghdr echoed;
	struct nl_attr words;
	int32_t code;

	if ((m->type != NLMSG_ERROR && m->type != NLMSG_DONE) || rest.n < sizeof(code))
		return false;
	memcpy(&code, rest.p, sizeof(code));
	ack.code = code > 0 ? 0 : code; /* NLMSG_DONE may carry a length */
	advance(&rest, sizeof(code));
	if (m->type == NLMSG_ERROR) {
		/* The request follows: its header only if capped (NETLINK_CAP_ACK), else all of it. */
		if (rest.n < sizeof(echoed))
			return false;
		memcpy(&echoed, rest.p, sizeof(echoed));
		advance(&rest, m->flags & NLM_F_CAPPED ? sizeof(echoed)
						       : MAX(echoed.nlmsg_len, sizeof(echoed)));
	}
	if ((m->flags & NLM_F_ACK_TLVS) && nl_attr_find(rest, NLMSGERR_ATTR_MSG, &words)) {
		struct text t = TEXT(ack.text);
		const char *s = (const char *)words.value.p;

		text_add_escaped(&t, s, words.value.n ? strnlen(s, words.value.n) : 0);
	}
	*ret = ack;
	return true;
}
