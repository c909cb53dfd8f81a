/* SPDX-License-Identifier: Apache-2.0 */
#include "model/netstate.h"

#include <string.h>

#include "base/hash.h"

const char *const route_type_names[ROUTE__COUNT] = {
	[ROUTE_UNICAST] = "unicast",
	[ROUTE_BLACKHOLE] = "blackhole",
	[ROUTE_OTHER] = "other",
};
static_assert(ROUTE__COUNT == 3, "name the new type");

const char *const object_kind_names[OBJECT__COUNT] = {
	[OBJECT_LINK] = "link",		[OBJECT_SYSCTL] = "sysctl",
	[OBJECT_ADDR] = "addr",		[OBJECT_GUARD_PEER] = "guard_peer",
	[OBJECT_GUARD] = "guard",	[OBJECT_NEXTHOP] = "nexthop",
	[OBJECT_NEIGH] = "neigh",	[OBJECT_FDB] = "fdb",
	[OBJECT_ROUTE] = "route",	[OBJECT_FW_TABLE] = "fw_table",
	[OBJECT_FW_CHAIN] = "fw_chain", [OBJECT_ENVFILE] = "envfile",
};
static_assert(OBJECT__COUNT == 12, "name the new kind, and give it a row below");

static int cmp_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Byte by byte, so that the hash is the same on every machine. */
static uint64_t hash_number(uint64_t h, uint32_t n)
{
	uint8_t b[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};

	return hash_bytes(h, b, sizeof(b));
}

static uint64_t hash_cidr(uint64_t h, const struct cidr *c)
{
	return hash_number(hash_bytes(h, c->ip.b, sizeof(c->ip.b)), c->len);
}

static void format_ip(const char *what, const struct ip *ip, struct text *t)
{
	char buf[IP_STRLEN];

	text_add(t, "%s%s", what, ip_format(ip, buf));
}

static void format_cidr(const struct cidr *c, struct text *t)
{
	char buf[CIDR_STRLEN];

	text_add(t, "%s", cidr_format(c, buf));
}

static void format_mac(const char *what, const struct mac *mac, struct text *t)
{
	char buf[MAC_STRLEN];

	text_add(t, "%s%s", what, mac_format(mac, buf));
}

static void format_escaped(const char *what, const char *s, struct text *t)
{
	text_add(t, "%s", what);
	text_add_escaped(t, s, strlen(s));
}

static void format_via(const struct ip *via, enum dev dev, bool onlink, const struct devmap *m,
		       struct text *t)
{
	if (ip_is_set(via))
		format_ip("via ", via, t);
	text_add(t, "%sdev %s%s", ip_is_set(via) ? " " : "", devmap_name(m, dev),
		 onlink ? " onlink" : "");
}

/* Through a link of others, that has no role. */
static void format_via_index(const struct ip *via, uint32_t ifindex, struct text *t)
{
	if (ip_is_set(via))
		format_ip("via ", via, t);
	text_add(t, "%sifindex %u", ip_is_set(via) ? " " : "", ifindex);
}

/* link */

static int link_key_cmp(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return cmp_number(x->dev, y->dev);
}

static bool link_value_eq(const void *a, const void *b)
{
	return link_compare(a, b, NULL) == LINK_SAME;
}

static uint64_t link_key_hash(uint64_t h, const void *o)
{
	const struct link *l = o;

	return hash_number(h, l->dev);
}

static void link_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct link *l = o;

	format_escaped("", l->name[0] ? l->name : devmap_name(m, l->dev), t);
}

static void link_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct link *l = o;
	const struct link_vxlan *v = &l->vxlan;

	text_add(t, "%s", link_kind_names[l->kind]);
	if (l->kind == LINK_VXLAN) {
		text_add(t, " vni %u port %u", v->vni, v->port);
		if (ip_is_set(&v->local))
			format_ip(" local ", &v->local, t);
		if (v->lower != DEV_NONE)
			text_add(t, " lower %s", devmap_name(m, v->lower));
		text_add(t, "%s%s%s%s%s%s%s%s", v->learning ? " learning" : "",
			 v->gbp ? " gbp" : "", v->l2miss ? " l2miss" : "",
			 v->l3miss ? " l3miss" : "", v->proxy ? " proxy" : "", v->rsc ? " rsc" : "",
			 v->external ? " external" : "", v->group ? " group" : "");
	}
	if (l->mtu_bytes > 0)
		text_add(t, " mtu %u", l->mtu_bytes);
	if (mac_is_set(&l->mac))
		format_mac(" mac ", &l->mac, t);
	text_add(t, l->up ? " up" : " down");
	if (l->alias[0])
		format_escaped(" alias ", l->alias, t);
}

