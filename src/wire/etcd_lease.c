/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd_lease.h"

#include <errno.h>
#include <string.h>

#include "wire/gojson.h"
#include "wire/vxlan_data.h"

/* How much of a refused key or value is shown, escapes included; both fit into a struct err. */
#define SHOWN_SIZE 130

void etcd_lease_key_format(const struct lease *l, struct text *ret)
{
	char ip[IP_STRLEN];

	text_add(ret, "%s-%u", ip_format(&l->subnet.ip, ip), l->subnet.len);
	if (cidr_is_set(&l->subnet6))
		text_add(ret, "&%s-%u", ip_format(&l->subnet6.ip, ip), l->subnet6.len);
}

/* "<address>-<length>" of one family, `text` terminated. Flannel's lengths fit 5 and 7 bits. */
static bool part_parse(const char *text, bool v4, struct cidr *ret)
{
	const char *dash = strchr(text, '-');
	char ip[IP_STRLEN];
	unsigned len = 0;
	struct cidr c, masked;

	if (!dash || (size_t)(dash - text) >= sizeof(ip) || !dash[1] || strlen(dash + 1) > 3)
		return false;
	memcpy(ip, text, (size_t)(dash - text));
	ip[dash - text] = '\0';
	for (const char *p = dash + 1; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		len = len * 10 + (unsigned)(*p - '0');
	}
	if (len > (v4 ? 31 : 127))
		return false;
	if (!v4 && strspn(ip, "0123456789abcdef:") != strlen(ip))
		return false;
	if (!ip_parse(ip, &c.ip) || !ip_is_set(&c.ip) || ip_is_v4(&c.ip) != v4)
		return false;
	c.len = (uint8_t)len;
	masked = cidr_masked(&c);
	if (!cidr_eq(&c, &masked))
		return false;
	*ret = c;
	return true;
}

int etcd_lease_key_parse(struct pb_bytes key, struct lease *ret, struct err *err)
{
	char text[ETCD_LEASE_KEY_SIZE];
	struct cidr subnet, subnet6 = {0};
	char *part6;

	if (key.n >= sizeof(text))
		return err_set(err, -EINVAL, "too long for a lease's key");
	if (key.n > 0)
		memcpy(text, key.p, key.n);
	text[key.n] = '\0';
	if (strlen(text) != key.n)
		return err_set(err, -EINVAL, "no text");
	part6 = strchr(text, '&');
	if (part6)
		*part6++ = '\0';
	if (!part_parse(text, true, &subnet))
		return err_set(err, -EINVAL, "no subnet of the form 10.5.52.0-24");
	if (part6 && !part_parse(part6, false, &subnet6))
		return err_set(err, -EINVAL,
			       "no IPv6 subnet of the form fd00:12:13::-56 after '&'");
	ret->subnet = subnet;
	ret->subnet6 = subnet6;
	return 0;
}

static void data_format(const char *name, uint32_t vni, const struct mac *mac, struct text *ret)
{
	text_add(ret, ",\"%s\":", name);
	vxlan_data_format(vni, mac, ret);
}

void etcd_lease_value_format(const struct lease *l, uint32_t vni, struct text *ret)
{
	char ip[IP_STRLEN];

	text_add(ret, "{\"PublicIP\":\"%s\",\"PublicIPv6\":",
		 ip_is_set(&l->public_ip) ? ip_format(&l->public_ip, ip) : "0.0.0.0");
	if (ip_is_set(&l->public_ip6))
		text_add(ret, "\"%s\"", ip_format(&l->public_ip6, ip));
	else
		text_add(ret, "null");
	if (l->type != BACKEND_NONE)
		text_add(ret, ",\"BackendType\":\"%s\"", backend_type_names[l->type]);
	if (mac_is_set(&l->vtep_mac))
		data_format("BackendData", vni, &l->vtep_mac, ret);
	if (mac_is_set(&l->vtep_mac6))
		data_format("BackendV6Data", vni, &l->vtep_mac6, ret);
	text_add(ret, "}");
}

static int ip_decode(json_t *object, const char *name, bool v4, struct ip *ret, struct err *err)
{
	const char *text = NULL;
	struct ip ip;
	int r = gojson_get_text(object, name, &text, err);

	if (r < 0 || !text)
		return r;
	if (!ip_parse(text, &ip) || ip_is_v4(&ip) != v4)
		return err_set(err, -EINVAL, "%s is no IPv%d address", name, v4 ? 4 : 6);
	*ret = ip;
	return 0;
}

static int mac_decode(json_t *object, const char *name, struct mac *ret, struct err *err)
{
	json_t *data = NULL;
	int r = gojson_get_object(object, name, &data, err);

	return r < 0 || !data ? r : vxlan_data_decode(data, name, ret, err);
}

static int object_decode(json_t *object, struct lease *ret, struct err *err)
{
	struct lease l = {.subnet = ret->subnet, .subnet6 = ret->subnet6};
	int r;

	if (!json_is_object(object))
		return err_set(err, -EINVAL, "no JSON object");
	r = ip_decode(object, "PublicIP", true, &l.public_ip, err);
	if (r == 0)
		r = ip_decode(object, "PublicIPv6", false, &l.public_ip6, err);
	if (r < 0)
		return r;
	if (!ip_is_set(&l.public_ip) && !ip_is_set(&l.public_ip6))
		return err_set(err, -EINVAL, "PublicIP is missing");
	l.type = lease_type_parse(json_string_value(gojson_get(object, "BackendType")));
	/* Other backends put other things there. */
	if (l.type == BACKEND_VXLAN) {
		r = mac_decode(object, "BackendData", &l.vtep_mac, err);
		if (r == 0)
			r = mac_decode(object, "BackendV6Data", &l.vtep_mac6, err);
		if (r < 0)
			return r;
	}
	*ret = l;
	return 0;
}

int etcd_lease_value_decode(struct pb_bytes value, struct lease *ret, struct err *err)
{
	json_t *object;
	int r = gojson_parse((const char *)value.p, value.n, &object, NULL);

	/* Its story repeats the input, which may be anything. */
	if (r < 0)
		return err_set(err, -EINVAL, "no JSON object");
	r = object_decode(object, ret, err);
	json_decref(object);
	return r;
}

int etcd_lease_decode(struct pb_bytes key, struct pb_bytes value, struct lease *ret,
		      struct err *err)
{
	char key_text[SHOWN_SIZE] = "", value_text[SHOWN_SIZE] = "";
	struct text shown_key = TEXT(key_text), shown_value = TEXT(value_text);
	const char *what = "key";
	struct lease l = {0};
	struct err why;
	int r = etcd_lease_key_parse(key, &l, &why);

	if (r == 0) {
		what = "value";
		r = etcd_lease_value_decode(value, &l, &why);
	}
	if (r < 0) {
		text_add_escaped(&shown_key, (const char *)key.p, key.n);
		text_add_escaped(&shown_value, (const char *)value.p, value.n);
		return err_set(err, r, "bad %s: %s: key \"%s\", value \"%s\"", what, why.text,
			       key_text, value_text);
	}
	*ret = l;
	return 0;
}
