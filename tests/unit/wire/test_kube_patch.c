/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kube_patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define PREFIX "flannel.alpha.coreos.com/"

static void writes_the_annotations_that_are_named(void **state _unused_)
{
	char body[KUBE_PATCH_SIZE];
	struct text t = TEXT(body);
	struct kube_anns a = {0};

	kube_anns_set(&a, KUBE_ANN_SUBNET_MANAGER, "true");
	kube_anns_set(&a, KUBE_ANN_BACKEND_DATA, "{\"VNI\":1}");
	kube_anns_set(&a, KUBE_ANN_PUBLIC_IP, "1.2.3.4");
	kube_patch_annotations(PREFIX, &a,
			       KUBE_ANN_BIT(KUBE_ANN_BACKEND_DATA) |
				       KUBE_ANN_BIT(KUBE_ANN_PUBLIC_IP) |
				       KUBE_ANN_BIT(KUBE_ANN_PUBLIC_IPV6),
			       &t);
	assert_string_equal(body, "{\"metadata\":{\"annotations\":{"
				  "\"flannel.alpha.coreos.com/backend-data\":\"{\\\"VNI\\\":1}\","
				  "\"flannel.alpha.coreos.com/public-ip\":\"1.2.3.4\"}}}");
	assert_int_equal(t.len, strlen(body));
	t = (struct text)TEXT(body);
	kube_patch_annotations(PREFIX, &a, 0, &t);
	assert_string_equal(body, "{\"metadata\":{\"annotations\":{}}}");
}

static void the_longest_fits(void **state _unused_)
{
	char body[KUBE_PATCH_SIZE], value[KUBE_ANN_SIZE], prefix[KUBE_PREFIX_SIZE];
	struct text t = TEXT(body);
	struct kube_anns a = {0};
	json_t *o, *metadata;

	memset(value, '\x01', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	memset(prefix, 'p', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	for (unsigned i = 0; i < KUBE_ANN__COUNT; i++)
		kube_anns_set(&a, (enum kube_ann)i, value);
	kube_patch_annotations(prefix, &a, ~0u, &t);
	assert_false(t.cut);
	o = json_loads(body, 0, NULL);
	metadata = json_object_get(o, "metadata");
	assert_int_equal(json_object_size(json_object_get(metadata, "annotations")),
			 KUBE_ANN__COUNT);
	json_decref(o);
}

/* What is no UTF-8 would be no JSON. */
static void writes_any_bytes(void **state _unused_)
{
	char body[1000];
	struct text t = TEXT(body);
	struct kube_anns a = {0};

	kube_anns_set(&a, KUBE_ANN_PUBLIC_IP, "\xff\n\xc3\xa9");
	kube_patch_annotations("a.b/", &a, ~0u, &t);
	assert_string_equal(
		body,
		"{\"metadata\":{\"annotations\":{\"a.b/public-ip\":\"\\\\xff\\\\x0a\\\\xc3\\\\xa9\"}}}");
}

static void says_when_it_is_cut(void **state _unused_)
{
	static const char want[] =
		"{\"metadata\":{\"annotations\":{\"a.b/public-ip\":\"1.2.3.4\"}}}";
	struct kube_anns a = {0};
	char body[sizeof(want) + 2];

	kube_anns_set(&a, KUBE_ANN_PUBLIC_IP, "1.2.3.4");
	for (size_t size = 1; size <= sizeof(body); size++) {
		struct text t = {.buf = body, .size_bytes = size};

		kube_patch_annotations("a.b/", &a, ~0u, &t);
		assert_int_equal(t.cut, size < sizeof(want));
		assert_string_equal(body, t.cut ? "" : want);
		assert_int_equal(t.len, strlen(body));
	}
}

/* flannel.md 4.8 has the first. */
static void writes_the_condition(void **state _unused_)
{
	char body[1000];
	struct text t = TEXT(body);
	struct kube_patch_condition c = {
		.reason = "FlannelIsUp",
		.message = "Flannel is running on this node",
		.now_s = 1786708800,
		.transition_s = 1786708800,
	};

	kube_patch_condition(&c, &t);
	assert_string_equal(
		body,
		"{\"status\":{\"conditions\":[{\"type\":\"NetworkUnavailable\",\"status\":\"False\","
		"\"lastHeartbeatTime\":\"2026-08-14T12:00:00Z\",\"lastTransitionTime\":"
		"\"2026-08-14T12:00:00Z\",\"reason\":\"FlannelIsUp\",\"message\":\"Flannel is "
		"running on this node\"}]}}");
	c = (struct kube_patch_condition){true, "NoPodCIDR", "say \"why\"\n", 0, 1};
	t = (struct text)TEXT(body);
	kube_patch_condition(&c, &t);
	assert_string_equal(
		body,
		"{\"status\":{\"conditions\":[{\"type\":\"NetworkUnavailable\",\"status\":\"True\","
		"\"lastHeartbeatTime\":\"1970-01-01T00:00:00Z\",\"lastTransitionTime\":"
		"\"1970-01-01T00:00:01Z\",\"reason\":\"NoPodCIDR\",\"message\":\"say "
		"\\\"why\\\"\\n\"}]}}");
}

static const struct {
	int64_t s;
	const char *want;
} times[] = {
	{-1, "1970-01-01T00:00:00Z"},		{68169599, "1972-02-28T23:59:59Z"},
	{68169600, "1972-02-29T00:00:00Z"},	{68256000, "1972-03-01T00:00:00Z"},
	{946684799, "1999-12-31T23:59:59Z"},	{951782400, "2000-02-29T00:00:00Z"},
	{1798761599, "2026-12-31T23:59:59Z"},	{4107542400, "2100-03-01T00:00:00Z"},
	{253402300799, "9999-12-31T23:59:59Z"}, {253402300800, "9999-12-31T23:59:59Z"},
	{INT64_MAX, "9999-12-31T23:59:59Z"},
};

static void writes_times(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		char body[1000];
		struct text t = TEXT(body);
		const struct kube_patch_condition c = {
			.reason = "", .message = "", .now_s = times[i].s};

		kube_patch_condition(&c, &t);
		if (!strstr(body, times[i].want))
			fail_msg("%lld: want %s: %s", (long long)times[i].s, times[i].want, body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_annotations_that_are_named),
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(writes_any_bytes),
		cmocka_unit_test(says_when_it_is_cut),
		cmocka_unit_test(writes_the_condition),
		cmocka_unit_test(writes_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
