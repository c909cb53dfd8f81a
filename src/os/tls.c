/* SPDX-License-Identifier: Apache-2.0 */
#include "os/tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* syscalls: openat close access faccessat getdents64 */
/* syscalls (openssl): openat close read write lseek fstat newfstatat getpid getrandom */

#define NAMES_SHOWN		   8
#define ROOTS_SHOWN		   3
#define NO_PASSPHRASE		   ((void *)(uintptr_t) "") /* else OpenSSL asks the terminal */
/* RFC 8446, 6: alert descriptions. OpenSSL reports one as SSL_AD_REASON_OFFSET + its number. */
#define ALERT_HANDSHAKE_FAILURE	   40
#define ALERT_BAD_CERTIFICATE	   42
#define ALERT_ACCESS_DENIED	   49
#define ALERT_PROTOCOL_VERSION	   70
#define ALERT_CERTIFICATE_REQUIRED 116
#define ALERT_NO_PROTOCOL	   120

struct tls {
	struct tls_conf conf;
	char host[256]; /* 255: RFC 1035, 2.3.4 */
	SSL_CTX *ctx;
	SSL *ssl;
	bool owned;	   /* ssl, by the transport */
	bool asked;	   /* for our certificate */
	struct err why;	   /* what is wrong with the server's certificate; "" = nothing */
	struct err no_ca;  /* why the CA file was not read, if that need not stop us */
	struct err roots;  /* who is in the CA file */
	struct err client; /* our certificate, in words */
};

/* ---- words ---- */

static void add_name(struct text *t, const X509_NAME *name)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (!out)
		abort();
	X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253);
	n = BIO_get_mem_data(out, &text);
	text_add(t, "'");
	text_add_escaped(t, text, (size_t)n);
	text_add(t, "'");
	BIO_free(out);
}

static void add_time(struct text *t, const ASN1_TIME *when)
{
	char buf[40] = "an unreadable date";
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) == 1)
		strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M UTC", &tm);
	text_add(t, "%s", buf);
}

/* False: of another kind, which nobody connects to. */
static bool add_alt_name(struct text *t, const char *separator, const GENERAL_NAME *name)
{
	char ip[INET6_ADDRSTRLEN];
	const ASN1_STRING *s;
	int n;

	if (name->type == GEN_DNS) {
		s = name->d.dNSName;
		text_add(t, "%s", separator);
		text_add_escaped(t, (const char *)ASN1_STRING_get0_data(s),
				 (size_t)ASN1_STRING_length(s));
		return true;
	}
	if (name->type != GEN_IPADD)
		return false;
	s = name->d.iPAddress;
	n = ASN1_STRING_length(s);
	if ((n != 4 && n != 16) ||
	    !inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), ip, sizeof(ip)))
		return false;
	text_add(t, "%s%s", separator, ip);
	return true;
}

/* "etcd-1, 10.0.0.1" */
static void add_alt_names(struct text *t, const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int n = names ? sk_GENERAL_NAME_num(names) : 0;
	int shown = 0, i;

	for (i = 0; i < n && shown < NAMES_SHOWN; i++)
		shown += add_alt_name(t, shown > 0 ? ", " : "", sk_GENERAL_NAME_value(names, i));
	if (shown == 0)
		text_add(t, "no name at all (a CN does not count)");
	else if (i < n)
		text_add(t, " and more");
	GENERAL_NAMES_free(names);
}

/* ---- the server's certificate ---- */

static struct text story(struct err *e)
{
	e->text[0] = '\0';
	return TEXT(e->text);
}

/* Do we trust an authority of this name, with another key? */
static bool has_name(const struct tls *tls, const X509_NAME *wanted)
{
	const STACK_OF(X509_OBJECT) *all =
		X509_STORE_get0_objects(SSL_CTX_get_cert_store(tls->ctx));

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		const X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (cert && X509_NAME_cmp(X509_get_subject_name(cert), wanted) == 0)
			return true;
	}
	return false;
}

static void explain_unknown_ca(struct text *t, const struct tls *tls, X509 *cert)
{
	const X509_NAME *issuer = X509_get_issuer_name(cert);
	const bool system = !tls->conf.ca_file[0] || tls->conf.system_too;

	if (X509_NAME_cmp(X509_get_subject_name(cert), issuer) == 0) {
		text_add(t, " is signed by itself, and is not in ");
	} else {
		text_add(t, " is signed by ");
		add_name(t, issuer);
		text_add(t, ", which is not in ");
	}
	if (tls->conf.ca_file[0])
		text_add(t, "%s", tls->conf.ca_file);
	if (system)
		text_add(t, "%s",
			 tls->conf.ca_file[0] ? " nor among the system's authorities"
					      : "the system's authorities");
	if (tls->no_ca.text[0])
		text_add(t, "; %s", tls->no_ca.text);
	else if (has_name(tls, issuer))
		text_add(t, "; one of the same name is: was the CA made anew?");
	else if (tls->roots.text[0])
		text_add(t, "; in it: %s", tls->roots.text);
}

