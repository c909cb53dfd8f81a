/* SPDX-License-Identifier: Apache-2.0 */
/* subnet.env, both readings: where the plugin takes a file, the agent finds nothing else in it. */

#include "wire/envfile.h"

#include <stdlib.h>

#include "wire/cni_flannel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_masked(const struct cidr *c, bool v4)
{
	struct cidr masked = cidr_masked(c);

	must(!cidr_is_set(c) || (cidr_eq(c, &masked) && ip_is_v4(&c->ip) == v4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envfile_previous p;
	struct flannel_env env;
	struct err err = {0};

	envfile_decode_previous((const char *)data, size, &p);
	check_masked(&p.network, true);
	check_masked(&p.subnet, true);
	check_masked(&p.network6, false);
	check_masked(&p.subnet6, false);
	if (cni_flannel_env((const char *)data, size, "subnet.env", &env, &err) < 0) {
		must(err.text[0]);
		return 0;
	}
	check_masked(&env.subnet, true);
	check_masked(&env.subnet6, false);
	must(env.n_networks + env.n_networks6 > 0);
	must(env.n_networks <= FLANNEL_NETWORKS_MAX && env.n_networks6 <= FLANNEL_NETWORKS_MAX);
	return 0;
}