/* sysctl */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int sysctl_key_cmp(const void *a, const void *b)
{
	const struct sysctl *x = a, *y = b;
	int d = strcmp(last_part(x->path), last_part(y->path));

	return d ? d : strcmp(x->path, y->path);
}

bool sysctl_guards(const struct sysctl *want)
{
	return strcmp(last_part(want->path), "accept_ra") == 0 && strcmp(want->value, "2") == 0;
}

static bool sysctl_value_eq(const void *a, const void *b)
{
	const struct sysctl *x = a, *y = b;

	return strcmp(x->value, y->value) == 0;
}

static uint64_t sysctl_key_hash(uint64_t h, const void *o)
{
	const struct sysctl *s = o;

	return hash_text(h, s->path);
}

static void sysctl_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct sysctl *s = o;

	(void)m;
	text_add(t, "%s", s->path);
}

static void sysctl_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct sysctl *s = o;

	(void)m;
	if (s->value[0])
		format_escaped("= ", s->value, t);
	else
		text_add(t, "unreadable");
}

/* addr: the key is all there is */

static int addr_key_cmp(const void *a, const void *b)
{
	const struct addr *x = a, *y = b;
	int d = cmp_number(x->dev, y->dev);

	return d ? d : cidr_cmp(&x->cidr, &y->cidr);
}

static bool addr_value_eq(const void *a, const void *b)
{
	(void)a, (void)b;
	return true;
}

static uint64_t addr_key_hash(uint64_t h, const void *o)
{
	const struct addr *a = o;

	return hash_cidr(hash_number(h, a->dev), &a->cidr);
}

static void addr_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct addr *a = o;

	format_cidr(&a->cidr, t);
	text_add(t, " dev %s", devmap_name(m, a->dev));
}

static void addr_value_format(const void *o, const struct devmap *m, struct text *t)
{
	(void)o, (void)m, (void)t;
}

/* nexthop */

static int nexthop_key_cmp(const void *a, const void *b)
{
	const struct nexthop *x = a, *y = b;

	return cmp_number(x->id, y->id);
}

static bool nexthop_value_eq(const void *a, const void *b)
{
	const struct nexthop *x = a, *y = b;

	return ip_eq(&x->via, &y->via) && x->dev == y->dev && x->onlink == y->onlink;
}

static uint64_t nexthop_key_hash(uint64_t h, const void *o)
{
	const struct nexthop *n = o;

	return hash_number(h, n->id);
}

static void nexthop_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct nexthop *n = o;

	(void)m;
	text_add(t, "id %u", n->id);
}

static void nexthop_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct nexthop *n = o;

	format_via(&n->via, n->dev, n->onlink, m, t);
}

/* neigh */

static int neigh_key_cmp(const void *a, const void *b)
{
	const struct neigh *x = a, *y = b;
	int d = cmp_number(x->dev, y->dev);

	return d ? d : ip_cmp(&x->ip, &y->ip);
}

static bool neigh_value_eq(const void *a, const void *b)
{
	const struct neigh *x = a, *y = b;

	return mac_eq(&x->mac, &y->mac) && x->permanent == y->permanent;
}

static uint64_t neigh_key_hash(uint64_t h, const void *o)
{
	const struct neigh *n = o;

	return hash_bytes(hash_number(h, n->dev), n->ip.b, sizeof(n->ip.b));
}

static void neigh_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct neigh *n = o;

	format_ip("", &n->ip, t);
	text_add(t, " dev %s", devmap_name(m, n->dev));
}

static void neigh_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct neigh *n = o;

	(void)m;
	format_mac("mac ", &n->mac, t);
	if (!n->permanent)
		text_add(t, " not permanent");
}

/* fdb */

static int fdb_key_cmp(const void *a, const void *b)
{
	const struct fdb *x = a, *y = b;
	int d = cmp_number(x->dev, y->dev);

	return d ? d : mac_cmp(&x->mac, &y->mac);
}

static bool fdb_value_eq(const void *a, const void *b)
{
	const struct fdb *x = a, *y = b;

	return ip_eq(&x->dst, &y->dst) && x->permanent == y->permanent;
}

static uint64_t fdb_key_hash(uint64_t h, const void *o)
{
	const struct fdb *f = o;

	return hash_bytes(hash_number(h, f->dev), f->mac.b, sizeof(f->mac.b));
}

static void fdb_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct fdb *f = o;

	format_mac("", &f->mac, t);
	text_add(t, " dev %s", devmap_name(m, f->dev));
}

static void fdb_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct fdb *f = o;

	(void)m;
	format_ip("dst ", &f->dst, t);
	if (!f->permanent)
		text_add(t, " not permanent");
}

/* route */

static int route_key_cmp(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int d = cidr_cmp(&x->dst, &y->dst);

	return d ? d : cmp_number(x->metric, y->metric);
}

