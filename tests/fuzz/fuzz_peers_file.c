/* SPDX-License-Identifier: Apache-2.0 */
/* The file of peers: what can be read is written and read again, the same. The input is what stands between
 * version and checksum, which no fuzzer would guess; as a whole file it is tried too.
 */

#include "wire/peers_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static uint32_t crc(const uint8_t *p, size_t n)
{
	uint32_t c = ~0u;

	for (size_t i = 0; i < 8 * n; i++)
		c = (c >> 1) ^ (((c ^ p[i / 8] >> i % 8) & 1) ? 0xedb88320 : 0);
	return ~c;
}

struct buf {
	uint8_t *p;
	size_t n;
};

static int into_buf(void *arg, const void *bytes, size_t n)
{
	struct buf *b = arg;

	b->p = realloc(b->p, b->n + n);
	must(b->p != NULL);
	memcpy(b->p + b->n, bytes, n);
	b->n += n;
	return 0;
}

static void check_lease(const struct lease *l)
{
	must(l->subnet.len <= cidr_max_len(&l->subnet));
	must(l->subnet6.len <= cidr_max_len(&l->subnet6));
	must(l->type < BACKEND__COUNT);
}

static void write_again(struct peers_file f)
{
	struct peers_file from = f, again;
	struct peers_file_out out;
	struct buf b = {0};
	struct lease l, m;

	peers_file_begin(&out, &f, into_buf, &b);
	while (peers_file_next(&from, &l)) {
		check_lease(&l);
		peers_file_add(&out, &l);
	}
	must(peers_file_end(&out) == 0);
	must(peers_file_decode((struct pb_bytes){b.p, b.n}, &again, NULL) == 0);
	must(again.n_leases == f.n_leases && again.store_id == f.store_id);
	must(again.own_expires_s == f.own_expires_s && lease_eq(&again.own, &f.own));
	must(again.netconf.n == f.netconf.n);
	while (peers_file_next(&f, &l))
		must(peers_file_next(&again, &m) && lease_eq(&l, &m));
	free(b.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peers_file f;
	struct buf b = {0};
	struct err err = {0};
	uint32_t sum;
	int r;

	must(peers_file_decode((struct pb_bytes){data, size}, &f, &err) == 0 || err.text[0]);
	into_buf(&b, PEERS_FILE_MAGIC "\0\0\0\1", 12);
	into_buf(&b, data, size);
	sum = crc(b.p, b.n);
	for (int shift = 24; shift >= 0; shift -= 8)
		into_buf(&b, &(uint8_t){(uint8_t)(sum >> shift)}, 1);
	r = peers_file_decode((struct pb_bytes){b.p, b.n}, &f, &err);
	if (r == 0)
		write_again(f);
	else
		must(err.text[0]);
	free(b.p);
	return 0;
}