static void explain(struct tls *tls, int code, int depth, X509 *cert)
{
	struct text t = story(&tls->why);

	text_add(&t, depth == 0 ? "the server's certificate " : "the CA's certificate ");
	if (cert)
		add_name(&t, X509_get_subject_name(cert));
	switch (code) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		explain_unknown_ca(&t, tls, cert);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		text_add(&t, " expired on ");
		add_time(&t, X509_get0_notAfter(cert));
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		text_add(&t, " is not valid before ");
		add_time(&t, X509_get0_notBefore(cert));
		text_add(&t, ": is this node's clock right?");
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		text_add(&t, " is not for %s: it is for ", tls->host);
		add_alt_names(&t, cert);
		break;
	default:
		text_add(&t, " is of no use: %s", X509_verify_cert_error_string(code));
		break;
	}
}

static int on_verify(int ok, X509_STORE_CTX *chain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);

	if (!ok)
		explain(t, X509_STORE_CTX_get_error(chain), X509_STORE_CTX_get_error_depth(chain),
			X509_STORE_CTX_get_current_cert(chain));
	return ok;
}

/* ---- files ---- */

/* For reading PEM. NULL and -errno with a story if the file cannot be opened: OpenSSL tells less. */
static BIO *pem_open(const char *path, const struct tls_pem *pem, int *ret_code, struct err *err)
{
	BIO *bio;
	int fd = -1;

	if (pem->bytes) {
		bio = BIO_new_mem_buf(pem->bytes, (int)pem->n);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			*ret_code = err_set(err, -errno, "%s: %s", path, strerror(errno));
			return NULL;
		}
		bio = BIO_new_fp(fdopen(fd, "r"), BIO_CLOSE);
	}
	if (!bio)
		abort();
	return bio;
}

/* The newest of OpenSSL's complaints; all are taken. */
static const char *complaint(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	return reason ? reason : "there is none in it";
}

static bool last_is(int lib, int reason)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == lib && ERR_GET_REASON(code) == reason;
}

/* Every certificate there is. */
static int add_all(X509_STORE *store, BIO *pem)
{
	STACK_OF(X509_INFO) *all = PEM_X509_INFO_read_bio(pem, NULL, NULL, NO_PASSPHRASE);
	int n = 0;

	for (int i = 0; i < sk_X509_INFO_num(all); i++) {
		X509 *cert = sk_X509_INFO_value(all, i)->x509;

		n += cert && X509_STORE_add_cert(store, cert) == 1;
	}
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	return n;
}

static int load_ca(struct tls *t, struct err *err)
{
	const STACK_OF(X509_OBJECT) * all;
	const char *path = t->conf.ca_file;
	struct text names = story(&t->roots);
	int r = 0, n;
	BIO *pem = pem_open(path, &t->conf.ca_pem, &r, err);

	if (!pem)
		return r;
	n = add_all(SSL_CTX_get_cert_store(t->ctx), pem);
	BIO_free(pem);
	if (n == 0)
		return err_set(err, -EINVAL, "%s: not a CA's certificate in PEM form: %s", path,
			       complaint());
	all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(t->ctx));
	for (int i = 0; i < MIN(sk_X509_OBJECT_num(all), ROOTS_SHOWN); i++) {
		const X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		text_add(&names, i > 0 ? ", " : "");
		if (cert)
			add_name(&names, X509_get_subject_name(cert));
	}
	if (sk_X509_OBJECT_num(all) > ROOTS_SHOWN)
		text_add(&names, " and more");
	return 0;
}

/* Does the directory hold certificates by the hash of their names, as c_rehash leaves it? */
static bool has_hashes(const char *path)
{
	DIR *dir = opendir(path);
	bool found = false;

	for (struct dirent *e; dir && !found && (e = readdir(dir));)
		found = strspn(e->d_name, "0123456789abcdef") == 8 && e->d_name[8] == '.';
	if (dir)
		closedir(dir);
	return found;
}

/* Where distributions keep them: the places that Go's crypto/x509 looks at. By hash is cheaper: only what
 * is asked for is read. */
