/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/peers_file.h"

#include <errno.h>
#include <string.h>

#define MAGIC_BYTES (sizeof(PEERS_FILE_MAGIC) - 1)
#define START_BYTES (MAGIC_BYTES + 4)
#define CRC_BYTES   4

#define FIELD_HEAD     1
#define FIELD_LEASE    2
/* Both families in full: 77 bytes of addresses, and tags. */
#define LEASE_BYTES    128
#define HEAD_INT_BYTES 240 /* what stands in the head beside its texts */

/* Numbers of the kinds of backend in files: given once, never to another. */
static const int64_t backend_numbers[] = {
	[BACKEND_NONE] = 0,
	[BACKEND_VXLAN] = 1,
};
static_assert(ARRAY_SIZE(backend_numbers) == BACKEND__COUNT, "a number for each");

/* ---- checksum ---- */

/* Four bits at a time: reflected polynomial 0xedb88320. */
static uint32_t crc_update(uint32_t crc, const void *bytes, size_t n)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *p = bytes;

	crc = ~crc;
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static void put_be32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* ---- a lease ---- */

struct raw_lease {
	struct pb_bytes subnet, subnet6; /* address, then one byte of length */
	struct pb_bytes public_ip, public_ip6;
	struct pb_bytes vtep_mac, vtep_mac6;
	int64_t backend, node, since;
	int64_t overwritten; /* 1 = IPv4, 2 = IPv6 */
};

static const struct pb_want lease_wants[] = {
	PB_WANT_BYTES(1, struct raw_lease, subnet),
	PB_WANT_BYTES(2, struct raw_lease, subnet6),
	PB_WANT_BYTES(3, struct raw_lease, public_ip),
	PB_WANT_BYTES(4, struct raw_lease, public_ip6),
	PB_WANT_INT(5, struct raw_lease, backend),
	PB_WANT_BYTES(6, struct raw_lease, vtep_mac),
	PB_WANT_BYTES(7, struct raw_lease, vtep_mac6),
	PB_WANT_INT(8, struct raw_lease, node),
	PB_WANT_INT(9, struct raw_lease, since),
	PB_WANT_INT(10, struct raw_lease, overwritten),
	PB_WANT_END,
};

/* What is not there is unset; so in the two below. */
static bool get_ip(struct pb_bytes in, struct ip *ret)
{
	if (in.n == 0)
		return true;
	if (in.n != 4 && in.n != 16)
		return false;
	*ret = ip_from_bytes(in.p, in.n);
	return ip_is_set(ret);
}

static bool get_cidr(struct pb_bytes in, struct cidr *ret)
{
	if (in.n == 0)
		return true;
	if (in.n == 1 || !get_ip((struct pb_bytes){in.p, in.n - 1}, &ret->ip))
		return false;
	ret->len = in.p[in.n - 1];
	return ret->len <= cidr_max_len(ret);
}

static bool get_mac(struct pb_bytes in, struct mac *ret)
{
	if (in.n == sizeof(ret->b))
		memcpy(ret->b, in.p, sizeof(ret->b));
	return in.n == 0 || in.n == sizeof(ret->b);
}

static bool get_backend(int64_t number, enum backend_type *ret)
{
	for (int i = 0; i < BACKEND__COUNT; i++) {
		if (backend_numbers[i] == number) {
			*ret = (enum backend_type)i;
			return true;
		}
	}
	return false;
}

static bool get_lease(struct pb_bytes in, struct lease *ret)
{
	struct raw_lease raw = {0};
	struct lease l = {0};

	if (pb_decode(lease_wants, in, &raw) < 0 || !get_cidr(raw.subnet, &l.subnet) ||
	    !get_cidr(raw.subnet6, &l.subnet6) || !get_ip(raw.public_ip, &l.public_ip) ||
	    !get_ip(raw.public_ip6, &l.public_ip6) || !get_mac(raw.vtep_mac, &l.vtep_mac) ||
	    !get_mac(raw.vtep_mac6, &l.vtep_mac6) || !get_backend(raw.backend, &l.type))
		return false;
	l.node = (uint64_t)raw.node;
	l.since = (uint64_t)raw.since;
	l.overwritten = raw.overwritten & 1;
	l.overwritten6 = raw.overwritten & 2;
	*ret = l;
	return true;
}

static void put_ip(struct pb_out *o, uint32_t number, const struct ip *ip)
{
	struct pb_bytes bytes;

	bytes.p = ip_bytes(ip, &bytes.n);
	if (ip_is_set(ip))
		pb_put_bytes(o, number, bytes);
}

