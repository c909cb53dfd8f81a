/* SPDX-License-Identifier: Apache-2.0 */
/* The client against OpenSSL's server over a pair of sockets in the same loop, with certificates made here:
 * what it accepts, and in which words it says why not.
 */
#include "os/tls.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/loop.h"

#define DAY_S 86400

/* ---- certificates ---- */

struct id {
	X509 *cert;
	EVP_PKEY *key;
};

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* Signed by `issuer`, or itself; `names` are subject alternative names, NULL = a CA's. */
static struct id issue(const struct id *issuer, const char *cn, const char *names, long from_s,
		       long until_s)
{
	static long serial;
	struct id id = {X509_new(), EVP_EC_gen("P-256")};
	const struct id *by = issuer ? issuer : &id;

	assert_true(id.cert && id.key);
	X509_set_version(id.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), until_s);
	X509_set_pubkey(id.cert, id.key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(id.cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(id.cert, X509_get_subject_name(by->cert));
	if (!names)
		extend(id.cert, by->cert, NID_basic_constraints, "critical,CA:TRUE");
	else if (*names)
		extend(id.cert, by->cert, NID_subject_alt_name, names);
	assert_true(X509_sign(id.cert, by->key, EVP_sha256()) > 0);
	return id;
}

static void id_free(struct id *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
}

/* What every test here has: two authorities, one that has the first one's name and another key, and files. */
static struct {
	char dir[40];
	struct id ca, other_ca, same_name, client, stranger;
} all;

static const char *path(const char *name)
{
	static char buf[4][60];
	static unsigned i;

	snprintf(buf[++i % 4], sizeof(buf[0]), "%s/%s", all.dir, name);
	return buf[i % 4];
}

static void write_cert(const char *name, X509 *cert)
{
	FILE *f = fopen(path(name), "w");

	assert_true(f && PEM_write_X509(f, cert) == 1);
	fclose(f);
}

static void write_key(const char *name, EVP_PKEY *key, const char *passphrase)
{
	FILE *f = fopen(path(name), "w");

	assert_true(f && PEM_write_PrivateKey(f, key, passphrase ? EVP_aes_128_cbc() : NULL,
					      (const unsigned char *)passphrase,
					      passphrase ? (int)strlen(passphrase) : 0, NULL,
					      NULL) == 1);
	fclose(f);
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	assert_true(f && fputs(text, f) >= 0);
	fclose(f);
}

static const char *const files[] = {"ca",	  "other_ca", "same_name",    "client",
				    "client.key", "stranger", "stranger.key", "locked.key",
				    "text",	  "empty"};

static int make_all(void **state _unused_)
{
	strcpy(all.dir, "/tmp/test_tls.XXXXXX");
	assert_non_null(mkdtemp(all.dir));
	all.ca = issue(NULL, "the CA", NULL, -DAY_S, DAY_S);
	all.other_ca = issue(NULL, "another CA", NULL, -DAY_S, DAY_S);
	all.same_name = issue(NULL, "the CA", NULL, -DAY_S, DAY_S);
	all.client = issue(&all.ca, "node-1", "", -DAY_S, DAY_S);
	all.stranger = issue(&all.other_ca, "node-9", "", -2 * DAY_S, -DAY_S);
	write_cert("ca", all.ca.cert);
	write_cert("other_ca", all.other_ca.cert);
	write_cert("same_name", all.same_name.cert);
	write_cert("client", all.client.cert);
	write_key("client.key", all.client.key, NULL);
	write_key("locked.key", all.client.key, "secret");
	write_cert("stranger", all.stranger.cert);
	write_key("stranger.key", all.stranger.key, NULL);
	write_text("text", "not PEM\n");
	write_text("empty", "");
	/* "The system's": none. */
	setenv("SSL_CERT_FILE", "/dev/null", 1);
	setenv("SSL_CERT_DIR", "/dev/null", 1);
	return 0;
}

static int free_all(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(path(files[i]));
	id_free(&all.ca);
	id_free(&all.other_ca);
	id_free(&all.same_name);
	id_free(&all.client);
	id_free(&all.stranger);
	return rmdir(all.dir);
}

/* ---- one connection ---- */

struct scene {
	struct loop *loop;
	struct tls *tls;
	struct bufferevent *client, *server;
	const char *says; /* the server, instead of TLS */
	char told[900];	  /* "up", or the problem */
};

/* What the server is like. */
struct server {
	const struct id *id;
	bool wants_cert;   /* of the first authority */
	bool without_h2;   /* it refuses ALPN */
	bool without_alpn; /* it has never heard of it */
	bool old;	   /* TLS 1.1 is its newest */
	bool tls12;	   /* TLS 1.2 is: it asks within the handshake */
	bool no_cipher;	   /* that fits its certificate */
	bool curt;	   /* hangs up on whoever shows a certificate */
	const char *plain; /* says this instead; "" = hangs up */
};

static void on_settled(struct bufferevent *b _unused_, void *arg)
{
	struct scene *s = arg;

	strcpy(s->told, tls_is_for_h2(s->tls) ? "up" : "up, for whatever");
	loop_stop(s->loop);
}

static void on_client(struct bufferevent *b, short what, void *arg)
{
	struct scene *s = arg;
	struct text t = TEXT(s->told);

	if (what & BEV_EVENT_CONNECTED) {
		tls_settled(s->tls);
		return; /* TLS 1.3: what the server says of our certificate comes later */
	}
	if (!tls_problem(s->tls, b, &t))
		text_add(&t, "no problem");
	loop_stop(s->loop);
}

static void on_server(struct bufferevent *b, short what, void *arg _unused_)
{
	if (what & BEV_EVENT_CONNECTED)
		bufferevent_write(b, "x", 1);
	else
		bufferevent_disable(b, EV_READ | EV_WRITE);
	ERR_clear_error();
}

/* As soon as the client has said something. */
static void on_hello(struct bufferevent *b, void *arg)
{
	struct scene *s = arg;

	evbuffer_drain(bufferevent_get_input(b), SIZE_MAX);
	if (*s->says) {
		bufferevent_write(b, s->says, strlen(s->says));
		return;
	}
	bufferevent_free(b);
	s->server = NULL;
}

static int choose_h2(SSL *ssl _unused_, const unsigned char **out, unsigned char *out_n,
		     const unsigned char *in, unsigned in_n, void *arg)
{
	const struct server *server = arg;

	assert_true(in_n == 3 && memcmp(in, "\2h2", 3) == 0);
	*out = in + 1;
	*out_n = 2;
	return server->without_h2 ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK;
}

static int hang_up(X509_STORE_CTX *chain, void *arg _unused_)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());

	shutdown(SSL_get_fd(ssl), SHUT_RDWR);
	return 0;
}

