/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_result.h"

#include <errno.h>
#include <string.h>

/* ---- parts ---- */

int cni_result_get_ip(const json_t *o, const char *key, struct ip *ret, struct err *err)
{
	const char *text = "";
	int r;

	r = gojson_get_text(o, key, &text, err);
	if (r < 0 || !*text)
		return r;
	if (!ip_parse(text, ret))
		return err_set(err, -EINVAL, "%s: invalid IP address: %s", key, text);
	return 0;
}

int cni_result_get_cidr(const json_t *o, const char *key, struct cidr *ret, struct err *err)
{
	const char *text = NULL;
	int r;

	r = gojson_get_text(o, key, &text, err);
	if (r < 0 || !text)
		return r;
	if (!cidr_parse(text, ret))
		return err_set(err, -EINVAL, "%s: invalid CIDR address: %s", key, text);
	return 0;
}

int cni_result_get_strings(const json_t *o, const char *key, struct arena *a,
			   struct cni_strings *ret, struct err *err)
{
	struct cni_strings list;
	json_t *array = NULL;
	int r;

	r = gojson_get_array(o, key, &array, err);
	if (r < 0 || !array)
		return r;
	list = (struct cni_strings){.n = json_array_size(array)};
	list.v = arena_array(a, const char *, list.n);
	for (size_t i = 0; i < list.n; i++) {
		list.v[i] = "";
		r = gojson_text(json_array_get(array, i), &list.v[i], err);
		if (r < 0)
			return err_wrap(err, r, "%s[%zu]", key, i);
	}
	*ret = list;
	return 0;
}

static int decode_route(const json_t *o, struct cni_route *ret, struct err *err)
{
	struct cni_route route = {0};
	int r;

	if ((r = gojson_check_object(o, err)) < 0 ||
	    (r = cni_result_get_cidr(o, "dst", &route.dst, err)) < 0 ||
	    (r = cni_result_get_ip(o, "gw", &route.gw, err)) < 0 ||
	    (r = gojson_get_int(o, "mtu", &route.mtu_bytes, err)) < 0 ||
	    (r = gojson_get_int(o, "advmss", &route.advmss, err)) < 0 ||
	    (r = gojson_get_int(o, "priority", &route.priority, err)) < 0 ||
	    (r = gojson_get_int(o, "table", &route.table, err)) < 0 ||
	    (r = gojson_get_int(o, "scope", &route.scope, err)) < 0)
		return r;
	if (!gojson_get(o, "dst"))
		return err_set(err, -EINVAL, "dst: missing");
	route.has_table = gojson_get(o, "table");
	route.has_scope = gojson_get(o, "scope");
	*ret = route;
	return 0;
}

int cni_result_get_routes(const json_t *o, struct arena *a, struct cni_route **ret, size_t *ret_n,
			  struct err *err)
{
	struct cni_route *routes;
	json_t *array = NULL;
	size_t n;
	int r;

	r = gojson_get_array(o, "routes", &array, err);
	if (r < 0 || !array)
		return r;
	n = json_array_size(array);
	routes = arena_array(a, struct cni_route, n);
	for (size_t i = 0; i < n; i++) {
		r = decode_route(json_array_get(array, i), &routes[i], err);
		if (r < 0)
			return err_wrap(err, r, "routes[%zu]", i);
	}
	*ret = routes;
	*ret_n = n;
	return 0;
}

int cni_result_get_dns(const json_t *o, struct arena *a, struct cni_dns *ret, bool *ret_any,
		       struct err *err)
{
	struct cni_dns dns = {0};
	const char *domain = "";
	json_t *d = NULL;
	int r;