static void load_system(SSL_CTX *ctx)
{
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/pki/tls/cacert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/cert.pem",
	};
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	bool done = false;

	if (dir && *dir)
		SSL_CTX_load_verify_dir(ctx, dir);
	else if ((!file || !*file) && has_hashes("/etc/ssl/certs"))
		done = SSL_CTX_load_verify_dir(ctx, "/etc/ssl/certs") == 1;
	if (file && *file)
		done = SSL_CTX_load_verify_file(ctx, file) == 1;
	for (size_t i = 0; !done && i < ARRAY_SIZE(files); i++)
		done = access(files[i], R_OK) == 0 && SSL_CTX_load_verify_file(ctx, files[i]) == 1;
	ERR_clear_error();
}

/* Nobody is there to type it in. */
static int no_passphrase(char *buf _unused_, int size _unused_, int rw _unused_, void *arg)
{
	bool *asked = arg;

	*asked = true;
	return 0;
}

static void describe_client(struct tls *t)
{
	const X509 *cert = SSL_CTX_get0_certificate(t->ctx);
	struct text words = story(&t->client);

	add_name(&words, X509_get_subject_name(cert));
	text_add(&words, " (%s; signed by ", t->conf.cert_file);
	add_name(&words, X509_get_issuer_name(cert));
	text_add(&words, X509_cmp_current_time(X509_get0_notAfter(cert)) < 0 ? "; expired on "
									     : "; valid until ");
	add_time(&words, X509_get0_notAfter(cert));
	text_add(&words, ")");
}

/* Ours, and behind it those that signed it. */
static bool use_chain(SSL_CTX *ctx, BIO *pem)
{
	X509 *cert = PEM_read_bio_X509_AUX(pem, NULL, NULL, NO_PASSPHRASE);
	bool ok = cert && SSL_CTX_use_certificate(ctx, cert) == 1;

	X509_free(cert);
	while (ok && (cert = PEM_read_bio_X509(pem, NULL, NULL, NO_PASSPHRASE))) {
		ok = SSL_CTX_add0_chain_cert(ctx, cert) == 1;
		if (!ok)
			X509_free(cert);
	}
	if (!ok || !last_is(ERR_LIB_PEM, PEM_R_NO_START_LINE))
		return false;
	ERR_clear_error();
	return true;
}

/* `ret_passphrase`: it needs one. */
static bool use_key(SSL_CTX *ctx, BIO *pem, bool *ret_passphrase)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, ret_passphrase);
	bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	return ok;
}

static int load_client(struct tls *t, struct err *err)
{
	const char *cert = t->conf.cert_file, *key = t->conf.key_file;
	BIO *cert_pem, *key_pem;
	bool passphrase = false;
	int r = 0;

	cert_pem = pem_open(cert, &t->conf.cert_pem, &r, err);
	key_pem = cert_pem ? pem_open(key, &t->conf.key_pem, &r, err) : NULL;
	if (!key_pem) {
		BIO_free(cert_pem);
		return r;
	}
	if (!use_chain(t->ctx, cert_pem))
		r = err_set(err, -EINVAL, "%s: not a certificate in PEM form: %s", cert,
			    complaint());
	else if (use_key(t->ctx, key_pem, &passphrase))
		describe_client(t);
	else if (passphrase)
		r = err_set(err, -EINVAL,
			    "%s: has a passphrase, and nobody to type it in: store it without",
			    key);
	else if (last_is(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH))
		r = err_set(err, -EINVAL, "%s: is not the key of the certificate %s", key, cert);
	else
		r = err_set(err, -EINVAL, "%s: not a private key in PEM form: %s", key,
			    complaint());
	ERR_clear_error();
	BIO_free(cert_pem);
	BIO_free(key_pem);
	return r;
}

/* ---- the connection ---- */

static int on_cert_wanted(SSL *ssl, void *arg _unused_)
{
	struct tls *t = SSL_get_app_data(ssl);

	t->asked = true;
	return 1;
}

static SSL_CTX *ctx_new(bool insecure)
{
	SSL_CTX *ctx;

	/* A distribution's openssl.cnf is not for us: what it may load, a static program cannot. */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		abort();
	/* What Go accepts, too: RSA keys from 1,024 bits on. */
	SSL_CTX_set_security_level(ctx, 1);
	SSL_CTX_set_options(ctx,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	/* 34 kB less for a connection that is silent. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
			   insecure ? NULL : on_verify);
	SSL_CTX_set_cert_cb(ctx, on_cert_wanted, NULL);
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	return ctx;
}

/* Who must be at the other end. */
static void ssl_new(struct tls *t)
{
	static const uint8_t alpn[] = {2, 'h', '2'};
	uint8_t ip[16];

	t->ssl = SSL_new(t->ctx);
	if (!t->ssl || SSL_set_alpn_protos(t->ssl, alpn, sizeof(alpn)) != 0)
		abort();
	SSL_set_app_data(t->ssl, t);
	if (inet_pton(AF_INET, t->host, ip) == 1 || inet_pton(AF_INET6, t->host, ip) == 1) {
		if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), t->host) != 1)
			abort();
		return;
	}
	SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
					  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (SSL_set1_host(t->ssl, t->host) != 1 || SSL_set_tlsext_host_name(t->ssl, t->host) != 1)
		abort();
}

