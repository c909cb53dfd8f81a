/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/peers_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct buf {
	uint8_t *p;
	size_t n, pieces, longest;
	size_t fail_at; /* this piece fails; 0 = none */
};

static int into_buf(void *arg, const void *bytes, size_t n)
{
	struct buf *b = arg;

	if (++b->pieces == b->fail_at)
		return -ENOSPC;
	b->p = realloc(b->p, b->n + n);
	assert_non_null(b->p);
	memcpy(b->p + b->n, bytes, n);
	b->n += n;
	b->longest = MAX(b->longest, n);
	return 0;
}

static struct pb_bytes text(const char *s)
{
	return (struct pb_bytes){(const uint8_t *)s, strlen(s)};
}

static void assert_text(const char *want, struct pb_bytes have)
{
	assert_int_equal(have.n, strlen(want));
	assert_memory_equal(have.p, want, have.n);
}

static struct lease lease(const char *subnet, const char *ip, const char *mac)
{
	struct lease l = {.type = BACKEND_VXLAN};

	assert_true(cidr_parse(subnet, &l.subnet));
	assert_true(ip_parse(ip, &l.public_ip));
	assert_true(mac_parse(mac, &l.vtep_mac));
	return l;
}

static struct lease dual(void)
{
	struct lease l = lease("10.244.7.0/24", "192.168.0.7", "02:00:00:00:00:07");

	assert_true(cidr_parse("fd00:10:244:7::/64", &l.subnet6));
	assert_true(ip_parse("fd00::7", &l.public_ip6));
	assert_true(mac_parse("02:00:00:00:06:07", &l.vtep_mac6));
	l.node = 0xf123456789abcdef;
	l.since = 1795262399;
	return l;
}

static const struct peers_file *head(void)
{
	static struct peers_file h;

	h = (struct peers_file){
		.source = text("etcd http://10.0.0.1:2379 /coreos.com/network"),
		.machine = text("0123456789abcdef0123456789abcdef"),
		.store_id = 0xcdf818194e3a8c32,
		.written_s = 1795262400,
		.netconf = text("{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}"),
		.own = lease("10.244.0.0/24", "192.168.0.1", "02:00:00:00:00:01"),
		.own_expires_s = 1795348800,
		.told_ip = dual().public_ip,
		.told_ip6 = dual().public_ip6,
	};
	return &h;
}

static struct buf encode(const struct peers_file *h, const struct lease *leases, size_t n)
{
	struct peers_file with_n = *h;
	struct peers_file_out out;
	struct buf b = {0};

	with_n.n_leases = n;
	peers_file_begin(&out, &with_n, into_buf, &b);
	for (size_t i = 0; i < n; i++)
		peers_file_add(&out, &leases[i]);
	assert_int_equal(peers_file_end(&out), 0);
	return b;
}

static int decode(const struct buf *b, struct peers_file *ret, struct err *err)
{
	return peers_file_decode((struct pb_bytes){b->p, b->n}, ret, err);
}

static size_t sample(struct lease leases[5])
{
	leases[0] = lease("10.244.1.0/24", "192.168.0.2", "02:00:00:00:00:02");
	leases[1] = dual();
	leases[2] = (struct lease){.subnet = leases[0].subnet}; /* another backend's: only held */
	leases[3] = dual();					/* IPv6 alone, one day */
	leases[3].subnet = (struct cidr){0};
	leases[3].public_ip = (struct ip){0};
	leases[3].vtep_mac = (struct mac){0};
	leases[4] = lease("0.0.0.0/0", "255.255.255.255", "ff:ff:ff:ff:ff:ff");
	leases[1].overwritten6 = leases[4].overwritten = true;
	return 5;
}

static void what_is_written_is_read(void **state _unused_)
{
	struct lease leases[5], l;
	size_t n = sample(leases);
	struct buf b = encode(head(), leases, n);
	struct peers_file f;

	assert_int_equal(decode(&b, &f, NULL), 0);
	assert_text("etcd http://10.0.0.1:2379 /coreos.com/network", f.source);
	assert_text("0123456789abcdef0123456789abcdef", f.machine);
	assert_text("{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}", f.netconf);
	assert_true(f.store_id == 0xcdf818194e3a8c32);
	assert_int_equal(f.written_s, 1795262400);
	assert_int_equal(f.own_expires_s, 1795348800);
	assert_true(lease_eq(&f.own, &head()->own));
	assert_true(ip_eq(&f.told_ip, &head()->told_ip));
	assert_true(ip_eq(&f.told_ip6, &head()->told_ip6));
	assert_int_equal(f.n_leases, n);
	for (size_t i = 0; i < n; i++) {
		assert_true(peers_file_next(&f, &l));
		assert_true(lease_eq(&l, &leases[i]));
		assert_int_equal(l.since, leases[i].since);
	}
	assert_false(peers_file_next(&f, &l));
	free(b.p);
}