static SSL_CTX *server_ctx(const struct server *server)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_non_null(ctx);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	if (server->old || server->tls12)
		SSL_CTX_set_max_proto_version(ctx, server->old ? TLS1_1_VERSION : TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_use_certificate(ctx, server->id->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, server->id->key), 1);
	if (!server->without_alpn)
		SSL_CTX_set_alpn_select_cb(ctx, choose_h2, (void *)(uintptr_t)server);
	if (server->no_cipher)
		SSL_CTX_set_cipher_list(ctx, "AES128-SHA"); /* RSA's */
	if (server->curt)
		SSL_CTX_set_cert_verify_callback(ctx, hang_up, NULL);
	if (server->wants_cert) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), all.ca.cert);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	return ctx;
}

static void on_deadline(void *arg _unused_)
{
	fail_msg("nothing happened for a minute");
}

/* Connects; what came of it, until the next call. */
static const char *connect_to(const struct server *server, const struct tls_conf *conf,
			      const char *host)
{
	static struct scene s;
	struct loop_watch *deadline;
	SSL_CTX *ctx = NULL;
	struct err err;
	int pair[2];

	s = (struct scene){.loop = loop_new(), .says = server->plain};
	deadline = loop_timer(s.loop, on_deadline, NULL);
	loop_timer_at(deadline, loop_now_ms(s.loop) + 60000);
	if (tls_new(conf, host, &s.tls, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
			 0);
	if (server->plain) {
		s.server =
			bufferevent_socket_new(loop_base(s.loop), pair[1], BEV_OPT_CLOSE_ON_FREE);
		bufferevent_setcb(s.server, on_hello, NULL, NULL, &s);
	} else {
		ctx = server_ctx(server);
		s.server = bufferevent_openssl_socket_new(loop_base(s.loop), pair[1], SSL_new(ctx),
							  BUFFEREVENT_SSL_ACCEPTING,
							  BEV_OPT_CLOSE_ON_FREE);
		bufferevent_setcb(s.server, NULL, NULL, on_server, &s);
	}
	s.client = tls_transport(s.tls, loop_base(s.loop), pair[0]);
	bufferevent_setcb(s.client, on_settled, NULL, on_client, &s);
	bufferevent_enable(s.server, EV_READ | EV_WRITE);
	bufferevent_enable(s.client, EV_READ | EV_WRITE);
	loop_run(s.loop);
	bufferevent_free(s.client);
	if (s.server)
		bufferevent_free(s.server);
	SSL_CTX_free(ctx);
	tls_free(s.tls);
	loop_watch_free(deadline);
	loop_free(s.loop);
	ERR_clear_error();
	return s.told;
}

static struct tls_conf conf(const char *ca)
{
	return (struct tls_conf){.ca_file = ca,
				 .cert_file = "",
				 .key_file = "",
				 .cert_flags = "--certfile and --keyfile",
				 .port_words = "etcd's client port"};
}

/* `told` begins and ends so. */
static void want_story(const char *what, const char *told, const char *head, const char *tail)
{
	size_t n = strlen(told);

	if (strncmp(told, head, strlen(head)) != 0 || n < strlen(tail) ||
	    strcmp(told + n - strlen(tail), tail) != 0)
		fail_msg("%s: told: %s\nwanted: %s...%s", what, told, head, tail);
}

/* ---- the server's certificate ---- */

static const struct {
	const char *host, *names; /* whom we ask for; whom it is for */
	bool good;
	const char *shown; /* of the names, if it is not */
} hosts[] = {
	{"etcd-1", "DNS:etcd-1", true, NULL},
	{"ETCD-1", "DNS:etcd-1", true, NULL},
	{"etcd-1", "DNS:etcd-0,DNS:etcd-1,IP:10.0.0.1", true, NULL},
	{"10.0.0.1", "DNS:etcd-1,IP:10.0.0.1", true, NULL},
	{"fd00::1", "IP:fd00:0::1", true, NULL},
	{"a.etcd.example", "DNS:*.etcd.example", true, NULL},
	{"etcd-1", "DNS:etcd-2", false, "etcd-2"},
	{"10.0.0.1", "DNS:10.0.0.1", false, "10.0.0.1"}, /* a name that looks like one */
	{"10.0.0.1", "IP:10.0.0.2,IP:fd00::2,DNS:e", false, "10.0.0.2, fd00::2, e"},
	{"a.b.etcd.example", "DNS:*.etcd.example", false, "*.etcd.example"},
	{"ab.etcd.example", "DNS:a*.etcd.example", false, "a*.etcd.example"},
	/* Its CN is the host's; it was made for nobody. */
	{"etcd-1", "", false, "no name at all (a CN does not count)"},
	{"etcd-1", "email:a@b", false, "no name at all (a CN does not count)"},
	{"etcd-1", "email:a@b,DNS:a,URI:urn:x,IP:10.0.0.1,email:c@d", false, "a, 10.0.0.1"},
	{"etcd-1", "DNS:a\tb", false, "a\\x09b"},
	{"h", "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f,DNS:g,DNS:i,DNS:j", false,
	 "a, b, c, d, e, f, g, i and more"},
};

static void it_is_for_the_host_asked_for(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct id id = issue(&all.ca, "etcd-1", hosts[i].names, -DAY_S, DAY_S);
		const struct server server = {.id = &id};
		const struct tls_conf c = conf(path("ca"));
		char want[300] = "up";

		if (!hosts[i].good)
			snprintf(want, sizeof(want),
				 "the server's certificate 'CN=etcd-1' is not for %s: it is for %s",
				 hosts[i].host, hosts[i].shown);
		assert_string_equal(connect_to(&server, &c, hosts[i].host), want);
		id_free(&id);
	}
}

