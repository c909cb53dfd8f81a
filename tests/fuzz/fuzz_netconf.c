/* SPDX-License-Identifier: Apache-2.0 */
/* net-conf: what is accepted holds what it promises; what is refused is told. */

#include "wire/netconf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct netconf *c)
{
	struct netconf again = *c;
	char buf[2048] = "";
	struct text t = TEXT(buf);

	must(c->ipv4 || c->ipv6);
	must(c->backend == BACKEND_VXLAN);
	if (c->ipv4) {
		must(cidr_contains(&c->network, &c->subnet_min));
		must(cidr_contains(&c->network, &c->subnet_max));
		must(c->subnet_len >= c->network.len + 2u && c->subnet_len <= 30);
	}
	if (c->ipv6) {
		must(cidr_contains(&c->network6, &c->subnet_min6));
		must(cidr_contains(&c->network6, &c->subnet_max6));
		must(c->subnet_len6 >= c->network6.len + 2u && c->subnet_len6 <= 126);
	}
	/* Derived is derived: once more changes nothing. */
	must(netconf_derive(&again, &t) == 0 && netconf_eq(&again, c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netconf c;
	char buf[256] = "";
	struct text complaints = TEXT(buf);
	int bad = netconf_decode((const char *)data, size, &c, &complaints);

	if (bad == 0)
		check(&c);
	must((bad == 0) == (complaints.len == 0));
	for (const char *s = buf; *s; s++)
		must(*s == '\n' || (*s >= 0x20 && *s < 0x7f));
	return 0;
}
