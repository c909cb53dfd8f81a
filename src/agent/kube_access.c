/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_access.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/proxy.h"
#include "agent/server_url.h"
#include "base/log.h"
#include "wire/base64.h"

/* Where a pod's identity is mounted (k8s.io/client-go, rest/config.go). */
#define ACCOUNT_DIR   "/var/run/secrets/kubernetes.io/serviceaccount"
#define ARENA_BYTES   (8 << 20) /* kubeconfig_decode() copies 4 MiB at most */
#define EXAMPLE	      "https://10.0.0.1:6443"
#define WITHOUT_FILES .ca_file = "", .cert_file = "", .key_file = ""

/* kubeadm's, the cloud providers', k3s' and RKE2's. */
static const char *const kubelet_configs[] = {
	"/etc/kubernetes/kubelet.conf",
	"/var/lib/kubelet/kubeconfig",
	"/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
	"/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
	NULL,
};

/* A plugin is asked so long before its answer expires, and at most so often. */
#define EXEC_EARLY_S 60
#define EXEC_PAUSE_S 30

/* What a load works on. */
struct load {
	const struct opts *o;
	const struct kube_host *host;
	struct kube_access *a;
	struct err *err;
};

/* ---- legs ---- */

/* The same server is not tried twice. */
static bool has_leg(const struct kube_access *a, const char *host, uint16_t port)
{
	for (size_t i = 0; i < a->n_legs; i++)
		if (a->legs[i].port == port && strcmp(a->legs[i].host, host) == 0)
			return true;
	return false;
}

/* `whence`: behind the name, in brackets. Its tls is the caller's to fill. */
static struct kube_leg *add_leg(struct kube_access *a, const struct server_url *u,
				const char *whence)
{
	const bool with_tls = u->scheme == SERVER_URL_HTTPS;
	const uint16_t port = u->port ? u->port : with_tls ? 443 : 80;
	char authority[SERVER_URL_AUTHORITY_SIZE], name[SERVER_URL_AUTHORITY_SIZE];
	struct kube_leg *leg;

	if (a->n_legs == KUBE_LEGS_MAX || has_leg(a, u->host, port))
		return NULL;
	leg = &a->legs[a->n_legs++];
	server_url_authority(u->host, u->port, authority);
	server_url_authority(u->host, port, name);
	*leg = (struct kube_leg){
		.name = arena_printf(&a->arena, "%s (%s)", name, whence),
		.authority = arena_strdup(&a->arena, authority),
		.host = arena_strdup(&a->arena, u->host),
		.ip = u->ip,
		.port = port,
		.path = arena_strdup(&a->arena, u->path),
		.with_tls = with_tls,
	};
	leg->proves = leg->host;
	return leg;
}

static void note_proxy(struct load *l)
{
	const struct kube_leg *leg = &l->a->legs[0];
	const char *name = proxy_variable(
		l->host->environment,
		&(struct proxy_target){leg->host, leg->ip, leg->port, leg->with_tls});

	if (name)
		l->a->proxy = name;
}

/* ---- kubeconfig ---- */

static int decode_file(const char *path, struct arena *arena, struct kubeconfig *ret,
		       struct err *err)
{
	uint8_t *bytes;
	size_t n;
	int r = file_load(path, LIMIT_KUBECONFIG_BYTES, &bytes, &n, err);

	if (r < 0)
		return r;
	r = kubeconfig_decode((const char *)bytes, n, path, arena, ret, err);
	explicit_bzero(bytes, n);
	free(bytes);
	return r;
}

/* A file, or data out of the kubeconfig; `ret_file` is what messages call it. */
static struct tls_pem pem_of(struct kube_access *a, const char *path, const char *key,
			     const struct kubeconfig_data *data, const char **ret_file)
{
	if (data->bytes)
		*ret_file = arena_printf(&a->arena, "%s: %s", path, key);
	return (struct tls_pem){data->bytes, data->n};
}

