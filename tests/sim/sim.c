/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UPLINK_INDEX 2

void sim_init(struct sim *k)
{
	struct sysctl forward = {.path = "net/ipv4/ip_forward", .value = "0"};
	struct sysctl forward6 = {.path = "net/ipv6/conf/all/forwarding", .value = "0"};

	*k = (struct sim){.last_index = UPLINK_INDEX, .ops_to_live = SIM_NEVER};
	sim_put(k, &(struct object){.kind = OBJECT_SYSCTL, .sysctl = &forward});
	sim_put(k, &(struct object){.kind = OBJECT_SYSCTL, .sysctl = &forward6});
}

void sim_fini(struct sim *k)
{
	for (int kind = 0; kind < OBJECT__COUNT; kind++)
		free(k->of[kind].items);
}

void sim_copy(struct sim *to, const struct sim *from)
{
	*to = *from;
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		size_t bytes = from->of[kind].room * object_size((enum object_kind)kind);

		to->of[kind].items = bytes ? malloc(bytes) : NULL;
		if (bytes)
			memcpy(to->of[kind].items, from->of[kind].items, bytes);
	}
}

/* ---- storage ---- */

static struct object at(const struct sim *k, enum object_kind kind, size_t i)
{
	return (struct object){.kind = kind, .any = k->of[kind].items + i * object_size(kind)};
}

