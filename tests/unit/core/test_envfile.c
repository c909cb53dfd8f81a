/* SPDX-License-Identifier: Apache-2.0 */
#include "core/envfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct cidr cidr(const char *text)
{
	struct cidr c;

	assert_true(cidr_parse(text, &c));
	return c;
}

static void test_byte_for_byte(void **state)
{
	struct netconf net = netconf_defaults();
	struct lease own = {.subnet = cidr("10.244.1.0/24"), .subnet6 = cidr("2001:cafe:42::/64")};
	char buf[512] = "";
	struct text t = TEXT(buf);

	(void)state;
	net.network = cidr("10.244.0.0/16");
	net.network6 = cidr("2001:cafe:42::/56");
	envfile_write(&net, &own, 1450, true, &t);
	assert_string_equal(buf, "FLANNEL_NETWORK=10.244.0.0/16\n"
				 "FLANNEL_SUBNET=10.244.1.1/24\n"
				 "FLANNEL_MTU=1450\n"
				 "FLANNEL_IPMASQ=true\n");

	net.ipv6 = true;
	t.len = 0;
	envfile_write(&net, &own, 8950, false, &t);
	assert_string_equal(buf, "FLANNEL_NETWORK=10.244.0.0/16\n"
				 "FLANNEL_SUBNET=10.244.1.1/24\n"
				 "FLANNEL_IPV6_NETWORK=2001:cafe:42::/56\n"
				 "FLANNEL_IPV6_SUBNET=2001:cafe:42::1/64\n"
				 "FLANNEL_MTU=8950\n"
				 "FLANNEL_IPMASQ=false\n");

	net.ipv4 = false;
	t.len = 0;
	envfile_write(&net, &own, 1430, false, &t);
	assert_string_equal(buf, "FLANNEL_IPV6_NETWORK=2001:cafe:42::/56\n"
				 "FLANNEL_IPV6_SUBNET=2001:cafe:42::1/64\n"
				 "FLANNEL_MTU=1430\n"
				 "FLANNEL_IPMASQ=false\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