static void put_cidr(struct pb_out *o, uint32_t number, const struct cidr *c)
{
	uint8_t buf[sizeof(c->ip.b) + 1];
	const uint8_t *ip;
	size_t n;

	if (!cidr_is_set(c))
		return;
	ip = ip_bytes(&c->ip, &n);
	memcpy(buf, ip, n);
	buf[n] = c->len;
	pb_put_bytes(o, number, (struct pb_bytes){buf, n + 1});
}

static void put_mac(struct pb_out *o, uint32_t number, const struct mac *m)
{
	if (mac_is_set(m))
		pb_put_bytes(o, number, (struct pb_bytes){m->b, sizeof(m->b)});
}

static void put_lease(struct pb_out *o, uint32_t number, const struct lease *l)
{
	size_t begin = pb_begin(o, number);

	put_cidr(o, 1, &l->subnet);
	put_cidr(o, 2, &l->subnet6);
	put_ip(o, 3, &l->public_ip);
	put_ip(o, 4, &l->public_ip6);
	if (backend_numbers[l->type])
		pb_put_int(o, 5, backend_numbers[l->type]);
	put_mac(o, 6, &l->vtep_mac);
	put_mac(o, 7, &l->vtep_mac6);
	if (l->node)
		pb_put_int(o, 8, (int64_t)l->node);
	if (l->since)
		pb_put_int(o, 9, (int64_t)l->since);
	if (l->overwritten || l->overwritten6)
		pb_put_int(o, 10, l->overwritten | l->overwritten6 << 1);
	pb_end(o, begin);
}

/* ---- reading ---- */

struct raw_head {
	struct pb_bytes source, machine, netconf, own, told_ip, told_ip6;
	int64_t store_id, written_s, own_expires_s, n_leases;
};

static const struct pb_want head_wants[] = {
	PB_WANT_BYTES(1, struct raw_head, source),
	PB_WANT_BYTES(2, struct raw_head, machine),
	PB_WANT_INT(3, struct raw_head, store_id),
	PB_WANT_INT(4, struct raw_head, written_s),
	PB_WANT_BYTES(5, struct raw_head, netconf),
	PB_WANT_BYTES(6, struct raw_head, own),
	PB_WANT_INT(7, struct raw_head, own_expires_s),
	PB_WANT_INT(8, struct raw_head, n_leases),
	PB_WANT_BYTES(9, struct raw_head, told_ip),
	PB_WANT_BYTES(10, struct raw_head, told_ip6),
	PB_WANT_END,
};

static bool get_head(struct pb_bytes *in, struct peers_file *ret)
{
	struct raw_head raw = {0};
	struct pb_field f;

	if (pb_next(in, &f) <= 0 || f.number != FIELD_HEAD || f.type != PB_BYTES ||
	    pb_decode(head_wants, f.bytes, &raw) < 0 || !get_lease(raw.own, &ret->own) ||
	    !get_ip(raw.told_ip, &ret->told_ip) || !get_ip(raw.told_ip6, &ret->told_ip6))
		return false;
	ret->source = raw.source;
	ret->machine = raw.machine;
	ret->netconf = raw.netconf;
	ret->store_id = (uint64_t)raw.store_id;
	ret->written_s = raw.written_s;
	ret->own_expires_s = raw.own_expires_s;
	ret->n_leases = (uint64_t)raw.n_leases;
	return true;
}

/* 1 = a lease, 0 = there are no more, -EBADMSG. */
static int next_lease(struct pb_bytes *in, struct lease *ret)
{
	struct pb_field f;
	int r;

	while ((r = pb_next(in, &f)) > 0) {
		if (f.number == FIELD_LEASE)
			return f.type == PB_BYTES && get_lease(f.bytes, ret) ? 1 : -EBADMSG;
	}
	return r;
}

bool peers_file_next(struct peers_file *f, struct lease *ret)
{
	return next_lease(&f->rest, ret) > 0;
}

