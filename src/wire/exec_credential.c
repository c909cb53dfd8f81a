/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/exec_credential.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "wire/base64.h"
#include "wire/gojson.h"

/* ---- RFC 3339, 5.6 ---- */

/* Exactly n digits. */
static bool digits(const char **p, size_t n, int64_t *ret)
{
	int64_t value = 0;

	for (size_t i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		value = value * 10 + (**p - '0');
	}
	*ret = value;
	return true;
}

static bool is(const char **p, const char *one_of)
{
	const bool yes = **p && strchr(one_of, **p);

	*p += yes;
	return yes;
}

/* Days since 1970-01-01, of a Gregorian date from year 0 on; years begin in March, so that a leap day is the
 * last. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
	const int64_t y = month <= 2 ? year + 399 : year + 400;
	const int64_t m = (month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468 - 146097;
}

static bool zone_parse(const char **p, int64_t *ret_s)
{
	const bool west = **p == '-';
	int64_t hours, minutes;

	*ret_s = 0;
	if (is(p, "Zz"))
		return true;
	if (!is(p, "+-") || !digits(p, 2, &hours) || !is(p, ":") || !digits(p, 2, &minutes))
		return false;
	*ret_s = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

/* "2006-01-02T15:04:05.9+07:00"; fractions are dropped. */
static bool time_parse(const char *p, int64_t *ret_s)
{
	int64_t year, month, day, hour, minute, second, fraction, zone_s;

	if (!digits(&p, 4, &year) || !is(&p, "-") || !digits(&p, 2, &month) || !is(&p, "-") ||
	    !digits(&p, 2, &day) || !is(&p, "Tt") || !digits(&p, 2, &hour) || !is(&p, ":") ||
	    !digits(&p, 2, &minute) || !is(&p, ":") || !digits(&p, 2, &second))
		return false;
	if (is(&p, ".") && !digits(&p, 1, &fraction))
		return false;
	while (*p >= '0' && *p <= '9')
		p++;
	if (!zone_parse(&p, &zone_s) || *p || month < 1 || month > 12 || day < 1 || day > 31 ||
	    hour > 23 || minute > 59 || second > 60)
		return false;
	*ret_s = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone_s;
	return true;
}

/* ---- the answer ---- */

/* "" if absent; a text that C cannot hold is refused. */
static int get(const json_t *o, const char *key, struct arena *a, const char **ret, struct err *err)
{
	const char *text = "";
	int r = gojson_get_text(o, key, &text, err);

	if (r < 0)
		return err_set(err, r, "%s: must be a text", key);
	*ret = arena_strdup(a, text);
	return 0;
}

static int check_version(const json_t *root, enum kubeconfig_version want, struct err *err)
{
	const char *version = "", *kind = "";
	char shown[100] = "";

	if (gojson_get_text(root, "apiVersion", &version, NULL) < 0 ||
	    gojson_get_text(root, "kind", &kind, NULL) < 0 || strcmp(kind, "ExecCredential") != 0)
		return err_set(err, -EINVAL, "kind: must be ExecCredential");
	if (strcmp(version, kubeconfig_version_names[want]) == 0)
		return 0;
	text_add_escaped(&TEXT(shown), version,
			 MIN(strlen(version), 20 + sizeof("client.authentication.k8s.io")));
	return err_set(err, -EINVAL, "apiVersion: \"%s\", but the kubeconfig says %s", shown,
		       kubeconfig_version_names[want]);
}

static int get_all(const json_t *root, enum kubeconfig_version want, struct arena *a,
		   struct exec_credential *c, struct err *err)
{
	const char *expires = "";
	json_t *status = NULL;
	int r = check_version(root, want, err);

	if (r < 0)
		return r;
	if (gojson_get_object(root, "status", &status, NULL) < 0 || !status)
		return err_set(err, -EINVAL, "status: is missing");
	r = get(status, "token", a, &c->token, err);
	if (r == 0)
		r = get(status, "clientCertificateData", a, &c->cert, err);
	if (r == 0)
		r = get(status, "clientKeyData", a, &c->key, err);
	if (r == 0)
		r = get(status, "expirationTimestamp", a, &expires, err);
	if (r < 0)
		return r;
	if (*expires && !time_parse(expires, &c->expires_s))
		return err_set(err, -EINVAL,
			       "status.expirationTimestamp: must be a time of RFC 3339");
	if (!*c->cert != !*c->key)
		return err_set(err, -EINVAL, "status: has %s",
			       *c->cert ? "a certificate without its key"
					: "a key without its certificate");
	if (!*c->token && !*c->cert)
		return err_set(err, -EINVAL, "status: has neither token nor certificate");
	return 0;
}

int exec_credential_decode(const char *json, size_t n, enum kubeconfig_version want,
			   struct arena *a, struct exec_credential *ret, struct err *err)
{
	struct exec_credential c = {.token = "", .cert = "", .key = "", .expires_s = INT64_MAX};
	json_t *root;
	int r;

	if (n > LIMIT_EXEC_CREDENTIAL_BYTES)
		return err_set(err, -EINVAL, "longer than %d bytes", LIMIT_EXEC_CREDENTIAL_BYTES);
	/* What jansson has to say shows what it read. */
	if (gojson_parse(json, n, &root, NULL) < 0)
		return err_set(err, -EINVAL, "is not JSON");
	r = json_is_object(root) ? get_all(root, want, a, &c, err)
				 : err_set(err, -EINVAL, "is no object");
	json_decref(root);
	if (r == 0)
		*ret = c;
	return r;
}

/* ---- what it is told ---- */

static void set(json_t *o, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(o, key, value) < 0)
		abort(); /* out of memory */
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		set(o, key, json_stringn(text, strlen(text)));
}

static json_t *cluster_info(const struct kubeconfig *c, const struct kubeconfig_data *ca,
			    struct arena *a)
{
	json_t *o = json_object();
	char *text;

	set_text(o, "server", c->server);
	set_text(o, "tls-server-name", c->tls_server_name);
	if (c->insecure)
		set(o, "insecure-skip-tls-verify", json_true());
	if (ca->bytes) {
		text = arena_array(a, char, BASE64_ENCODED_SIZE(ca->n));
		base64_encode(ca->bytes, ca->n, text);
		set_text(o, "certificate-authority-data", text);
	}
	set_text(o, "proxy-url", c->proxy_url);
	return o;
}

const char *exec_credential_info(const struct kubeconfig *c, const struct kubeconfig_data *ca,
				 struct arena *a)
{
	json_t *root = json_object(), *spec = json_object();
	const char *text;

	if (c->exec.with_cluster)
		set(spec, "cluster", cluster_info(c, ca, a));
	set(spec, "interactive", json_false());
	set(root, "kind", json_string("ExecCredential"));
	set(root, "apiVersion", json_string(kubeconfig_version_names[c->exec.version]));
	set(root, "spec", spec);
	text = gojson_print(root, GOJSON_COMPACT, a, NULL);
	json_decref(root);
	return text;
}