static struct tls_conf tls_of(struct kube_access *a, const char *path)
{
	const struct kubeconfig *c = &a->config;
	struct tls_conf tls = {
		.ca_file = c->ca_file,
		.cert_file = c->cert_file,
		.key_file = c->key_file,
		.cert_flags =
			arena_printf(&a->arena, "client-certificate and client-key in %s", path),
		.port_words = "an API server's port, with no proxy in front of it",
		.insecure = c->insecure,
	};

	tls.ca_pem = pem_of(a, path, "certificate-authority-data", &c->ca_data, &tls.ca_file);
	tls.cert_pem = pem_of(a, path, "client-certificate-data", &c->cert_data, &tls.cert_file);
	tls.key_pem = pem_of(a, path, "client-key-data", &c->key_data, &tls.key_file);
	if (!tls.cert_file[0]) /* a key alone is of no use, and of no harm */
		tls.key_file = "";
	return tls;
}

static enum kube_auth auth_of(const struct kubeconfig *c)
{
	if (c->token_file[0])
		return KUBE_AUTH_TOKEN_FILE;
	if (c->token[0])
		return KUBE_AUTH_TOKEN;
	if (c->username[0] || c->password[0])
		return KUBE_AUTH_BASIC;
	return c->exec.command[0] ? KUBE_AUTH_EXEC : KUBE_AUTH_NONE;
}

/* A token that is a line of a header. */
static bool is_token(const char *token)
{
	for (; *token; token++)
		if ((unsigned char)*token <= ' ' || (unsigned char)*token >= 0x7f)
			return false;
	return true;
}

static int check_config(const struct kubeconfig *c, const char *path, struct err *err)
{
	char user[100] = "";
	struct text t = TEXT(user);

	text_add_escaped(&t, c->user, strlen(c->user));
	if (c->unsupported[0])
		return err_set(err, -ENOTSUP,
			       "%s: user \"%s\": %s: not supported: give a token, a "
			       "certificate or exec",
			       path, user, c->unsupported);
	if ((c->cert_file[0] || c->cert_data.bytes) && !c->key_file[0] && !c->key_data.bytes)
		return err_set(err, -EINVAL,
			       "%s: user \"%s\": client-certificate without a "
			       "client-key",
			       path, user);
	if (strlen(c->token) > KUBE_AUTHORIZATION_SIZE / 2 || !is_token(c->token))
		return err_set(err, -EINVAL, "%s: user \"%s\": token: is none", path, user);
	if (strlen(c->username) + strlen(c->password) > KUBE_AUTHORIZATION_SIZE / 4)
		return err_set(err, -EINVAL, "%s: user \"%s\": username and password are too long",
			       path, user);
	if (c->tls_server_name[0] && !server_url_is_host(c->tls_server_name))
		return err_set(err, -EINVAL,
			       "%s: tls-server-name: must be a host name or an "
			       "address",
			       path);
	if (auth_of(c) == KUBE_AUTH_EXEC && strcmp(c->exec.interactive_mode, "Always") == 0)
		return err_set(err, -EINVAL,
			       "%s: user \"%s\": exec: interactiveMode: Always: nobody is there to "
			       "be asked",
			       path, user);
	return 0;
}

static int server_of(struct load *l, const char *path, struct server_url *ret)
{
	const struct kubeconfig *c = &l->a->config;
	char cluster[100] = "";
	struct text t = TEXT(cluster);
	int r;

	if (l->o->kube_api_url[0]) {
		r = server_url_parse(l->o->kube_api_url, EXAMPLE, ret, l->err);
		return r < 0 ? err_wrap(l->err, r, "--kube-api-url") : 0;
	}
	text_add_escaped(&t, c->cluster, strlen(c->cluster));
	if (!c->server[0])
		return err_set(l->err, -EINVAL, "%s: cluster \"%s\": has no server", path, cluster);
	r = server_url_parse(c->server, EXAMPLE, ret, l->err);
	return r < 0 ? err_wrap(l->err, r, "%s: cluster \"%s\": server", path, cluster) : 0;
}

