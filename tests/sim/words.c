/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <stdlib.h>
#include <string.h>

void words_split(char *line, struct words *ret)
{
	*ret = (struct words){0};
	for (char *save, *w = strtok_r(line, " \t\n", &save); w && ret->n < WORDS_MAX;
	     w = strtok_r(NULL, " \t\n", &save))
		ret->word[ret->n++] = w;
}

const char *words_after(const struct words *w, const char *name)
{
	for (size_t i = 0; i + 1 < w->n; i++) {
		if (strcmp(w->word[i], name) == 0)
			return w->word[i + 1];
	}
	return NULL;
}

bool words_has(const struct words *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(w->word[i], name) == 0)
			return true;
	}
	return false;
}

uint32_t words_number(const struct words *w, const char *name, uint32_t otherwise)
{
	const char *s = words_after(w, name);

	return s ? (uint32_t)strtoul(s, NULL, 0) : otherwise;
}

bool words_dev(const char *word, enum dev *ret)
{
	for (int dev = 0; word && dev < DEV__COUNT; dev++) {
		if (strcmp(word, dev_names[dev]) == 0) {
			*ret = (enum dev)dev;
			return true;
		}
	}
	return false;
}

bool words_kind(const char *word, enum object_kind *ret)
{
	for (int kind = 0; word && kind < OBJECT__COUNT; kind++) {
		if (strcmp(word, object_kind_names[kind]) == 0) {
			*ret = (enum object_kind)kind;
			return true;
		}
	}
	return false;
}

static struct ip ip_after(const struct words *w, const char *name)
{
	struct ip ip = {0};

	if (words_after(w, name))
		ip_parse(words_after(w, name), &ip);
	return ip;
}

static struct mac mac_after(const struct words *w, const char *name)
{
	struct mac mac = {0};

	if (words_after(w, name))
		mac_parse(words_after(w, name), &mac);
	return mac;
}

static enum dev dev_after(const struct words *w)
{
	enum dev dev = DEV_NONE;

	words_dev(words_after(w, "dev"), &dev);
	return dev;
}

static bool parse_link(const struct words *w, size_t i, struct link *l)
{
	const char *alias = words_after(w, "alias");

	*l = (struct link){
		.mac = mac_after(w, "mac"),
		.mtu_bytes = words_number(w, "mtu", 1500),
		.up = !words_has(w, "down"),
	};
	text_copy(l->alias, sizeof(l->alias), alias ? alias : "");
	if (!words_dev(w->word[i], &l->dev))
		return false;
	if (!w->word[i + 1])
		return true; /* as a key */
	if (strcmp(w->word[i + 1], "vxlan") == 0) {
		l->kind = LINK_VXLAN;
		l->vxlan = (struct link_vxlan){
			.vni = words_number(w, "vni", 1),
			.port = (uint16_t)words_number(w, "port", 8472),
			.local = ip_after(w, "local"),
			.lower = DEV_UPLINK,
			.learning = words_has(w, "learning"),
			.gbp = words_has(w, "gbp"),
		};
	} else if (strcmp(w->word[i + 1], "bridge") == 0) {
		l->kind = LINK_BRIDGE;
	}
	text_copy(l->name, sizeof(l->name),
		  l->dev == DEV_BRIDGE	 ? "cni0"
		  : l->dev == DEV_VXLAN6 ? "flannel-v6.1"
					 : "flannel.1");
	return true;
}

static bool parse_route(const struct words *w, size_t i, struct route *r)
{
	*r = (struct route){
		.type = words_has(w, "blackhole") ? ROUTE_BLACKHOLE : ROUTE_UNICAST,
		.proto = (uint8_t)words_number(w, "proto", ROUTE_PROTO_LODEN),
		.onlink = words_has(w, "onlink"),
		.dev = dev_after(w),
		.metric = words_number(w, "metric", 0),
		.nhid = words_number(w, "nhid", 0),
		.scope = (uint8_t)words_number(w, "scope", 0),
		.via = ip_after(w, "via"),
		.oif = words_number(w, "oif", 0),
	};
	if (!cidr_parse(w->word[i], &r->dst))
		return false;
	if (!r->metric && !ip_is_v4(&r->dst.ip))
		r->metric = ROUTE_METRIC6;
	return true;
}

