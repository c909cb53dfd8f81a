/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_IP_H
#define MODEL_IP_H
/* Addresses, networks, MACs: one type for both families.
 *
 * An IPv4 address is kept as its IPv4-mapped IPv6 form (::ffff:a.b.c.d), so a struct ip needs no
 * family field, sorts and compares as bytes, and "unset" is all zeroes (the address :: is never
 * meaningful to us). Bytes are in network order. Prefix lengths are in the family's own terms:
 * 0..32 for IPv4, 0..128 for IPv6; 0.0.0.0/0 is set (mapped), so it differs from no network.
 */

#include "base/base.h"

struct ip {
	uint8_t b[16];
};

struct cidr {
	struct ip ip;
	uint8_t len; /* 0..32 or 0..128 */
};

struct mac {
	uint8_t b[6];
};

#define IP_STRLEN   46 /* longest text and its terminator, INET6_ADDRSTRLEN */
#define CIDR_STRLEN (IP_STRLEN + 4)
#define MAC_STRLEN  18

/* From and to an IPv4 number in host byte order. ip_to_v4 of anything else is 0. */
struct ip ip_from_v4(uint32_t host_order);
uint32_t ip_to_v4(const struct ip *ip);
/* From n network-order bytes: 4 or 16; any other n yields "unset". */
struct ip ip_from_bytes(const void *bytes, size_t n);
/* The family's own bytes (4 or 16 of them) inside `ip`. */
const uint8_t *ip_bytes(const struct ip *ip, size_t *ret_n);

bool ip_is_set(const struct ip *ip);
bool ip_is_v4(const struct ip *ip);
/* 0.0.0.0 or unset; multicast; loopback; link-local (169.254/16, fe80::/10). */
bool ip_is_any(const struct ip *ip);
bool ip_is_multicast(const struct ip *ip);
bool ip_is_loopback(const struct ip *ip);
bool ip_is_link_local(const struct ip *ip);
/* Usable as the address of one host on a network: none of the four above, not 255.255.255.255. */
bool ip_is_global_unicast(const struct ip *ip);
int ip_cmp(const struct ip *a, const struct ip *b);
bool ip_eq(const struct ip *a, const struct ip *b);
/* ip + n within the family; wraps are the caller's to exclude. */
struct ip ip_add(const struct ip *ip, uint64_t n);

/* Strict: dotted quad without leading zeroes, or RFC 4291 text (no zone). False leaves ret alone. */
bool ip_parse(const char *text, struct ip *ret_ip);
/* RFC 5952 text; "-" when unset. Returns buf. */
const char *ip_format(const struct ip *ip, char buf[IP_STRLEN]);

bool cidr_is_set(const struct cidr *c);
uint8_t cidr_max_len(const struct cidr *c);    /* 32 or 128 */
struct cidr cidr_masked(const struct cidr *c); /* host bits cleared */
struct cidr cidr_host(const struct ip *ip);    /* ip/32 or ip/128 */
struct ip cidr_last(const struct cidr *c);     /* highest address inside */
bool cidr_contains(const struct cidr *c, const struct ip *ip);
bool cidr_covers(const struct cidr *outer, const struct cidr *inner); /* inner is inside or equal */
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
int cidr_cmp(const struct cidr *a, const struct cidr *b); /* by address, then length */
bool cidr_eq(const struct cidr *a, const struct cidr *b);
/* "address/len"; host bits are kept. False on anything else. */
bool cidr_parse(const char *text, struct cidr *ret_cidr);
const char *cidr_format(const struct cidr *c, char buf[CIDR_STRLEN]);

bool mac_is_set(const struct mac *m);
/* A MAC one station can own: not zero, group bit clear. */
bool mac_is_unicast(const struct mac *m);
int mac_cmp(const struct mac *a, const struct mac *b);
bool mac_eq(const struct mac *a, const struct mac *b);
/* Locally administered unicast MAC out of 64 random bits. */
struct mac mac_from_random(uint64_t random);
bool mac_parse(const char *text, struct mac *ret_mac); /* six hex pairs with ':', any case */
const char *mac_format(const struct mac *m, char buf[MAC_STRLEN]);

#endif
