/* SPDX-License-Identifier: Apache-2.0 */
/* What a credential plugin wrote: what is taken is of use, what is refused is told. */

#include "wire/exec_credential.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exec_credential c;
	struct arena a;
	struct err err = {0};
	int r;

	arena_init(&a, 16 << 20);
	r = exec_credential_decode((const char *)data, size, KUBECONFIG_EXEC_V1, &a, &c, &err);
	if (r == 0) {
		must(c.token[0] || c.cert[0]);
		must(!c.cert[0] == !c.key[0]);
		must(strlen(c.token) + strlen(c.cert) + strlen(c.key) <= 6 * size);
		/* The year 0, or 9999, and a zone of a day. */
		must(c.expires_s == INT64_MAX ||
		     (c.expires_s > -62167305600 && c.expires_s < 253402387200));
	} else {
		must(err.text[0]);
	}
	for (const char *s = err.text; *s; s++)
		must(*s >= 0x20 && *s < 0x7f);
	arena_fini(&a);
	return 0;
}
