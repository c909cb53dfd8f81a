/* SPDX-License-Identifier: Apache-2.0 */
#include "model/cni.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const cni_version_names[] = {
	[CNI_0_1_0] = "0.1.0", [CNI_0_2_0] = "0.2.0", [CNI_0_3_0] = "0.3.0", [CNI_0_3_1] = "0.3.1",
	[CNI_0_4_0] = "0.4.0", [CNI_1_0_0] = "1.0.0", [CNI_1_1_0] = "1.1.0",
};
static_assert(ARRAY_SIZE(cni_version_names) == CNI_VERSION__COUNT, "a name for each");

const char *const local_traffic_names[] = {
	[LOCAL_TRAFFIC_AUTO] = "auto",
	[LOCAL_TRAFFIC_BRIDGED] = "bridged",
	[LOCAL_TRAFFIC_ROUTED] = "routed",
};
static_assert(ARRAY_SIZE(local_traffic_names) == LOCAL_TRAFFIC__COUNT, "a name for each");

const char *const cni_verb_names[] = {
	[CNI_ADD] = "ADD", [CNI_DEL] = "DEL",	    [CNI_CHECK] = "CHECK",
	[CNI_GC] = "GC",   [CNI_STATUS] = "STATUS", [CNI_VERSION] = "VERSION",
};
static_assert(ARRAY_SIZE(cni_verb_names) == CNI_VERB__COUNT, "a name for each");

bool cni_version_parse(const char *text, enum cni_version *ret)
{
	for (size_t i = 0; i < CNI_VERSION__COUNT; i++) {
		if (strcmp(text, cni_version_names[i]) == 0) {
			*ret = (enum cni_version)i;
			return true;
		}
	}
	return false;
}

static int family(enum cni_version v)
{
	return v <= CNI_0_2_0 ? 2 : v <= CNI_0_4_0 ? 4 : 10;
}

bool cni_version_same_family(enum cni_version a, enum cni_version b)
{
	return family(a) == family(b);
}

int cni_version_number(const char *text, uint64_t *ret, struct err *err)
{
	static const char *const parts[] = {"major", "minor", "micro"};
	const char *p = text;
	uint64_t v = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *begin;
		uint64_t n = 0;

		v <<= 21;
		/* What is left out is 0. */
		if (i > 0 && !*p)
			continue;
		begin = p += i > 0;
		for (; *p >= '0' && *p <= '9' && p < begin + 6; p++)
			n = n * 10 + (uint64_t)(*p - '0');
		if (p == begin || (*p && *p != '.'))
			return err_set(err, -EINVAL, "failed to convert %s version part \"%s\"",
				       parts[i], begin);
		v |= n;
	}
	if (*p)
		return err_set(err, -EINVAL, "invalid version \"%s\": too many parts", text);
	*ret = v;
	return 0;
}

bool cni_verb_parse(const char *text, enum cni_verb *ret)
{
	for (size_t i = 0; i < CNI_VERB__COUNT; i++) {
		if (strcmp(text, cni_verb_names[i]) == 0) {
			*ret = (enum cni_verb)i;
			return true;
		}
	}
	return false;
}

int cni_fail(struct cni_error *e, enum cni_code code, const char *fmt, ...)
{
	struct cni_error fresh = {.code = code}; /* e's own text may be among the arguments */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fresh.msg, sizeof(fresh.msg), fmt, ap);
	va_end(ap);
	*e = fresh;
	return -EINVAL;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool cni_name_ok(const char *name)
{
	if (!is_alnum(*name))
		return false;
	while (is_alnum(*name) || *name == '_' || *name == '.' || *name == '-')
		name++;
	return *name == '\0';
}

bool cni_ifname_ok(const char *name)
{
	if (!*name || strlen(name) >= LINK_NAME_SIZE || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		/* 0xa0 is a blank, too, to the kernel (lib/ctype.c). */
		if (c == '/' || c == ':' || c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0)
			return false;
	}
	return true;
}
