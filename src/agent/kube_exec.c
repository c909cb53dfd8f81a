/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "os/file.h"
#include "os/plugin.h"

#define ARENA_BYTES    (16 << 20)
#define LIMIT_CA_BYTES (1 << 20)

struct kube_exec {
	struct plugin *plugin;
	enum kubeconfig_version version;
	char name[160], hint[160];
	struct arena arena; /* of the credential */
	struct exec_credential credential;
	bool known;
	char problem[500];
	kube_exec_done_fn *done; /* NULL = nobody wants to know */
	void *arg;
};

/* ---- the question ---- */

/* The file's PEM if there is no data. What cannot be read the TLS connection will complain of. */
static struct kubeconfig_data ca_of(const struct kubeconfig *c, struct arena *a)
{
	struct kubeconfig_data ca = c->ca_data;
	uint8_t *bytes, *copy;
	size_t n;

	if (ca.bytes || !c->ca_file[0] ||
	    file_load(c->ca_file, LIMIT_CA_BYTES, &bytes, &n, NULL) < 0)
		return ca;
	copy = arena_array(a, uint8_t, n + 1);
	memcpy(copy, bytes, n);
	free(bytes);
	return (struct kubeconfig_data){copy, n};
}

static bool is_named(const char *variable, const char *name)
{
	const size_t n = strlen(name);

	return strncmp(variable, name, n) == 0 && variable[n] == '=';
}

/* Ours, then the plugin's own, then the question; each name once. */
static char *const *environment_of(const struct kubeconfig *c, struct arena *a)
{
	const struct kubeconfig_data ca = ca_of(c, a);
	size_t n = 0, at = 0;
	char **ret;

	while (environ[n])
		n++;
	ret = arena_array(a, char *, n + c->exec.n_env + 2);
	for (size_t i = 0; i < n; i++) {
		bool replaced = is_named(environ[i], "KUBERNETES_EXEC_INFO");

		for (size_t k = 0; !replaced && k < c->exec.n_env; k++)
			replaced = is_named(environ[i], c->exec.env[k].name);
		if (!replaced)
			ret[at++] = environ[i];
	}
	for (size_t i = 0; i < c->exec.n_env; i++)
		ret[at++] = arena_printf(a, "%s=%s", c->exec.env[i].name, c->exec.env[i].value);
	ret[at] = arena_printf(a, "KUBERNETES_EXEC_INFO=%s", exec_credential_info(c, &ca, a));
	return ret;
}

static const char *const *argv_of(const struct kubeconfig *c, struct arena *a)
{
	const char **ret = arena_array(a, const char *, c->exec.n_args + 2);

	ret[0] = c->exec.command;
	for (size_t i = 0; i < c->exec.n_args; i++)
		ret[i + 1] = c->exec.args[i];
	return ret;
}

static int start(const struct kubeconfig *c, struct arena *a, struct kube_exec **ret,
		 struct err *err)
{
	const struct plugin_conf conf = {
		.argv = argv_of(c, a),
		.environment = environment_of(c, a),
		.deadline_ms = KUBE_EXEC_DEADLINE_MS,
		.output_bytes = LIMIT_EXEC_CREDENTIAL_BYTES,
	};
	struct kube_exec *e = calloc(1, sizeof(*e));
	struct text name, hint;
	int r;

	if (!e)
		abort();
	name = TEXT(e->name);
	text_add(&name, "the plugin ");
	text_add_escaped(&name, c->exec.command, MIN(strlen(c->exec.command), 100));
	hint = TEXT(e->hint);
	text_add_escaped(&hint, c->exec.install_hint, strcspn(c->exec.install_hint, "\r\n"));
	e->version = c->exec.version;
	arena_init(&e->arena, ARENA_BYTES);
	r = plugin_new(&conf, &e->plugin, err);
	if (r < 0) {
		kube_exec_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

int kube_exec_new(const struct opts *o, struct kube_exec **ret, struct err *err)
{
	struct kubeconfig c;
	struct arena a;
	uint8_t *bytes;
	size_t n;
	int r = 0;

	*ret = NULL;
	if (!o->kubeconfig_file[0] ||
	    file_load(o->kubeconfig_file, LIMIT_KUBECONFIG_BYTES, &bytes, &n, NULL) < 0)
		return 0;
	arena_init(&a, ARENA_BYTES);
	if (kubeconfig_decode((const char *)bytes, n, o->kubeconfig_file, &a, &c, NULL) == 0 &&
	    c.exec.command[0]) {
		if (o->kube_api_url[0])
			c.server = o->kube_api_url;
		r = start(&c, &a, ret, err);
	}
	explicit_bzero(bytes, n);
	free(bytes);
	arena_fini(&a);
	return r;
}

void kube_exec_free(struct kube_exec *e)
{
	if (!e)
		return;
	plugin_free(e->plugin);
	arena_fini(&e->arena);
	free(e);
}

/* ---- the answer ---- */

static int take(struct kube_exec *e, const char *output, size_t n, struct err *err)
{
	struct exec_credential c;
	struct arena a;
	int r;

	arena_init(&a, ARENA_BYTES);
	r = exec_credential_decode(output, n, e->version, &a, &c, err);
	if (r < 0) {
		arena_fini(&a);
		return r;
	}
	arena_fini(&e->arena);
	e->arena = a;
	e->credential = c;
	e->known = true;
	return 0;
}

static void on_answer(void *arg, const char *output, size_t n, const char *problem)
{
	struct kube_exec *e = arg;
	kube_exec_done_fn *done = TAKE_PTR(e->done);
	struct text t = TEXT(e->problem);
	struct err err = {""};

	e->problem[0] = '\0';
	if (problem)
		text_add(&t, "%s %s%s%s", e->name, problem, e->hint[0] ? "; " : "", e->hint);
	else if (take(e, output, n, &err) < 0)
		text_add(&t, "%s: what it wrote to standard output: %s", e->name, err.text);
	if (done)
		done(e->arg, e->problem[0] ? e->problem : NULL);
}

void kube_exec_ask(struct kube_exec *e, struct loop *loop, kube_exec_done_fn *done, void *arg)
{
	if (plugin_is_running(e->plugin))
		return;
	e->done = done;
	e->arg = arg;
	plugin_run(e->plugin, loop, on_answer, e);
}

bool kube_exec_is_asked(const struct kube_exec *e)
{
	return plugin_is_running(e->plugin);
}

void kube_exec_forget(struct kube_exec *e)
{
	e->done = NULL;
}

int64_t kube_exec_valid_s(const struct kube_exec *e)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!e->known || now.tv_sec >= e->credential.expires_s)
		return 0;
	return e->credential.expires_s == INT64_MAX ? INT64_MAX
						    : e->credential.expires_s - now.tv_sec;
}

const struct exec_credential *kube_exec_credential(const struct kube_exec *e)
{
	return kube_exec_valid_s(e) > 0 ? &e->credential : NULL;
}

const char *kube_exec_name(const struct kube_exec *e)
{
	return e->name;
}

const char *kube_exec_problem(const struct kube_exec *e)
{
	return e->problem;
}
