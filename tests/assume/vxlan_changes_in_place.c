/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"Of a VXLAN link that is up, MTU, MAC, alias and learning change in place; VNI, port, local "
	"address, GBP do not; an MTU above the lower link's less 50 is refused.";

void prove(void)
{
	static const char *const fine[] = {
		"ip link set flannel.1 mtu 1400",
		"ip link set flannel.1 address 02:00:00:00:00:07",
		"ip link set flannel.1 alias loden",
		"ip link set flannel.1 type vxlan learning",
		"ip link set flannel.1 type vxlan nolearning",
	};
	static const char *const refused[] = {
		"ip link set flannel.1 type vxlan id 2 2>/dev/null",
		"ip link set flannel.1 type vxlan id 1 dstport 4789 2>/dev/null",
		"ip link set flannel.1 type vxlan id 1 gbp 2>/dev/null",
		"ip link set flannel.1 mtu 1451 2>/dev/null",
	};

	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		check(sh(fine[i]) == 0, "%s", fine[i]);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		check(sh(refused[i]) != 0, "accepted: %s", refused[i]);
}