static void nothing_is_a_file_too(void **state _unused_)
{
	struct peers_file none = {.own_expires_s = -1}, f;
	struct buf b = encode(&none, NULL, 0);
	struct lease l;

	assert_int_equal(decode(&b, &f, NULL), 0);
	assert_int_equal(f.own_expires_s, -1);
	assert_int_equal(f.source.n + f.machine.n + f.netconf.n + f.n_leases, 0);
	assert_false(peers_file_next(&f, &l));
	free(b.p);
}

/* The bytes of version 1 in full, lest the format change without its version. */
static void bytes_are_what_they_are(void **state _unused_)
{
	static const uint8_t want[] = {'L', 'o', 'd', 'e', 'n', 'P', 'f', '\n', 0, 0, 0, 1,
				       /* head */
				       0x0a, 43, 0x0a, 1, 's', 0x12, 1, 'm', 0x2a, 2, '{', '}',
				       0x18, 5, 0x20, 6, 0x32, 23, 0x0a, 5, 10, 244, 0, 0, 24, 0x1a,
				       4, 192, 168, 0, 1, 0x28, 1, 0x32, 6, 2, 0, 0, 0, 0, 1, 0x38,
				       7, 0x40, 1,
				       /* a lease */
				       0x12, 23, 0x0a, 5, 10, 244, 1, 0, 24, 0x1a, 4, 192, 168, 0,
				       2, 0x28, 1, 0x32, 6, 2, 0, 0, 0, 0, 2};
	const struct peers_file h = {
		.source = text("s"),
		.machine = text("m"),
		.store_id = 5,
		.written_s = 6,
		.netconf = text("{}"),
		.own = head()->own,
		.own_expires_s = 7,
	};
	const struct lease l = lease("10.244.1.0/24", "192.168.0.2", "02:00:00:00:00:02");
	struct buf b = encode(&h, &l, 1);

	assert_int_equal(b.n, sizeof(want) + 4);
	assert_memory_equal(b.p, want, sizeof(want));
	free(b.p);
}

/* As they come: 30 bytes a peer at most, in pieces that fit the writer's buffer. */
static void many_are_streamed(void **state _unused_)
{
	const size_t n = 20000;
	struct lease *leases = calloc(n, sizeof(*leases)), l;
	struct peers_file f;
	struct buf b;
	size_t i = 0;

	assert_non_null(leases);
	for (i = 0; i < n; i++) {
		leases[i] = lease("10.0.0.0/24", "192.168.0.1", "02:00:00:00:00:01");
		leases[i].subnet.ip = ip_add(&leases[i].subnet.ip, 256 * i);
		leases[i].public_ip = ip_add(&leases[i].public_ip, i);
	}
	b = encode(head(), leases, n);
	assert_in_range(b.longest, 1, 4096);
	assert_in_range(b.n, 1, n * 30);
	assert_int_equal(decode(&b, &f, NULL), 0);
	for (i = 0; peers_file_next(&f, &l); i++)
		assert_true(lease_eq(&l, &leases[i]));
	assert_int_equal(i, n);
	free(b.p);
	free(leases);
}

static void a_full_disk_is_told(void **state _unused_)
{
	struct peers_file h = *head();
	struct peers_file_out out;
	struct buf b = {.fail_at = 2};

	h.n_leases = 1000;
	peers_file_begin(&out, &h, into_buf, &b);
	for (int i = 0; i < 1000; i++)
		peers_file_add(&out, &h.own);
	assert_int_equal(peers_file_end(&out), -ENOSPC);
	assert_int_equal(b.pieces, 2); /* not once more */
	free(b.p);
}

/* Refused, and `ret` untouched; the story is told. */
static void assert_refused(const uint8_t *bytes, size_t n, int code, const char *story)
{
	struct peers_file f, untouched;
	uint8_t *exact = malloc(n ? n : 1); /* one byte too many would be seen */
	struct err err = {0};

	assert_non_null(exact);
	memcpy(exact, bytes, n);
	memset(&untouched, 0x5a, sizeof(untouched));
	f = untouched;
	assert_int_equal(peers_file_decode((struct pb_bytes){exact, n}, &f, &err), code);
	assert_non_null(strstr(err.text, story));
	assert_memory_equal(&f, &untouched, sizeof(f));
	free(exact);
}

static void cut_short_at_every_byte(void **state _unused_)
{
	struct lease leases[5];
	struct buf b = encode(head(), leases, sample(leases));

	for (size_t n = 0; n < b.n; n++)
		assert_refused(b.p, n, -EBADMSG, "cut short");
	free(b.p);
}

