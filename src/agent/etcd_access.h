/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ETCD_ACCESS_H
#define AGENT_ETCD_ACCESS_H
/* What the flags say about how to get into etcd: where it is, TLS or not, as whom.
 *
 * flannel's rules (flannel.md 5.1), so that each of its set-ups works: the first endpoint's scheme decides
 * about TLS, and without a scheme it is TLS if both certificate and key are given; user and password count only
 * together. Where those rules would surprise, etcd_access_warn() says so. One is mended: flannel ignores
 * --etcd-cafile without a client certificate; here its authorities then count beside the system's.
 */

#include "agent/etcd_endpoint.h"
#include "agent/opts.h"
#include "os/tls.h"

#define ETCD_PASSWORD_SIZE 1024

/* Strings are those of the options. */
struct etcd_access {
	struct etcd_endpoints endpoints;
	bool with_tls;
	struct tls_conf tls;				 /* if so */
	const char *prefix;				 /* the keys' */
	const char *username, *password, *password_file; /* "" = none */
};

/* 0, or -EINVAL with a story that names the flag. */
int etcd_access_from_opts(const struct opts *o, struct etcd_access *ret, struct err *err);
/* Logs what is given and will not be used. */
void etcd_access_warn(const struct opts *o, const struct etcd_access *a);

bool etcd_access_has_user(const struct etcd_access *a);
/* The password: the file's, read anew, without the line end; else the flag's. 0, or -errno with a story
 * that names the file and never what is in it. */
int etcd_access_password(const struct etcd_access *a, char ret[ETCD_PASSWORD_SIZE],
			 struct err *err);

/* etcd has refused us, in these words: what that means and what to do. False = that is not what they are
 * about. Words made by this are not explained again. */
bool etcd_access_explain(const struct etcd_access *a, const char *words, struct text *ret);
/* Our token is no longer good, or we should have one: authenticate anew, then ask again. */
bool etcd_access_is_stale(const char *words);
/* etcd needs no user: authentication is off. */
bool etcd_access_is_off(const char *words);

#endif
