/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_EXEC_CREDENTIAL_H
#define WIRE_EXEC_CREDENTIAL_H
/* What a credential plugin is told and what it answers: ExecCredential of client.authentication.k8s.io, v1 and
 * v1beta1, whose JSON is the same (k8s.io/client-go, pkg/apis/clientauthentication).
 */

#include "base/arena.h"
#include "base/err.h"
#include "wire/kubeconfig.h"

#define LIMIT_EXEC_CREDENTIAL_BYTES (1 << 20) /* a token, or a chain of certificates: some kB */

struct exec_credential {
	const char *token;	/* "" = none */
	const char *cert, *key; /* PEM; "" = none; both or none */
	int64_t expires_s;	/* Unix time; INT64_MAX = it does not say */
};

/* `want`: the version the kubeconfig names. Texts are copied into `a`. 0, or -EINVAL with a story that shows nothing
 * of what may be secret. */
int exec_credential_decode(const char *json, size_t n, enum kubeconfig_version want,
			   struct arena *a, struct exec_credential *ret, struct err *err);

/* The value of KUBERNETES_EXEC_INFO. `ca`: the authorities' PEM, wherever it came from. */
const char *exec_credential_info(const struct kubeconfig *c, const struct kubeconfig_data *ca,
				 struct arena *a);

#endif
