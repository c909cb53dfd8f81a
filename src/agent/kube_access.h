/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_KUBE_ACCESS_H
#define AGENT_KUBE_ACCESS_H
/* Where the Kubernetes API server is and how to get in: legs to try in order, and what to say who we are.
 *
 *	--kubeconfig-file     what its current-context names; --kube-api-url goes before its server
 *	--kube-api-url alone  that URL, as nobody
 *	neither               as a pod: KUBERNETES_SERVICE_HOST and _PORT, the mounted token and CA
 *
 * A pod has more than one leg, for the service network is what we are there to make: behind the service's
 * address come the API servers' own, remembered on disk, then the server that the node's kubelet talks to (its
 * address alone is taken, none of its credentials). The certificate of a remembered server must be for
 * KUBERNETES_SERVICE_HOST: that name is the one that every API server must have for any pod to get in
 * (kubeadm, k3s and the API server's own certificate carry the service's address beside kubernetes.default.svc; a
 * load balancer's name given there instead is in them, too).
 *
 * No proxy is used, whatever HTTPS_PROXY says. Over http:// we are nobody, as in client-go: a token would be read on
 * the way.
 *
 * Secrets are never logged and in no story.
 */

#include "agent/kube_exec.h"
#include "agent/kube_servers.h"
#include "agent/opts.h"
#include "base/arena.h"
#include "base/sha512.h"
#include "model/ip.h"
#include "os/file.h"
#include "os/tls.h"
#include "wire/kubeconfig.h"

#define KUBE_LEGS_MAX		(1 + KUBE_SERVERS_MAX + 1)
/* "Bearer " and a token: 1 kB of a pod, up to 12 kB where groups are in it. */
#define KUBE_AUTHORIZATION_SIZE 16384

struct kube_leg {
	const char *name;      /* to show: "10.96.0.1:443 (KUBERNETES_SERVICE_HOST)" */
	const char *authority; /* for HTTP: "10.96.0.1:443" */
	const char *host;      /* without brackets */
	struct ip ip;	       /* unset = the host is a name */
	uint16_t port;
	const char *
		path; /* the server's URL behind the authority, in front of each request's: "" or "/k8s/c-1" */
	bool with_tls;
	struct tls_conf tls; /* if so */
	const char *proves;  /* who the server must prove to be; only for TLS */
};

/* Who we say we are, beside the certificate in the legs' tls. */
enum kube_auth {
	KUBE_AUTH_NONE,
	KUBE_AUTH_TOKEN,
	KUBE_AUTH_TOKEN_FILE,
	KUBE_AUTH_BASIC,
	KUBE_AUTH_EXEC,
	KUBE_AUTH__COUNT,
};

struct kube_access {
	struct kube_leg legs[KUBE_LEGS_MAX];
	size_t n_legs;	   /* > 0 */
	bool in_pod;	   /* what servers say of themselves is of use at the next start */
	const char *from;  /* for messages: "--kubeconfig-file=/etc/k/config" … */
	const char *proxy; /* what names a proxy that we do not use; "" = nothing */

	enum kube_auth auth;
	const char *token_file;
	struct kubeconfig config; /* texts are "" where there is none */
	/* The last that could be read, what tells whether the file has changed since, and what is wrong with it. */
	char *token;
	struct file_id token_id;
	struct err token_trouble;

	/* Of kube_access_start(). */
	struct kube_exec *exec; /* NULL = none */
	struct loop *loop;
	struct loop_watch *again;	/* asks before the last answer expires */
	uint8_t cert_sum[SHA512_BYTES]; /* of the certificate it told us last */
	void (*changed)(void *arg);
	void *arg;

	struct arena arena; /* all texts above */
};

/* Where things are: the process' environment, the usual places; or what a test says. */
struct kube_host {
	char *const *environment;
	const char *account_dir;	    /* of token and ca.crt */
	const char *const *kubelet_configs; /* NULL behind the last */
};

/* Reads what there is; nothing is connected. 0, or -errno with a story that names the flag, variable or file. `ret` is
 * to be freed when nothing borrows from it any more; not after an error. What was read is not read again, but for
 * the files that the legs' tls and `token_file` name: for a changed kubeconfig, environment or list of servers load
 * anew. */
int kube_access_from_opts(const struct opts *o, struct kube_access *ret, struct err *err);
int kube_access_load(const struct opts *o, const struct kube_host *host, struct kube_access *ret,
		     struct err *err);
void kube_access_fini(struct kube_access *a);
/* Logs what is dangerous, and what is given and not used. */
void kube_access_warn(const struct kube_access *a);

/* If the kubeconfig names a credential plugin (KUBE_AUTH_EXEC): runs `exec`, now and before each answer expires.
 * `changed` is called from the loop when it has answered with another certificate than before, which only a new
 * connection shows. Both are borrowed until kube_access_fini(). Without one nothing happens. */
void kube_access_start(struct kube_access *a, struct kube_exec *exec, struct loop *loop,
		       void (*changed)(void *arg), void *arg);
/* False = a plugin has not told us yet who we are: appends that. To connect is of no use. */
bool kube_access_is_ready(const struct kube_access *a, struct text *ret);
/* The server has refused us with 401: the token's file is read anew, the plugin asked anew. */
void kube_access_renew(struct kube_access *a);

/* The value of the header "authorization"; "" = none. A token's file is read again when it has changed; can it not be
 * read, the last one that could be is used. */
void kube_access_authorization(struct kube_access *a, char ret[KUBE_AUTHORIZATION_SIZE]);

/* The server has answered 401 or 403: appends who we said we are, and what to do. Nothing for other codes. */
void kube_access_explain(const struct kube_access *a, unsigned http_status, struct text *ret);
/* No connection came about: appends a word on the proxy that we did not use, or nothing. */
void kube_access_explain_proxy(const struct kube_access *a, struct text *ret);

#endif
