/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adopt.h"

/* linux/rtnetlink.h: routes that the kernel made itself, by hand of an address or an advertisement. */
#define RTPROT_KERNEL 2
#define RTPROT_RA     9

static bool is_vxlan(enum dev dev)
{
	return dev == DEV_VXLAN || dev == DEV_VXLAN6;
}

static bool in_network(const struct adopt *rule, const struct cidr *c)
{
	return (cidr_is_set(&rule->network) && cidr_covers(&rule->network, c)) ||
	       (cidr_is_set(&rule->network6) && cidr_covers(&rule->network6, c));
}

static bool link_may_go(const struct adopt *rule, const struct link *l)
{
	if (!rule->uninstall)
		return false;
	return is_vxlan(l->dev) || (l->dev == DEV_BRIDGE && rule->uninstall_bridge);
}

static bool addr_may_go(const struct adopt *rule, const struct addr *a)
{
	struct cidr host = cidr_host(&a->cidr.ip);

	if (is_vxlan(a->dev))
		return ip_is_v4(&a->cidr.ip) || !ip_is_link_local(&a->cidr.ip);
	if (a->dev == DEV_BRIDGE)
		return in_network(rule, &host);
	return false;
}

static bool route_may_go(const struct adopt *rule, const struct route *r)
{
	if (r->proto == RTPROT_KERNEL || r->proto == RTPROT_RA)
		return false;
	if (is_vxlan(r->dev))
		return true;
	/* Not on a link of ours: only the mark speaks for it, and another instance bears the same. */
	return r->proto == ROUTE_PROTO_LODEN && in_network(rule, &r->dst);
}

static bool fw_table_may_go(const struct adopt *rule, const struct fw_table *t)
{
	if (!fw_is_flannel_table(t->family, t->name))
		return true;
	for (size_t i = 0; i < t->n_chains; i++) {
		if (!(t->chains[i].nat ? rule->masquerades : rule->accepts))
			return false;
	}
	return rule->masquerades || rule->accepts;
}

static bool fw_chain_may_go(const struct adopt *rule, const struct fw_chain *c)
{
	const struct fw_flannel_chain *f = fw_flannel_chain(c->table, c->chain);

	switch (c->owner) {
	case FW_OWNER_IPTABLES:
		return (c->n_ours > 0 || c->ours_extra) && !c->table_owned;
	case FW_OWNER_FLANNEL:
		return f && (f->masquerades ? rule->masquerades : rule->accepts);
	case FW_OWNER_NATIVE:
	case FW_OWNER_LEGACY:
	case FW_OWNER__COUNT:
		break;
	}
	return false;
}

bool adopt_is_flannel_firewall(const struct object *have)
{
	if (have->kind == OBJECT_FW_TABLE)
		return fw_is_flannel_table(have->fw_table->family, have->fw_table->name);
	return have->kind == OBJECT_FW_CHAIN &&
	       (have->fw_chain->owner == FW_OWNER_FLANNEL ||
		(have->fw_chain->owner == FW_OWNER_LEGACY &&
		 fw_flannel_chain(have->fw_chain->table, have->fw_chain->chain)));
}

bool adopt_may_delete(const struct adopt *rule, const struct object *have)
{
	if (rule->hold[object_family(have)])
		return false;
	switch (have->kind) {
	case OBJECT_LINK:
		return link_may_go(rule, have->link);
	case OBJECT_SYSCTL:
		return false;
	case OBJECT_ADDR:
		return addr_may_go(rule, have->addr);
	case OBJECT_NEXTHOP:
		return true;
	case OBJECT_NEIGH:
		return is_vxlan(have->neigh->dev) && have->neigh->permanent;
	case OBJECT_FDB:
		return is_vxlan(have->fdb->dev) && have->fdb->permanent;
	case OBJECT_ROUTE:
		return route_may_go(rule, have->route);
	case OBJECT_FW_TABLE:
		return fw_table_may_go(rule, have->fw_table);
	case OBJECT_GUARD_PEER:
	case OBJECT_GUARD:
		return true;
	case OBJECT_FW_CHAIN:
		return fw_chain_may_go(rule, have->fw_chain);
	case OBJECT_ENVFILE:
		return rule->uninstall && have->envfile->text[0];
	case OBJECT__COUNT:
		break;
	}
	return false;
}
