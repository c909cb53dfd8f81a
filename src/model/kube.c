/* SPDX-License-Identifier: Apache-2.0 */
#include "model/kube.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

const char *const kube_ann_suffixes[] = {
	[KUBE_ANN_SUBNET_MANAGER] = "kube-subnet-manager",
	[KUBE_ANN_BACKEND_TYPE] = "backend-type",
	[KUBE_ANN_BACKEND_DATA] = "backend-data",
	[KUBE_ANN_BACKEND_V6_DATA] = "backend-v6-data",
	[KUBE_ANN_PUBLIC_IP] = "public-ip",
	[KUBE_ANN_PUBLIC_IPV6] = "public-ipv6",
	[KUBE_ANN_PUBLIC_IP_OVERWRITE] = "public-ip-overwrite",
	[KUBE_ANN_PUBLIC_IPV6_OVERWRITE] = "public-ipv6-overwrite",
	[KUBE_ANN_NODE_PUBLIC_IP] = "node-public-ip",
	[KUBE_ANN_NODE_PUBLIC_IPV6] = "node-public-ipv6",
};
static_assert(ARRAY_SIZE(kube_ann_suffixes) == KUBE_ANN__COUNT, "an annotation without suffix");

const char *kube_anns_get(const struct kube_anns *a, enum kube_ann ann)
{
	return (a->present & ~a->cut & KUBE_ANN_BIT(ann)) ? a->value[ann] : NULL;
}

void kube_anns_set(struct kube_anns *a, enum kube_ann ann, const char *value)
{
	const unsigned bit = KUBE_ANN_BIT(ann);

	a->present |= bit;
	if (text_copy(a->value[ann], sizeof(a->value[ann]), value))
		a->cut &= ~bit;
	else
		a->cut |= bit;
}

unsigned kube_anns_differ(const struct kube_anns *want, const struct kube_anns *have)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < KUBE_ANN__COUNT; i++) {
		const char *wanted = kube_anns_get(want, (enum kube_ann)i);
		const char *there = kube_anns_get(have, (enum kube_ann)i);

		if (wanted && (!there || strcmp(wanted, there) != 0))
			bits |= KUBE_ANN_BIT(i);
	}
	return bits;
}

uint64_t kube_anns_hash(const struct kube_anns *a)
{
	uint64_t h = hash_bytes(HASH_SEED, &a->present, sizeof(a->present));

	h = hash_bytes(h, &a->cut, sizeof(a->cut));
	for (unsigned i = 0; i < KUBE_ANN__COUNT; i++)
		if (a->present & KUBE_ANN_BIT(i))
			h = hash_text(h, a->value[i]);
	return h ? h : 1;
}

uint64_t kube_uid_id(const char *uid)
{
	uint64_t id = hash_bytes(HASH_SEED, uid, strlen(uid));

	return id ? id : 1;
}

/* ---- the prefix of annotations ---- */

static bool is_label(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* flannel's (?:[a-z0-9_-]+\.)+[a-z0-9_-]+/(?:[a-z0-9_-]+-)?$ which is not anchored at its left: what
 * counts before the slash are the last label, the dot before it, and one character before that. */
static bool prefix_fits(const char *prefix, const char *slash)
{
	const char *p = slash;

	for (const char *c = slash + 1; *c; c++)
		if (!is_label(*c))
			return false;
	if (slash[1] == '-' && !slash[2])
		return false;
	while (p > prefix && is_label(p[-1]))
		p--;
	return p < slash && p - prefix >= 2 && p[-1] == '.' && is_label(p[-2]);
}

int kube_prefix_parse(const char *text, char ret[KUBE_PREFIX_SIZE], struct err *err)
{
	const char *slash = strchr(text, '/');
	char prefix[KUBE_PREFIX_SIZE];
	struct text t = TEXT(prefix);

	if (slash && strchr(slash + 1, '/'))
		return err_set(err, -EINVAL,
			       "subnet/kube: prefix can contain at most single slash");
	text_add(&t, "%s%s", text, slash ? "" : "/");
	if (!t.cut && prefix[t.len - 1] != '/' && prefix[t.len - 1] != '-')
		text_add(&t, "-");
	if (t.cut)
		return err_set(err, -EINVAL, "subnet/kube: prefix is longer than %d bytes",
			       KUBE_PREFIX_SIZE - 1);
	if (!prefix_fits(prefix, strchr(prefix, '/')))
		return err_set(err, -EINVAL,
			       "subnet/kube: prefix must be in a format: fqdn/[0-9a-z-_]*");
	memcpy(ret, prefix, t.len + 1);
	return 0;
}

bool kube_version_is_older(const char *version, const char *than)
{
	size_t n = strlen(version), m = strlen(than);

	if (strspn(version, "0123456789") != n || strspn(than, "0123456789") != m)
		return false;
	return n != m ? n < m : strcmp(version, than) < 0;
}