int tls_new(const struct tls_conf *conf, const char *host, struct tls **ret, struct err *err)
{
	struct tls *t = calloc(1, sizeof(*t));
	int r = 0;

	if (!t)
		abort();
	t->conf = *conf;
	if (!text_copy(t->host, sizeof(t->host), host))
		abort();
	t->ctx = ctx_new(conf->insecure);
	if (conf->ca_file[0])
		r = load_ca(t, conf->system_too ? &t->no_ca : err);
	if (!conf->ca_file[0] || conf->system_too) {
		load_system(t->ctx);
		r = 0;
	}
	if (r == 0 && conf->cert_file[0])
		r = load_client(t, err);
	if (r < 0) {
		tls_free(t);
		return r;
	}
	ssl_new(t);
	*ret = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	if (!t->owned)
		SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	free(t);
}

struct bufferevent *tls_transport(struct tls *t, struct event_base *base, int fd)
{
	struct bufferevent *transport = bufferevent_openssl_socket_new(
		base, fd, t->ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);

	if (!transport)
		abort();
	t->owned = true;
	/* A connection that is cut is an end of file, as without TLS: HTTP/2 knows what is missing. */
	bufferevent_openssl_set_allow_dirty_shutdown(transport, 1);
	return transport;
}

void tls_settled(struct tls *t)
{
	X509_STORE *empty = X509_STORE_new();

	if (!empty)
		abort();
	SSL_CTX_set_cert_store(t->ctx, empty); /* takes it */
	t->no_ca.text[0] = '\0';
}

bool tls_is_for_h2(const struct tls *t)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(t->ssl, &name, &n);
	return n > 0;
}

/* ---- why not ---- */

static void explain_client(const struct tls *t, struct text *ret)
{
	if (t->client.text[0])
		text_add(ret, "the server does not accept our certificate %s", t->client.text);
	else
		text_add(ret, "the server wants a certificate of ours: give %s",
			 t->conf.cert_flags);
}

static void explain_alert(const struct tls *t, int alert, struct text *ret)
{
	if (alert == ALERT_CERTIFICATE_REQUIRED || (alert == ALERT_HANDSHAKE_FAILURE && t->asked) ||
	    (alert >= ALERT_BAD_CERTIFICATE && alert <= ALERT_ACCESS_DENIED))
		explain_client(t, ret);
	else if (alert == ALERT_PROTOCOL_VERSION)
		text_add(ret, "the server speaks neither TLS 1.2 nor 1.3");
	else if (alert == ALERT_NO_PROTOCOL)
		text_add(ret, "the server does not speak HTTP/2 over TLS: is this %s?",
			 t->conf.port_words);
	else
		text_add(ret, "the server ended the TLS handshake");
	text_add(ret, " (TLS alert %d, %s)", alert, SSL_alert_desc_string_long(alert));
}

bool tls_problem(struct tls *t, struct bufferevent *transport, struct text *ret)
{
	unsigned long code = 0;
	int reason;

	/* Newest first; the oldest is the cause. */
	for (unsigned long e; (e = bufferevent_get_openssl_error(transport)) != 0;)
		code = ERR_GET_LIB(e) != 0 ? e : code;
	reason = ERR_GET_REASON(code);
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		code = 0; /* merely closed */
	if (t->why.text[0]) {
		text_add(ret, "%s", t->why.text);
	} else if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) {
		explain_alert(t, reason - SSL_AD_REASON_OFFSET, ret);
	} else if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
		   (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST)) {
		text_add(ret, "the server does not speak TLS: if it is plain HTTP, write http://");
	} else if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_UNSUPPORTED_PROTOCOL) {
		text_add(ret, "the server speaks neither TLS 1.2 nor 1.3");
	} else if (code != 0) {
		text_add(ret, "TLS: %s", ERR_reason_error_string(code));
	} else if (t->asked) {
		/* Its reason may have been lost together with the connection. */
		explain_client(t, ret);
		text_add(ret, " (it closed the connection when it had seen %s)",
			 t->client.text[0] ? "it" : "none");
	} else if (!SSL_is_init_finished(t->ssl)) {
		text_add(ret,
			 "the server closed the connection in the TLS handshake: if it is plain "
			 "HTTP, write http://");
	} else {
		return false;
	}
	return true;
}
