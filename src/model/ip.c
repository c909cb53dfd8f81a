/* SPDX-License-Identifier: Apache-2.0 */
#include "model/ip.h"

#include <stdio.h>
#include <string.h>

#define V4_OFFSET 12 /* of the IPv4 bytes inside a mapped address */
#define V4_BITS	  96 /* in front of them */

static const uint8_t v4_prefix[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

struct ip ip_from_v4(uint32_t host_order)
{
	uint8_t b[4] = {
		(uint8_t)(host_order >> 24),
		(uint8_t)(host_order >> 16),
		(uint8_t)(host_order >> 8),
		(uint8_t)host_order,
	};

	return ip_from_bytes(b, sizeof(b));
}

uint32_t ip_to_v4(const struct ip *ip)
{
	if (!ip_is_v4(ip))
		return 0;
	return (uint32_t)ip->b[12] << 24 | (uint32_t)ip->b[13] << 16 | (uint32_t)ip->b[14] << 8 |
	       ip->b[15];
}

struct ip ip_from_bytes(const void *bytes, size_t n)
{
	struct ip ip = {0};

	if (n == 4) {
		memcpy(ip.b, v4_prefix, V4_OFFSET);
		memcpy(ip.b + V4_OFFSET, bytes, 4);
	} else if (n == sizeof(ip.b)) {
		memcpy(ip.b, bytes, sizeof(ip.b));
	}
	return ip;
}

const uint8_t *ip_bytes(const struct ip *ip, size_t *ret_n)
{
	size_t offset = ip_is_v4(ip) ? V4_OFFSET : 0;

	*ret_n = sizeof(ip->b) - offset;
	return ip->b + offset;
}

bool ip_is_set(const struct ip *ip)
{
	static const struct ip unset;

	return !ip_eq(ip, &unset);
}

bool ip_is_v4(const struct ip *ip)
{
	return memcmp(ip->b, v4_prefix, V4_OFFSET) == 0;
}

bool ip_is_any(const struct ip *ip)
{
	return !ip_is_set(ip) || (ip_is_v4(ip) && ip_to_v4(ip) == 0);
}

bool ip_is_multicast(const struct ip *ip)
{
	if (ip_is_v4(ip))
		return ip->b[12] >> 4 == 0xe; /* 224.0.0.0/4, RFC 5771 */
	return ip->b[0] == 0xff;	      /* ff00::/8, RFC 4291 2.7 */
}

bool ip_is_loopback(const struct ip *ip)
{
	static const struct ip loopback6 = {.b[15] = 1};

	if (ip_is_v4(ip))
		return ip->b[12] == 127;
	return ip_eq(ip, &loopback6);
}

bool ip_is_link_local(const struct ip *ip)
{
	if (ip_is_v4(ip))
		return ip->b[12] == 169 && ip->b[13] == 254;
	return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

bool ip_is_global_unicast(const struct ip *ip)
{
	if (ip_is_v4(ip) && ip_to_v4(ip) == UINT32_MAX)
		return false;
	return !ip_is_any(ip) && !ip_is_multicast(ip) && !ip_is_loopback(ip) &&
	       !ip_is_link_local(ip);
}

int ip_cmp(const struct ip *a, const struct ip *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool ip_eq(const struct ip *a, const struct ip *b)
{
	return ip_cmp(a, b) == 0;
}

struct ip ip_add(const struct ip *ip, uint64_t n)
{
	struct ip sum = *ip;
	size_t first = ip_is_v4(ip) ? V4_OFFSET : 0;
	unsigned carry = 0;

	for (size_t i = sizeof(sum.b); i-- > first; n >>= 8) {
		unsigned byte = sum.b[i] + (unsigned)(n & 0xff) + carry;

		sum.b[i] = (uint8_t)byte;
		carry = byte >> 8;
	}
	return sum;
}

/* Decimal, at most `max`, no sign, no leading zeroes. Returns what follows, or NULL. */
static const char *parse_decimal(const char *s, unsigned max, unsigned *ret)
{
	unsigned value = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (unsigned)(*p - '0');
		if (value > max)
			return NULL;
	}
	if (p == s || (*s == '0' && p - s > 1))
		return NULL;
	*ret = value;
	return p;
}

static bool parse_v4(const char *s, uint8_t ret[4])
{
	for (size_t i = 0; i < 4; i++) {
		unsigned octet;

		s = parse_decimal(s, 255, &octet);
		if (!s || *s != (i < 3 ? '.' : '\0'))
			return false;
		ret[i] = (uint8_t)octet;
		s++;
	}
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* RFC 4291 2.2: up to eight groups, one "::", the last 32 bits perhaps as a dotted quad. */
static bool parse_v6(const char *s, uint8_t ret[16])
{
	uint8_t b[16] = {0};
	size_t n = 0;	/* bytes read */
	size_t gap = 0; /* where "::" stands, in bytes */
	bool has_gap = false;

	if (s[0] == ':' && *++s != ':')
		return false;
	for (;;) {
		const char *group = s;
		unsigned value = 0;

		if (*s == ':') { /* the second one of "::" */
			if (has_gap)
				return false;
			has_gap = true;
			gap = n;
			group = ++s;
			if (!*s)
				break;
		}
		for (; hex_digit(*s) >= 0; s++)
			if (s - group < 4)
				value = value << 4 | (unsigned)hex_digit(*s);
		if (*s == '.') {
			if (n > 12 || !parse_v4(group, b + n))
				return false;
			n += 4;
			break;
		}
		if (s == group || s - group > 4 || n > 14)
			return false;
		b[n++] = (uint8_t)(value >> 8);
		b[n++] = (uint8_t)value;
		if (!*s)
			break;
		if (*s++ != ':')
			return false;
	}
	if (has_gap ? n > 14 : n != 16)
		return false;
	memset(ret, 0, 16);
	memcpy(ret, b, has_gap ? gap : 16);
	if (has_gap)
		memcpy(ret + 16 - (n - gap), b + gap, n - gap);
	return true;
}

bool ip_parse(const char *text, struct ip *ret_ip)
{
	uint8_t b[16];

	if (parse_v4(text, b))
		*ret_ip = ip_from_bytes(b, 4);
	else if (parse_v6(text, b))
		*ret_ip = ip_from_bytes(b, 16);
	else
		return false;
	return true;
}

/* RFC 5952 4.2.3: the longest run of zero groups becomes "::", the first of equals, never one
 * group alone. Without such a run *ret_n is 0. */
static size_t longest_zero_run(const uint16_t group[8], size_t *ret_n)
{
	size_t start = 0, n = 0;

	for (size_t i = 0; i < 8; i++) {
		size_t run = 0;

		while (i + run < 8 && group[i + run] == 0)
			run++;
		if (run > n) {
			start = i;
			n = run;
		}
	}
	*ret_n = n > 1 ? n : 0;
	return start;
}

const char *ip_format(const struct ip *ip, char buf[IP_STRLEN])
{
	const uint8_t *b = ip->b;
	uint16_t group[8];
	size_t gap, gap_n, len = 0;

	if (!ip_is_set(ip)) {
		snprintf(buf, IP_STRLEN, "-");
		return buf;
	}
	if (ip_is_v4(ip)) {
		snprintf(buf, IP_STRLEN, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
		return buf;
	}
	for (size_t i = 0; i < 8; i++)
		group[i] = (uint16_t)(b[2 * i] << 8 | b[2 * i + 1]);
	gap = longest_zero_run(group, &gap_n);
	for (size_t i = 0; i < 8; i++) {
		if (gap_n > 0 && i == gap) {
			len += (size_t)snprintf(buf + len, IP_STRLEN - len, "::");
			i += gap_n - 1;
			continue;
		}
		len += (size_t)snprintf(buf + len, IP_STRLEN - len, "%s%x",
					len > 0 && buf[len - 1] != ':' ? ":" : "", group[i]);
	}
	return buf;
}

/* The length counted from the first of our 16 bytes. */
static unsigned mapped_len(const struct cidr *c)
{
	return c->len + (ip_is_v4(&c->ip) ? V4_BITS : 0u);
}

static bool same_prefix(const struct ip *a, const struct ip *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a->b, b->b, bytes) != 0)
		return false;
	return rest == 0 || (a->b[bytes] ^ b->b[bytes]) >> (8 - rest) == 0;
}

bool cidr_is_set(const struct cidr *c)
{
	return ip_is_set(&c->ip);
}

uint8_t cidr_max_len(const struct cidr *c)
{
	return ip_is_v4(&c->ip) ? 32 : 128;
}

/* Every bit behind the prefix becomes `ones`. */
static struct ip fill_host_bits(const struct cidr *c, bool ones)
{
	struct ip ip = c->ip;

	for (unsigned bit = mapped_len(c); bit < 128; bit = (bit | 7) + 1) {
		uint8_t mask = (uint8_t)(0xff >> bit % 8);

		if (ones)
			ip.b[bit / 8] |= mask;
		else
			ip.b[bit / 8] &= (uint8_t)~mask;
	}
	return ip;
}

struct cidr cidr_masked(const struct cidr *c)
{
	return (struct cidr){.ip = fill_host_bits(c, false), .len = c->len};
}

struct cidr cidr_host(const struct ip *ip)
{
	struct cidr c = {.ip = *ip};

	c.len = cidr_max_len(&c);
	return c;
}

struct ip cidr_last(const struct cidr *c)
{
	return fill_host_bits(c, true);
}

bool cidr_contains(const struct cidr *c, const struct ip *ip)
{
	return cidr_is_set(c) && ip_is_set(ip) && ip_is_v4(&c->ip) == ip_is_v4(ip) &&
	       same_prefix(&c->ip, ip, mapped_len(c));
}

bool cidr_covers(const struct cidr *outer, const struct cidr *inner)
{
	return outer->len <= inner->len && cidr_contains(outer, &inner->ip);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return cidr_covers(a, b) || cidr_covers(b, a);
}

int cidr_cmp(const struct cidr *a, const struct cidr *b)
{
	int d = ip_cmp(&a->ip, &b->ip);

	return d ? d : a->len - b->len;
}

bool cidr_eq(const struct cidr *a, const struct cidr *b)
{
	return cidr_cmp(a, b) == 0;
}

bool cidr_parse(const char *text, struct cidr *ret_cidr)
{
	const char *slash = strchr(text, '/');
	char address[IP_STRLEN];
	struct cidr c;
	unsigned len;
	size_t n;

	if (!slash)
		return false;
	n = (size_t)(slash - text);
	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	if (!ip_parse(address, &c.ip))
		return false;
	/* A mapped address in IPv6 text has a length in IPv6 terms: not ours to guess. */
	if (ip_is_v4(&c.ip) && strchr(address, ':'))
		return false;
	slash = parse_decimal(slash + 1, cidr_max_len(&c), &len);
	if (!slash || *slash)
		return false;
	c.len = (uint8_t)len;
	*ret_cidr = c;
	return true;
}

const char *cidr_format(const struct cidr *c, char buf[CIDR_STRLEN])
{
	size_t n;

	ip_format(&c->ip, buf);
	n = strlen(buf);
	if (cidr_is_set(c))
		snprintf(buf + n, CIDR_STRLEN - n, "/%u", c->len);
	return buf;
}

bool mac_is_set(const struct mac *m)
{
	static const struct mac zero;

	return !mac_eq(m, &zero);
}

bool mac_is_unicast(const struct mac *m)
{
	return mac_is_set(m) && !(m->b[0] & 1); /* IEEE 802: I/G bit */
}

int mac_cmp(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool mac_eq(const struct mac *a, const struct mac *b)
{
	return mac_cmp(a, b) == 0;
}

struct mac mac_from_random(uint64_t random)
{
	struct mac m;

	for (size_t i = 0; i < sizeof(m.b); i++)
		m.b[i] = (uint8_t)(random >> 8 * i);
	m.b[0] = (uint8_t)((m.b[0] & ~1u) | 2u); /* IEEE 802: I/G clear, U/L set */
	return m;
}

bool mac_parse(const char *text, struct mac *ret_mac)
{
	struct mac m;

	for (size_t i = 0; i < sizeof(m.b); i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < sizeof(m.b) - 1 ? ':' : '\0'))
			return false;
		m.b[i] = (uint8_t)(high << 4 | low);
	}
	*ret_mac = m;
	return true;
}

const char *mac_format(const struct mac *m, char buf[MAC_STRLEN])
{
	const uint8_t *b = m->b;

	snprintf(buf, MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		 b[5]);
	return buf;
}