	r = gojson_get_object(o, "dns", &d, err);
	if (r < 0)
		return r;
	if ((r = cni_result_get_strings(d, "nameservers", a, &dns.nameservers, err)) < 0 ||
	    (r = gojson_get_text(d, "domain", &domain, err)) < 0 ||
	    (r = cni_result_get_strings(d, "search", a, &dns.search, err)) < 0 ||
	    (r = cni_result_get_strings(d, "options", a, &dns.options, err)) < 0)
		return err_wrap(err, r, "dns");
	dns.domain = *domain ? domain : NULL;
	*ret_any = dns.domain || dns.nameservers.v || dns.search.v || dns.options.v;
	*ret = dns;
	return 0;
}

/* ---- decode ---- */

static int decode_iface(const json_t *o, struct cni_iface *ret, struct err *err)
{
	struct cni_iface iface = {.name = ""};
	int r;

	if ((r = gojson_check_object(o, err)) < 0 ||
	    (r = gojson_get_text(o, "name", &iface.name, err)) < 0 ||
	    (r = gojson_get_text(o, "mac", &iface.mac, err)) < 0 ||
	    (r = gojson_get_int(o, "mtu", &iface.mtu_bytes, err)) < 0 ||
	    (r = gojson_get_text(o, "sandbox", &iface.sandbox, err)) < 0 ||
	    (r = gojson_get_text(o, "socketPath", &iface.socket_path, err)) < 0 ||
	    (r = gojson_get_text(o, "pciID", &iface.pci_id, err)) < 0)
		return r;
	*ret = iface;
	return 0;
}

static int decode_ip(const json_t *o, const char *address_key, struct cni_ip *ret, struct err *err)
{
	struct cni_ip ip = {.iface = -1};
	int r;

	if ((r = gojson_check_object(o, err)) < 0 ||
	    (r = gojson_get_int(o, "interface", &ip.iface, err)) < 0 ||
	    (r = cni_result_get_cidr(o, address_key, &ip.address, err)) < 0 ||
	    (r = cni_result_get_ip(o, "gateway", &ip.gateway, err)) < 0)
		return r;
	if (!cidr_is_set(&ip.address))
		return err_set(err, -EINVAL, "%s: missing", address_key);
	*ret = ip;
	return 0;
}

/* 0.1.0 and 0.2.0: one block per family, each with its own routes. */
static int decode_blocks(const json_t *root, struct arena *a, struct cni_result *ret,
			 struct err *err)
{
	static const char *const keys[] = {"ip4", "ip6"};
	struct cni_route *routes[2] = {0};
	size_t n[2] = {0};
	int r;

	ret->ips = arena_array(a, struct cni_ip, ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *block = NULL;

		r = gojson_get_object(root, keys[i], &block, err);
		if (r < 0)
			return r;
		if (!block)
			continue;
		if ((r = decode_ip(block, "ip", &ret->ips[ret->n_ips], err)) < 0 ||
		    (r = cni_result_get_routes(block, a, &routes[i], &n[i], err)) < 0)
			return err_wrap(err, r, "%s", keys[i]);
		ret->ips[ret->n_ips++].iface = -1;
	}
	ret->routes = arena_array(a, struct cni_route, n[0] + n[1]);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (size_t j = 0; j < n[i]; j++)
			ret->routes[ret->n_routes++] = routes[i][j];
	}
	return 0;
}

static int decode_lists(const json_t *root, enum cni_version version, struct arena *a,
			struct cni_result *ret, struct err *err)
{
	json_t *ifaces = NULL, *ips = NULL;
	const char *family; /* "4" or "6", until 1.0.0: the address says so */
	int r;

