/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "model/netstate.h"

const char *const object_family_names[FAMILY__COUNT] = {
	[FAMILY_BOTH] = "both",
	[FAMILY_V4] = "IPv4",
	[FAMILY_V6] = "IPv6",
};
static_assert(FAMILY__COUNT == 3, "name the new family");

static enum ip_family dev_family(enum dev dev)
{
	switch (dev) {
	case DEV_VXLAN:
		return FAMILY_V4;
	case DEV_VXLAN6:
		return FAMILY_V6;
	case DEV_NONE:
	case DEV_UPLINK:
	case DEV_BRIDGE:
	case DEV__COUNT:
		break;
	}
	return FAMILY_BOTH;
}

static enum ip_family family_of_ip(const struct ip *ip)
{
	return ip_is_v4(ip) ? FAMILY_V4 : FAMILY_V6;
}

static enum ip_family table_family(enum fw_family family)
{
	switch (family) {
	case FW_IP:
		return FAMILY_V4;
	case FW_IP6:
		return FAMILY_V6;
	case FW_INET:
	case FW__COUNT:
		break;
	}
	return FAMILY_BOTH;
}

enum ip_family object_family(const struct object *o)
{
	switch (o->kind) {
	case OBJECT_LINK:
		return dev_family(o->link->dev);
	case OBJECT_SYSCTL:
		return strncmp(o->sysctl->path, "net/ipv6/", 9) == 0 ? FAMILY_V6 : FAMILY_V4;
	case OBJECT_ADDR:
		return family_of_ip(&o->addr->cidr.ip);
	case OBJECT_GUARD_PEER:
		return family_of_ip(&o->guard_peer->ip);
	case OBJECT_GUARD:
		return table_family(o->guard->family);
	case OBJECT_NEXTHOP:
		return family_of_ip(&o->nexthop->via);
	case OBJECT_NEIGH:
		return family_of_ip(&o->neigh->ip);
	case OBJECT_FDB:
		return dev_family(o->fdb->dev);
	case OBJECT_ROUTE:
		return family_of_ip(&o->route->dst.ip);
	case OBJECT_FW_TABLE:
		return table_family(o->fw_table->family);
	case OBJECT_FW_CHAIN:
		return table_family(o->fw_chain->family);
	case OBJECT_ENVFILE:
	case OBJECT__COUNT:
		break;
	}
	return FAMILY_BOTH;
}

enum dev object_dev(const struct object *o)
{
	switch (o->kind) {
	case OBJECT_LINK:
		return o->link->dev;
	case OBJECT_ADDR:
		return o->addr->dev;
	case OBJECT_NEXTHOP:
		return o->nexthop->dev;
	case OBJECT_NEIGH:
		return o->neigh->dev;
	case OBJECT_FDB:
		return o->fdb->dev;
	case OBJECT_ROUTE:
		return o->route->dev;
	case OBJECT_SYSCTL:
	case OBJECT_FW_TABLE:
	case OBJECT_FW_CHAIN:
	case OBJECT_GUARD_PEER:
	case OBJECT_GUARD:
	case OBJECT_ENVFILE:
	case OBJECT__COUNT:
		break;
	}
	return DEV_NONE;
}
