/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cni_masq.h"

#include <stdio.h>
#include <string.h>

#include "base/sha512.h"

#define HASH_DIGITS 16

/* The beginning of a hash, in hex, over the texts a and b as one. */
static void hash(const char *a, const char *b, char ret[HASH_DIGITS + 1])
{
	uint8_t sum[SHA512_BYTES];
	char text[512];
	size_t n;

	snprintf(text, sizeof(text), "%s%s", a, b);
	n = strlen(text);
	sha512(text, n, sum);
	for (size_t i = 0; i < HASH_DIGITS / 2; i++)
		snprintf(ret + 2 * i, 3, "%02x", sum[i]);
}

void cni_masq_key(const struct cni_plan_owner *o, char ret[CNI_MASQ_KEY_SIZE])
{
	char network[HASH_DIGITS + 1], instance[HASH_DIGITS + 1], prefix[LINK_NAME_SIZE + 1];

	hash(o->network, "", network);
	snprintf(prefix, sizeof(prefix), "%s:", o->ifname);
	hash(prefix, o->container_id, instance);
	snprintf(ret, CNI_MASQ_KEY_SIZE, "%s-%s", network, instance);
}

void cni_masq_comment(const struct cni_plan_owner *o, char ret[CNI_MASQ_COMMENT_SIZE])
{
	char key[CNI_MASQ_KEY_SIZE];
	struct text t = {.buf = ret, .size_bytes = CNI_MASQ_COMMENT_SIZE};
	size_t kept = 0;

	cni_masq_key(o, key);
	text_add(&t, "%s, net: %s, if: %s, id: %s", key, o->network, o->ifname, o->container_id);
	/* nft could not read a quote back. */
	for (size_t i = 0; i < t.len; i++) {
		if (ret[i] != '"')
			ret[kept++] = ret[i];
	}
	ret[kept] = '\0';
}