/* Expired, not valid yet; signed by whom. */
static void it_is_good_now_and_by_one_we_trust(void **state _unused_)
{
	static const struct {
		const char *what;
		const struct id *issuer; /* NULL = itself */
		long from_s, until_s;
		const char *ca;
		bool system_too;
		const char *head, *tail;
	} cases[] = {
		{"expired", &all.ca, -2 * DAY_S, -DAY_S, "ca", false,
		 "the server's certificate 'CN=etcd-1' expired on ", " UTC"},
		{"early", &all.ca, DAY_S, 2 * DAY_S, "ca", false,
		 "the server's certificate 'CN=etcd-1' is not valid before ",
		 " UTC: is this node's clock right?"},
		{"by another", &all.other_ca, -DAY_S, DAY_S, "ca", false,
		 "the server's certificate 'CN=etcd-1' is signed by 'CN=another CA', which is not in /",
		 "/ca; in it: 'CN=the CA'"},
		{"by one made anew", &all.same_name, -DAY_S, DAY_S, "ca", false,
		 "the server's certificate 'CN=etcd-1' is signed by 'CN=the CA', which is not in /",
		 "/ca; one of the same name is: was the CA made anew?"},
		{"by itself", NULL, -DAY_S, DAY_S, "ca", false,
		 "the server's certificate 'CN=etcd-1' is signed by itself, and is not in /",
		 "/ca; in it: 'CN=the CA'"},
		{"nor the system's", &all.other_ca, -DAY_S, DAY_S, "ca", true,
		 "the server's certificate 'CN=etcd-1' is signed by 'CN=another CA', which is not in /",
		 "/ca nor among the system's authorities; in it: 'CN=the CA'"},
		{"the file is not there", &all.ca, -DAY_S, DAY_S, "none", true,
		 "the server's certificate 'CN=etcd-1' is signed by 'CN=the CA', which is not in /",
		 "/none: No such file or directory"},
		{"the system's alone", &all.ca, -DAY_S, DAY_S, NULL, false,
		 "the server's certificate 'CN=etcd-1' is signed by 'CN=the CA', which is not in ",
		 "in the system's authorities"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct id id = issue(cases[i].issuer, "etcd-1", "DNS:etcd-1", cases[i].from_s,
				     cases[i].until_s);
		const struct server server = {.id = &id};
		struct tls_conf c = conf(cases[i].ca ? path(cases[i].ca) : "");

		c.system_too = cases[i].system_too;
		want_story(cases[i].what, connect_to(&server, &c, "etcd-1"), cases[i].head,
			   cases[i].tail);
		id_free(&id);
	}
}

static void another_ca_is_in_the_file(void **state _unused_)
{
	struct id old = issue(NULL, "an old CA", NULL, -2 * DAY_S, -DAY_S);
	struct id id = issue(&old, "etcd-1", "DNS:etcd-1", -DAY_S, DAY_S);
	const struct id *const cas[] = {&all.ca, &all.other_ca, &all.client, &all.stranger};
	const struct server server = {.id = &id};
	struct tls_conf c;
	FILE *f;

	write_cert("text", old.cert);
	c = conf(path("text"));
	want_story("expired", connect_to(&server, &c, "etcd-1"),
		   "the CA's certificate 'CN=an old CA' expired on ", " UTC");
	/* Too many to name them all. */
	f = fopen(path("text"), "w");
	for (size_t i = 0; i < ARRAY_SIZE(cas); i++)
		PEM_write_X509(f, cas[i]->cert);
	fclose(f);
	want_story("several", connect_to(&server, &c, "etcd-1"),
		   "the server's certificate 'CN=etcd-1' is signed by 'CN=an old CA', which is not "
		   "in /",
		   "' and more");
	write_text("text", "not PEM\n");
	id_free(&id);
	id_free(&old);
}

/* Made for clients alone. */
static void it_is_for_servers(void **state _unused_)
{
	struct id id = issue(&all.ca, "etcd-1", "DNS:etcd-1", -DAY_S, DAY_S);
	const struct tls_conf c = conf(path("ca"));
	const struct server server = {.id = &id};

	extend(id.cert, all.ca.cert, NID_ext_key_usage, "clientAuth");
	assert_true(X509_sign(id.cert, all.ca.key, EVP_sha256()) > 0);
	want_story("clientAuth", connect_to(&server, &c, "etcd-1"),
		   "the server's certificate 'CN=etcd-1' is of no use: ", "purpose");
	id_free(&id);
}

/* As in Go: whatever certificate is in the file is trusted. */
static void the_servers_own_is_an_anchor(void **state _unused_)
{
	struct id id = issue(&all.other_ca, "etcd-1", "DNS:etcd-1", -DAY_S, DAY_S);
	const struct server server = {.id = &id};
	char hashed[20];
	struct tls_conf c;

	write_cert("text", id.cert);
	c = conf(path("text"));
	assert_string_equal(connect_to(&server, &c, "etcd-1"), "up");
	write_text("text", "not PEM\n");
	/* The system's file, as distributions name it. */
	setenv("SSL_CERT_FILE", path("other_ca"), 1);
	c = conf("");
	assert_string_equal(connect_to(&server, &c, "etcd-1"), "up");
	c = conf(path("ca"));
	c.system_too = true;
	assert_string_equal(connect_to(&server, &c, "etcd-1"), "up");
	setenv("SSL_CERT_FILE", "/dev/null", 1);
	/* And as a folder, by the hash of the name. */
	snprintf(hashed, sizeof(hashed), "%08lx.0", X509_subject_name_hash(all.other_ca.cert));
	write_cert(hashed, all.other_ca.cert);
	setenv("SSL_CERT_DIR", all.dir, 1);
	c = conf("");
	assert_string_equal(connect_to(&server, &c, "etcd-1"), "up");
	setenv("SSL_CERT_DIR", "/dev/null", 1);
	unlink(path(hashed));
	id_free(&id);
}

/* ---- ours ---- */

static void the_server_wants_ours(void **state _unused_)
{
	static const struct {
		const char *cert, *key, *head, *tail;
	} cases[] = {
		{"client", "client.key", "up", "up"},
		{NULL, NULL,
		 "the server wants a certificate of ours: give --certfile and --keyfile (", ")"},
		{"stranger", "stranger.key",
		 "the server does not accept our certificate 'CN=node-9' (/",
		 "; signed by 'CN=another CA'; expired on "},
	};
	struct id id = issue(&all.ca, "etcd-1", "DNS:etcd-1", -DAY_S, DAY_S);

	for (int tls12 = 0; tls12 < 2; tls12++) {
		const struct server server = {.id = &id, .wants_cert = true, .tls12 = tls12};

		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct tls_conf c = conf(path("ca"));
			const char *told;

			if (cases[i].cert) {
				c.cert_file = path(cases[i].cert);
				c.key_file = path(cases[i].key);
			}
			told = connect_to(&server, &c, "etcd-1");
			want_story(cases[i].cert ? cases[i].cert : "none", told, cases[i].head, "");
			assert_non_null(strstr(told, cases[i].tail));
		}
	}
	id_free(&id);
}

