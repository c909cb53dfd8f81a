/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_conf.h"

#include <errno.h>
#include <string.h>

#include "wire/cni.h"
#include "wire/cni_result.h"

#define BRIDGE_NAME_DEFAULT "cni0"
#define IPAM_DIR_DEFAULT    "/var/lib/cni/networks"
#define LIMIT_MTU	    (1 << 24) /* the kernel's own limit is lower and per device */
#define LIMIT_RANGES	    1024      /* per set, and sets; they are compared pair by pair */

/* ---- bridge ---- */

static bool is_asked_for(const json_t *v)
{
	return v && !json_is_false(v) && !(json_is_integer(v) && json_integer_value(v) == 0) &&
	       !(json_is_array(v) && json_array_size(v) == 0);
}

/* Keys of the reference plugin that do more than ours yet. preserveDefaultVlan only modifies vlan. */
static int refuse_unsupported(const json_t *root, struct err *err)
{
	static const char *const keys[] = {"vlan", "vlanTrunk", "macspoofchk", "enabledad"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (is_asked_for(gojson_get(root, keys[i])))
			return err_set(err, -EINVAL, "%s: not supported yet by this bridge plugin",
				       keys[i]);
	}
	return 0;
}

bool cni_conf_bridge_masq(const json_t *root)
{
	bool masq = false;

	gojson_get_bool(root, "ipMasq", &masq, NULL);
	return masq;
}

/* Both names are understood; whichever it is, the rules are the nftables backend's. */
static int check_backend(const json_t *root, struct err *err)
{
	const char *backend = "";
	int r = gojson_get_text(root, "ipMasqBackend", &backend, err);

	if (r == 0 && *backend && strcmp(backend, "iptables") != 0 &&
	    strcmp(backend, "nftables") != 0)
		r = err_set(err, -EINVAL, "unknown ipmasq backend \"%s\"", backend);
	return r;
}

/* A key of ours alone. */
static int decode_local_traffic(const json_t *root, struct bridge_conf *c, struct err *err)
{
	const char *text = local_traffic_names[LOCAL_TRAFFIC_AUTO];
	int r = gojson_get_text(root, "localTraffic", &text, err);

	if (r < 0)
		return r;
	for (int i = 0; i < LOCAL_TRAFFIC__COUNT; i++) {
		if (strcmp(text, local_traffic_names[i]) != 0)
			continue;
		c->local_traffic = (enum local_traffic)i;
		if (c->local_traffic == LOCAL_TRAFFIC_ROUTED && !c->is_gateway)
			return err_set(err, -EINVAL,
				       "localTraffic: \"routed\" needs isGateway or "
				       "isDefaultGateway");
		return 0;
	}
	return err_set(err, -EINVAL, "localTraffic: must be auto, bridged or routed: \"%s\"", text);
}

/* CNI_ARGS, then args.cni, then runtimeConfig: the last one that says something wins. */
static int decode_mac(const json_t *root, const char *args, struct arena *a, struct mac *ret,
		      struct err *err)
{
	struct cni_arg arg = {.key = "MAC", .value = ""};
	json_t *outer = NULL, *inner = NULL, *runtime = NULL;
	const char *text, *in_args = "", *in_runtime = "";
	int r;

	if ((r = cni_decode_args(args, &arg, 1, a, err)) < 0 ||
	    (r = gojson_get_object(root, "args", &outer, err)) < 0 ||
	    (r = gojson_get_object(outer, "cni", &inner, err)) < 0 ||
	    (r = gojson_get_text(inner, "mac", &in_args, err)) < 0 ||
	    (r = gojson_get_object(root, "runtimeConfig", &runtime, err)) < 0 ||
	    (r = gojson_get_text(runtime, "mac", &in_runtime, err)) < 0)
		return r;
	text = *in_runtime ? in_runtime : *in_args ? in_args : arg.value;
	if (*text && !mac_parse(text, ret))
		return err_set(err, -EINVAL, "mac: not a MAC address: %s", text);
	return 0;
}

int cni_conf_bridge(const json_t *root, const char *args, struct arena *a, struct bridge_conf *ret,
		    struct err *err)
{
	const char *name = BRIDGE_NAME_DEFAULT;
	struct bridge_conf c = {0};
	int32_t mtu_bytes = 0;
	int r;

