/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/envfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_cidr(const struct cidr *have, const char *want)
{
	char buf[CIDR_STRLEN];

	assert_string_equal(cidr_format(have, buf), want ? want : "-");
}

static void test_previous(void **state)
{
	static const struct {
		const char *text;
		const char *network, *subnet, *network6, *subnet6; /* NULL = unset */
	} rows[] = {
		{"FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\n"
		 "FLANNEL_IPV6_NETWORK=2001:cafe:42::/56\nFLANNEL_IPV6_SUBNET=2001:cafe:42::1/64\n"
		 "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
		 "10.244.0.0/16", "10.244.1.0/24", "2001:cafe:42::/56", "2001:cafe:42::/64"},
		{"", NULL},
		{"FLANNEL_SUBNET=10.244.1.1/24", NULL, "10.244.1.0/24"}, /* no newline */
		{"\n# FLANNEL_SUBNET=10.1.1.1/24\n \r\nexport  FLANNEL_SUBNET = 10.244.1.1/24 \r\n",
		 NULL, "10.244.1.0/24"},
		{"FLANNEL_SUBNET=\"10.244.1.1/24\" # ours\n", NULL, "10.244.1.0/24"},
		{"FLANNEL_SUBNET='10.244.1.1/24'\n", NULL, "10.244.1.0/24"},
		{"FLANNEL_SUBNET=10.244.1.1/24 # ours\n", NULL, "10.244.1.0/24"},
		{"FLANNEL_SUBNET=10.244.1.1/24#ours\n", NULL},
		{"FLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_SUBNET=10.244.2.1/24\n", NULL,
		 "10.244.2.0/24"},
		/* flannel's TestReadCIDRsFromSubnetFileSkipsInvalidCIDRs and …InvalidOnly… */
		{"FLANNEL_NETWORK=10.244.0.0/16,nonsense,10.999.0.0/16\n", "10.244.0.0/16"},
		{"FLANNEL_IPV6_NETWORK=bad,2001:cafe:42::/56\n", NULL, NULL, "2001:cafe:42::/56"},
		{"FLANNEL_SUBNET=bad\nFLANNEL_IPV6_SUBNET=worse/64\n", NULL},
		{"FLANNEL_NETWORK=10.244.0.0/16,10.245.0.0/16\n", NULL}, /* several: none */
		{"FLANNEL_NETWORK=,10.244.0.0/16,\n", "10.244.0.0/16"},
		{"FLANNEL_SUBNET=fd00::1/64\nFLANNEL_IPV6_SUBNET=10.244.1.1/24\n", NULL},
		{"FLANNEL_SUBNET=$SUBNET\nFLANNEL_NETWORK\n=\n\"\n", NULL},
		{"XFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_SUBNETX=10.244.1.1/24\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct envfile_previous p;

		memset(&p, 0xff, sizeof(p));
		envfile_decode_previous(rows[i].text, strlen(rows[i].text), &p);
		assert_cidr(&p.network, rows[i].network);
		assert_cidr(&p.subnet, rows[i].subnet);
		assert_cidr(&p.network6, rows[i].network6);
		assert_cidr(&p.subnet6, rows[i].subnet6);
	}
}

static void test_bytes_that_are_no_text(void **state)
{
	static const char text[] = "FLANNEL_SUBNET=10.244.1.1/24\0\nFLANNEL_NETWORK=10.2.0.0/16\n";
	struct envfile_previous p;

	(void)state;
	envfile_decode_previous(text, sizeof(text) - 1, &p);
	assert_cidr(&p.subnet, NULL);
	assert_cidr(&p.network, "10.2.0.0/16");
	envfile_decode_previous(NULL, 0, &p);
	assert_cidr(&p.network, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_previous),
		cmocka_unit_test(test_bytes_that_are_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
