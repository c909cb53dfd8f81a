/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

const char sentence[] =
	"A bridge takes the smallest MTU of its ports, even if one was given at its creation; once its "
	"own was changed, it keeps that.";

static int has_mtu(const char *link, int mtu)
{
	char command[80];

	snprintf(command, sizeof(command), "ip link show %s | grep -q 'mtu %d '", link, mtu);
	return sh(command) == 0;
}

void prove(void)
{
	sh("ip link add br7 mtu 1450 type bridge; ip link add br8 type bridge;"
	   "ip link set br8 mtu 1450; ip link add v7 type veth peer name v7p;"
	   "ip link add v8 type veth peer name v8p");
	check(has_mtu("br7", 1450) && has_mtu("br8", 1450), "not 1450 to begin with");
	sh("ip link set v7 master br7; ip link set v8 master br8");
	check(has_mtu("br7", 1500), "given at creation: it stayed");
	check(has_mtu("br8", 1450), "changed: it did not stay");
}
