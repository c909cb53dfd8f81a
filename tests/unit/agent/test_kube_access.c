/* SPDX-License-Identifier: Apache-2.0 */
/* Each way to the API server: which legs there are, who must be at their ends, who we say we are. */
#include "agent/kube_access.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static char dir[40];

/* DIR in it is the folder of the test. */
static const char *expand(const char *text, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size_bytes = size};

	buf[0] = '\0';
	for (const char *at; (at = strstr(text, "DIR")); text = at + 3)
		text_add(&t, "%.*s%s", (int)(at - text), text, dir);
	text_add(&t, "%s", text);
	assert_false(t.cut);
	return buf;
}

static void put(const char *name, const char *content)
{
	char path[100];
	struct err err;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (file_replace(path, content, &err) < 0)
		fail_msg("%s", err.text);
}

static const char *const names[] = {"config", "token", "api-servers", "kubelet.conf"};

static void take(const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static int set_up(void **state _unused_)
{
	strcpy(dir, "/tmp/test_access.XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int tear_down(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		take(names[i]);
	return rmdir(dir);
}

static int load(const char *url, const char *config, const char *const environment[],
		struct kube_access *ret, struct err *err)
{
	static char kubelet[60], state[60], path[60];
	const char *const kubelets[] = {"/none", kubelet, NULL};
	const struct kube_host host = {(char *const *)environment, dir, kubelets};
	char name[] = "x", *argv[] = {name, NULL};
	struct opts o;

	assert_int_equal(opts_parse(1, argv, &o, NULL), 0);
	expand("DIR/kubelet.conf", kubelet, sizeof(kubelet));
	o.state_dir = expand("DIR", state, sizeof(state));
	o.kube_api_url = url;
	o.kubeconfig_file = config ? expand(config, path, sizeof(path)) : "";
	return kube_access_load(&o, &host, ret, err);
}

static void describe(const struct kube_access *a, struct text *t)
{
	static const char *const auths[] = {"nobody", "token", "token file", "basic", "exec"};

	for (size_t i = 0; i < a->n_legs; i++) {
		const struct kube_leg *l = &a->legs[i];

		text_add(t, "%s %s%s%s", l->name, l->with_tls ? "https:" : "http:", l->authority,
			 l->path);
		if (l->with_tls)
			text_add(t, " proves %s ca=%s%s cert=%s key=%s%s", l->proves,
				 l->tls.ca_file, l->tls.ca_pem.bytes ? "+" : "", l->tls.cert_file,
				 l->tls.key_file, l->tls.insecure ? " INSECURE" : "");
		text_add(t, "\n");
	}
	text_add(t, "%s%s%s", auths[a->auth], a->proxy[0] ? "; proxy: " : "", a->proxy);
}

#define CONFIG(cluster, user)                                                  \
 "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n" \
 "clusters: [{name: c, cluster: {" cluster "}}]\nusers: [{name: u, user: {" user "}}]\n"

#define POD "KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443"

static const struct {
	const char *url, *config, *kubelet, *servers;
	const char *environment[5];
	const char *want;
} modes[] = {
	/* By URL: nobody. */
	{"http://10.0.0.1:8080",
	 NULL,
	 NULL,
	 NULL,
	 {POD},
	 "10.0.0.1:8080 (--kube-api-url) http:10.0.0.1:8080\nnobody"},
	{"10.0.0.1:8080",
	 NULL,
	 NULL,
	 NULL,
	 {0},
	 "10.0.0.1:8080 (--kube-api-url) http:10.0.0.1:8080\nnobody"},
	{"https://api/k8s/c-1/",
	 NULL,
	 NULL,
	 NULL,
	 {"HTTPS_PROXY=x"},
	 "api:443 (--kube-api-url) https:api/k8s/c-1 proves api ca= cert= key=\n"
	 "nobody; proxy: HTTPS_PROXY"},
	/* By kubeconfig. */
	{"",
	 CONFIG("server: https://10.0.0.1:6443, certificate-authority: ca", "token: t"),
	 NULL,
	 NULL,
	 {POD},
	 "10.0.0.1:6443 (DIR/config) https:10.0.0.1:6443 proves 10.0.0.1 ca=DIR/ca cert= key=\n"
	 "token"},
	{"",
	 CONFIG("server: https://api, certificate-authority: ca, certificate-authority-data: Y2E=, "
		"tls-server-name: kubernetes",
		"client-certificate-data: Yw==, client-key: k, token: t, tokenFile: f"),
	 NULL,
	 NULL,
	 {0},
	 "api:443 (DIR/config) https:api proves kubernetes ca=DIR/config: certificate-authority-data+ "
	 "cert=DIR/config: client-certificate-data key=DIR/k\ntoken file"},
	{"",
	 CONFIG("server: https://api, insecure-skip-tls-verify: true, proxy-url: x",
		"username: me, client-key: k"),
	 NULL,
	 NULL,
	 {"https_proxy=x", "NO_PROXY=api"},
	 "api:443 (DIR/config) https:api proves api ca= cert= key= INSECURE\n"
	 "basic; proxy: proxy-url in the kubeconfig"},
	/* Over http:// we are nobody, as in client-go. */
	{"",
	 CONFIG("server: 'http://api'", "token: t"),
	 NULL,
	 NULL,
	 {0},
	 "api:80 (DIR/config) http:api\nnobody"},
	{"https://[fd00::1]:1",
	 CONFIG("certificate-authority: /ca", "token: t"),
	 NULL,
	 NULL,
	 {0},
	 "[fd00::1]:1 (--kube-api-url) https:[fd00::1]:1 proves fd00::1 ca=/ca cert= key=\ntoken"},
	/* As a pod. */
	{"",
	 NULL,
	 NULL,
	 NULL,
	 {POD},
	 "10.96.0.1:443 (KUBERNETES_SERVICE_HOST) https:10.96.0.1:443 proves 10.96.0.1 ca=DIR/ca.crt "
	 "cert= key=\ntoken file"},
	{"",
	 NULL,
	 NULL,
	 NULL,
	 {"KUBERNETES_SERVICE_HOST=fd00:96::1", "KUBERNETES_SERVICE_PORT=1"},
	 "[fd00:96::1]:1 (KUBERNETES_SERVICE_HOST) https:[fd00:96::1]:1 proves fd00:96::1 "
	 "ca=DIR/ca.crt cert= key=\ntoken file"},
	{"",
	 NULL,
	 CONFIG("server: https://lb:6443, insecure-skip-tls-verify: true", "as: x, token: t"),
	 "10.96.0.1:443\n10.0.0.1:6443\n[fd00::1]:6443\n10.0.0.1:6443\n",
	 {POD, "HTTPS_PROXY=x"},
	 "10.96.0.1:443 (KUBERNETES_SERVICE_HOST) https:10.96.0.1:443 proves 10.96.0.1 ca=DIR/ca.crt "
	 "cert= key=\n"
	 "10.0.0.1:6443 (remembered) https:10.0.0.1:6443 proves 10.96.0.1 ca=DIR/ca.crt cert= key=\n"
	 "[fd00::1]:6443 (remembered) https:[fd00::1]:6443 proves 10.96.0.1 ca=DIR/ca.crt cert= key=\n"
	 "lb:6443 (DIR/kubelet.conf) https:lb:6443 proves lb ca=DIR/ca.crt cert= key=\n"
	 "token file; proxy: HTTPS_PROXY"},
	{"",
	 NULL,
	 CONFIG("server: https://lb, tls-server-name: k8s", ""),
	 NULL,
	 {POD},
	 "10.96.0.1:443 (KUBERNETES_SERVICE_HOST) https:10.96.0.1:443 proves 10.96.0.1 ca=DIR/ca.crt "
	 "cert= key=\nlb:443 (DIR/kubelet.conf) https:lb proves k8s ca=DIR/ca.crt cert= key=\n"
	 "token file"},
	/* A kubelet's that is of no use is passed over. */
	{"",
	 NULL,
	 "no kubeconfig",
	 NULL,
	 {POD},
	 "10.96.0.1:443 (KUBERNETES_SERVICE_HOST) https:10.96.0.1:443 proves 10.96.0.1 ca=DIR/ca.crt "
	 "cert= key=\ntoken file"},
	{"",
	 NULL,
	 CONFIG("server: 'http://lb'", ""),
	 NULL,
	 {POD},
	 "10.96.0.1:443 (KUBERNETES_SERVICE_HOST) https:10.96.0.1:443 proves 10.96.0.1 ca=DIR/ca.crt "
	 "cert= key=\ntoken file"},
	/* What cannot work. */
	{"",
	 NULL,
	 NULL,
	 NULL,
	 {0},
	 "KUBERNETES_SERVICE_HOST is not set: are we in a pod? Outside of one give --kubeconfig-file "
	 "or --kube-api-url"},
	{"",
	 NULL,
	 NULL,
	 NULL,
	 {"KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT="},
	 "KUBERNETES_SERVICE_PORT is not set: are we in a pod? Outside of one give --kubeconfig-file "
	 "or --kube-api-url"},
	{"",
	 NULL,
	 NULL,
	 NULL,
	 {"KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=x"},
	 "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: 10.96.0.1:x: must look like 10.96.0.1:443"},
	{"ftp://x",
	 NULL,
	 NULL,
	 NULL,
	 {POD},
	 "--kube-api-url: ftp://x: the scheme must be http or https"},
	{"x y",
	 CONFIG("server: a", ""),
	 NULL,
	 NULL,
	 {POD},
	 "--kubeconfig-file: --kube-api-url: x y: x y is neither an address nor a host name"},
	{"",
	 CONFIG("server: 'https://a b'", ""),
	 NULL,
	 NULL,
	 {POD},
	 "--kubeconfig-file: DIR/config: cluster \"c\": server: https://a b: a b is neither an address "
	 "nor a host name"},
	{"",
	 CONFIG("", ""),
	 NULL,
	 NULL,
	 {POD},
	 "--kubeconfig-file: DIR/config: cluster \"c\": has no server"},
	{"",
	 "{}",
	 NULL,
	 NULL,
	 {POD},
	 "--kubeconfig-file: DIR/config: no current-context; there are: none"},
	{"",
	 CONFIG("server: a, tls-server-name: 'a b'", ""),
	 NULL,
	 NULL,
	 {0},
	 "--kubeconfig-file: DIR/config: tls-server-name: must be a host name or an address"},
	{"",
	 CONFIG("server: a", "auth-provider: {name: gcp}"),
	 NULL,
	 NULL,
	 {0},
	 "--kubeconfig-file: DIR/config: user \"u\": auth-provider: not supported: give a token, a "
	 "certificate or exec"},
	{"",
	 CONFIG("server: a", "client-certificate: c"),
	 NULL,
	 NULL,
	 {0},
	 "--kubeconfig-file: DIR/config: user \"u\": client-certificate without a client-key"},
	{"",
	 CONFIG("server: a", "token: \"S3CRET\\r\\nX: y\""),
	 NULL,
	 NULL,
	 {0},
	 "--kubeconfig-file: DIR/config: user \"u\": token: is none"},
};

static void each_way(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		char got[3000] = "", want[3000];
		struct kube_access a;
		struct err err = {0};

		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			take(names[k]);
		if (modes[i].config)
			put("config", modes[i].config);
		if (modes[i].kubelet)
			put("kubelet.conf", modes[i].kubelet);
		if (modes[i].servers)
			put("api-servers", modes[i].servers);
		if (load(modes[i].url, modes[i].config ? "DIR/config" : NULL, modes[i].environment,
			 &a, &err) < 0) {
			text_add(&TEXT(got), "%s", err.text);
		} else {
			describe(&a, &TEXT(got));
			kube_access_fini(&a);
		}
		if (strcmp(got, expand(modes[i].want, want, sizeof(want))) != 0)
			fail_msg("row %zu: %s\nwanted: %s", i, got, want);
	}
}

static void no_file(void **state _unused_)
{
	struct kube_access a;
	struct err err = {0};

	assert_int_equal(load("", "/none/config", (const char *[]){NULL}, &a, &err), -ENOENT);
	assert_string_equal(
		err.text, "--kubeconfig-file: cannot open /none/config: No such file or directory");
}

/* A file of 10 MB is not read, whatever is in it; nor is what is no file. */
static void strange_files(void **state _unused_)
{
	const size_t n = 10 << 20;
	char path[60], want[300];
	struct kube_access a;
	struct err err = {0};
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, '#', n);
	text[n] = '\0';
	put("config", text);
	free(text);
	assert_int_equal(load("", "DIR/config", (const char *[]){NULL}, &a, &err), -EFBIG);
	assert_string_equal(
		err.text,
		expand("--kubeconfig-file: cannot read DIR/config: not a file of at most 1048576 bytes",
		       want, sizeof(want)));
	take("config");
	expand("DIR/config", path, sizeof(path));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(load("", "DIR/config", (const char *[]){NULL}, &a, &err), -EFBIG);
	assert_int_equal(rmdir(path), 0);
	put("config", "\177ELF\2\1\1");
	assert_int_equal(load("", "DIR/config", (const char *[]){NULL}, &a, &err), -EINVAL);
	assert_string_equal(err.text, expand("--kubeconfig-file: DIR/config: not a text: control "
					     "characters are not allowed at byte 0",
					     want, sizeof(want)));
	put("config", "");
	assert_int_equal(load("", "DIR/config", (const char *[]){NULL}, &a, &err), -EINVAL);
	assert_string_equal(err.text,
			    expand("--kubeconfig-file: DIR/config: is empty", want, sizeof(want)));
}

