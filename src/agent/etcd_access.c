/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_access.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "os/file.h"

int etcd_access_from_opts(const struct opts *o, struct etcd_access *ret, struct err *err)
{
	const bool pair = o->etcd_certfile[0] && o->etcd_keyfile[0];
	struct etcd_access a = {
		.tls =
			{
				.ca_file = o->etcd_cafile,
				.system_too = !pair,
				.cert_file = pair ? o->etcd_certfile : "",
				.key_file = pair ? o->etcd_keyfile : "",
				.cert_flags = "--etcd-certfile and --etcd-keyfile",
				.port_words = "etcd's client port",
			},
		.prefix = o->etcd_prefix,
		.username = o->etcd_username,
		.password = o->etcd_password,
		.password_file = o->etcd_password_file,
	};
	int r = etcd_endpoint_parse_list(o->etcd_endpoints, &a.endpoints, err);

	if (r < 0)
		return err_wrap(err, r, "--etcd-endpoints");
	if (strlen(a.username) >= ETCD_PASSWORD_SIZE || strlen(a.password) >= ETCD_PASSWORD_SIZE)
		return err_set(err, -EINVAL,
			       "--etcd-username, --etcd-password: longer than %d characters",
			       ETCD_PASSWORD_SIZE - 1);
	switch (a.endpoints.scheme) {
	case SERVER_URL_NONE:
		a.with_tls = pair;
		break;
	case SERVER_URL_HTTP:
		a.with_tls = false;
		break;
	case SERVER_URL_HTTPS:
		a.with_tls = true;
		break;
	}
	*ret = a;
	return 0;
}

static bool has_files(const struct opts *o)
{
	return o->etcd_cafile[0] || o->etcd_certfile[0] || o->etcd_keyfile[0];
}

void etcd_access_warn(const struct opts *o, const struct etcd_access *a)
{
	if (a->endpoints.mixed)
		log_warn(
			"etcd.schemes",
			"why=\"--etcd-endpoints mixes http:// and https://: the first one counts for "
			"all\" tls=%s",
			a->with_tls ? "yes" : "no");
	if (!a->with_tls && has_files(o))
		log_warn(
			"etcd.plain",
			"why=\"certificate files are given, but the first endpoint %s: etcd is spoken "
			"to without TLS\"",
			a->endpoints.scheme == SERVER_URL_HTTP
				? "is http://"
				: "has no https://, and not both --etcd-certfile and "
				  "--etcd-keyfile are given");
	if (a->with_tls && !o->etcd_certfile[0] != !o->etcd_keyfile[0])
		log_warn("etcd.half_pair",
			 "why=\"of --etcd-certfile and --etcd-keyfile only one is given: no "
			 "certificate is shown to etcd\"");
	if (!!a->username[0] != (a->password[0] || a->password_file[0]))
		log_warn(
			"etcd.half_user",
			"why=\"of --etcd-username and --etcd-password or --etcd-password-file only "
			"one is given: nobody is logged in to etcd\"");
}

bool etcd_access_has_user(const struct etcd_access *a)
{
	return a->username[0] && (a->password[0] || a->password_file[0]);
}

int etcd_access_password(const struct etcd_access *a, char ret[ETCD_PASSWORD_SIZE], struct err *err)
{
	int r;

	if (!a->password_file[0]) {
		text_copy(ret, ETCD_PASSWORD_SIZE, a->password);
		return 0;
	}
	r = file_read(a->password_file, ret, ETCD_PASSWORD_SIZE, err);
	if (r < 0)
		return err_wrap(err, r, "--etcd-password-file");
	if (r == FILE_LONGER)
		return err_set(err, -EINVAL, "--etcd-password-file: %s: longer than %d bytes",
			       a->password_file, ETCD_PASSWORD_SIZE - 1);
	ret[strcspn(ret, "\r\n")] = '\0';
	if (!ret[0])
		return err_set(err, -EINVAL, "--etcd-password-file: %s: its first line is empty",
			       a->password_file);
	return 0;
}

/* ---- etcd's words (its api/v3rpc/rpctypes/error.go) ---- */

bool etcd_access_is_stale(const char *words)
{
	return strstr(words, "etcdserver: invalid auth token") ||
	       strstr(words, "etcdserver: revision of auth store is old") ||
	       strstr(words, "etcdserver: user name is empty");
}

bool etcd_access_is_off(const char *words)
{
	return strstr(words, "etcdserver: authentication is not enabled");
}

/* `user "flannel"`, or whom etcd takes us for. */
static void add_who(const struct etcd_access *a, struct text *ret)
{
	if (etcd_access_has_user(a)) {
		text_add(ret, "user \"");
		text_add_escaped(ret, a->username, strlen(a->username));
		text_add(ret, "\"");
	} else if (a->with_tls && a->tls.cert_file[0]) {
		text_add(ret, "the user that is the CN of %s", a->tls.cert_file);
	} else {
		text_add(ret, "us");
	}
}

static void explain_denied(const struct etcd_access *a, struct text *ret)
{
	text_add(ret, "etcd does not let ");
	add_who(a, ret);
	text_add(ret, " read and write %s: permission denied; ", a->prefix);
	/* Those it does not know, and the nameless, are denied in the same words. */
	if (!etcd_access_has_user(a) && a->with_tls && a->tls.cert_file[0])
		text_add(ret, "does it have a CN, and is that a user? If so, ");
	text_add(ret, "with etcdctl: role grant-permission ROLE readwrite --prefix=true %s",
		 a->prefix);
}

static void explain_nobody(const struct etcd_access *a, struct text *ret)
{
	text_add(ret, "etcd has authentication on, and ");
	if (etcd_access_has_user(a))
		text_add(ret, "forgot who we are");
	else if (a->with_tls && a->tls.cert_file[0])
		text_add(ret, "the certificate %s has no CN to be the user", a->tls.cert_file);
	else
		text_add(ret, "no user is given");
	text_add(ret, ": give --etcd-username and --etcd-password-file");
}

bool etcd_access_explain(const struct etcd_access *a, const char *words, struct text *ret)
{
	if (strstr(words, "etcdserver: permission denied")) {
		explain_denied(a, ret);
	} else if (strstr(words, "etcdserver: user name is empty")) {
		explain_nobody(a, ret);
	} else if (strstr(words, "etcdserver: authentication failed")) {
		text_add(ret, "etcd refuses ");
		add_who(a, ret);
		text_add(ret, ": wrong password, or no such user");
	} else if (strstr(words, "etcdserver: user name not found")) {
		text_add(ret, "etcd does not know ");
		add_who(a, ret);
		text_add(ret, ": no such user");
	} else {
		return false;
	}
	return true;
}