static void each_bit_flipped(void **state _unused_)
{
	struct lease leases[5];
	struct buf b = encode(head(), leases, sample(leases));
	struct peers_file f;

	for (size_t i = 0; i < 8 * b.n; i++) {
		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(decode(&b, &f, NULL), 0);
		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(decode(&b, &f, NULL), 0);
	free(b.p);
}

static void more_behind_it(void **state _unused_)
{
	struct buf b = encode(head(), NULL, 0);

	into_buf(&b, "\0", 1);
	assert_refused(b.p, b.n, -EBADMSG, "damaged");
	free(b.p);
}

static void a_newer_version(void **state _unused_)
{
	struct buf b = encode(head(), NULL, 0);

	b.p[11] = 2;
	assert_refused(b.p, b.n, PEERS_FILE_NEWER, "version 2, which a later loden wrote");
	assert_refused(b.p, 12, PEERS_FILE_NEWER, "version 2"); /* whatever it looks like inside */
	b.p[11] = 0;
	assert_refused(b.p, b.n, -EBADMSG, "damaged");
	free(b.p);
}

/* A right checksum, and nonsense under it: by another program, or by us. */
static uint32_t crc(const uint8_t *p, size_t n)
{
	uint32_t c = ~0u;

	for (size_t i = 0; i < 8 * n; i++)
		c = (c >> 1) ^ (((c ^ p[i / 8] >> i % 8) & 1) ? 0xedb88320 : 0);
	return ~c;
}

static void sense_under_the_checksum(void **state _unused_)
{
#define HEAD_1 "\x0a\x02\x40\x01" /* n_leases 1 */

	static const struct {
		const char *body;
		size_t n;
		const char *story; /* NULL = fine */
	} rows[] = {

#define ROW(body, story) {body, sizeof(body) - 1, story}
		ROW("", "head"),
		ROW("\x0a\x00", NULL),
		ROW("\x12\x00", "head"),
		ROW("\x08\x01", "head"),
		ROW("\x0a\x02\x08\x01", "head"),		  /* source as a number */
		ROW("\x0a\x04\x32\x02\x0a\x00", NULL),		  /* own: an empty subnet */
		ROW("\x0a\x05\x32\x03\x0a\x01\x18", "head"),	  /* … a length alone */
		ROW("\x0a\x04\x32\x02\x28\x63", "head"),	  /* … backend 99 */
		ROW("\x0a\x05\x32\x03\x28\x63\x28", "head"),	  /* … half a field */
		ROW("\x0a\x00\x12\x00", "behind 1 others"),	  /* more than n_leases */
		ROW(HEAD_1, "behind 0 others"),			  /* fewer */
		ROW(HEAD_1 "\x12\x00", NULL),			  /* a lease of nothing */
		ROW(HEAD_1 "\x10\x00", "behind 0 others"),	  /* a lease that is a number */
		ROW(HEAD_1 "\x12\x00\x1a\x01z", NULL),		  /* a field of a later day */
		ROW(HEAD_1 "\x12\x03\x7a\x01z", NULL),		  /* one in a lease */
		ROW(HEAD_1 "\x12\x04\x1a\x02\x0a\x01", "behind"), /* an address of two bytes */
		ROW(HEAD_1 "\x12\x06\x1a\x04\x0a\x01\x02\x03", NULL),
		ROW(HEAD_1 "\x12\x07\x0a\x05\x0a\0\0\0\x21", "behind"), /* 10.0.0.0/33 */
		ROW(HEAD_1 "\x12\x03\x32\x01\x02", "behind"),		/* a MAC of one byte */
		ROW(HEAD_1 "\x12\x12\x1a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "behind"),
#undef ROW
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf b = {0};
		struct peers_file f;
		uint32_t sum;

		into_buf(&b, "LodenPf\n\0\0\0\1", 12);
		into_buf(&b, rows[i].body, rows[i].n);
		sum = crc(b.p, b.n);
		for (int shift = 24; shift >= 0; shift -= 8)
			into_buf(&b, &(uint8_t){(uint8_t)(sum >> shift)}, 1);
		if (rows[i].story)
			assert_refused(b.p, b.n, -EBADMSG, rows[i].story);
		else
			assert_int_equal(decode(&b, &f, NULL), 0);
		free(b.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(nothing_is_a_file_too),
		cmocka_unit_test(bytes_are_what_they_are),
		cmocka_unit_test(many_are_streamed),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(cut_short_at_every_byte),
		cmocka_unit_test(each_bit_flipped),
		cmocka_unit_test(more_behind_it),
		cmocka_unit_test(a_newer_version),
		cmocka_unit_test(sense_under_the_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