static int from_kubeconfig(struct load *l)
{
	const char *path = l->o->kubeconfig_file;
	struct kube_access *a = l->a;
	struct server_url url;
	struct kube_leg *leg;
	int r = decode_file(path, &a->arena, &a->config, l->err);

	if (r == 0)
		r = check_config(&a->config, path, l->err);
	if (r == 0)
		r = server_of(l, path, &url);
	if (r < 0)
		return err_wrap(l->err, r, "--kubeconfig-file");
	leg = add_leg(a, &url, l->o->kube_api_url[0] ? "--kube-api-url" : path);
	a->from = path;
	if (leg->with_tls) {
		leg->tls = tls_of(a, path);
		if (a->config.tls_server_name[0])
			leg->proves = a->config.tls_server_name;
		a->auth = auth_of(&a->config);
		a->token_file = a->config.token_file;
	}
	note_proxy(l);
	if (a->config.proxy_url[0])
		a->proxy = "proxy-url in the kubeconfig";
	return 0;
}

/* ---- --kube-api-url alone ---- */

static int from_url(struct load *l)
{
	struct server_url url;
	struct kube_leg *leg;
	int r = server_url_parse(l->o->kube_api_url, EXAMPLE, &url, l->err);

	if (r < 0)
		return err_wrap(l->err, r, "--kube-api-url");
	leg = add_leg(l->a, &url, "--kube-api-url");
	leg->tls = (struct tls_conf){WITHOUT_FILES,
				     .cert_flags = "--kubeconfig-file with a client-certificate",
				     .port_words = "an API server's port, with no proxy in front "
						   "of it"};
	note_proxy(l);
	return 0;
}

/* ---- in a pod ---- */

static const char *variable(const struct load *l, const char *name)
{
	return proxy_environment(l->host->environment, name);
}

/* KUBERNETES_SERVICE_HOST is a bare address, IPv6 without brackets, or a name. */
static int service_of(struct load *l, struct server_url *ret)
{
	const char *host = variable(l, "KUBERNETES_SERVICE_HOST");
	const char *port = variable(l, "KUBERNETES_SERVICE_PORT");
	char authority[SERVER_URL_AUTHORITY_SIZE + 16];
	struct text t = TEXT(authority);

	if (!*host || !*port)
		return err_set(l->err, -EINVAL,
			       "%s is not set: are we in a pod? Outside of one give "
			       "--kubeconfig-file or --kube-api-url",
			       *host ? "KUBERNETES_SERVICE_PORT" : "KUBERNETES_SERVICE_HOST");
	text_add(&t, strchr(host, ':') && *host != '[' ? "[%s]:%s" : "%s:%s", host, port);
	if (t.cut || server_url_parse(authority, "10.96.0.1:443", ret, l->err) < 0 ||
	    ret->path[0] || ret->scheme != SERVER_URL_NONE)
		return err_wrap(l->err, -EINVAL,
				"KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT");
	ret->scheme = SERVER_URL_HTTPS;
	return 0;
}

static void add_remembered(struct load *l)
{
	const struct kube_leg *service = &l->a->legs[0];
	struct kube_server servers[KUBE_SERVERS_MAX];
	const size_t n = kube_servers_read(l->o->state_dir, servers);

	for (size_t i = 0; i < n; i++) {
		struct server_url url = {
			.scheme = SERVER_URL_HTTPS, .ip = servers[i].ip, .port = servers[i].port};
		struct kube_leg *leg;

		ip_format(&url.ip, url.host);
		leg = add_leg(l->a, &url, "remembered");
		if (!leg)
			continue;
		leg->tls = service->tls;
		leg->proves = service->proves;
	}
}