/* Why, it does not say. */
static void the_server_hangs_up_on_ours(void **state _unused_)
{
	struct id id = issue(&all.ca, "etcd-1", "DNS:etcd-1", -DAY_S, DAY_S);
	const struct server server = {.id = &id, .wants_cert = true, .tls12 = true, .curt = true};
	struct tls_conf c = conf(path("ca"));

	signal(SIGPIPE, SIG_IGN); /* its alert */
	c.cert_file = path("client");
	c.key_file = path("client.key");
	want_story("hung up", connect_to(&server, &c, "etcd-1"),
		   "the server does not accept our certificate 'CN=node-1' (/",
		   " UTC) (it closed the connection when it had seen it)");
	id_free(&id);
}

/* ---- without files, without proof ---- */

static struct tls_pem content(const char *name, char *buf, size_t size)
{
	FILE *f = fopen(path(name), "r");
	struct tls_pem pem = {buf, 0};

	assert_non_null(f);
	pem.n = fread(buf, 1, size, f);
	fclose(f);
	return pem;
}

static void content_instead_of_files(void **state _unused_)
{
	struct id id = issue(&all.ca, "api", "DNS:api", -DAY_S, DAY_S);
	const struct server server = {.id = &id, .wants_cert = true};
	char ca[4000], cert[4000], key[4000];
	struct tls_conf c = conf("the CA data");
	struct tls *tls;
	struct err err;

	c.ca_pem = content("ca", ca, sizeof(ca));
	c.cert_file = "the certificate data";
	c.cert_pem = content("client", cert, sizeof(cert));
	c.key_file = "the key data";
	c.key_pem = content("client.key", key, sizeof(key));
	assert_string_equal(connect_to(&server, &c, "api"), "up");
	c.ca_pem = content("other_ca", ca, sizeof(ca));
	want_story("another CA", connect_to(&server, &c, "api"),
		   "the CA's certificate 'CN=the CA' is signed by itself, and is not in ",
		   "the CA data; in it: 'CN=another CA'");
	c.key_pem = content("stranger.key", key, sizeof(key));
	assert_int_equal(tls_new(&c, "api", &tls, &err), -EINVAL);
	assert_string_equal(err.text,
			    "the key data: is not the key of the certificate the certificate data");
	c.cert_pem = (struct tls_pem){"", 0};
	assert_int_equal(tls_new(&c, "api", &tls, &err), -EINVAL);
	want_story("nothing", err.text,
		   "the certificate data: not a certificate in PEM form: ", "");
	c.ca_pem = (struct tls_pem){"nothing", 7};
	assert_int_equal(tls_new(&c, "api", &tls, &err), -EINVAL);
	assert_string_equal(err.text,
			    "the CA data: not a CA's certificate in PEM form: there is none in it");
	id_free(&id);
}

