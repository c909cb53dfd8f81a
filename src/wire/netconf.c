/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/netconf.h"

#include <stdlib.h>
#include <string.h>

#include "wire/gojson.h"

enum field_type {
	FIELD_BOOL,
	FIELD_UINT32,
	FIELD_UINT16,
	FIELD_NETWORK,
	FIELD_NETWORK6,
	FIELD_IP,
	FIELD_IP6,
	FIELD__COUNT,
};

static const char *const field_wants[FIELD__COUNT] = {
	[FIELD_BOOL] = "true or false",
	[FIELD_UINT32] = "a whole number from 0 to 4294967295",
	[FIELD_UINT16] = "a whole number from 0 to 65535",
	[FIELD_NETWORK] = "an IPv4 network such as \"10.244.0.0/16\"",
	[FIELD_NETWORK6] = "an IPv6 network such as \"fd00:10:244::/56\"",
	[FIELD_IP] = "an IPv4 address such as \"10.244.16.0\"",
	[FIELD_IP6] = "an IPv6 address such as \"fd00:10:244:16::\"",
};
static_assert(FIELD__COUNT == 7, "say what the new type wants");

struct field {
	const char *key;
	enum field_type type;
	size_t offset;		     /* in struct netconf */
	const char *fallback, *help; /* for netconf_key() */
};

#define FIELD(key, type, member, fallback, help)                      \
 {                                                                    \
  key, FIELD_##type, offsetof(struct netconf, member), fallback, help \
 }

static const struct field fields[] = {
	FIELD("EnableIPv4", BOOL, ipv4, "true",
	      "the network has IPv4; IPv6 alone is for Kubernetes (--kube-subnet-mgr)"),
	FIELD("EnableIPv6", BOOL, ipv6, "false", "the network has IPv6"),
	FIELD("EnableNFTables", BOOL, nftables, "false",
	      "accepted for flannel's sake: Loden is always nf_tables"),
	FIELD("Network", NETWORK, network, NULL,
	      "the pods' network, of which each node leases a part; with IPv4 it must be given"),
	FIELD("IPv6Network", NETWORK6, network6, NULL,
	      "the same for IPv6; with IPv6 it must be given"),
	FIELD("SubnetLen", UINT32, subnet_len, NULL,
	      "prefix length of one node's part; 24, or two more than Network's if that is "
	      "longer. At most 30, and Network must hold at least four parts. Where Kubernetes gives each node its part, this and the "
	      "following five count for nothing"),
	FIELD("SubnetMin", IP, subnet_min, NULL,
	      "the first part that may be leased; the second of Network"),
	FIELD("SubnetMax", IP, subnet_max, NULL,
	      "the last part that may be leased; the last of Network"),
	FIELD("IPv6SubnetLen", UINT32, subnet_len6, NULL,
	      "as SubnetLen; 64, or two more than IPv6Network's if that is longer"),
	FIELD("IPv6SubnetMin", IP6, subnet_min6, NULL, "as SubnetMin"),
	FIELD("IPv6SubnetMax", IP6, subnet_max6, NULL, "as SubnetMax"),
};

static const struct field vxlan_fields[] = {
	FIELD("VNI", UINT32, vxlan.vni, "1",
	      "the network's number on the wire; the link is called flannel.VNI"),
	FIELD("Port", UINT16, vxlan.port, "0", "UDP port; 0 is the kernel's own, 8472"),
	FIELD("MTU", UINT32, vxlan.mtu_bytes, "0",
	      "of the network between the nodes, if smaller than the interface's; pods get 50 less"),
	FIELD("GBP", BOOL, vxlan.gbp, "false", "VXLAN's group policy extension"),
	FIELD("Learning", BOOL, vxlan.learning, "false",
	      "learn peers from what arrives; not needed, all are known"),
	FIELD("DirectRouting", BOOL, vxlan.direct_routing, "false",
	      "plain routes to nodes of the same network"),
};

bool netconf_key(bool backend, size_t i, struct netconf_key *ret)
{
	const struct field *list = backend ? vxlan_fields : fields;
	size_t n = backend ? ARRAY_SIZE(vxlan_fields) : ARRAY_SIZE(fields);

	if (i >= n)
		return false;
	*ret = (struct netconf_key){
		.key = list[i].key,
		.wants = field_wants[list[i].type],
		.fallback = list[i].fallback,
		.help = list[i].help,
	};
	return true;
}