/* ---- who we are ---- */

static void want_header(struct kube_access *a, const char *want)
{
	char header[KUBE_AUTHORIZATION_SIZE];

	kube_access_authorization(a, header);
	assert_string_equal(header, want);
}

static void want_words(const struct kube_access *a, unsigned status, const char *want)
{
	char got[600] = "", buf[600];
	struct text t = TEXT(got);

	kube_access_explain(a, status, &t);
	assert_string_equal(got, expand(want, buf, sizeof(buf)));
}

static void a_token_is_rotated(void **state _unused_)
{
	struct kube_access a;

	assert_int_equal(load("", NULL, (const char *[]){POD, NULL}, &a, NULL), 0);
	want_header(&a, "");
	want_words(&a, 401,
		   "; we came with the token DIR/token (cannot open DIR/token: No such file or "
		   "directory): has it expired, or is it of another cluster?");
	put("token", "\none\n");
	want_header(&a, "Bearer one");
	want_header(&a, "Bearer one");
	put("token", "two");
	want_header(&a, "Bearer two");
	want_words(&a, 401,
		   "; we came with the token DIR/token: has it expired, or is it of another "
		   "cluster?");
	/* What cannot be used is told, and the last one kept. */
	put("token", "th\rree");
	want_header(&a, "Bearer two");
	want_words(
		&a, 403,
		"; we came with the token DIR/token (DIR/token: is no token): it must be allowed to "
		"get, list and watch nodes, to patch nodes/status, and to get pods");
	put("token", " \n");
	want_header(&a, "Bearer two");
	want_words(&a, 401,
		   "; we came with the token DIR/token (DIR/token: is empty): has it "
		   "expired, or is it of another cluster?");
	take("token");
	want_header(&a, "Bearer two");
	put("token", "four");
	want_header(&a, "Bearer four");
	want_words(&a, 404, "");
	kube_access_fini(&a);
}

