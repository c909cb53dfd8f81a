/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_WIRE_NL_RT_SCENE_H
#define UNIT_WIRE_NL_RT_SCENE_H
/* A node's links, and words for what lies on them. To be read behind cmocka.h. */

#include "wire/nl_rt.h"

#define BASE 0x66000000u

enum {
	UPLINK = 2,
	VXLAN = 5,
	VXLAN6 = 6,
	BRIDGE = 7,
	OTHER = 9,
};

static const struct devmap map = {
	.dev = {[DEV_UPLINK] = {UPLINK, "eth0"},
		[DEV_VXLAN] = {VXLAN, "flannel.1"},
		[DEV_VXLAN6] = {VXLAN6, "flannel-v6.1"},
		[DEV_BRIDGE] = {BRIDGE, "cni0"}},
};
static const struct nl_ours ours = {.map = &map, .nexthop_base = BASE};

static struct ip ip(const char *text)
{
	struct ip i;

	assert_true(ip_parse(text, &i));
	return i;
}

static struct cidr cidr(const char *text)
{
	struct cidr c;

	assert_true(cidr_parse(text, &c));
	return c;
}

/* The one message in b. */
static struct nl_msg message(const struct nl_buf *b)
{
	struct nl_bytes rest = {b->bytes, b->len};
	struct nl_msg m;

	assert_true(nl_msg_next(&rest, &m));
	assert_int_equal(rest.n, 0);
	return m;
}

#endif