static bool parse_rest(const struct words *w, size_t i, struct words_object *o)
{
	const char *first = w->word[i];

	switch (o->kind) {
	case OBJECT_ADDR:
		o->addr = (struct addr){.dev = dev_after(w)};
		return cidr_parse(first, &o->addr.cidr);
	case OBJECT_NEXTHOP:
		o->nexthop = (struct nexthop){.id = (uint32_t)strtoul(first, NULL, 0),
					      .via = ip_after(w, "via"),
					      .dev = dev_after(w),
					      .onlink = true};
		return true;
	case OBJECT_NEIGH:
		o->neigh = (struct neigh){.dev = dev_after(w),
					  .mac = mac_after(w, "mac"),
					  .permanent = !words_has(w, "dynamic")};
		return ip_parse(first, &o->neigh.ip);
	case OBJECT_FDB:
		o->fdb = (struct fdb){.dev = dev_after(w),
				      .dst = ip_after(w, "dst"),
				      .permanent = !words_has(w, "dynamic")};
		return mac_parse(first, &o->fdb.mac);
	case OBJECT_GUARD_PEER:
		return ip_parse(first, &o->guard_peer.ip);
	case OBJECT_SYSCTL:
		o->sysctl = (struct sysctl){0};
		return text_copy(o->sysctl.path, sizeof(o->sysctl.path), first) && w->word[i + 1] &&
		       text_copy(o->sysctl.value, sizeof(o->sysctl.value), w->word[i + 1]);
	case OBJECT_LINK:
	case OBJECT_ROUTE:
	case OBJECT_FW_TABLE:
	case OBJECT_FW_CHAIN:
	case OBJECT_GUARD:
	case OBJECT_ENVFILE:
	case OBJECT__COUNT:
		break;
	}
	return false;
}

bool words_object(const struct words *w, size_t first, struct words_object *ret)
{
	struct words_object o = {0};
	size_t i = first + 1;
	bool ok = false;

	if (first < w->n && strcmp(w->word[first], "table") == 0) {
		o.kind = OBJECT_FW_TABLE;
		o.fw_table.family = words_has(w, "ip6") ? FW_IP6 : FW_IP;
		ok = w->word[i] && text_copy(o.fw_table.name, sizeof(o.fw_table.name), w->word[i]);
	} else if (first < w->n && strcmp(w->word[first], "chain") == 0) {
		o.kind = OBJECT_FW_CHAIN;
		o.fw_chain.family = words_has(w, "ip6") ? FW_IP6 : FW_IP;
		o.fw_chain.policy_drop = words_has(w, "drop");
		o.fw_chain.drops = o.fw_chain.policy_drop;
		o.fw_chain.n_before = (uint16_t)words_number(w, "rules", 0);
		if (words_has(w, "flannel"))
			o.fw_chain.owner = FW_OWNER_FLANNEL;
		if (words_has(w, "native"))
			o.fw_chain.owner = FW_OWNER_NATIVE;
		if (words_has(w, "legacy"))
			o.fw_chain.owner = FW_OWNER_LEGACY;
		ok = i + 1 < w->n && text_copy(o.fw_chain.table, FW_NAME_SIZE, w->word[i]) &&
		     text_copy(o.fw_chain.chain, FW_NAME_SIZE, w->word[i + 1]);
	} else if (first < w->n && strcmp(w->word[first], "envfile") == 0) {
		o.kind = OBJECT_ENVFILE;
		ok = true;
	} else if (i < w->n && words_kind(w->word[first], &o.kind)) {
		if (o.kind == OBJECT_LINK)
			ok = parse_link(w, i, &o.link);
		else if (o.kind == OBJECT_ROUTE)
			ok = parse_route(w, i, &o.route);
		else
			ok = parse_rest(w, i, &o);
	}
	if (ok)
		*ret = o;
	return ok;
}

struct object words_borrow(const struct words_object *o)
{
	return (struct object){.kind = o->kind, .any = &o->link};
}

bool words_lease(const struct words *w, size_t first, struct lease *ret)
{
	struct words rest = {.n = w->n - first};
	struct lease l = {.type = BACKEND_VXLAN};

	if (first >= w->n)
		return false;
	memcpy(rest.word, w->word + first, rest.n * sizeof(*rest.word));
	if (!cidr_parse(rest.word[0], &l.subnet))
		return false;
	if (!ip_is_v4(&l.subnet.ip)) { /* has IPv6 alone */
		l.subnet6 = l.subnet;
		l.subnet = (struct cidr){0};
	}
	l.public_ip = ip_after(&rest, "via");
	l.vtep_mac = mac_after(&rest, "mac");
	if (words_after(&rest, "and") && !cidr_parse(words_after(&rest, "and"), &l.subnet6))
		return false;
	l.public_ip6 = ip_after(&rest, "via6");
	l.vtep_mac6 = mac_after(&rest, "mac6");
	l.overwritten = words_has(&rest, "overwritten");
	l.overwritten6 = words_has(&rest, "overwritten6");
	if (words_has(&rest, "other"))
		l.type = BACKEND_NONE;
	*ret = l;
	return true;
}