/* The server of the node's own kubelet, which need not be a pod's. What cannot be read is none. */
static void add_kubelets(struct load *l)
{
	for (const char *const *path = l->host->kubelet_configs; *path; path++) {
		struct arena arena;
		struct kubeconfig c;
		struct server_url url;
		struct kube_leg *leg = NULL;

		arena_init(&arena, ARENA_BYTES);
		if (decode_file(*path, &arena, &c, NULL) == 0 &&
		    server_url_parse(c.server, "", &url, NULL) == 0 &&
		    url.scheme == SERVER_URL_HTTPS)
			leg = add_leg(l->a, &url, *path);
		if (leg)
			leg->tls = l->a->legs[0].tls;
		if (leg && c.tls_server_name[0] && server_url_is_host(c.tls_server_name))
			leg->proves = arena_strdup(&l->a->arena, c.tls_server_name);
		arena_fini(&arena);
		if (leg)
			return;
	}
}

static int from_pod(struct load *l)
{
	struct kube_access *a = l->a;
	struct server_url url;
	int r = service_of(l, &url);

	if (r < 0)
		return r;
	add_leg(a, &url, "KUBERNETES_SERVICE_HOST")->tls = (struct tls_conf){
		.ca_file = arena_printf(&a->arena, "%s/ca.crt", l->host->account_dir),
		.cert_file = "",
		.key_file = "",
		.cert_flags = "--kubeconfig-file with a client-certificate",
		.port_words = "an API server's port, with no proxy in front of it",
	};
	a->in_pod = true;
	a->auth = KUBE_AUTH_TOKEN_FILE;
	a->token_file = arena_printf(&a->arena, "%s/token", l->host->account_dir);
	add_remembered(l);
	add_kubelets(l);
	note_proxy(l);
	return 0;
}

/* ---- all of them ---- */

int kube_access_load(const struct opts *o, const struct kube_host *host, struct kube_access *ret,
		     struct err *err)
{
	struct load l = {o, host, ret, err};
	int r;

	*ret = (struct kube_access){
		.from = "",
		.proxy = "",
		.token_file = "",
		.config = {.token = "",
			   .token_file = "",
			   .username = "",
			   .password = "",
			   .user = "",
			   .cert_file = "",
			   .exec.command = ""},
	};
	arena_init(&ret->arena, ARENA_BYTES);
	if (o->kubeconfig_file[0])
		r = from_kubeconfig(&l);
	else if (o->kube_api_url[0])
		r = from_url(&l);
	else
		r = from_pod(&l);
	if (r < 0)
		arena_fini(&ret->arena);
	return r;
}

int kube_access_from_opts(const struct opts *o, struct kube_access *ret, struct err *err)
{
	const struct kube_host host = {environ, ACCOUNT_DIR, kubelet_configs};

	return kube_access_load(o, &host, ret, err);
}

static void forget_token(struct kube_access *a)
{
	if (a->token)
		explicit_bzero(a->token, strlen(a->token));
	free(a->token);
	a->token = NULL;
}

void kube_access_fini(struct kube_access *a)
{
	if (a->exec)
		kube_exec_forget(a->exec);
	loop_watch_free(a->again);
	forget_token(a);
	arena_fini(&a->arena);
}

void kube_access_warn(const struct kube_access *a)
{
	const struct kube_leg *leg = &a->legs[0];
	const struct kubeconfig *c = &a->config;

	if (leg->with_tls && leg->tls.insecure)
		log_warn("kube.insecure",
			 "server=%s why=\"insecure-skip-tls-verify is set in %s: whoever answers "
			 "there is taken for the API server, gets our credentials and makes our "
			 "routes\"",
			 leg->authority, a->from);
	if (!leg->with_tls)
		log_warn(
			"kube.plain",
			"server=%s why=\"not https://: anybody on the way can read and change what "
			"the API server says%s\"",
			leg->authority,
			auth_of(c) != KUBE_AUTH_NONE ? "; credentials are not sent there" : "");
}

/* ---- who we are ---- */