static void others(void **state _unused_)
{
	struct kube_access a;
	const char *none[] = {NULL};

	put("config", CONFIG("server: https://a", "token: t, username: me, password: x"));
	assert_int_equal(load("", "DIR/config", none, &a, NULL), 0);
	want_header(&a, "Bearer t");
	want_words(&a, 401,
		   "; we came with the token in DIR/config: has it expired, or is it of "
		   "another cluster?");
	kube_access_fini(&a);
	/* The file goes before; without it, what is in the kubeconfig. */
	put("config", CONFIG("server: https://a", "token: t, tokenFile: token"));
	take("token");
	assert_int_equal(load("", "DIR/config", none, &a, NULL), 0);
	want_header(&a, "Bearer t");
	put("token", "f");
	want_header(&a, "Bearer f");
	kube_access_fini(&a);
	put("config", CONFIG("server: https://a", "username: Aladdin, password: open sesame"));
	assert_int_equal(load("", "DIR/config", none, &a, NULL), 0);
	want_header(&a, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); /* RFC 7617, 2 */
	kube_access_fini(&a);
	put("config", CONFIG("server: https://a", "client-certificate: c, client-key: k"));
	assert_int_equal(load("", "DIR/config", none, &a, NULL), 0);
	want_header(&a, "");
	want_words(&a, 401,
		   "; we came with the certificate DIR/c: has it expired, or is it of another "
		   "cluster?");
	kube_access_fini(&a);
	assert_int_equal(load("http://a", NULL, none, &a, NULL), 0);
	want_words(&a, 401, "; we came without credentials: give --kubeconfig-file");
	kube_access_fini(&a);
}

