/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_flannel.h"

#include <errno.h>
#include <string.h>

#include "wire/cni_result.h"

#define SUBNET_FILE_DEFAULT "/run/flannel/subnet.env"
#define DATA_DIR_DEFAULT    "/var/lib/cni/flannel"

int cni_flannel_conf(const json_t *root, struct cni_flannel *ret, struct err *err)
{
	struct cni_flannel c = {0};
	const char *file = "", *dir = "";
	int r;

	if ((r = gojson_get_text(root, "subnetFile", &file, err)) < 0 ||
	    (r = gojson_get_text(root, "dataDir", &dir, err)) < 0 ||
	    (r = gojson_get_object(root, "delegate", &c.delegate, err)) < 0 ||
	    (r = gojson_get_object(root, "ipam", &c.ipam, err)) < 0 ||
	    (r = gojson_get_object(root, "runtimeConfig", &c.runtime, err)) < 0)
		return err_wrap(err, r,
				"failed to load flannel netconf file: failed to load netconf");
	c.subnet_file = *file ? file : SUBNET_FILE_DEFAULT;
	c.data_dir = *dir ? dir : DATA_DIR_DEFAULT;
	*ret = c;
	return 0;
}

/* ---- subnet.env ---- */

#define VALUE_SIZE 1024 /* FLANNEL_NETWORKS_MAX CIDRs fit */

static int parse_subnet(const char *text, bool v4, struct cidr *ret, struct err *err)
{
	struct cidr c;

	if (!cidr_parse(text, &c) || ip_is_v4(&c.ip) != v4)
		return err_set(err, -EINVAL, "invalid CIDR address: %s", text);
	*ret = cidr_masked(&c);
	return 0;
}

/* A list with commas; what is there already is not added again. Cuts `text` up. */
static int parse_networks(char *text, bool v4, struct cidr *list, size_t *n, struct err *err)
{
	for (char *next; text; text = next) {
		struct cidr c;
		bool known = false;
		int r;

		next = strchr(text, ',');
		if (next)
			*next++ = '\0';
		r = parse_subnet(text, v4, &c, err);
		if (r < 0)
			return r;
		for (size_t i = 0; i < *n; i++)
			known |= cidr_eq(&list[i], &c);
		if (known)
			continue;
		if (*n == FLANNEL_NETWORKS_MAX)
			return err_set(err, -EINVAL, "more than %d networks", FLANNEL_NETWORKS_MAX);
		list[(*n)++] = c;
	}
	return 0;
}

static int parse_mtu(const char *text, uint32_t *ret, struct err *err)
{
	uint64_t v = 0;

	for (const char *p = text; *p; p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		if (*p < '0' || *p > '9' || v > UINT32_MAX)
			return err_set(err, -EINVAL, "not a number: %s", text);
	}
	if (!*text)
		return err_set(err, -EINVAL, "not a number: %s", text);
	*ret = (uint32_t)v;
	return 0;
}

enum env_key {
	ENV_NETWORK,
	ENV_NETWORK6,
	ENV_SUBNET,
	ENV_SUBNET6,
	ENV_MTU,
	ENV_IPMASQ,
	ENV__COUNT,
};

/* In the order in which missing ones are named. */
static const char *const env_keys[] = {
	[ENV_NETWORK] = "FLANNEL_NETWORK", [ENV_NETWORK6] = "FLANNEL_IPV6_NETWORK",
	[ENV_SUBNET] = "FLANNEL_SUBNET",   [ENV_SUBNET6] = "FLANNEL_IPV6_SUBNET",
	[ENV_MTU] = "FLANNEL_MTU",	   [ENV_IPMASQ] = "FLANNEL_IPMASQ",
};
static_assert(ARRAY_SIZE(env_keys) == ENV__COUNT, "a key for each");

static int env_value(enum env_key key, char *value, struct flannel_env *e, struct err *err)
{
	switch (key) {
	case ENV_NETWORK:
		return parse_networks(value, true, e->networks, &e->n_networks, err);
	case ENV_NETWORK6:
		return parse_networks(value, false, e->networks6, &e->n_networks6, err);
	case ENV_SUBNET:
		return parse_subnet(value, true, &e->subnet, err);
	case ENV_SUBNET6:
		return parse_subnet(value, false, &e->subnet6, err);
	case ENV_MTU:
		return parse_mtu(value, &e->mtu_bytes, err);
	case ENV_IPMASQ:
		e->ip_masq = strcmp(value, "true") == 0;
		return 0;
	case ENV__COUNT:
		break;
	}
	return 0;
}

/* One line, n bytes; lines that are none of ours are skipped. */
static int env_line(const char *line, size_t n, unsigned *seen, struct flannel_env *e,
		    struct err *err)
{
	const char *equals = memchr(line, '=', n);
	size_t key_len = equals ? (size_t)(equals - line) : n;
	char value[VALUE_SIZE] = "";

	for (int key = 0; key < ENV__COUNT; key++) {
		size_t value_len;
		int r;

		if (strlen(env_keys[key]) != key_len || memcmp(env_keys[key], line, key_len) != 0)
			continue;
		if (!equals)
			return err_set(err, -EINVAL, "%s: no = behind it", env_keys[key]);
		value_len = n - key_len - 1;
		if (value_len >= sizeof(value))
			return err_set(err, -EINVAL, "%s: too long", env_keys[key]);
		memcpy(value, equals + 1, value_len);
		r = env_value(key, value, e, err);
		if (r < 0)
			return err_wrap(err, r, "%s", env_keys[key]);
		*seen |= 1u << key;
		return 0;
	}
	return 0;
}