	if ((r = gojson_get_text(root, "bridge", &name, err)) < 0 ||
	    (r = gojson_get_bool(root, "isGateway", &c.is_gateway, err)) < 0 ||
	    (r = gojson_get_bool(root, "isDefaultGateway", &c.is_default_gateway, err)) < 0 ||
	    (r = gojson_get_bool(root, "forceAddress", &c.force_address, err)) < 0 ||
	    (r = gojson_get_int(root, "mtu", &mtu_bytes, err)) < 0 ||
	    (r = gojson_get_bool(root, "hairpinMode", &c.hairpin, err)) < 0 ||
	    (r = gojson_get_bool(root, "promiscMode", &c.promisc, err)) < 0 ||
	    (r = gojson_get_bool(root, "portIsolation", &c.isolated, err)) < 0 ||
	    (r = gojson_get_bool(root, "disableContainerInterface", &c.disable_iface, err)) < 0 ||
	    (r = gojson_get_bool(root, "ipMasq", &c.ip_masq, err)) < 0 ||
	    (r = cni_result_get_dns(root, a, &c.dns, &c.has_dns, err)) < 0 ||
	    (r = refuse_unsupported(root, err)) < 0)
		return err_wrap(err, r, "failed to load netconf");
	if (!cni_ifname_ok(name))
		return err_set(err, -EINVAL,
			       "failed to load netconf: bridge: \"%s\" cannot name an interface",
			       name);
	if (mtu_bytes < 0 || mtu_bytes > LIMIT_MTU)
		return err_set(err, -EINVAL, "failed to load netconf: mtu: %d is out of range",
			       mtu_bytes);
	text_copy(c.name, sizeof(c.name), name);
	c.mtu_bytes = (uint32_t)mtu_bytes;
	if ((r = check_backend(root, err)) < 0 || (r = decode_mac(root, args, a, &c.mac, err)) < 0)
		return r;
	if (c.hairpin && c.promisc)
		return err_set(err, -EINVAL,
			       "cannot set hairpin mode and promiscuous mode at the same time");
	c.is_gateway |= c.is_default_gateway;
	r = decode_local_traffic(root, &c, err);
	if (r < 0)
		return err_wrap(err, r, "failed to load netconf");
	*ret = c;
	return 0;
}

/* ---- host-local ---- */

static int decode_range(const json_t *o, struct ipam_range *ret, struct err *err)
{
	struct ipam_range range = {0};
	int r;

	if (!json_is_object(o))
		return err_set(err, -EINVAL, "must be an object, is %s", gojson_type_name(o));
	if ((r = cni_result_get_cidr(o, "subnet", &range.subnet, err)) < 0 ||
	    (r = cni_result_get_ip(o, "rangeStart", &range.start, err)) < 0 ||
	    (r = cni_result_get_ip(o, "rangeEnd", &range.end, err)) < 0 ||
	    (r = cni_result_get_ip(o, "gateway", &range.gateway, err)) < 0)
		return r;
	*ret = range;
	return 0;
}

static int decode_set(const json_t *array, struct arena *a, struct ipam_set *ret, struct err *err)
{
	struct ipam_set set = {.n = json_array_size(array)};
	int r;

	if (!json_is_array(array))
		return err_set(err, -EINVAL, "must be an array of ranges, is %s",
			       gojson_type_name(array));
	if (set.n > LIMIT_RANGES)
		return err_set(err, -EINVAL, "%zu ranges, more than %d", set.n, LIMIT_RANGES);
	set.ranges = arena_array(a, struct ipam_range, set.n);
	for (size_t i = 0; i < set.n; i++) {
		r = decode_range(json_array_get(array, i), &set.ranges[i], err);
		if (r < 0)
			return err_wrap(err, r, "[%zu]", i);
	}
	*ret = set;
	return 0;
}

/* Appends the sets of an array of arrays of ranges; `sets` has room. */
static int append_sets(const json_t *array, const char *key, struct arena *a, struct ipam_conf *c,
		       struct err *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		int r = decode_set(json_array_get(array, i), a, &c->sets[c->n_sets], err);

		if (r < 0)
			return err_wrap(err, r, "%s[%zu]", key, i);
		c->n_sets++;
	}
	return 0;
}

/* runtimeConfig's sets first, then the single range of old, then ipam.ranges. */
static int decode_sets(const json_t *ipam, const json_t *runtime, struct arena *a,
		       struct ipam_conf *c, struct err *err)
{
	json_t *ranges = NULL, *runtime_ranges = NULL;
	struct ipam_range single = {0};
	int r;

	if ((r = gojson_get_array(ipam, "ranges", &ranges, err)) < 0 ||
	    (r = gojson_get_array(runtime, "ipRanges", &runtime_ranges, err)) < 0 ||
	    (r = decode_range(ipam, &single, err)) < 0)
		return r;
	if (json_array_size(ranges) + json_array_size(runtime_ranges) > LIMIT_RANGES)
		return err_set(err, -EINVAL, "ranges: more than %d sets", LIMIT_RANGES);
	c->sets = arena_array(a, struct ipam_set,
			      json_array_size(ranges) + json_array_size(runtime_ranges) + 1);
	r = append_sets(runtime_ranges, "ipRanges", a, c, err);
	if (r < 0)
		return r;
	if (cidr_is_set(&single.subnet)) {
		struct ipam_set *set = &c->sets[c->n_sets++];

		*set = (struct ipam_set){.ranges = arena_new(a, struct ipam_range), .n = 1};
		set->ranges[0] = single;
	}
	return append_sets(ranges, "ranges", a, c, err);
}

