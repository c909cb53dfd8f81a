/* SPDX-License-Identifier: Apache-2.0 */
/* A kubeconfig's credential plugin, from its question to the header and the certificate that come of it. */
#include "agent/kube_exec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/kube_access.h"
#include "os/file.h"

static char dir[40], config[60], answer[60];

struct scene {
	struct loop *loop;
	struct kube_exec *exec;
	struct kube_access access;
	unsigned n_changed;
};

static int set_up(void **state)
{
	static struct scene s;

	s = (struct scene){.loop = loop_new()};
	*state = &s;
	strcpy(dir, "/tmp/test_exec.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(config, sizeof(config), "%s/config", dir);
	snprintf(answer, sizeof(answer), "%s/answer", dir);
	setenv("LODEN_TEST", "ours", 1);
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	kube_exec_free(s->exec);
	loop_free(s->loop);
	unlink(config);
	unlink(answer);
	assert_int_equal(rmdir(dir), 0);
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? 0 : -1; /* no child is left */
}

static struct opts options(void)
{
	char name[] = "x", *argv[] = {name, NULL};
	struct opts o;

	assert_int_equal(opts_parse(1, argv, &o, NULL), 0);
	o.kubeconfig_file = config;
	return o;
}

static void put_config(const char *user)
{
	char text[2000];
	struct text t = TEXT(text);

	text_add(
		&t,
		"current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
		"clusters: [{name: c, cluster: {server: https://a, certificate-authority-data: Q0E=}}]\n"
		"users:\n- name: u\n  user:\n%s",
		user);
	assert_int_equal(file_replace(config, text, NULL), 0);
}

#define EXEC                                                      \
 "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n" \
 "      installHint: \"see \\\"here\\\"\\n and more\"\n"          \
 "      env: [{name: LODEN_TEST, value: its own}]\n      command: sh\n      args: [-c, "

static void put_answer(const char *status)
{
	char text[2000];

	text_add(&TEXT(text),
		 "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
		 "\"status\":{%s}}",
		 status);
	assert_int_equal(file_replace(answer, text, NULL), 0);
}

static void on_changed(void *arg)
{
	struct scene *s = arg;

	s->n_changed++;
}

static void on_tick(void *loop)
{
	loop_stop(loop);
}

/* Until the plugin has answered. */
static void wait_for_it(struct scene *s)
{
	const uint64_t until_ms = loop_now_ms(s->loop) + 60000;
	struct loop_watch *tick = loop_timer(s->loop, on_tick, s->loop);

	while (kube_exec_is_asked(s->exec)) {
		loop_timer_at(tick, loop_now_ms(s->loop) + 10);
		loop_run(s->loop);
		assert_true(loop_now_ms(s->loop) < until_ms);
	}
	loop_watch_free(tick);
}

/* It says what is in the file `answer`. */
static void start(struct scene *s)
{
	struct opts o = options();
	char user[300] = "", words[100] = "";
	struct text t = TEXT(words);
	struct err err;

	text_add(&TEXT(user), EXEC "'cat %s']\n", answer);
	put_config(user);
	if (kube_exec_new(&o, &s->exec, &err) < 0 ||
	    kube_access_from_opts(&o, &s->access, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(s->exec);
	assert_int_equal(s->access.auth, KUBE_AUTH_EXEC);
	kube_access_start(&s->access, s->exec, s->loop, on_changed, s);
	assert_false(kube_access_is_ready(&s->access, &t));
	assert_string_equal(words, "the plugin sh has not told us yet who we are");
	wait_for_it(s);
}

static void renew(struct scene *s)
{
	s->n_changed = 0;
	kube_access_renew(&s->access);
	kube_access_renew(&s->access); /* it is being asked */
	wait_for_it(s);
}

static void want_header(struct scene *s, const char *want)
{
	char header[KUBE_AUTHORIZATION_SIZE];

	kube_access_authorization(&s->access, header);
	assert_string_equal(header, want);
}

static void tokens(void **state)
{
	struct scene *s = *state;
	char words[700] = "";
	struct text t = TEXT(words);

	put_answer("\"token\":\"one\"");
	start(s);
	want_header(s, "Bearer one");
	assert_true(kube_exec_valid_s(s->exec) == INT64_MAX);
	put_answer("\"token\":\"two\",\"expirationTimestamp\":\"2500-01-01T00:00:00Z\"");
	want_header(s, "Bearer one");
	renew(s);
	want_header(s, "Bearer two");
	assert_true(kube_exec_valid_s(s->exec) > 86400);
	/* It fails: the last answer is kept, as long as it is good. */
	unlink(answer);
	renew(s);
	want_header(s, "Bearer two");
	kube_access_explain(&s->access, 401, &t);
	assert_non_null(strstr(words,
			       "; we came with what the plugin sh said (the plugin sh ended with "
			       "code 1: cat: "));
	assert_non_null(
		strstr(words, "No such file or directory; see \\x22here\\x22): has it expired"));
	put_answer("\"token\":\"three\",\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"");
	renew(s);
	want_header(s, "");
	put_answer("\"token\":\"th\\r\\nree\"");
	renew(s);
	want_header(s, "");
	put_answer("");
	renew(s);
	assert_string_equal(
		kube_exec_problem(s->exec),
		"the plugin sh: what it wrote to standard output: status: has neither token "
		"nor certificate");
	kube_access_fini(&s->access);
}

static void certificates(void **state)
{
	struct scene *s = *state;
	const struct tls_conf *tls;

	put_answer("\"clientCertificateData\":\"CERT\",\"clientKeyData\":\"KEY\"");
	start(s);
	want_header(s, "");
	assert_int_equal(s->n_changed, 1);
	renew(s); /* the same again */
	assert_int_equal(s->n_changed, 0);
	tls = &s->access.legs[0].tls;
	assert_string_equal(tls->cert_file, "the plugin sh");
	assert_int_equal(tls->cert_pem.n, 4);
	assert_memory_equal(tls->cert_pem.bytes, "CERT", 4);
	assert_memory_equal(tls->key_pem.bytes, "KEY", 3);
	put_answer("\"token\":\"t\"");
	renew(s);
	assert_int_equal(s->n_changed, 1);
	assert_string_equal(tls->cert_file, "");
	put_answer("\"clientCertificateData\":\"CERT\",\"clientKeyData\":\"KEY\"");
	renew(s);
	assert_string_equal(tls->key_file, "the plugin sh");
	put_answer("\"clientCertificateData\":\"CERT\",\"clientKeyData\":\"KEY\","
		   "\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"");
	renew(s);
	assert_int_equal(tls->cert_pem.n, 0);
	assert_string_equal(tls->cert_file, "");
	kube_access_fini(&s->access);
}

static void what_it_is_told(void **state)
{
	struct scene *s = *state;
	struct opts o = options();
	char user[600] = "", want[300], got[1000];
	struct err err;

	text_add(&TEXT(user),
		 EXEC "'echo \"$LODEN_TEST $KUBERNETES_EXEC_INFO\" >%s; exit 9']\n"
		      "      provideClusterInfo: true\n",
		 answer);
	put_config(user);
	o.kube_api_url = "https://b";
	assert_int_equal(kube_exec_new(&o, &s->exec, &err), 0);
	assert_int_equal(kube_access_from_opts(&o, &s->access, &err), 0);
	kube_access_start(&s->access, s->exec, s->loop, on_changed, s);
	wait_for_it(s);
	assert_string_equal(kube_exec_problem(s->exec),
			    "the plugin sh ended with code 9; see \\x22here\\x22");
	assert_int_equal(file_read(answer, got, sizeof(got), NULL), 0);
	snprintf(
		want, sizeof(want),
		"its own {\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
		"\"spec\":{\"cluster\":{\"server\":\"https://b\",\"certificate-authority-data\":\"Q0E=\"},"
		"\"interactive\":false}}\n");
	assert_string_equal(got, want);
	kube_access_fini(&s->access);
}

/* Nothing is forked, nothing executed. */
static void who_needs_none(void **state)
{
	struct scene *s = *state;
	struct opts o = options();

	assert_int_equal(kube_exec_new(&o, &s->exec, NULL), 0); /* no file */
	assert_null(s->exec);
	put_config("    token: t\n");
	assert_int_equal(kube_exec_new(&o, &s->exec, NULL), 0);
	assert_null(s->exec);
	assert_int_equal(kube_access_from_opts(&o, &s->access, NULL), 0);
	kube_access_start(&s->access, NULL, s->loop, on_changed, s);
	assert_true(kube_access_is_ready(&s->access, NULL));
	want_header(s, "Bearer t");
	kube_access_fini(&s->access);
	o.kubeconfig_file = "";
	assert_int_equal(kube_exec_new(&o, &s->exec, NULL), 0);
	assert_null(s->exec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(certificates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_it_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_needs_none, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
