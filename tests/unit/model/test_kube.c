/* SPDX-License-Identifier: Apache-2.0 */
#include "model/kube.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SLASHES "subnet/kube: prefix can contain at most single slash"
#define FORMAT	"subnet/kube: prefix must be in a format: fqdn/[0-9a-z-_]*"

static const struct {
	const char *text, *want; /* the prefix, or the story */
	bool bad;
} prefixes[] = {
	/* flannel's Test_newAnnotations */
	{"flannel.alpha.coreos.com", "flannel.alpha.coreos.com/", false},
	{"flannel.alpha.coreos.com/", "flannel.alpha.coreos.com/", false},
	{"flannel.alpha.coreos.com/prefix", "flannel.alpha.coreos.com/prefix-", false},
	{"flannel.alpha.coreos.com/prefix-", "flannel.alpha.coreos.com/prefix-", false},
	{"org.com", "org.com/", false},
	{"org9.com", "org9.com/", false},
	{"org.com/9", "org.com/9-", false},
	{"org", FORMAT, true},
	{"org/", FORMAT, true},
	{"org/prefix", FORMAT, true},
	{"org.COM", FORMAT, true},
	{"org.com/PREFIX", FORMAT, true},
	/* ours */
	{"", FORMAT, true},
	{"/", FORMAT, true},
	{".com", FORMAT, true},
	{"org.", FORMAT, true},
	{"a..com", FORMAT, true},
	{"a.b/c/d", SLASHES, true},
	{"a.b//", SLASHES, true},
	{"a.b/-", FORMAT, true},
	{"a.b/c.d", FORMAT, true},
	{"a.b/_", "a.b/_-", false},
	/* flannel's expression is not anchored at its left. */
	{"ORG.a.com", "ORG.a.com/", false},
	{"a..b.c", "a..b.c/", false},
};

static void reads_prefixes_as_flannel_does(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		char prefix[KUBE_PREFIX_SIZE] = "untouched";
		struct err err = {""};
		const int r = kube_prefix_parse(prefixes[i].text, prefix, &err);

		if (r != (prefixes[i].bad ? -EINVAL : 0))
			fail_msg("%s: %d %s", prefixes[i].text, r, err.text);
		assert_string_equal(r == 0 ? prefix : err.text, prefixes[i].want);
		assert_string_equal(r == 0 ? "untouched" : prefix, "untouched");
	}
}

static void refuses_prefixes_that_leave_no_room(void **state _unused_)
{
	char text[400], prefix[KUBE_PREFIX_SIZE];
	struct err err;

	for (size_t n = KUBE_PREFIX_SIZE - 3; n < KUBE_PREFIX_SIZE + 3; n++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "a.b/", 4);
		text[n] = '\0';
		/* A dash is added, and a terminator. */
		if (n + 2 <= KUBE_PREFIX_SIZE) {
			assert_int_equal(kube_prefix_parse(text, prefix, &err), 0);
			assert_int_equal(strlen(prefix), n + 1);
			continue;
		}
		assert_int_equal(kube_prefix_parse(text, prefix, &err), -EINVAL);
		assert_string_equal(err.text, "subnet/kube: prefix is longer than 296 bytes");
	}
}

/* Test vectors of draft-eastlake-fnv, appendix C. */
static void numbers_uids(void **state _unused_)
{
	assert_true(kube_uid_id("") == 0xcbf29ce484222325);
	assert_true(kube_uid_id("a") == 0xaf63dc4c8601ec8c);
	assert_true(kube_uid_id("foobar") == 0x85944171f73967e8);
	/* A text whose hash is 0: never given away. */
	assert_true(kube_uid_id("\xd5\x6b\xb9\x53\x42\x87\x08\x36") == 1);
}

static void annotations_differ(void **state _unused_)
{
	struct kube_anns want = {0}, have = {0};
	char longest[KUBE_ANN_SIZE + 1];

	memset(longest, 'x', KUBE_ANN_SIZE);
	longest[KUBE_ANN_SIZE] = '\0';
	assert_int_equal(kube_anns_differ(&want, &have), 0);
	kube_anns_set(&want, KUBE_ANN_BACKEND_TYPE, "");
	assert_int_equal(kube_anns_differ(&want, &have), KUBE_ANN_BIT(KUBE_ANN_BACKEND_TYPE));
	kube_anns_set(&have, KUBE_ANN_BACKEND_TYPE, "");
	kube_anns_set(&have, KUBE_ANN_PUBLIC_IPV6, "somebody's");
	assert_int_equal(kube_anns_differ(&want, &have), 0);
	kube_anns_set(&want, KUBE_ANN_PUBLIC_IP, "1.2.3.4");
	kube_anns_set(&have, KUBE_ANN_PUBLIC_IP, longest);
	assert_null(kube_anns_get(&have, KUBE_ANN_PUBLIC_IP));
	assert_int_equal(kube_anns_differ(&want, &have), KUBE_ANN_BIT(KUBE_ANN_PUBLIC_IP));
	kube_anns_set(&have, KUBE_ANN_PUBLIC_IP, "1.2.3.4");
	assert_int_equal(kube_anns_differ(&want, &have), 0);
	kube_anns_set(&have, KUBE_ANN_PUBLIC_IP, "1.2.3.5");
	assert_int_equal(kube_anns_differ(&want, &have), KUBE_ANN_BIT(KUBE_ANN_PUBLIC_IP));
}

static void a_hash_tells_annotations_apart(void **state _unused_)
{
	struct kube_anns a = {0}, b = {0};

	assert_true(kube_anns_hash(&a) != 0);
	assert_true(kube_anns_hash(&a) == kube_anns_hash(&b));
	kube_anns_set(&a, KUBE_ANN_PUBLIC_IP, "10.0.0.1");
	assert_true(kube_anns_hash(&a) != kube_anns_hash(&b));
	kube_anns_set(&b, KUBE_ANN_NODE_PUBLIC_IP, "10.0.0.1"); /* the same text elsewhere */
	assert_true(kube_anns_hash(&a) != kube_anns_hash(&b));
	b = a;
	assert_true(kube_anns_hash(&a) == kube_anns_hash(&b));
	kube_anns_set(&b, KUBE_ANN_BACKEND_TYPE, ""); /* nothing, but there */
	assert_true(kube_anns_hash(&a) != kube_anns_hash(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_prefixes_as_flannel_does),
		cmocka_unit_test(refuses_prefixes_that_leave_no_room),
		cmocka_unit_test(numbers_uids),
		cmocka_unit_test(annotations_differ),
		cmocka_unit_test(a_hash_tells_annotations_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