/* ---- what is said at start, and of proxies ---- */

static char warned[100];

static void on_log(enum log_level level, const char *event, const char *line _unused_)
{
	struct text t = {.buf = warned, .size_bytes = sizeof(warned), .len = strlen(warned)};

	assert_int_equal(level, LOG_LEVEL_WARN);
	text_add(&t, "%s ", event);
}

static void what_is_dangerous_is_said(void **state _unused_)
{
	static const struct {
		const char *cluster, *want;
	} rows[] = {
		{CONFIG("server: https://a", "token: t"), ""},
		{CONFIG("server: https://a, insecure-skip-tls-verify: yes", ""), "kube.insecure "},
		{CONFIG("server: 'http://a', insecure-skip-tls-verify: yes", "token: t"),
		 "kube.plain "},
	};

	log_init(on_log, LOG_LEVEL_WARN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kube_access a;

		put("config", rows[i].cluster);
		assert_int_equal(load("", "DIR/config", (const char *[]){NULL}, &a, NULL), 0);
		warned[0] = '\0';
		kube_access_warn(&a);
		assert_string_equal(warned, rows[i].want);
		kube_access_fini(&a);
	}
	/* By a URL alone. */
	for (unsigned i = 0; i < 2; i++) {
		struct kube_access a;

		assert_int_equal(
			load(i ? "https://a" : "http://a", NULL, (const char *[]){NULL}, &a, NULL),
			0);
		warned[0] = '\0';
		kube_access_warn(&a);
		assert_string_equal(warned, i ? "" : "kube.plain ");
		kube_access_fini(&a);
	}
	log_init(NULL, LOG_LEVEL_ERROR);
}

static void proxies(void **state _unused_)
{
	char got[300] = "";
	struct text t = TEXT(got);
	struct kube_access a;

	assert_int_equal(load("https://a", NULL, (const char *[]){NULL}, &a, NULL), 0);
	kube_access_explain_proxy(&a, &t);
	assert_string_equal(got, "");
	kube_access_fini(&a);
	assert_int_equal(
		load("https://a", NULL, (const char *[]){"HTTPS_PROXY=u:S3CRET@x", NULL}, &a, NULL),
		0);
	kube_access_explain_proxy(&a, &t);
	assert_string_equal(got, "; HTTPS_PROXY is set, but Loden goes through no proxy: the API "
				 "server must be reachable without");
	kube_access_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_way, set_up, tear_down),
		cmocka_unit_test(no_file),
		cmocka_unit_test_setup_teardown(strange_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_token_is_rotated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_dangerous_is_said, set_up, tear_down),
		cmocka_unit_test(proxies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
