/* SPDX-License-Identifier: Apache-2.0 */
#include "model/link.h"

#include <stdio.h>
#include <string.h>

const char *const dev_names[DEV__COUNT] = {
	[DEV_NONE] = "none",	 [DEV_UPLINK] = "uplink", [DEV_VXLAN] = "vxlan",
	[DEV_VXLAN6] = "vxlan6", [DEV_BRIDGE] = "bridge",
};
static_assert(DEV__COUNT == 5, "name the new role");

const char *const link_kind_names[LINK__COUNT] = {
	[LINK_OTHER] = "other",
	[LINK_VXLAN] = "vxlan",
	[LINK_BRIDGE] = "bridge",
};
static_assert(LINK__COUNT == 3, "name the new kind");

enum dev devmap_find(const struct devmap *m, uint32_t ifindex)
{
	if (ifindex == 0)
		return DEV_NONE;
	for (enum dev dev = DEV_NONE + 1; dev < DEV__COUNT; dev++)
		if (m->dev[dev].ifindex == ifindex)
			return dev;
	return DEV_NONE;
}

const char *devmap_name(const struct devmap *m, enum dev dev)
{
	return m && m->dev[dev].name[0] ? m->dev[dev].name : dev_names[dev];
}

struct comparison {
	enum link_change change;
	struct text *why; /* NULL = nobody asks */
};

static void differs(struct comparison *c, enum link_change change, const char *what,
		    const char *have, const char *want)
{
	if (c->why)
		text_add(c->why, "%s%s %s -> %s", c->change == LINK_SAME ? "" : ", ", what, have,
			 want);
	c->change = MAX(c->change, change);
}

static void compare_number(struct comparison *c, enum link_change change, const char *what,
			   uint32_t have, uint32_t want)
{
	char a[16], b[16];

	if (have == want)
		return;
	snprintf(a, sizeof(a), "%u", have);
	snprintf(b, sizeof(b), "%u", want);
	differs(c, change, what, a, b);
}

static void compare_flag(struct comparison *c, enum link_change change, const char *what, bool have,
			 bool want)
{
	if (have != want)
		differs(c, change, what, have ? "on" : "off", want ? "on" : "off");
}

static void compare_vxlan(struct comparison *c, const struct link_vxlan *want,
			  const struct link_vxlan *have)
{
	char a[IP_STRLEN], b[IP_STRLEN];

	compare_number(c, LINK_RECREATE, "vni", have->vni, want->vni);
	compare_number(c, LINK_RECREATE, "port", have->port, want->port);
	if (!ip_eq(&have->local, &want->local))
		differs(c, LINK_RECREATE, "local", ip_format(&have->local, a),
			ip_format(&want->local, b));
	if (have->lower != want->lower)
		differs(c, LINK_RECREATE, "lower", dev_names[have->lower], dev_names[want->lower]);
	compare_flag(c, LINK_RECREATE, "gbp", have->gbp, want->gbp);
	compare_flag(c, LINK_RECREATE, "l2miss", have->l2miss, want->l2miss);
	compare_flag(c, LINK_RECREATE, "l3miss", have->l3miss, want->l3miss);
	compare_flag(c, LINK_RECREATE, "proxy", have->proxy, want->proxy);
	compare_flag(c, LINK_RECREATE, "rsc", have->rsc, want->rsc);
	compare_flag(c, LINK_RECREATE, "external", have->external, want->external);
	compare_flag(c, LINK_RECREATE, "group", have->group, want->group);
	compare_flag(c, LINK_SET, "learning", have->learning, want->learning);
}

static void compare_text(struct comparison *c, const char *what, const char *have, const char *want)
{
	char escaped[4 * LINK_ALIAS_SIZE] = "";
	struct text t = TEXT(escaped);

	if (strcmp(have, want) == 0)
		return;
	text_add_escaped(&t, have, strlen(have));
	differs(c, LINK_SET, what, have[0] ? escaped : "none", want[0] ? want : "none");
}

enum link_change link_compare(const struct link *want, const struct link *have, struct text *why)
{
	struct comparison c = {.change = LINK_SAME, .why = why};
	char a[MAC_STRLEN], b[MAC_STRLEN];

	if (have->kind != want->kind)
		differs(&c, LINK_RECREATE, "kind", link_kind_names[have->kind],
			link_kind_names[want->kind]);
	else if (want->kind == LINK_VXLAN)
		compare_vxlan(&c, &want->vxlan, &have->vxlan);
	compare_text(&c, "name", have->name, want->name);
	if (want->mtu_bytes > 0)
		compare_number(&c, LINK_SET, "mtu", have->mtu_bytes, want->mtu_bytes);
	if (mac_is_set(&want->mac) && !mac_eq(&have->mac, &want->mac))
		differs(&c, LINK_SET, "mac", mac_format(&have->mac, a), mac_format(&want->mac, b));
	if (have->up != want->up)
		differs(&c, LINK_SET, "state", have->up ? "up" : "down", want->up ? "up" : "down");
	compare_text(&c, "alias", have->alias, want->alias);
	return c.change;
}