/* By a stranger, for another host, too late; our certificate is shown all the same. */
static void whoever_answers(void **state _unused_)
{
	struct id id = issue(&all.other_ca, "api", "DNS:api", -2 * DAY_S, -DAY_S);

	for (int tls12 = 0; tls12 < 2; tls12++) {
		const struct server server = {.id = &id, .wants_cert = true, .tls12 = tls12};
		struct tls_conf c = conf(path("ca"));

		c.insecure = true;
		want_story("nobody", connect_to(&server, &c, "10.0.0.1"),
			   "the server wants a certificate of ours: give --certfile and --keyfile ",
			   "");
		c.cert_file = path("client");
		c.key_file = path("client.key");
		assert_string_equal(connect_to(&server, &c, "10.0.0.1"), "up");
	}
	id_free(&id);
}

/* ---- no server for us ---- */

static void other_servers(void **state _unused_)
{
	struct id id = issue(&all.ca, "etcd-1", "DNS:etcd-1", -DAY_S, DAY_S);

	const struct {
		struct server server;
		const char *head;
	} cases[] = {
		{{.id = &id, .plain = "HTTP/1.1 400 Bad Request\r\n\r\n"},
		 "the server does not speak TLS: if it is plain HTTP, write http://"},
		{{.id = &id, .plain = ""},
		 "the server closed the connection in the TLS handshake: if it is plain HTTP, write "
		 "http://"},
		{{.id = &id, .without_h2 = true},
		 "the server does not speak HTTP/2 over TLS: is this etcd's client port? (TLS alert "
		 "120, "},
		{{.id = &id, .without_alpn = true}, "up, for whatever"},
		{{.id = &id, .old = true}, "the server speaks neither TLS 1.2 nor 1.3"},
		{{.id = &id, .tls12 = true, .no_cipher = true},
		 "the server ended the TLS handshake (TLS alert 40, "},
		/* A record (RFC 8446, 5.1) that is too long. */
		{{.id = &id, .plain = "\x16\x03\x03\x7f\x7f......"}, "TLS: "},
	};
	const struct tls_conf c = conf(path("ca"));

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		want_story("case", connect_to(&cases[i].server, &c, "etcd-1"), cases[i].head, "");
	id_free(&id);
}