static int read_token(struct kube_access *a, struct err *err)
{
	uint8_t *bytes;
	size_t n, from = 0;
	char *token;
	int r = file_load(a->token_file, KUBE_AUTHORIZATION_SIZE / 2, &bytes, &n, err);

	if (r < 0)
		return r;
	while (n > 0 && isspace(bytes[n - 1]))
		n--;
	while (from < n && isspace(bytes[from]))
		from++;
	token = strndup((const char *)bytes + from, n - from);
	if (!token)
		abort();
	if (!*token || strlen(token) != n - from || !is_token(token))
		r = err_set(err, -EINVAL, "%s: %s", a->token_file,
			    n == 0 ? "is empty" : "is no token");
	explicit_bzero(bytes, n);
	free(bytes);
	if (r < 0) {
		free(token);
		return r;
	}
	forget_token(a);
	a->token = token;
	return 0;
}

/* What is read belongs to the id from before: should the file change in between, it is read once more. */
static const char *fresh_token(struct kube_access *a)
{
	const struct file_id id = file_identify(a->token_file);

	if (a->token && file_id_eq(&id, &a->token_id))
		return a->token;
	a->token_trouble.text[0] = '\0';
	if (read_token(a, &a->token_trouble) == 0)
		a->token_id = id;
	return a->token ? a->token : a->config.token;
}

/* ---- the credential plugin ---- */

/* For new connections. The texts live until the next answer, and are shown or gone before. True = it is another. */
static bool show_certificate(struct kube_access *a, const struct exec_credential *c)
{
	const char *whose = kube_exec_name(a->exec);
	uint8_t sum[SHA512_BYTES];

	for (size_t i = 0; i < a->n_legs; i++) {
		struct tls_conf *tls = &a->legs[i].tls;

		tls->cert_file = c->cert[0] ? whose : "";
		tls->key_file = tls->cert_file;
		tls->cert_pem = (struct tls_pem){c->cert, strlen(c->cert)};
		tls->key_pem = (struct tls_pem){c->key, strlen(c->key)};
	}
	sha512(c->cert, strlen(c->cert), sum);
	if (memcmp(sum, a->cert_sum, sizeof(sum)) == 0)
		return false;
	memcpy(a->cert_sum, sum, sizeof(sum));
	return true;
}

static void on_exec(void *arg, const char *problem)
{
	static const struct exec_credential none = {.token = "", .cert = "", .key = ""};
	struct kube_access *a = arg;
	const struct exec_credential *c = kube_exec_credential(a->exec);
	int64_t valid_s = kube_exec_valid_s(a->exec);

	if (problem)
		log_warn("kube.exec", "why=\"%s\"", problem);
	if (problem || valid_s < EXEC_EARLY_S + EXEC_PAUSE_S)
		valid_s = EXEC_EARLY_S + EXEC_PAUSE_S;
	loop_timer_at(a->again,
		      valid_s == INT64_MAX
			      ? UINT64_MAX
			      : loop_now_ms(a->loop) + (uint64_t)(valid_s - EXEC_EARLY_S) * 1000);
	if (!problem && !a->config.cert_file[0] && !a->config.cert_data.bytes &&
	    show_certificate(a, c ? c : &none))
		a->changed(a->arg);
}

static void ask(void *arg)
{
	struct kube_access *a = arg;

	kube_exec_ask(a->exec, a->loop, on_exec, a);
}

void kube_access_start(struct kube_access *a, struct kube_exec *exec, struct loop *loop,
		       void (*changed)(void *arg), void *arg)
{
	if (a->auth != KUBE_AUTH_EXEC || !exec)
		return;
	a->exec = exec;
	a->loop = loop;
	a->changed = changed;
	a->arg = arg;
	sha512("", 0, a->cert_sum);
	a->again = loop_timer(loop, ask, a);
	ask(a);
}

bool kube_access_is_ready(const struct kube_access *a, struct text *ret)
{
	if (!a->exec || kube_exec_credential(a->exec))
		return true;
	if (kube_exec_problem(a->exec)[0])
		text_add(ret, "%s", kube_exec_problem(a->exec));
	else
		text_add(ret, "%s has not told us yet who we are", kube_exec_name(a->exec));
	return false;
}