#define SHOWN_MAX 60 /* bytes of a value: enough to find it */

static int complain(struct text *t, const char *prefix, const char *key, const char *wanted,
		    const json_t *v)
{
	char *value = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	if (!value)
		abort(); /* out of memory */
	for (char *del = value; (del = strchr(del, 0x7f));)
		*del = '?'; /* the one control character that JSON lets through */
	text_add(t, "%s%s: must be %s: %.*s%s\n", prefix, key, wanted, SHOWN_MAX, value,
		 strlen(value) > SHOWN_MAX ? "..." : "");
	free(value);
	return 1;
}

static bool decode_number(const json_t *v, uint32_t max, uint32_t *ret)
{
	json_int_t i = json_integer_value(v);

	if (!json_is_integer(v) || i < 0 || i > max)
		return false;
	*ret = (uint32_t)i;
	return true;
}

/* NULL unless it is a string that C can hold. */
static const char *decode_text(const json_t *v)
{
	const char *s = json_string_value(v);

	return s && strlen(s) == json_string_length(v) ? s : NULL;
}

static bool decode_network(const json_t *v, bool v4, struct cidr *ret)
{
	const char *text = decode_text(v);
	struct cidr c;

	/* "::/0" is parsed but means "none"; derive() says so, if the family is on. */
	if (!text || !cidr_parse(text, &c) || (cidr_is_set(&c) && ip_is_v4(&c.ip) != v4))
		return false;
	*ret = c;
	return true;
}

static bool decode_ip(const json_t *v, bool v4, struct ip *ret)
{
	const char *text = decode_text(v);
	struct ip ip;

	if (!text || !ip_parse(text, &ip) || (ip_is_set(&ip) && ip_is_v4(&ip) != v4))
		return false;
	*ret = ip;
	return true;
}

static bool decode_field(const json_t *v, const struct field *f, struct netconf *c)
{
	void *p = (char *)c + f->offset;
	uint32_t number;

	switch (f->type) {
	case FIELD_BOOL:
		*(bool *)p = json_is_true(v);
		return json_is_boolean(v);
	case FIELD_UINT32:
		return decode_number(v, UINT32_MAX, p);
	case FIELD_UINT16:
		if (!decode_number(v, UINT16_MAX, &number))
			return false;
		*(uint16_t *)p = (uint16_t)number;
		return true;
	case FIELD_NETWORK:
	case FIELD_NETWORK6:
		return decode_network(v, f->type == FIELD_NETWORK, p);
	case FIELD_IP:
	case FIELD_IP6:
		return decode_ip(v, f->type == FIELD_IP, p);
	case FIELD__COUNT:
		break;
	}
	return false;
}

static int decode_fields(const json_t *o, const struct field *list, size_t n, const char *prefix,
			 struct netconf *c, struct text *complaints)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++) {
		const json_t *v = gojson_get(o, list[i].key);

		if (v && !decode_field(v, &list[i], c))
			bad += complain(complaints, prefix, list[i].key, field_wants[list[i].type],
					v);
	}
	return bad;
}

static bool same_word(const char *a, const char *lower)
{
	for (; *a && *lower; a++, lower++)
		if (*lower != (*a >= 'A' && *a <= 'Z' ? *a + ('a' - 'A') : *a))
			return false;
	return *a == *lower;
}

static int decode_backend(const json_t *root, struct netconf *c, struct text *complaints)
{
	const json_t *backend = gojson_get(root, "Backend"), *type;
	const char *text;

	if (!backend)
		return 0;
	if (!json_is_object(backend))
		return complain(complaints, "", "Backend", "an object such as {\"Type\":\"vxlan\"}",
				backend);
	type = gojson_get(backend, "Type");
	text = type ? decode_text(type) : "";
	if (!text)
		return complain(complaints, "Backend.", "Type", "a string such as \"vxlan\"", type);
	/* A long one is no backend anyway: shown cut. */
	memset(c->backend_text, 0, sizeof(c->backend_text));
	memcpy(c->backend_text, text, MIN(strlen(text), sizeof(c->backend_text) - 1));
	for (enum backend_type b = BACKEND_NONE + 1; b < BACKEND__COUNT; b++)
		if (same_word(text, backend_type_names[b]))
			c->backend = b;
	if (c->backend != BACKEND_VXLAN)
		return 0;
	return decode_fields(backend, vxlan_fields, ARRAY_SIZE(vxlan_fields), "Backend.", c,
			     complaints);
}