static size_t lower_bound(const struct sim *k, const struct object *key)
{
	size_t low = 0, high = k->of[key->kind].n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct object o = at(k, key->kind, mid);

		if (object_cmp(&o, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has_key(const struct sim *k, size_t i, const struct object *key)
{
	struct object o;

	if (i >= k->of[key->kind].n)
		return false;
	o = at(k, key->kind, i);
	return object_cmp(&o, key) == 0;
}

static void insert(struct sim *k, size_t i, const struct object *o)
{
	size_t size = object_size(o->kind), n = k->of[o->kind].n;
	char *items = k->of[o->kind].items;

	if (n == k->of[o->kind].room) {
		k->of[o->kind].room = n * 2 + 16;
		items = realloc(items, k->of[o->kind].room * size);
		k->of[o->kind].items = items;
	}
	memmove(items + (i + 1) * size, items + i * size, (n - i) * size);
	memcpy(items + i * size, o->any, size);
	k->of[o->kind].n++;
}

static void erase(struct sim *k, enum object_kind kind, size_t i)
{
	size_t size = object_size(kind);
	char *items = k->of[kind].items;

	k->of[kind].n--;
	memmove(items + i * size, items + (i + 1) * size, (k->of[kind].n - i) * size);
}

const void *sim_find(const struct sim *k, const struct object *key)
{
	size_t i = lower_bound(k, key);

	return has_key(k, i, key) ? at(k, key->kind, i).any : NULL;
}

void sim_append(struct sim *k, const struct object *o)
{
	size_t i = lower_bound(k, o);

	while (has_key(k, i, o))
		i++;
	insert(k, i, o);
}

void sim_prepend(struct sim *k, const struct object *o)
{
	insert(k, lower_bound(k, o), o);
}

void sim_put(struct sim *k, const struct object *o)
{
	size_t i = lower_bound(k, o);

	if (has_key(k, i, o))
		erase(k, o->kind, i);
	insert(k, i, o);
	if (o->kind == OBJECT_LINK && !k->devs.dev[o->link->dev].ifindex) {
		k->devs.dev[o->link->dev].ifindex = ++k->last_index;
		memcpy(k->devs.dev[o->link->dev].name, o->link->name, LINK_NAME_SIZE);
	}
}

/* ---- habits ---- */

static const struct link *find_link(const struct sim *k, enum dev dev)
{
	struct link key = {.dev = dev};

	return sim_find(k, &(struct object){.kind = OBJECT_LINK, .link = &key});
}

static const struct nexthop *find_nexthop(const struct sim *k, uint32_t id)
{
	struct nexthop key = {.id = id};

	return sim_find(k, &(struct object){.kind = OBJECT_NEXTHOP, .nexthop = &key});
}

/* A route through a nexthop object lies where that lies. */
static enum dev dev_of(const struct sim *k, const struct object *o)
{
	if (o->kind == OBJECT_ROUTE && o->route->nhid) {
		const struct nexthop *nh = find_nexthop(k, o->route->nhid);

		return nh ? nh->dev : DEV_NONE;
	}
	return object_dev(o);
}

/* Objects of a kind on a link go. */
static void lose(struct sim *k, enum object_kind kind, enum dev dev)
{
	for (size_t i = k->of[kind].n; i-- > 0;) {
		struct object o = at(k, kind, i);

		if (dev_of(k, &o) == dev)
			erase(k, kind, i);
	}
}

/* IPv6's go when the link goes down (keep_addr_on_down is 0). */
static void lose_addrs6(struct sim *k, enum dev dev)
{
	for (size_t i = k->of[OBJECT_ADDR].n; i-- > 0;) {
		struct object o = at(k, OBJECT_ADDR, i);

		if (o.addr->dev == dev && !ip_is_v4(&o.addr->cidr.ip))
			erase(k, OBJECT_ADDR, i);
	}
}

static void lose_routes(struct sim *k, enum dev dev)
{
	lose(k, OBJECT_ROUTE, dev);
	lose(k, OBJECT_NEXTHOP, dev);
}

static void lose_sysctls(struct sim *k, const char *link)
{
	char needle[40];
	struct text t = TEXT(needle);

	text_add(&t, "/%s/", link);
	for (size_t i = k->of[OBJECT_SYSCTL].n; i-- > 0;) {
		if (strstr(at(k, OBJECT_SYSCTL, i).sysctl->path, needle))
			erase(k, OBJECT_SYSCTL, i);
	}
}

static void put_sysctl(struct sim *k, const char *family, const char *link, const char *name,
		       const char *value)
{
	struct sysctl s = {0};
	struct text t = TEXT(s.path);

	text_add(&t, "net/%s/conf/%s/%s", family, link, name);
	text_copy(s.value, sizeof(s.value), value);
	sim_put(k, &(struct object){.kind = OBJECT_SYSCTL, .sysctl = &s});
}

static void link_gone(struct sim *k, enum dev dev)
{
	const struct link *l = find_link(k, dev);

	lose_routes(k, dev);
	lose(k, OBJECT_NEIGH, dev);
	lose(k, OBJECT_FDB, dev);
	lose(k, OBJECT_ADDR, dev);
	k->devs.dev[dev].ifindex = 0;
	if (!l)
		return;
	lose_sysctls(k, l->name);
	erase(k, OBJECT_LINK, lower_bound(k, &(struct object){.kind = OBJECT_LINK, .link = l}));
}

static void addr_gone(struct sim *k, enum dev dev)
{
	for (size_t i = 0; i < k->of[OBJECT_ADDR].n; i++) {
		if (at(k, OBJECT_ADDR, i).addr->dev == dev)
			return;
	}
	if (dev == DEV_VXLAN6)
		return;	     /* it keeps its link-local one */
	lose_routes(k, dev); /* nexthops go as well: the device has left IPv4 */
	lose(k, OBJECT_NEIGH, dev);
}

static void nexthop_gone(struct sim *k, uint32_t id)
{
	for (size_t i = k->of[OBJECT_ROUTE].n; i-- > 0;) {
		if (at(k, OBJECT_ROUTE, i).route->nhid == id)
			erase(k, OBJECT_ROUTE, i);
	}
}

void sim_link_updown(struct sim *k, enum dev dev, bool up)
{
	struct link *l = (struct link *)find_link(k, dev);

	if (dev == DEV_UPLINK)
		k->uplink_down = !up;
	else if (!l)
		return;
	else
		l->up = up;
	if (!up) {
		lose_routes(k, dev);
		lose(k, OBJECT_NEIGH, dev);
		lose_addrs6(k, dev);
	}
}

void sim_uplink(struct sim *k, const char *name, uint32_t mtu_bytes)
{
	k->uplink_mtu_bytes = mtu_bytes;
	k->uplink_down = false;
	if (!name) {
		link_gone(k, DEV_UPLINK);
		link_gone(k, DEV_VXLAN);
		link_gone(k, DEV_VXLAN6);
		return;
	}
	k->devs.dev[DEV_UPLINK].ifindex = UPLINK_INDEX;
	text_copy(k->devs.dev[DEV_UPLINK].name, LINK_NAME_SIZE, name);
}

void sim_names(struct sim *k, char names[DEV__COUNT][LINK_NAME_SIZE])
{
	for (int dev = 0; dev < DEV__COUNT; dev++)
		memcpy(k->devs.dev[dev].name, names[dev], LINK_NAME_SIZE);
}

bool sim_del(struct sim *k, const struct object *key)
{
	size_t i = lower_bound(k, key);
	struct object o;

	if (!has_key(k, i, key))
		return false;
	o = at(k, key->kind, i);
	if (key->kind == OBJECT_LINK) {
		link_gone(k, o.link->dev);
	} else if (key->kind == OBJECT_ADDR) {
		enum dev dev = o.addr->dev;

		erase(k, key->kind, i);
		addr_gone(k, dev);
	} else if (key->kind == OBJECT_NEXTHOP) {
		nexthop_gone(k, o.nexthop->id);
		erase(k, key->kind, i);
	} else {
		erase(k, key->kind, i);
	}
	return true;
}

void sim_flush(struct sim *k, enum object_kind kind)
{
	while (k->of[kind].n) {
		struct object o = at(k, kind, k->of[kind].n - 1);

		sim_del(k, &o);
	}
}

/* ---- ops ---- */

static int fail(struct text *why, int code, const char *text)
{
	text_add(why, "%s", text);
	return code;
}

/* A VXLAN link is never wider than its lower one carries (vxlan_change_mtu). */
static bool is_too_wide(const struct sim *k, const struct link *want)
{
	return want->kind == LINK_VXLAN &&
	       want->mtu_bytes > k->uplink_mtu_bytes - (want->dev == DEV_VXLAN6 ? 70 : 50);
}

static int link_make(struct sim *k, const struct link *want, struct text *why)
{
	const struct object o = {.kind = OBJECT_LINK, .link = want};

	if (find_link(k, want->dev))
		return fail(why, -EEXIST, "File exists");
	if (want->kind == LINK_VXLAN && !k->devs.dev[want->vxlan.lower].ifindex)
		return fail(why, -ENODEV, "No such device");
	if (is_too_wide(k, want))
		return fail(why, -EINVAL, "Invalid argument");
	sim_put(k, &o);
	put_sysctl(k, "ipv4", want->name, "forwarding", "0");
	put_sysctl(k, "ipv4", want->name, "rp_filter", "1");
	put_sysctl(k, "ipv6", want->name, "accept_ra", "1");
	put_sysctl(k, "ipv6", want->name, "disable_ipv6", "0");
	return 0;
}

static int link_op(struct sim *k, const struct op *op, struct text *why)
{
	const struct link *want = op->object.link;
	struct link *have = (struct link *)find_link(k, want->dev);

	if (op->verb == OP_DEL || op->verb == OP_RECREATE) {
		if (!have)
			return fail(why, -ENODEV, "No such device");
		link_gone(k, want->dev);
	}
	if (op->verb == OP_DEL)
		return 0;
	if (op->verb != OP_SET)
		return link_make(k, want, why);
	if (!have)
		return fail(why, -ENODEV, "No such device");
	if (is_too_wide(k, want))
		return fail(why, -EINVAL, "Invalid argument");
	if (!mac_eq(&have->mac, &want->mac))
		lose(k, OBJECT_NEIGH, want->dev);
	*have = *want;
	return 0;
}

static int needs_link(const struct sim *k, enum dev dev, bool up, struct text *why)
{
	const struct link *l = find_link(k, dev);

	if (dev == DEV_UPLINK && k->devs.dev[dev].ifindex)
		return up && k->uplink_down ? fail(why, -ENETDOWN, "Network is down") : 0;
	if (!l)
		return fail(why, -ENODEV, "No such device");
	return up && !l->up ? fail(why, -ENETDOWN, "Network is down") : 0;
}

/* One of several in a slot: exactly this one. */
static int del_exact(struct sim *k, const struct object *o, struct text *why)
{
	for (size_t i = lower_bound(k, o); has_key(k, i, o); i++) {
		struct object have = at(k, o->kind, i);

		if (object_eq(&have, o)) {
			erase(k, o->kind, i);
			return 0;
		}
	}
	return fail(why, -ESRCH, "No such process");
}

static int plain_op(struct sim *k, const struct op *op, int gone_code, struct text *why)
{
	if (op->verb == OP_DEL)
		return sim_del(k, &op->object) ? 0 : fail(why, gone_code, "No such thing");
	sim_put(k, &op->object);
	return 0;
}

static int nexthop_op(struct sim *k, const struct op *op, struct text *why)
{
	assert(op->verb == OP_DEL); /* nobody makes them any more */
	return plain_op(k, op, -ENOENT, why);
}

static int route_op(struct sim *k, const struct op *op, struct text *why)
{
	const struct route *r = op->object.route;
	int e = 0;

	if (op->verb == OP_DEL)
		return del_exact(k, &op->object, why);
	assert(!r->nhid);
	if (r->type == ROUTE_UNICAST)
		e = needs_link(k, r->dev, true, why);
	return e ? e : plain_op(k, op, -ESRCH, why);
}

static int chain_op(struct sim *k, const struct op *op, struct text *why)
{
	struct fw_chain *have = (struct fw_chain *)sim_find(k, &op->object);
	const struct fw_chain *want = op->object.fw_chain;

	if (!have)
		return fail(why, -ENOENT, "No such file or directory");
	if (have->owner == FW_OWNER_FLANNEL)
		return plain_op(k, op, -ENOENT, why);
	have->n_ours = op->verb == OP_DEL ? 0 : want->n_ours;
	memcpy(have->ours, want->ours, sizeof(have->ours));
	have->ours_extra = false;
	if (have->drops_before_ours)
		have->n_before = 0; /* it is the first rule of all */
	have->drops_before_ours = false;
	return 0;
}

static int run(struct sim *k, const struct op *op, struct text *why)
{
	int r = 0;

	switch (op->object.kind) {
	case OBJECT_LINK:
		return link_op(k, op, why);
	case OBJECT_SYSCTL:
		if (!sim_find(k, &op->object))
			return fail(why, -ENOENT, "No such file or directory");
		return plain_op(k, op, -ENOENT, why);
	case OBJECT_ADDR:
		if (op->verb != OP_DEL)
			r = needs_link(k, op->object.addr->dev, false, why);
		return r ? r : plain_op(k, op, -EADDRNOTAVAIL, why);
	case OBJECT_NEXTHOP:
		return nexthop_op(k, op, why);
	case OBJECT_NEIGH:
		if (op->verb != OP_DEL)
			r = needs_link(k, op->object.neigh->dev, true, why);
		return r ? r : plain_op(k, op, -ENOENT, why);
	case OBJECT_FDB:
		if (op->verb == OP_DEL)
			return del_exact(k, &op->object, why);
		r = needs_link(k, op->object.fdb->dev, false, why);
		return r ? r : plain_op(k, op, -ENOENT, why);
	case OBJECT_ROUTE:
		return route_op(k, op, why);
	case OBJECT_FW_CHAIN:
		return chain_op(k, op, why);
	case OBJECT_GUARD_PEER:
		r = plain_op(k, op, -ENOENT, why);
		return op->verb == OP_DEL ? 0 : r; /* goes with its table */
	case OBJECT_GUARD:
	case OBJECT_FW_TABLE:
	case OBJECT_ENVFILE:
	case OBJECT__COUNT:
		break;
	}
	return plain_op(k, op, -ENOENT, why);
}

int sim_op(struct sim *k, const struct op *op, struct text *why)
{
	char line[OP_STRLEN];
	struct text t = TEXT(line);

	k->n_ops++;
	if (k->n_faults)
		op_format(op, &k->devs, &t);
	if (k->n_ops >= k->fail_at && k->n_ops - k->fail_at < k->fail_n)
		return fail(why, k->fail_code, strerror(-k->fail_code));
	for (size_t i = 0; i < k->n_faults; i++) {
		if (strstr(line, k->faults[i].needle))
			return fail(why, k->faults[i].code, k->faults[i].text);
	}
	return run(k, op, why);
}

bool sim_apply(struct sim *k, const struct plan *plan, struct op_failure *failures,
	       size_t *ret_n_failures)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++) {
		struct op_failure *f = &failures[n];
		struct text why = TEXT(f->text);

		if (!k->ops_to_live)
			return false;
		if (k->ops_to_live != SIM_NEVER)
			k->ops_to_live--;
		f->text[0] = '\0';
		f->op = i;
		f->code = sim_op(k, &plan->ops[i], &why);
		n += f->code != 0;
	}
	*ret_n_failures = n;
	return true;
}

void sim_dump(const struct sim *k, unsigned kinds, sim_object_fn *fn, void *arg)
{
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		for (size_t i = 0; (kinds & OBJECT_BIT(kind)) && i < k->of[kind].n; i++) {
			struct object o = at(k, (enum object_kind)kind, i);

			fn(arg, &o);
		}
	}
}

void sim_print(const struct sim *k, struct text *t)
{
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		for (size_t i = 0; i < k->of[kind].n; i++) {
			struct object o = at(k, (enum object_kind)kind, i);

			object_format(&o, &k->devs, t);
			text_add(t, "\n");
		}
	}
}
