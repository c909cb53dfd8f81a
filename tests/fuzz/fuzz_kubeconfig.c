/* SPDX-License-Identifier: Apache-2.0 */
/* Kubeconfigs: what is read holds what it promises, what is refused is told, and neither costs much. */

#include "wire/kubeconfig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct kubeconfig *c)
{
	const char *const texts[] = {c->cluster,
				     c->user,
				     c->server,
				     c->ca_file,
				     c->cert_file,
				     c->key_file,
				     c->tls_server_name,
				     c->proxy_url,
				     c->token,
				     c->token_file,
				     c->username,
				     c->password,
				     c->exec.command,
				     c->exec.install_hint,
				     c->exec.interactive_mode,
				     c->unsupported};

	must(c->context[0] && c->cluster[0]);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		must(strlen(texts[i]) <= LIMIT_KUBECONFIG_BYTES + 10);
	must(!c->ca_file[0] || c->ca_file[0] == '/');
	must(!c->ca_data.bytes == !c->ca_data.n);
	for (size_t i = 0; i < c->ca_data.n; i++)
		must(c->ca_data.bytes[i] + 1 > 0);
	must(c->exec.version < KUBECONFIG_EXEC__COUNT);
	must(c->exec.command[0] || (!c->exec.n_args && !c->exec.n_env));
	for (size_t i = 0; i < c->exec.n_args; i++)
		must(c->exec.args[i] != NULL);
	for (size_t i = 0; i < c->exec.n_env; i++)
		must(c->exec.env[i].name[0] && c->exec.env[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kubeconfig c;
	struct arena a;
	struct err err = {0};
	int r;

	arena_init(&a, 16 << 20);
	r = kubeconfig_decode((const char *)data, size, "/k/c", &a, &c, &err);
	if (r == 0)
		check(&c);
	else
		must(r == -22 && strncmp(err.text, "/k/c:", 5) == 0);
	for (const char *s = err.text; *s; s++)
		must(*s >= 0x20 && *s < 0x7f);
	arena_fini(&a);
	return 0;
}