/* A text that was cut has no newline at its end. */
static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* Is there a complaint about the field that the line names? "Backend" speaks for all in it. */
static bool is_told(const char *told, const char *line)
{
	size_t n = strcspn(line, ":");

	for (; *told; told = next_line(told)) {
		size_t m = strcspn(told, ":");

		if ((m == n || (m < n && line[m] == '.')) && memcmp(told, line, m) == 0)
			return true;
	}
	return false;
}

/* derive() sees the default where a field could not be decoded: its word on that is no news. */
static int derive(struct netconf *c, const char *told, struct text *complaints)
{
	char buf[2048] = "";
	struct text derived = TEXT(buf);
	int bad = 0;

	netconf_derive(c, &derived);
	for (const char *line = buf; *line; line = next_line(line))
		if (!is_told(told, line)) {
			text_add(complaints, "%.*s\n", (int)strcspn(line, "\n"), line);
			bad++;
		}
	return bad;
}

static int decode(const char *json, size_t n, bool given, struct netconf *ret,
		  struct text *complaints)
{
	struct netconf c = netconf_defaults();
	const char *told = complaints->buf + complaints->len;
	struct err err = {0};
	json_t *root;
	int bad;

	c.given = given;
	if (n > LIMIT_NETCONF_BYTES) {
		text_add(complaints, "JSON: longer than %d bytes: %zu\n", LIMIT_NETCONF_BYTES, n);
		return 1;
	}
	if (gojson_parse(json, n, &root, &err) < 0) {
		text_add(complaints, "JSON: ");
		text_add_escaped(complaints, err.text, strlen(err.text));
		text_add(complaints, "\n");
		return 1;
	}
	if (!json_is_object(root)) {
		bad = complain(complaints, "", "JSON", "an object", root);
	} else {
		bad = decode_fields(root, fields, ARRAY_SIZE(fields), "", &c, complaints);
		bad += decode_backend(root, &c, complaints);
		bad += derive(&c, told, complaints);
	}
	json_decref(root);
	if (bad == 0)
		*ret = c;
	return bad;
}

int netconf_decode(const char *json, size_t n, struct netconf *ret, struct text *complaints)
{
	return decode(json, n, false, ret, complaints);
}

int netconf_decode_given(const char *json, size_t n, struct netconf *ret, struct text *complaints)
{
	return decode(json, n, true, ret, complaints);
}

static void encode_field(const struct field *f, const struct netconf *c, struct text *t)
{
	const void *p = (const char *)c + f->offset;
	const char *comma = t->len && t->buf[t->len - 1] != '{' ? "," : "";
	char buf[CIDR_STRLEN];

	switch (f->type) {
	case FIELD_BOOL:
		text_add(t, "%s\"%s\":%s", comma, f->key, *(const bool *)p ? "true" : "false");
		break;
	case FIELD_UINT32:
		text_add(t, "%s\"%s\":%u", comma, f->key, *(const uint32_t *)p);
		break;
	case FIELD_UINT16:
		text_add(t, "%s\"%s\":%u", comma, f->key, *(const uint16_t *)p);
		break;
	case FIELD_NETWORK:
	case FIELD_NETWORK6:
		if (cidr_is_set(p))
			text_add(t, "%s\"%s\":\"%s\"", comma, f->key, cidr_format(p, buf));
		break;
	case FIELD_IP:
	case FIELD_IP6:
		if (ip_is_set(p))
			text_add(t, "%s\"%s\":\"%s\"", comma, f->key, ip_format(p, buf));
		break;
	case FIELD__COUNT:
		break;
	}
}

void netconf_encode(const struct netconf *c, struct text *ret)
{
	text_add(ret, "{");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		encode_field(&fields[i], c, ret);
	/* The name of a backend that is known: nothing in it has to be escaped. */
	text_add(ret, ",\"Backend\":{\"Type\":\"%s\"", c->backend_text);
	for (size_t i = 0; i < ARRAY_SIZE(vxlan_fields); i++)
		encode_field(&vxlan_fields[i], c, ret);
	text_add(ret, "}}");
}