static bool route_value_eq(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	return x->type == y->type && x->proto == y->proto && x->onlink == y->onlink &&
	       x->dev == y->dev && x->nhid == y->nhid && x->scope == y->scope &&
	       ip_eq(&x->via, &y->via);
}

static uint64_t route_key_hash(uint64_t h, const void *o)
{
	const struct route *r = o;

	return hash_number(hash_cidr(h, &r->dst), r->metric);
}

static void route_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct route *r = o;

	(void)m;
	format_cidr(&r->dst, t);
	if (r->metric > 0)
		text_add(t, " metric %u", r->metric);
}

static void route_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct route *r = o;

	if (r->type != ROUTE_UNICAST)
		text_add(t, "%s", route_type_names[r->type]);
	else if (r->nhid > 0)
		text_add(t, "nhid %u", r->nhid);
	else if (r->oif > 0)
		format_via_index(&r->via, r->oif, t);
	else
		format_via(&r->via, r->dev, r->onlink, m, t);
	if (r->scope > 0)
		text_add(t, " scope %u", r->scope);
	if (r->proto != ROUTE_PROTO_LODEN)
		text_add(t, " proto %u", r->proto);
}

/* fw_table */

static int fw_table_key_cmp(const void *a, const void *b)
{
	const struct fw_table *x = a, *y = b;
	int d = cmp_number(x->family, y->family);

	return d ? d : strcmp(x->name, y->name);
}

static bool fw_table_value_eq(const void *a, const void *b)
{
	return fw_table_eq(a, b);
}

static uint64_t fw_table_key_hash(uint64_t h, const void *o)
{
	const struct fw_table *f = o;

	return hash_text(hash_number(h, f->family), f->name);
}

static void fw_table_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct fw_table *f = o;

	(void)m;
	text_add(t, "%s ", fw_family_names[f->family]);
	format_escaped("", f->name, t);
}

static void fw_table_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct fw_table *f = o;

	(void)m;
	text_add(t, f->n_chains ? "chains" : "empty");
	for (size_t i = 0; i < f->n_chains; i++) {
		format_escaped(" ", f->chains[i].name, t);
		text_add(t, ":%u", f->chains[i].n_rules);
	}
	text_add(t, "%s%s", f->dormant ? " dormant" : "", f->extra ? " extra" : "");
}

/* fw_chain */

static int fw_chain_key_cmp(const void *a, const void *b)
{
	const struct fw_chain *x = a, *y = b;
	int d = cmp_number(x->family, y->family);

	if (d == 0)
		d = strcmp(x->table, y->table);
	if (d == 0)
		d = strcmp(x->chain, y->chain);
	/* iptables-legacy has tables of its own, of the same names. */
	return d ? d : cmp_number(x->owner == FW_OWNER_LEGACY, y->owner == FW_OWNER_LEGACY);
}

static bool fw_chain_value_eq(const void *a, const void *b)
{
	return fw_chain_eq(a, b);
}

static uint64_t fw_chain_key_hash(uint64_t h, const void *o)
{
	const struct fw_chain *f = o;

	return hash_text(hash_text(hash_number(h, f->family), f->table), f->chain);
}

static void fw_chain_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct fw_chain *f = o;

	(void)m;
	text_add(t, "%s ", fw_family_names[f->family]);
	format_escaped("", f->table, t);
	format_escaped(" ", f->chain, t);
}

static void fw_chain_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct fw_chain *f = o;

	(void)m;
	if (f->owner == FW_OWNER_FLANNEL || f->owner == FW_OWNER_LEGACY) {
		text_add(t, "of flanneld");
		return;
	}
	if (f->n_ours == 0)
		text_add(t, "without our accepts");
	for (size_t i = 0; i < f->n_ours; i++) {
		if (i > 0)
			text_add(t, ", ");
		fw_rule_format(&f->ours[i], t);
	}
	if (f->ours_extra)
		text_add(t, ", more of ours");
	if (f->n_before > 0)
		text_add(t, ", behind %u rules", f->n_before);
	if (f->drops_before_ours)
		text_add(t, ", behind a drop");
	if (f->policy_drop)
		text_add(t, ", policy drop");
}

/* guard_peer: all key */

static int guard_peer_key_cmp(const void *a, const void *b)
{
	const struct guard_peer *x = a, *y = b;

	return ip_cmp(&x->ip, &y->ip);
}

static bool guard_peer_value_eq(const void *a, const void *b)
{
	(void)a, (void)b;
	return true;
}

static uint64_t guard_peer_key_hash(uint64_t h, const void *o)
{
	const struct guard_peer *p = o;

	return hash_bytes(h, p->ip.b, sizeof(p->ip.b));
}