	if ((r = gojson_get_array(root, "interfaces", &ifaces, err)) < 0 ||
	    (r = gojson_get_array(root, "ips", &ips, err)) < 0 ||
	    (r = cni_result_get_routes(root, a, &ret->routes, &ret->n_routes, err)) < 0)
		return r;
	ret->n_ifaces = json_array_size(ifaces);
	ret->ifaces = arena_array(a, struct cni_iface, ret->n_ifaces);
	for (size_t i = 0; i < ret->n_ifaces; i++) {
		r = decode_iface(json_array_get(ifaces, i), &ret->ifaces[i], err);
		if (r < 0)
			return err_wrap(err, r, "interfaces[%zu]", i);
	}
	ret->n_ips = json_array_size(ips);
	ret->ips = arena_array(a, struct cni_ip, ret->n_ips);
	for (size_t i = 0; i < ret->n_ips; i++) {
		const json_t *ip = json_array_get(ips, i);

		r = decode_ip(ip, "address", &ret->ips[i], err);
		if (r == 0 && version < CNI_1_0_0)
			r = gojson_get_text(ip, "version", &family, err);
		if (r < 0)
			return err_wrap(err, r, "ips[%zu]", i);
	}
	return 0;
}

int cni_result_decode(const json_t *root, enum cni_version assumed, struct arena *a,
		      struct cni_result *ret, enum cni_version *ret_version, struct err *err)
{
	enum cni_version version = assumed;
	struct cni_result result = {0};
	const char *text = "";
	bool any;
	int r;

	if (!json_is_object(root))
		return err_set(err, -EINVAL, "must be an object, is %s", gojson_type_name(root));
	r = gojson_get_text(root, "cniVersion", &text, err);
	if (r < 0)
		return r;
	if (*text && !cni_version_parse(text, &version))
		return err_set(err, -EINVAL, "unsupported CNI result version \"%s\"", text);
	r = version < CNI_0_3_0 ? decode_blocks(root, a, &result, err)
				: decode_lists(root, version, a, &result, err);
	if (r < 0)
		return r;
	r = cni_result_get_dns(root, a, &result.dns, &any, err);
	if (r < 0)
		return r;
	*ret = result;
	*ret_version = version;
	return 0;
}

/* ---- encode ---- */

static void set_text(json_t *o, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(o, key, json_string_nocheck(text));
}

static void set_int(json_t *o, const char *key, int32_t v)
{
	if (v)
		json_object_set_new(o, key, json_integer(v));
}

static void set_ip(json_t *o, const char *key, const struct ip *ip)
{
	char text[IP_STRLEN];

	if (ip_is_set(ip))
		json_object_set_new(o, key, json_string(ip_format(ip, text)));
}

static void set_cidr(json_t *o, const char *key, const struct cidr *c)
{
	char text[CIDR_STRLEN];

	json_object_set_new(o, key, json_string(cidr_format(c, text)));
}

static void set_strings(json_t *o, const char *key, const struct cni_strings *s)
{
	json_t *array;

	if (s->n == 0)
		return;
	array = json_array();
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(array, json_string_nocheck(s->v[i]));
	json_object_set_new(o, key, array);
}

static void set_array(json_t *o, const char *key, json_t *array)
{
	if (json_array_size(array) > 0)
		json_object_set_new(o, key, array);
	else
		json_decref(array);
}

static json_t *dns_json(const struct cni_dns *d)
{
	json_t *o = json_object();

	set_strings(o, "nameservers", &d->nameservers);
	set_text(o, "domain", d->domain);
	set_strings(o, "search", &d->search);
	set_strings(o, "options", &d->options);
	return o;
}

json_t *cni_result_route_json(const struct cni_route *r)
{
	json_t *o = json_object();

	/* To struct cidr, ::/0 looks like no network at all. */
	if (cidr_is_set(&r->dst))
		set_cidr(o, "dst", &r->dst);
	else
		set_text(o, "dst", "::/0");
	set_ip(o, "gw", &r->gw);
	set_int(o, "mtu", r->mtu_bytes);
	set_int(o, "advmss", r->advmss);
	set_int(o, "priority", r->priority);
	if (r->has_table)
		json_object_set_new(o, "table", json_integer(r->table));
	if (r->has_scope)
		json_object_set_new(o, "scope", json_integer(r->scope));
	return o;
}