/* An address with or without a prefix length, which does not count. "" adds nothing. */
static int append_ip(const char *text, struct ipam_conf *c, struct err *err)
{
	struct cidr with_len;
	struct ip ip;

	if (!*text)
		return 0;
	if (cidr_parse(text, &with_len))
		ip = with_len.ip;
	else if (!ip_parse(text, &ip))
		return err_set(err, -EINVAL, "invalid IP address %s", text);
	c->requested[c->n_requested++] = ip;
	return 0;
}

static int decode_requested(const json_t *root, const json_t *runtime, const char *args,
			    struct arena *a, struct ipam_conf *c, struct err *err)
{
	struct cni_arg arg = {.key = "IP", .value = ""};
	struct cni_strings ips[2] = {0};
	json_t *outer = NULL, *inner = NULL;
	int r;

	if ((r = cni_decode_args(args, &arg, 1, a, err)) < 0 ||
	    (r = gojson_get_object(root, "args", &outer, err)) < 0 ||
	    (r = gojson_get_object(outer, "cni", &inner, err)) < 0 ||
	    (r = cni_result_get_strings(inner, "ips", a, &ips[0], err)) < 0 ||
	    (r = cni_result_get_strings(runtime, "ips", a, &ips[1], err)) < 0)
		return r;
	c->requested = arena_array(a, struct ip, 1 + ips[0].n + ips[1].n);
	r = append_ip(arg.value, c, err);
	if (r < 0)
		return err_wrap(err, r, "ARGS: error parsing value of pair %s",
				gojson_quote(arena_printf(a, "IP=%s", arg.value), a));
	for (size_t i = 0; i < ARRAY_SIZE(ips); i++) {
		for (size_t j = 0; r == 0 && j < ips[i].n; j++)
			r = append_ip(ips[i].v[j], c, err);
	}
	return r;
}

int cni_conf_ipam(const json_t *root, const char *args, struct arena *a, struct ipam_conf *ret,
		  struct err *err)
{
	struct ipam_conf c = {.data_dir = IPAM_DIR_DEFAULT, .resolv_conf = ""};
	json_t *ipam = NULL, *runtime = NULL;
	int r;

	r = gojson_get_object(root, "ipam", &ipam, err);
	if (r < 0)
		return r;
	if (!ipam)
		return err_set(err, -EINVAL, "IPAM config missing 'ipam' key");
	if ((r = gojson_get_object(root, "runtimeConfig", &runtime, err)) < 0 ||
	    (r = cni_conf_ipam_dir(root, &c.data_dir, err)) < 0 ||
	    (r = gojson_get_text(ipam, "resolvConf", &c.resolv_conf, err)) < 0 ||
	    (r = cni_result_get_routes(ipam, a, &c.routes, &c.n_routes, err)) < 0 ||
	    (r = decode_requested(root, runtime, args, a, &c, err)) < 0 ||
	    (r = decode_sets(ipam, runtime, a, &c, err)) < 0)
		return r;
	*ret = c;
	return 0;
}

int cni_conf_ipam_dir(const json_t *root, const char **ret, struct err *err)
{
	const char *dir = "";
	json_t *ipam = NULL;
	int r;

	if ((r = gojson_get_object(root, "ipam", &ipam, err)) < 0 ||
	    (r = gojson_get_text(ipam, "dataDir", &dir, err)) < 0)
		return r;
	*ret = *dir ? dir : IPAM_DIR_DEFAULT;
	return 0;
}

/* ---- resolv.conf ---- */

/* The next word of a line, copied; NULL at its end. */
static char *next_word(const char **s, const char *end, struct arena *a)
{
	const char *begin = *s;
	char *word;

	while (begin < end && memchr(" \t\r\v\f", *begin, 5))
		begin++;
	*s = begin;
	while (*s < end && !memchr(" \t\r\v\f", **s, 5))
		(*s)++;
	if (*s == begin)
		return NULL;
	word = arena_calloc(a, 1, (size_t)(*s - begin) + 1);
	memcpy(word, begin, (size_t)(*s - begin));
	return word;
}

static void append(struct cni_strings *list, const char *word, struct arena *a)
{
	list->v = arena_room(a, list->v, list->n, &list->room, sizeof(*list->v));
	list->v[list->n++] = word;
}

static void resolv_line(const char *s, const char *end, struct arena *a, struct cni_dns *dns)
{
	const char *key = next_word(&s, end, a);
	const char *word = next_word(&s, end, a);
	struct cni_strings *list;

	if (!word || *key == '#' || *key == ';')
		return;
	if (strcmp(key, "nameserver") == 0) {
		append(&dns->nameservers, word, a);
	} else if (strcmp(key, "domain") == 0) {
		dns->domain = word;
	} else if (strcmp(key, "search") == 0 || strcmp(key, "options") == 0) {
		list = *key == 's' ? &dns->search : &dns->options;
		for (; word; word = next_word(&s, end, a))
			append(list, word, a);
	}
}

void cni_conf_resolv(const char *text, size_t n, struct arena *a, struct cni_dns *ret)
{
	const char *end = text + n;

	*ret = (struct cni_dns){0};
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;

		resolv_line(text, line_end, a, ret);
		text = newline ? newline + 1 : end;
	}
}