static void guard_peer_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct guard_peer *p = o;

	(void)m;
	format_ip("", &p->ip, t);
}

static void guard_peer_value_format(const void *o, const struct devmap *m, struct text *t)
{
	(void)o, (void)m, (void)t;
}

/* guard */

static int guard_key_cmp(const void *a, const void *b)
{
	const struct guard *x = a, *y = b;

	return cmp_number(x->family, y->family);
}

static bool guard_value_eq(const void *a, const void *b)
{
	const struct guard *x = a, *y = b;

	return x->port == y->port && x->altered == y->altered;
}

static uint64_t guard_key_hash(uint64_t h, const void *o)
{
	const struct guard *g = o;

	return hash_number(h, g->family);
}

static void guard_key_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct guard *g = o;

	(void)m;
	text_add(t, "%s", fw_family_names[g->family]);
}

static void guard_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct guard *g = o;

	(void)m;
	text_add(t, "udp port %u from peers alone%s", g->port, g->altered ? " altered" : "");
}

/* envfile: there is but one */

static int envfile_key_cmp(const void *a, const void *b)
{
	(void)a, (void)b;
	return 0;
}

static bool envfile_value_eq(const void *a, const void *b)
{
	const struct envfile *x = a, *y = b;

	return strcmp(x->text, y->text) == 0;
}

static uint64_t envfile_key_hash(uint64_t h, const void *o)
{
	(void)o;
	return h;
}

static void envfile_key_format(const void *o, const struct devmap *m, struct text *t)
{
	(void)o, (void)m;
	text_add(t, "subnet.env");
}

static void envfile_value_format(const void *o, const struct devmap *m, struct text *t)
{
	const struct envfile *e = o;
	const char *line = e->text;

	(void)m;
	if (!*line)
		text_add(t, "absent");
	while (*line) {
		size_t n = strcspn(line, "\n");

		text_add(t, line == e->text ? "" : " ");
		text_add_escaped(t, line, n);
		line += n + (line[n] == '\n');
	}
}

/* What there is to know about a kind; `a` and `b` are values of that kind. */
static const struct kind {
	size_t size;
	int (*key_cmp)(const void *a, const void *b);
	bool (*value_eq)(const void *a, const void *b); /* of equal keys */
	uint64_t (*key_hash)(uint64_t h, const void *o);
	void (*key_format)(const void *o, const struct devmap *m, struct text *t);
	void (*value_format)(const void *o, const struct devmap *m, struct text *t);
} kinds[OBJECT__COUNT] = {

#define KIND(stem)                                                                          \
 {                                                                                          \
  sizeof(struct stem), stem##_key_cmp, stem##_value_eq, stem##_key_hash, stem##_key_format, \
	  stem##_value_format                                                               \
 }
	[OBJECT_LINK] = KIND(link),	    [OBJECT_SYSCTL] = KIND(sysctl),
	[OBJECT_ADDR] = KIND(addr),	    [OBJECT_GUARD_PEER] = KIND(guard_peer),
	[OBJECT_GUARD] = KIND(guard),	    [OBJECT_NEXTHOP] = KIND(nexthop),
	[OBJECT_NEIGH] = KIND(neigh),	    [OBJECT_FDB] = KIND(fdb),
	[OBJECT_ROUTE] = KIND(route),	    [OBJECT_FW_TABLE] = KIND(fw_table),
	[OBJECT_FW_CHAIN] = KIND(fw_chain), [OBJECT_ENVFILE] = KIND(envfile),
#undef KIND
};

size_t object_size(enum object_kind kind)
{
	return kinds[kind].size;
}

int object_cmp(const struct object *a, const struct object *b)
{
	assert(a->kind == b->kind);
	return kinds[a->kind].key_cmp(a->any, b->any);
}

bool object_eq(const struct object *a, const struct object *b)
{
	return object_cmp(a, b) == 0 && kinds[a->kind].value_eq(a->any, b->any);
}

uint64_t object_key_hash(const struct object *o)
{
	return kinds[o->kind].key_hash(hash_number(HASH_SEED, o->kind), o->any);
}

void object_format_key(const struct object *o, const struct devmap *m, struct text *t)
{
	kinds[o->kind].key_format(o->any, m, t);
}

void object_format_value(const struct object *o, const struct devmap *m, struct text *t)
{
	kinds[o->kind].value_format(o->any, m, t);
}

void object_format(const struct object *o, const struct devmap *m, struct text *t)
{
	size_t key_end;

	text_add(t, "%s ", object_kind_names[o->kind]);
	object_format_key(o, m, t);
	key_end = t->len;
	text_add(t, " ");
	object_format_value(o, m, t);
	if (t->len == key_end + 1 && !t->cut) /* an empty value leaves no blank behind */
		t->buf[t->len = key_end] = '\0';
}