/* ---- files ---- */

static void files_are_named(void **state _unused_)
{
	static const struct {
		const char *ca, *cert, *key; /* NULL: none */
		int want;
		const char *story; /* behind the folder */
	} cases[] = {
		{"none", NULL, NULL, -ENOENT, "/none: No such file or directory"},
		{"text", NULL, NULL, -EINVAL, "/text: not a CA's certificate in PEM form: "},
		{"empty", NULL, NULL, -EINVAL, "/empty: not a CA's certificate in PEM form: "},
		{".", NULL, NULL, -EINVAL, "/.: not a CA's certificate in PEM form: "},
		{"ca", "empty", "client.key", -EINVAL, "/empty: not a certificate in PEM form: "},
		{"ca", "client", "empty", -EINVAL, "/empty: not a private key in PEM form: "},
		{"ca", "client", ".", -EINVAL, "/.: not a private key in PEM form: "},
		{"ca", "client", "client", -EINVAL, "/client: not a private key in PEM form: "},
		{"ca", "none", "client.key", -ENOENT, "/none: No such file or directory"},
		{"ca", "client", "none", -ENOENT, "/none: No such file or directory"},
		{"ca", "text", "client.key", -EINVAL, "/text: not a certificate in PEM form: "},
		{"ca", "client", "text", -EINVAL, "/text: not a private key in PEM form: "},
		{"ca", "client", "stranger.key", -EINVAL,
		 "/stranger.key: is not the key of the certificate /"},
		{"ca", "client", "locked.key", -EINVAL,
		 "/locked.key: has a passphrase, and nobody to type it in: store it without"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tls_conf c = conf(path(cases[i].ca));
		struct tls *tls = NULL;
		struct err err = {""};
		const size_t n = strlen(all.dir);

		c.cert_file = cases[i].cert ? path(cases[i].cert) : "";
		c.key_file = cases[i].key ? path(cases[i].key) : "";
		assert_int_equal(tls_new(&c, "etcd-1", &tls, &err), cases[i].want);
		assert_null(tls);
		if (strncmp(err.text, all.dir, n) != 0)
			fail_msg("names no file: %s", err.text);
		want_story("file", err.text + n, cases[i].story, "");
	}
	tls_free(NULL);
}

/* Root reads everything: not asked of it. */
static void who_may_not_read_is_told(void **state _unused_)
{
	struct tls_conf c = conf(path("ca"));
	struct tls *tls = NULL;
	struct err err = {""};

	if (geteuid() == 0)
		skip();
	c.cert_file = path("client");
	c.key_file = path("locked.key");
	assert_int_equal(chmod(c.key_file, 0), 0);
	assert_int_equal(tls_new(&c, "etcd-1", &tls, &err), -EACCES);
	want_story("unreadable", err.text, all.dir, "/locked.key: Permission denied");
	chmod(c.key_file, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_for_the_host_asked_for),
		cmocka_unit_test(it_is_good_now_and_by_one_we_trust),
		cmocka_unit_test(another_ca_is_in_the_file),
		cmocka_unit_test(it_is_for_servers),
		cmocka_unit_test(the_servers_own_is_an_anchor),
		cmocka_unit_test(the_server_wants_ours),
		cmocka_unit_test(the_server_hangs_up_on_ours),
		cmocka_unit_test(content_instead_of_files),
		cmocka_unit_test(whoever_answers),
		cmocka_unit_test(other_servers),
		cmocka_unit_test(files_are_named),
		cmocka_unit_test(who_may_not_read_is_told),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