static int env_missing(unsigned seen, const char *path, struct err *err)
{
	char buf[200] = "";
	struct text missing = TEXT(buf);

	/* Either family will do. */
	if (seen & (1u << ENV_NETWORK | 1u << ENV_NETWORK6))
		seen |= 1u << ENV_NETWORK | 1u << ENV_NETWORK6;
	if (seen & (1u << ENV_SUBNET | 1u << ENV_SUBNET6))
		seen |= 1u << ENV_SUBNET | 1u << ENV_SUBNET6;
	for (int key = 0; key < ENV__COUNT; key++) {
		if (!(seen & 1u << key))
			text_add(&missing, "%s%s", missing.len > 0 ? ", " : "", env_keys[key]);
	}
	if (missing.len == 0)
		return 0;
	return err_set(err, -EINVAL, "%s is missing %s", path, buf);
}

int cni_flannel_env(const char *text, size_t n, const char *path, struct flannel_env *ret,
		    struct err *err)
{
	struct flannel_env e = {0};
	unsigned seen = 0;
	int r;

	while (n > 0) {
		const char *newline = memchr(text, '\n', n);
		size_t line = newline ? (size_t)(newline - text) : n;

		r = env_line(text, line, &seen, &e, err);
		if (r < 0)
			return err_wrap(err, r, "%s", path);
		line += newline != NULL;
		text += line;
		n -= line;
	}
	r = env_missing(seen, path, err);
	if (r == 0)
		*ret = e;
	return r;
}

/* ---- the delegate's configuration ---- */

static void set_default(json_t *o, const char *key, json_t *v)
{
	if (json_object_get(o, key))
		json_decref(v);
	else
		json_object_set_new(o, key, v);
}

static void append_range(json_t *ranges, const struct cidr *subnet)
{
	char text[CIDR_STRLEN];

	if (cidr_is_set(subnet))
		json_array_append_new(ranges,
				      json_pack("[{s:s}]", "subnet", cidr_format(subnet, text)));
}

static void append_routes(json_t *routes, const struct cidr *nets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cni_route route = {.dst = nets[i]};

		json_array_append_new(routes, cni_result_route_json(&route));
	}
}

/* The delegate's ipam object: flannel's own with type, ranges and routes put in. */
static int build_ipam(const struct cni_flannel *c, const struct flannel_env *env, json_t **ret,
		      struct err *err)
{
	json_t *ipam = c->ipam ? json_copy(c->ipam) : json_object(), *routes, *ranges;
	struct cni_route *own = NULL;
	size_t n_own = 0;
	struct arena a;
	int r;

	set_default(ipam, "type", json_string("host-local"));
	if (!env) {
		*ret = ipam;
		return 0;
	}
	arena_init(&a, 0);
	r = cni_result_get_routes(c->ipam, &a, &own, &n_own, err);
	if (r < 0) {
		json_decref(ipam);
	} else {
		routes = json_array();
		for (size_t i = 0; i < n_own; i++)
			json_array_append_new(routes, cni_result_route_json(&own[i]));
		append_routes(routes, env->networks, env->n_networks);
		append_routes(routes, env->networks6, env->n_networks6);
		json_object_set_new(ipam, "routes", routes);
		ranges = json_array();
		append_range(ranges, &env->subnet);
		append_range(ranges, &env->subnet6);
		json_object_set_new(ipam, "ranges", ranges);
		*ret = ipam;
	}
	arena_fini(&a);
	return r;
}

static int check_delegate(const json_t *d, struct err *err)
{
	const json_t *type = json_object_get(d, "type");

	if (type && !json_is_string(type))
		return err_set(
			err, -EINVAL,
			"'delegate' dictionary, if present, must have (string) 'type' field");
	if (json_object_get(d, "name"))
		return err_set(err, -EINVAL,
			       "'delegate' dictionary must not have 'name' field, it'll be set by "
			       "flannel");
	if (json_object_get(d, "ipam"))
		return err_set(err, -EINVAL,
			       "'delegate' dictionary must not have 'ipam' field, it'll be set by "
			       "flannel");
	return 0;
}

int cni_flannel_delegate(const struct cni_flannel *c, const char *name, const char *version,
			 const struct flannel_env *env, json_t **ret, struct err *err)
{
	json_t *d, *ipam;
	int r;

	r = check_delegate(c->delegate, err);
	if (r < 0)
		return r;
	r = build_ipam(c, env, &ipam, err);
	if (r < 0)
		return r;
	d = c->delegate ? json_copy(c->delegate) : json_object();
	json_object_set_new(d, "name", json_string_nocheck(name));
	json_object_set_new(d, "ipam", ipam);
	set_default(d, "type", json_string("bridge"));
	if (c->runtime)
		json_object_set(d, "runtimeConfig", c->runtime);
	/* Without subnet.env: whether there are rules is found out by looking. */
	set_default(d, "ipMasq", json_boolean(!env || !env->ip_masq));
	if (env)
		set_default(d, "mtu", json_integer(env->mtu_bytes));
	if (strcmp(json_string_value(json_object_get(d, "type")), "bridge") == 0)
		set_default(d, "isGateway", json_true());
	if (*version)
		json_object_set_new(d, "cniVersion", json_string_nocheck(version));
	*ret = d;
	return 0;
}
