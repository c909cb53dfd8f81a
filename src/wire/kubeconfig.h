/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_KUBECONFIG_H
#define WIRE_KUBECONFIG_H
/* A kubeconfig: where the API server is, who it must be, and who we are.
 *
 * YAML by libyaml, so JSON, too; read as client-go does it (tools/clientcmd): only what current-context names,
 * keys in exactly this spelling, unknown ones ignored, null is absent, of equal keys the last one counts, a path is
 * relative to the file's folder, data goes before a file. Anchors, aliases and merge keys work.
 *
 * Differences, on the side of working: a number where a text is wanted is its text, data beside a file is no error, and
 * keys go before those that are merged in, wherever they stand.
 *
 * Bounded: an alias is a reference and never a copy, and merge keys are followed for so many steps only, so no file
 * of the allowed size costs more than its size.
 */

#include "base/arena.h"
#include "base/err.h"

#define LIMIT_KUBECONFIG_BYTES	 (1 << 20) /* real ones have 5 to 50 kB */
#define LIMIT_KUBECONFIG_NODES	 20000
#define LIMIT_KUBECONFIG_DEPTH	 64
#define LIMIT_KUBECONFIG_ANCHORS 1000

/* bytes NULL = none. */
struct kubeconfig_data {
	const uint8_t *bytes;
	size_t n;
};

struct kubeconfig_env {
	const char *name, *value;
};

enum kubeconfig_version {
	KUBECONFIG_EXEC_V1,
	KUBECONFIG_EXEC_V1BETA1,
	KUBECONFIG_EXEC__COUNT,
};

/* What apiVersion says: "client.authentication.k8s.io/v1" … */
extern const char *const kubeconfig_version_names[KUBECONFIG_EXEC__COUNT];

/* A program that knows who we are. */
struct kubeconfig_exec {
	enum kubeconfig_version version;
	const char *command;	 /* "" = none; without a slash: looked for in PATH */
	const char *const *args; /* behind the command */
	size_t n_args;
	const struct kubeconfig_env *env;
	size_t n_env;
	const char *install_hint;
	const char *interactive_mode; /* "Never", "IfAvailable", "Always" or "" */
	bool with_cluster;	      /* it wants to know the cluster */
};

/* Texts are "" if absent, and paths absolute if the kubeconfig's own was. */
struct kubeconfig {
	const char *context, *cluster, *user; /* their names */

	const char *server;
	const char *ca_file;
	struct kubeconfig_data ca_data;
	bool insecure; /* whoever answers is taken for the server */
	const char *tls_server_name;
	const char *proxy_url;

	const char *cert_file, *key_file;
	struct kubeconfig_data cert_data, key_data; /* PEM */
	const char *token, *token_file;
	const char *username, *password;
	struct kubeconfig_exec exec;
	const char *unsupported; /* a key of the user that we do not know how to obey */
};

/* All strings are copied into `a`, which is needed as long as they are. `path` is the file's name, for messages and
 * for what is relative to it. 0, or -EINVAL with a story that begins with "PATH:LINE:COLUMN: " where there is such
 * a place, and never shows a secret; then what was copied lies in the arena until it is reset. O(n). */
int kubeconfig_decode(const char *bytes, size_t n, const char *path, struct arena *a,
		      struct kubeconfig *ret, struct err *err);

#endif
