/* SPDX-License-Identifier: Apache-2.0 */
/* A CNI configuration, as every plugin reads it; then a delegate's result, and CNI_ARGS.
 * What decodes must also encode, and the address pool must answer. */
#include <stdint.h>
#include <stdlib.h>

#include "core/ipam.h"
#include "wire/cni.h"
#include "wire/cni_conf.h"
#include "wire/cni_flannel.h"
#include "wire/cni_result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT_MEMORY (256u << 20)

static void read_results(const json_t *root, struct arena *a)
{
	const char *text;

	for (int v = 0; v < CNI_VERSION__COUNT; v++) {
		struct cni_result result;
		enum cni_version found;
		struct err err;

		if (cni_result_decode(root, (enum cni_version)v, a, &result, &found, &err) < 0)
			continue;
		for (int to = 0; to < CNI_VERSION__COUNT; to++)
			cni_result_encode(&result, (enum cni_version)to, a, &text, &err);
	}
}

static void read_pool(const json_t *root, struct arena *a)
{
	struct ipam_facts facts = {0};
	struct ipam_conf conf;
	struct cni_ip got;
	struct err err;

	if (cni_conf_ipam(root, "", a, &conf, &err) < 0 || ipam_check(&conf, CNI_1_0_0, &err) < 0)
		return;
	for (size_t i = 0; i < conf.n_sets; i++) {
		facts.wanted = ipam_requested(&conf, &conf.sets[i]);
		if (ipam_choose(&conf.sets[i], &facts, a, &got, &err) == 0 &&
		    !ipam_set_contains(&conf.sets[i], &got.address.ip))
			abort();
	}
}

static void read_flannel(const json_t *root, const char *text, size_t n, struct arena *a)
{
	struct cni_flannel conf;
	struct flannel_env env;
	struct err err;
	json_t *d;

	cni_flannel_env(text, n, "F", &env, &err);
	env = (struct flannel_env){.n_networks = 1, .mtu_bytes = 1450};
	env.subnet.len = 24;
	env.subnet.ip = ip_from_v4(0x0af40100);
	env.networks[0] = env.subnet;
	if (cni_flannel_conf(root, &conf, &err) < 0 ||
	    cni_flannel_delegate(&conf, "n", "", &env, &d, &err) < 0)
		return;
	gojson_print(d, GOJSON_COMPACT | GOJSON_SORTED, a, NULL);
	json_decref(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_conf conf = {.version = CNI_1_0_0};
	struct cni_arg arg = {.key = "IP"};
	struct bridge_conf bridge;
	struct cni_error e = {0};
	struct arena a;
	struct cni_dns dns;
	struct err err;
	json_t *root;
	char *text;

	arena_init(&a, LIMIT_MEMORY);
	text = arena_calloc(&a, 1, size + 1);
	if (size > 0)
		__builtin_memcpy(text, data, size);
	cni_decode_args(text, &arg, 1, &a, &err);
	cni_conf_resolv(text, size, &a, &dns);
	if (gojson_parse((const char *)data, size, &root, &err) == 0) {
		cni_decode_name(root, &conf.name, &e);
		cni_decode_ipam_type(root, &conf.ipam_type, &err);
		cni_decode_prev(root, &a, &conf, &err);
		cni_conf_bridge(root, "", &a, &bridge, &err);
		if (cni_decode_error(root, &e, &err) == 0)
			cni_encode_error(&e, &a);
		read_pool(root, &a);
		read_results(root, &a);
		read_flannel(root, text, size, &a);
		gojson_print(root, GOJSON_PRETTY | GOJSON_SORTED, &a, NULL);
		json_decref(root);
	}
	arena_fini(&a);
	return 0;
}