void kube_access_renew(struct kube_access *a)
{
	a->token_id = (struct file_id){0};
	if (a->exec)
		ask(a);
}

static const char *exec_token(const struct kube_access *a)
{
	const struct exec_credential *c = a->exec ? kube_exec_credential(a->exec) : NULL;

	return c && strlen(c->token) < KUBE_AUTHORIZATION_SIZE / 2 && is_token(c->token) ? c->token
											 : "";
}

static void add_basic(const struct kube_access *a, struct text *ret)
{
	char pair[KUBE_AUTHORIZATION_SIZE / 4 + 2], text[BASE64_ENCODED_SIZE(sizeof(pair))];
	struct text t = TEXT(pair);

	text_add(&t, "%s:%s", a->config.username, a->config.password);
	base64_encode(pair, t.len, text);
	text_add(ret, "Basic %s", text);
	explicit_bzero(pair, sizeof(pair));
	explicit_bzero(text, sizeof(text));
}

void kube_access_authorization(struct kube_access *a, char ret[KUBE_AUTHORIZATION_SIZE])
{
	struct text t = {.buf = ret, .size_bytes = KUBE_AUTHORIZATION_SIZE};
	const char *token = "";

	ret[0] = '\0';
	switch (a->auth) {
	case KUBE_AUTH_NONE:
	case KUBE_AUTH__COUNT:
		return;
	case KUBE_AUTH_EXEC:
		token = exec_token(a);
		break;
	case KUBE_AUTH_BASIC:
		add_basic(a, &t);
		return;
	case KUBE_AUTH_TOKEN:
		token = a->config.token;
		break;
	case KUBE_AUTH_TOKEN_FILE:
		token = fresh_token(a);
		break;
	}
	if (*token)
		text_add(&t, "Bearer %s", token);
}

/* ---- why not ---- */

static void add_who(const struct kube_access *a, struct text *ret)
{
	switch (a->auth) {
	case KUBE_AUTH_NONE:
		text_add(ret, "the certificate %s", a->legs[0].tls.cert_file);
		break;
	case KUBE_AUTH_TOKEN:
		text_add(ret, "the token in %s", a->from);
		break;
	case KUBE_AUTH_TOKEN_FILE:
		text_add(ret, "the token %s", a->token_file);
		break;
	case KUBE_AUTH_BASIC:
		text_add(ret, "username and password of %s", a->from);
		break;
	case KUBE_AUTH_EXEC:
		text_add(ret, "what %s said",
			 a->exec ? kube_exec_name(a->exec) : "no plugin, for none was started,");
		break;
	case KUBE_AUTH__COUNT:
		break;
	}
}

void kube_access_explain(const struct kube_access *a, unsigned http_status, struct text *ret)
{
	const bool cert = a->legs[0].with_tls && a->legs[0].tls.cert_file[0];

	if (http_status != 401 && http_status != 403)
		return;
	if (a->auth == KUBE_AUTH_NONE && !cert) {
		text_add(ret, "; we came without credentials: give --kubeconfig-file");
		return;
	}
	text_add(ret, "; we came with ");
	add_who(a, ret);
	if (a->token_trouble.text[0])
		text_add(ret, " (%s)", a->token_trouble.text);
	if (a->exec && kube_exec_problem(a->exec)[0])
		text_add(ret, " (%s)", kube_exec_problem(a->exec));
	text_add(ret, http_status == 401
			      ? ": has it expired, or is it of another cluster?"
			      : ": it must be allowed to get, list and watch nodes, to patch "
				"nodes/status, and to get pods");
}

void kube_access_explain_proxy(const struct kube_access *a, struct text *ret)
{
	if (a->proxy[0])
		text_add(ret,
			 "; %s is set, but Loden goes through no proxy: the API server must be "
			 "reachable without",
			 a->proxy);
}
