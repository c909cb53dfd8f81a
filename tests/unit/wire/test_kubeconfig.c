/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kubeconfig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define PATH "/etc/k/config"

static struct arena arena;

static int set_up(void **state _unused_)
{
	arena_init(&arena, 64 << 20);
	return 0;
}

static int tear_down(void **state _unused_)
{
	arena_fini(&arena);
	return 0;
}

static struct kubeconfig decoded(const char *text)
{
	struct kubeconfig c;
	struct err err;

	if (kubeconfig_decode(text, strlen(text), PATH, &arena, &c, &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

/* Everything, in the order that kubectl writes it. */
#define HEAD	"apiVersion: v1\nkind: Config\ncurrent-context: here\n"
#define CONTEXT "contexts:\n- name: there\n- context:\n    cluster: c\n    user: u\n  name: here\n"
#define CLUSTER \
 "clusters:\n- name: other\n  cluster: {server: https://wrong}\n- name: c\n  cluster:\n"
#define USER   "users:\n- name: u\n  user:\n"
#define SERVER "    server: https://api:6443\n"

static void all_fields(void **state _unused_)
{
	const struct kubeconfig c =
		decoded(HEAD CONTEXT CLUSTER SERVER
			"    certificate-authority: ca.pem\n"
			"    certificate-authority-data: Y2E=\n"
			"    insecure-skip-tls-verify: true\n"
			"    tls-server-name: kubernetes\n"
			"    proxy-url: http://proxy:3128\n"
			"    disable-compression: true\n" USER "    client-certificate: pki/c.pem\n"
			"    client-key: /abs/k.pem\n"
			"    client-certificate-data: |\n      Y2Vy\n      dA==\n"
			"    client-key-data: a2V5\n"
			"    token: 12345\n"
			"    tokenFile: ../token\n"
			"    username: me\n"
			"    password: 'pa''ss'\n");

	assert_string_equal(c.context, "here");
	assert_string_equal(c.cluster, "c");
	assert_string_equal(c.user, "u");
	assert_string_equal(c.server, "https://api:6443");
	assert_string_equal(c.ca_file, "/etc/k/ca.pem");
	assert_int_equal(c.ca_data.n, 2);
	assert_memory_equal(c.ca_data.bytes, "ca", 2);
	assert_true(c.insecure);
	assert_string_equal(c.tls_server_name, "kubernetes");
	assert_string_equal(c.proxy_url, "http://proxy:3128");
	assert_string_equal(c.cert_file, "/etc/k/pki/c.pem");
	assert_string_equal(c.key_file, "/abs/k.pem");
	assert_int_equal(c.cert_data.n, 4);
	assert_memory_equal(c.cert_data.bytes, "cert", 4);
	assert_int_equal(c.key_data.n, 3);
	assert_memory_equal(c.key_data.bytes, "key", 3);
	assert_string_equal(c.token, "12345");
	assert_string_equal(c.token_file, "/etc/k/../token");
	assert_string_equal(c.username, "me");
	assert_string_equal(c.password, "pa'ss");
	assert_string_equal(c.exec.command, "");
	assert_string_equal(c.unsupported, "");
}

static void little(void **state _unused_)
{
	/* Nobody's; null is absent; of two equal keys the last; a second document is none of ours. */
	const struct kubeconfig c = decoded(
		"current-context: a\n"
		"contexts: [{name: a, context: {cluster: b, cluster: c, user: null}}]\n"
		"clusters: [{name: c, cluster: {server: 'http://x', proxy-url: ~, tls-server-name: }}]\n"
		"users:\n---\nwhatever: {\n");

	assert_string_equal(c.user, "");
	assert_string_equal(c.server, "http://x");
	assert_string_equal(c.proxy_url, "");
	assert_string_equal(c.tls_server_name, "");
	assert_string_equal(c.ca_file, "");
	assert_null(c.ca_data.bytes);
	assert_false(c.insecure);
}

static void json(void **state _unused_)
{
	const struct kubeconfig c = decoded(
		"{\n\t\"kind\": \"Config\",\n\t\"current-context\": \"a\",\n"
		"\t\"contexts\": [{\"name\": \"a\", \"context\": {\"cluster\": \"b\", \"user\": \"c\"}}],\n"
		"\t\"clusters\": [{\"name\": \"b\", \"cluster\": {\"server\": \"https:\\/\\/[fd00::1]:6443\","
		"\n\t\t\"insecure-skip-tls-verify\": false}}],\n"
		"\t\"users\": [{\"name\": \"c\", \"user\": {\"token\": \"t\\u0041\"}}]\n}\n");

	assert_string_equal(c.server, "https://[fd00::1]:6443");
	assert_string_equal(c.token, "tA");
	assert_false(c.insecure);
}

static void anchors_and_merge_keys(void **state _unused_)
{
	const struct kubeconfig c = decoded(
		"current-context: &name prod\n"
		"contexts:\n- name: *name\n  context: {cluster: *name, user: *name}\n"
		"x-tls: &tls {certificate-authority: /ca, tls-server-name: from-tls}\n"
		"x-more: &more {tls-server-name: from-more, insecure-skip-tls-verify: yes, server: no}\n"
		"x-nested: &nested {<<: *more}\n"
		"clusters:\n- name: *name\n  cluster:\n    server: https://own\n"
		"    <<: [*tls, *nested, 7]\n"
		"users:\n- name: *name\n  user: {<<: {username: me}, password: x}\n");

	assert_string_equal(c.context, "prod");
	assert_string_equal(c.server, "https://own"); /* its own goes before */
	assert_string_equal(c.ca_file, "/ca");
	assert_string_equal(c.tls_server_name, "from-tls"); /* the first goes before */
	assert_true(c.insecure);			    /* merged into what is merged */
	assert_string_equal(c.username, "me");
}

static void exec(void **state _unused_)
{
	const struct kubeconfig c =
		decoded(HEAD CONTEXT CLUSTER SERVER USER
			"    exec:\n"
			"      apiVersion: client.authentication.k8s.io/v1beta1\n"
			"      command: bin/get-token\n"
			"      args: [--cluster, 7]\n"
			"      env:\n      - {name: A, value: b=c}\n      - name: EMPTY\n"
			"      installHint: buy it\n"
			"      interactiveMode: Never\n"
			"      provideClusterInfo: true\n");

	assert_int_equal(c.exec.version, KUBECONFIG_EXEC_V1BETA1);
	assert_string_equal(c.exec.command, "/etc/k/bin/get-token");
	assert_int_equal(c.exec.n_args, 2);
	assert_string_equal(c.exec.args[0], "--cluster");
	assert_string_equal(c.exec.args[1], "7");
	assert_int_equal(c.exec.n_env, 2);
	assert_string_equal(c.exec.env[0].name, "A");
	assert_string_equal(c.exec.env[0].value, "b=c");
	assert_string_equal(c.exec.env[1].value, "");
	assert_string_equal(c.exec.install_hint, "buy it");
	assert_string_equal(c.exec.interactive_mode, "Never");
	assert_true(c.exec.with_cluster);
	assert_string_equal(
		decoded(HEAD CONTEXT CLUSTER SERVER USER
			"    exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}\n")
			.exec.command,
		"aws");
}

static void unsupported(void **state _unused_)
{
	assert_string_equal(
		decoded(HEAD CONTEXT CLUSTER SERVER USER "    auth-provider: {name: gcp}\n")
			.unsupported,
		"auth-provider");
	assert_string_equal(
		decoded(HEAD CONTEXT CLUSTER SERVER USER "    as: admin\n    as-groups: [x]\n")
			.unsupported,
		"as");
}

#define USERS_X HEAD CONTEXT CLUSTER SERVER USER
#define EXEC	USERS_X "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n"

static const struct {
	const char *text, *told; /* behind PATH */
} bad[] = {
	{"", ": is empty"},
	{"\n# nothing\n", ": is empty"},
	{"null\n", ": is empty"},
	{"--- ~\n...\n", ": is empty"},
	{"\177ELF\2\1\1", ": not a text: control characters are not allowed at byte 0"},
	{"a: b\n\x80\x80\n", ": not a text: invalid leading UTF-8 octet at byte 5"},
	{"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
	 ":1:1: must be a mapping with clusters, contexts and users: "
	 "\"-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----\""},
	{"- a\n", ":1:1: must be a mapping with clusters, contexts and users"},
	{"a: b: c\n", ":1:5: not YAML: mapping values are not allowed in this context"},
	{"clusters: [\n", ":2:1: not YAML: did not find expected node content"},
	{"a: *b\n", ":1:4: not YAML: found undefined alias"},
	{"kind: Pod\n", ":1:7: kind: this is no kubeconfig: it must be Config: \"Pod\""},
	{"clusters: []\n", ": no current-context; there are: none"},
	{"current-context: ''\ncontexts: [{name: a}, {name: b}, 7]\n",
	 ": no current-context; there are: \"a\", \"b\""},
	{"current-context: \"x\\0y\"\n",
	 ":1:18: current-context: has a zero byte in it: \"x\\x00y\""},
	{"current-context: [a]\n", ":1:18: current-context: must be a text"},
	{"current-context: a\ncontexts: b\n", ":2:11: contexts: must be a list: \"b\""},
	{"current-context: a\n",
	 ":1:18: current-context: no context is called \"a\"; there are: none"},
	{"current-context: a\ncontexts: [{name: b}, {name: c}, {name: d}, {name: \"\\n\"}, {name: f}, "
	 "{name: g}, {name: h}]\n",
	 ":1:18: current-context: no context is called \"a\"; there are: \"b\", \"c\", \"d\", "
	 "\"\\x0a\", \"f\" and 2 more"},
	{"current-context: a\ncontexts: [{name: a}]\n",
	 ":1:18: context \"a\": cluster: is missing"},
	{"current-context: a\ncontexts: [{name: a, context: {user: u}}]\n",
	 ":2:31: context \"a\": cluster: is missing"},
	{"current-context: a\ncontexts: [{name: a}, {name: a}]\n",
	 ":2:30: contexts: two have this name: \"a\""},
	{"current-context: a\ncontexts: [{name: a, context: {cluster: b}}]\nclusters: [{name: c}]\n",
	 ":2:41: context \"a\": cluster: no cluster is called \"b\"; there are: \"c\""},
	{HEAD CONTEXT CLUSTER SERVER "users: [{name: v}]\n",
	 ":8:11: context \"here\": user: no user is called \"u\"; there are: \"v\""},
	{"current-context: a\ncontexts: [{name: a, context: {cluster: b}}]\nclusters: [{name: b, cluster: c}]\n",
	 ":3:31: cluster \"b\": cluster: must be a mapping: \"c\""},
	{HEAD CONTEXT CLUSTER SERVER "    certificate-authority-data: ':-)'\n" USER,
	 ":16:33: cluster \"c\": certificate-authority-data: is not base64"},
	{HEAD CONTEXT CLUSTER SERVER "    insecure-skip-tls-verify: 'true'\n" USER,
	 ":16:31: cluster \"c\": insecure-skip-tls-verify: must be true or false, without quotes: \"true\""},
	{HEAD CONTEXT CLUSTER "    server: {}\n" USER,
	 ":15:13: cluster \"c\": server: must be a text"},
	{USERS_X "    client-key-data: S3CRET!\n",
	 ":19:22: user \"u\": client-key-data: is not base64"},
	{USERS_X "    token: \"S3CRET\\0\"\n", ":19:12: user \"u\": token: has a zero byte in it"},
	{USERS_X "    exec: me\n", ":19:11: user \"u\": exec: must be a mapping: \"me\""},
	{USERS_X "    exec: {apiVersion: client.authentication.k8s.io/v1alpha1}\n",
	 ":19:24: user \"u\": exec: apiVersion: must be client.authentication.k8s.io/v1 or v1beta1: "
	 "\"client.authentication.k8s.io/v1alpha1\""},
	{USERS_X "    exec: {command: x}\n",
	 ":19:11: user \"u\": exec: apiVersion: must be client.authentication.k8s.io/v1 or v1beta1"},
	{EXEC, ":20:7: user \"u\": exec: command: is missing"},
	{EXEC "      command: x\n      args: S3CRET\n",
	 ":22:13: user \"u\": exec: args: must be a list: \"S3CRET\""},
	{EXEC "      command: x\n      args: [[]]\n",
	 ":22:14: user \"u\": exec: args: must be a text"},
	{EXEC "      command: x\n      env: [a]\n",
	 ":22:13: user \"u\": exec: env: must be mappings with name and value"},
	{EXEC "      command: x\n      env: [{value: a}]\n",
	 ":22:13: user \"u\": exec: env: one has no name that a variable can have"},
	{EXEC "      command: x\n      env: [{name: a=b}]\n",
	 ":22:13: user \"u\": exec: env: one has no name that a variable can have"},
};

static void what_is_wrong_and_where(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kubeconfig c = {.server = "untouched"};
		struct err err = {0};

		assert_int_equal(
			kubeconfig_decode(bad[i].text, strlen(bad[i].text), PATH, &arena, &c, &err),
			-EINVAL);
		if (strncmp(err.text, PATH, strlen(PATH)) != 0 ||
		    strcmp(err.text + strlen(PATH), bad[i].told) != 0)
			fail_msg("row %zu: %s\nwanted: %s%s", i, err.text, PATH, bad[i].told);
		assert_string_equal(c.server, "untouched");
		assert_int_equal(
			kubeconfig_decode(bad[i].text, strlen(bad[i].text), PATH, &arena, &c, NULL),
			-EINVAL);
	}
}

/* ---- bounds ---- */

static const char *repeated(const char *head, const char *part, size_t n, const char *tail)
{
	char *text = arena_calloc(&arena, 1, strlen(head) + n * strlen(part) + strlen(tail) + 1);
	char *p = text + strlen(head);

	memcpy(text, head, strlen(head));
	for (size_t i = 0; i < n; i++, p += strlen(part))
		memcpy(p, part, strlen(part));
	memcpy(p, tail, strlen(tail));
	return text;
}

static void too_much(const char *text, const char *told)
{
	struct kubeconfig c;
	struct err err = {0};

	assert_int_equal(kubeconfig_decode(text, strlen(text), PATH, &arena, &c, &err), -EINVAL);
	if (!strstr(err.text, told))
		fail_msg("%s\nwanted: %s", err.text, told);
}

static void bounded(void **state _unused_)
{
	too_much(repeated("", "x", LIMIT_KUBECONFIG_BYTES + 1, ""),
		 "longer than 1048576 bytes: 1048577");
	too_much(repeated("[", "a,", LIMIT_KUBECONFIG_NODES, "]"), "more than 20000 values");
	too_much(repeated("", "[", 65, ""), "nested deeper than 64");
	too_much(repeated("", "- ", 65, ""), "nested deeper than 64");
	too_much(repeated("", "%TAG !a! b\n", 17, ""), "more than 16 %TAG directives");
	too_much(repeated("", "- &a b\n", 1001, ""), "more than 1000 anchors");
}

/* Ten lists of ten of the next: 10^10 texts, or merges. */
static void laughs(void **state _unused_)
{
	char text[8000] = "l0: &l0 {lol: lol}\n";
	struct text t = {.buf = text, .size_bytes = sizeof(text), .len = strlen(text)};

	for (int i = 1; i <= 12; i++) {
		text_add(&t, "l%d: &l%d {<<: [", i, i);
		for (int k = 0; k < 10; k++)
			text_add(&t, "*l%d, ", i - 1);
		text_add(&t, "]}\n");
	}
	text_add(&t, "current-context: a\ncontexts: [{name: a, context: {<<: *l12}}]\n");
	assert_false(t.cut);
	too_much(text, "merge keys (<<) that lead too far");
	/* In itself. */
	too_much(
		"current-context: a\ncontexts: &a [{name: a, context: &b {<<: *b, cluster: *a}}]\n",
		"cluster: must be a text");
	too_much("&r {current-context: a, <<: [*r, *r], contexts: [{name: a, context: *r}]}\n",
		 "merge keys (<<) that lead too far");
	/* In texts, which are copied. */
	too_much(
		repeated(USERS_X
			 "    exec: {apiVersion: client.authentication.k8s.io/v1, installHint: &i ",
			 "laugh", 5000, repeated(", command: x, args: [", "*i ,", 200, "]}\n")),
		"exec: args: is repeated too often");
	/* As copies, never made. */
	t = (struct text){.buf = text, .size_bytes = sizeof(text)};
	text_add(&t, "l0: &l0 [lol]\n");
	for (int i = 1; i <= 12; i++)
		text_add(&t, "l%d: &l%d [*l%d, *l%d, *l%d, *l%d]\n", i, i, i - 1, i - 1, i - 1,
			 i - 1);
	text_add(&t, "%s", HEAD CONTEXT CLUSTER SERVER USER);
	assert_string_equal(decoded(text).server, "https://api:6443");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(little, set_up, tear_down),
		cmocka_unit_test_setup_teardown(json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(anchors_and_merge_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(exec, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unsupported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_and_where, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(laughs, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