/* The block of one family, or NULL. Routes keep only what 0.2.0 knows. */
static json_t *block_json(const struct cni_result *r, bool v4)
{
	json_t *o = NULL, *routes;

	for (size_t i = 0; i < r->n_ips && !o; i++) {
		if (ip_is_v4(&r->ips[i].address.ip) != v4)
			continue;
		o = json_object();
		set_cidr(o, "ip", &r->ips[i].address);
		set_ip(o, "gateway", &r->ips[i].gateway);
	}
	if (!o)
		return NULL;
	routes = json_array();
	for (size_t i = 0; i < r->n_routes; i++) {
		struct cni_route route = {.dst = r->routes[i].dst, .gw = r->routes[i].gw};

		if (ip_is_v4(&route.dst.ip) == v4)
			json_array_append_new(routes, cni_result_route_json(&route));
	}
	set_array(o, "routes", routes);
	return o;
}

static int add_blocks(json_t *root, const struct cni_result *r, struct err *err)
{
	json_t *ip4 = block_json(r, true), *ip6 = block_json(r, false);

	if (!ip4 && !ip6)
		return err_set(err, -EINVAL, "cannot convert: no valid IP addresses");
	if (ip4)
		json_object_set_new(root, "ip4", ip4);
	if (ip6)
		json_object_set_new(root, "ip6", ip6);
	return 0;
}

static json_t *iface_json(const struct cni_iface *i, enum cni_version version)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string_nocheck(i->name));
	set_text(o, "mac", i->mac);
	if (version >= CNI_1_0_0)
		set_int(o, "mtu", i->mtu_bytes);
	set_text(o, "sandbox", i->sandbox);
	if (version >= CNI_1_0_0) {
		set_text(o, "socketPath", i->socket_path);
		set_text(o, "pciID", i->pci_id);
	}
	return o;
}

static json_t *ip_json(const struct cni_ip *i, enum cni_version version)
{
	json_t *o = json_object();

	if (version < CNI_1_0_0)
		set_text(o, "version", ip_is_v4(&i->address.ip) ? "4" : "6");
	if (i->iface >= 0)
		json_object_set_new(o, "interface", json_integer(i->iface));
	set_cidr(o, "address", &i->address);
	set_ip(o, "gateway", &i->gateway);
	return o;
}

static void add_lists(json_t *root, const struct cni_result *r, enum cni_version version)
{
	json_t *ifaces = json_array(), *ips = json_array(), *routes = json_array();

	for (size_t i = 0; i < r->n_ifaces; i++)
		json_array_append_new(ifaces, iface_json(&r->ifaces[i], version));
	for (size_t i = 0; i < r->n_ips; i++)
		json_array_append_new(ips, ip_json(&r->ips[i], version));
	for (size_t i = 0; i < r->n_routes; i++)
		json_array_append_new(routes, cni_result_route_json(&r->routes[i]));
	set_array(root, "interfaces", ifaces);
	set_array(root, "ips", ips);
	set_array(root, "routes", routes);
}

int cni_result_encode(const struct cni_result *r, enum cni_version version, struct arena *a,
		      const char **ret, struct err *err)
{
	json_t *root = json_object(), *dns = dns_json(&r->dns);
	unsigned style = GOJSON_PRETTY;
	int rc = 0;

	json_object_set_new(root, "cniVersion", json_string(cni_version_names[version]));
	if (version < CNI_0_3_0)
		rc = add_blocks(root, r, err);
	else
		add_lists(root, r, version);
	if (version < CNI_1_0_0 || json_object_size(dns) > 0)
		json_object_set(root, "dns", dns);
	/* The reference prints 1.x by way of a map, which Go sorts. */
	if (version >= CNI_1_0_0)
		style |= GOJSON_SORTED;
	if (rc == 0)
		*ret = gojson_print(root, style, a, NULL);
	json_decref(dns);
	json_decref(root);
	return rc;
}