int peers_file_decode(struct pb_bytes bytes, struct peers_file *ret, struct err *err)
{
	struct peers_file f = {0};
	struct pb_bytes in;
	struct lease l;
	uint64_t n = 0;
	uint32_t version;
	int r;

	/* The version comes first: a later one may have no checksum, or another. */
	if (bytes.n < START_BYTES)
		return err_set(err, -EBADMSG, "is cut short after %zu bytes", bytes.n);
	if (memcmp(bytes.p, PEERS_FILE_MAGIC, MAGIC_BYTES) != 0)
		return err_set(err, -EBADMSG, "does not begin as a file of peers does");
	version = get_be32(bytes.p + MAGIC_BYTES);
	if (version > PEERS_FILE_VERSION)
		return err_set(err, PEERS_FILE_NEWER,
			       "is of version %u, which a later loden wrote; this one reads %d",
			       version, PEERS_FILE_VERSION);
	if (bytes.n < START_BYTES + CRC_BYTES ||
	    crc_update(0, bytes.p, bytes.n - CRC_BYTES) != get_be32(bytes.p + bytes.n - CRC_BYTES))
		return err_set(err, -EBADMSG, "is damaged, or cut short after %zu bytes", bytes.n);
	in = (struct pb_bytes){bytes.p + START_BYTES, bytes.n - START_BYTES - CRC_BYTES};
	if (version != PEERS_FILE_VERSION || !get_head(&in, &f))
		return err_set(err, -EBADMSG, "has a head that makes no sense");
	f.rest = in;
	while ((r = next_lease(&in, &l)) > 0)
		n++;
	if (r < 0 || n != f.n_leases)
		return err_set(err, -EBADMSG, "has a lease that makes no sense, behind %llu others",
			       (unsigned long long)n);
	*ret = f;
	return 0;
}

/* ---- writing ---- */

static void write_out(struct peers_file_out *o, const void *bytes, size_t n)
{
	if (o->code == 0 && n > 0)
		o->code = o->fn(o->arg, bytes, n);
}

static void flush(struct peers_file_out *o)
{
	o->crc = crc_update(o->crc, o->buf, o->n);
	write_out(o, o->buf, o->n);
	o->n = 0;
}

static void put_raw(struct peers_file_out *o, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0) {
		size_t part = MIN(n, sizeof(o->buf) - o->n);

		memcpy(o->buf + o->n, p, part);
		o->n += part;
		p += part;
		n -= part;
		if (o->n == sizeof(o->buf))
			flush(o);
	}
}

static void put_tag(struct peers_file_out *o, uint32_t number, size_t n)
{
	uint8_t buf[PB_HEAD_MAX];
	struct pb_out tag = PB_OUT(buf);

	pb_put_head(&tag, number, n);
	put_raw(o, buf, tag.n);
}

/* A text of the head may be longer than any buffer here. */
static void put_text(struct peers_file_out *o, uint32_t number, struct pb_bytes text)
{
	put_tag(o, number, text.n);
	put_raw(o, text.p, text.n);
}

static size_t text_bytes(struct pb_bytes text)
{
	uint8_t buf[PB_HEAD_MAX];
	struct pb_out tag = PB_OUT(buf);

	pb_put_head(&tag, 1, text.n);
	return tag.n + text.n;
}

void peers_file_begin(struct peers_file_out *o, const struct peers_file *head,
		      peers_file_write_fn *fn, void *arg)
{
	uint8_t start[START_BYTES], ints[HEAD_INT_BYTES];
	struct pb_out numbers = PB_OUT(ints);

	o->fn = fn;
	o->arg = arg;
	o->code = 0;
	o->crc = 0;
	o->n = 0;
	o->n_leases = head->n_leases;
	memcpy(start, PEERS_FILE_MAGIC, MAGIC_BYTES);
	put_be32(start + MAGIC_BYTES, PEERS_FILE_VERSION);
	put_raw(o, start, sizeof(start));
	pb_put_int(&numbers, 3, (int64_t)head->store_id);
	pb_put_int(&numbers, 4, head->written_s);
	put_lease(&numbers, 6, &head->own);
	pb_put_int(&numbers, 7, head->own_expires_s);
	pb_put_int(&numbers, 8, (int64_t)head->n_leases);
	put_ip(&numbers, 9, &head->told_ip);
	put_ip(&numbers, 10, &head->told_ip6);
	assert(!numbers.cut);
	put_tag(o, FIELD_HEAD,
		numbers.n + text_bytes(head->source) + text_bytes(head->machine) +
			text_bytes(head->netconf));
	put_text(o, 1, head->source);
	put_text(o, 2, head->machine);
	put_text(o, 5, head->netconf);
	put_raw(o, ints, numbers.n);
}

void peers_file_add(struct peers_file_out *o, const struct lease *l)
{
	uint8_t buf[LEASE_BYTES];
	struct pb_out out = PB_OUT(buf);

	assert(o->n_leases > 0);
	o->n_leases--;
	put_lease(&out, FIELD_LEASE, l);
	assert(!out.cut);
	put_raw(o, buf, out.n);
}

int peers_file_end(struct peers_file_out *o)
{
	uint8_t crc[CRC_BYTES];

	assert(o->n_leases == 0);
	flush(o);
	put_be32(crc, o->crc);
	write_out(o, crc, sizeof(crc));
	return o->code;
}
