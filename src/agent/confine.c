/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/confine.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#include "base/log.h"

#define PRIVILEGED_PORTS 1024 /* below: ip(7) */

const struct sandbox_call confine_calls[] = {
#include "agent/calls.h"
};
const size_t confine_calls_n = ARRAY_SIZE(confine_calls);
static_assert(ARRAY_SIZE(confine_calls) <= SANDBOX_CALLS_MAX, "they fit the filter");

uint64_t confine_capabilities(const struct opts *o)
{
	uint64_t keep = 1ull << CAP_NET_ADMIN;

	if (o->healthz_port > 0 && o->healthz_port < PRIVILEGED_PORTS)
		keep |= 1ull << CAP_NET_BIND_SERVICE;
	if (o->etcd_keyfile[0] || o->etcd_certfile[0] || o->etcd_cafile[0] ||
	    o->etcd_password_file[0] || o->kubeconfig_file[0])
		keep |= 1ull << CAP_DAC_READ_SEARCH;
	return keep;
}

void confine_agent(const struct opts *o)
{
	const struct sandbox s = {confine_capabilities(o), confine_calls, confine_calls_n};
	struct err err = {0};

	if (!o->sandbox)
		log_warn("sandbox.off", "why=\"--sandbox=false\"");
	else if (sandbox_enter(&s, &err) != 0)
		log_warn("sandbox.partly", "why=\"%s\"", err.text);
}
