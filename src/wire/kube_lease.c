/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kube_lease.h"

#include <errno.h>
#include <string.h>

#include "wire/vxlan_data.h"

/* How much of a value is shown, escapes included. */
#define SHOWN_SIZE 100

/* "node "x": field: what: "value"". Returns -EINVAL. */
static int complain(struct err *err, const struct kube_node *n, const char *field, const char *what,
		    const char *value)
{
	char name[SHOWN_SIZE] = "", shown[SHOWN_SIZE] = "";
	struct text t = TEXT(name), v = TEXT(shown);

	text_add_escaped(&t, n->name, strlen(n->name));
	text_add_escaped(&v, value, strlen(value));
	return err_set(err, -EINVAL, "node \"%s\": %s: %s: \"%s\"", name, field, what, shown);
}

/* Two halves, each 0 or -EINVAL with its story: one that is bad costs itself. */
static int join(int r, const struct err *e, int r6, const struct err *e6, struct err *err)
{
	if (r == 0 && r6 == 0)
		return KUBE_LEASE_WHOLE;
	if (r < 0 && r6 < 0)
		return err_set(err, -EINVAL, "%s; %s", e->text, e6->text);
	return err_set(err, KUBE_LEASE_HALF, "%s", r < 0 ? e->text : e6->text);
}

/* ---- podCIDRs ---- */

static int cidr_decode(const struct kube_node *n, const char *field, const char *text,
		       struct cidr *ret, struct err *err)
{
	struct cidr c;

	if (!cidr_parse(text, &c) || !cidr_is_set(&c))
		return complain(err, n, field, "no network of the form 10.244.1.0/24", text);
	*ret = cidr_masked(&c); /* as Go's net.ParseCIDR gives it */
	return 0;
}

static void cidr_place(const struct cidr *c, struct cidr *v4, struct cidr *v6)
{
	if (cidr_is_set(c))
		*(ip_is_v4(&c->ip) ? v4 : v6) = *c;
}

int kube_lease_cidrs(const struct kube_node *n, struct cidr *ret, struct cidr *ret6,
		     struct err *err)
{
	struct cidr one = {0}, two = {0};
	struct err e, e2;
	int r, r2 = 0;

	if (n->n_pod_cidrs > 2) {
		char count[16];
		struct text t = TEXT(count);

		text_add(&t, "%u", n->n_pod_cidrs);
		return complain(err, n, "podCIDRs", "more than one network of each family", count);
	}
	if (n->n_pod_cidrs == 0 && !n->pod_cidr[0]) {
		complain(err, n, "podCIDR", "not assigned", "");
		return KUBE_LEASE_UNASSIGNED;
	}
	r = n->n_pod_cidrs > 0 ? cidr_decode(n, "podCIDRs", n->pod_cidrs[0], &one, &e)
			       : cidr_decode(n, "podCIDR", n->pod_cidr, &one, &e);
	if (n->n_pod_cidrs == 2) {
		r2 = cidr_decode(n, "podCIDRs", n->pod_cidrs[1], &two, &e2);
		if (r == 0 && r2 == 0 && ip_is_v4(&one.ip) == ip_is_v4(&two.ip))
			return complain(err, n, "podCIDRs", "two networks of one family",
					n->pod_cidrs[1]);
		r = join(r, &e, r2, &e2, err);
	} else if (r < 0) {
		err_set(err, r, "%s", e.text);
	}
	if (r < 0)
		return r;
	*ret = *ret6 = (struct cidr){0};
	cidr_place(&one, ret, ret6);
	cidr_place(&two, ret, ret6);
	return r;
}

/* ---- annotations ---- */

/* Which annotations make a half. */
static const struct half {
	bool v6;
	enum kube_ann ip, overwrite, data;
} halves[] = {
	{false, KUBE_ANN_PUBLIC_IP, KUBE_ANN_PUBLIC_IP_OVERWRITE, KUBE_ANN_BACKEND_DATA},
	{true, KUBE_ANN_PUBLIC_IPV6, KUBE_ANN_PUBLIC_IPV6_OVERWRITE, KUBE_ANN_BACKEND_V6_DATA},
};

static int value_get(const struct kube_node *n, enum kube_ann ann, const char **ret,
		     struct err *err)
{
	const char *field = kube_ann_suffixes[ann];

	if (n->anns.cut & KUBE_ANN_BIT(ann))
		return complain(err, n, field, "too long", n->anns.value[ann]);
	*ret = kube_anns_get(&n->anns, ann);
	return *ret ? 0 : complain(err, n, field, "the annotation is missing", "");
}

static int mac_decode(const struct kube_node *n, enum kube_ann ann, struct mac *ret,
		      struct err *err)
{
	const char *text;
	struct err why;
	json_t *data;
	int r = value_get(n, ann, &text, err);

	if (r < 0)
		return r;
	/* Its story repeats the input, as ours will. */
	if (gojson_parse(text, strlen(text), &data, NULL) < 0)
		return complain(err, n, kube_ann_suffixes[ann], "no JSON", text);
	r = json_is_object(data) ? vxlan_data_decode(data, kube_ann_suffixes[ann], ret, &why) : 1;
	json_decref(data);
	if (r != 0)
		return complain(err, n, kube_ann_suffixes[ann], "VtepMAC is no MAC address", text);
	return 0;
}

/* 0, also if this half is not there: then *subnet becomes unset. */
static int half_decode(const struct kube_node *n, const struct half *h, struct cidr *subnet,
		       struct ip *ret_ip, struct mac *ret_mac, struct err *err)
{
	const char *text;
	struct ip ip;
	struct mac mac;
	int r;

	if (!cidr_is_set(subnet))
		return 0;
	if (!(n->anns.present & (KUBE_ANN_BIT(h->ip) | KUBE_ANN_BIT(h->data)))) {
		*subnet = (struct cidr){0};
		return 0;
	}
	r = value_get(n, h->ip, &text, err);
	if (r == 0 && (!ip_parse(text, &ip) || ip_is_v4(&ip) == h->v6))
		r = complain(err, n, kube_ann_suffixes[h->ip],
			     h->v6 ? "no IPv6 address" : "no IPv4 address", text);
	if (r == 0)
		r = mac_decode(n, h->data, &mac, err);
	if (r < 0) {
		*subnet = (struct cidr){0};
		return r;
	}
	*ret_ip = ip;
	*ret_mac = mac;
	return 0;
}

bool kube_lease_is_overwritten(const struct kube_anns *anns, bool v6, const struct ip *ip)
{
	const char *text = kube_anns_get(anns, halves[v6].overwrite);
	struct ip said;

	if (!text || !text[0])
		return false;
	return !ip_is_set(ip) || !ip_parse(text, &said) || !ip_eq(&said, ip);
}

static bool is_managed(const struct kube_node *n)
{
	const char *text = kube_anns_get(&n->anns, KUBE_ANN_SUBNET_MANAGER);

	return text && strcmp(text, "true") == 0;
}

int kube_lease_of(const struct kube_node *n, const struct cidr *subnet, const struct cidr *subnet6,
		  struct lease *ret, struct err *err)
{
	struct lease l = {
		.subnet = *subnet,
		.subnet6 = *subnet6,
		.type = lease_type_parse(kube_anns_get(&n->anns, KUBE_ANN_BACKEND_TYPE)),
		.since = (uint64_t)MAX(0, n->created_s),
	};
	struct err e, e6;
	int r, r6;

	if (!is_managed(n))
		return KUBE_LEASE_IGNORED;
	if (l.type == BACKEND_NONE) {
		*ret = l;
		return KUBE_LEASE_WHOLE;
	}
	r = half_decode(n, &halves[0], &l.subnet, &l.public_ip, &l.vtep_mac, &e);
	r6 = half_decode(n, &halves[1], &l.subnet6, &l.public_ip6, &l.vtep_mac6, &e6);
	l.overwritten = cidr_is_set(&l.subnet) &&
			kube_lease_is_overwritten(&n->anns, false, &(struct ip){0});
	l.overwritten6 = cidr_is_set(&l.subnet6) &&
			 kube_lease_is_overwritten(&n->anns, true, &(struct ip){0});
	if (cidr_is_set(&l.subnet) || cidr_is_set(&l.subnet6)) {
		*ret = l;
		return join(r, &e, r6, &e6, err);
	}
	if (r == 0 && r6 == 0)
		return complain(err, n, kube_ann_suffixes[KUBE_ANN_PUBLIC_IP],
				"the annotation is missing", "");
	if (r < 0 && r6 < 0)
		return join(r, &e, r6, &e6, err);
	return err_set(err, -EINVAL, "%s", r < 0 ? e.text : e6.text);
}

int kube_lease_decode(const struct kube_node *n, struct lease *ret, struct err *err)
{
	struct cidr subnet, subnet6;
	struct err e, e2;
	int r, r2;

	if (!is_managed(n))
		return KUBE_LEASE_IGNORED;
	r = kube_lease_cidrs(n, &subnet, &subnet6, &e);
	if (r < 0 || r == KUBE_LEASE_UNASSIGNED)
		return err_set(err, r, "%s", e.text);
	r2 = kube_lease_of(n, &subnet, &subnet6, ret, &e2);
	if (r == KUBE_LEASE_HALF && r2 == KUBE_LEASE_WHOLE)
		return err_set(err, r, "%s", e.text);
	if (r == KUBE_LEASE_HALF)
		return err_set(err, r2, "%s; %s", e.text, e2.text);
	return r2 == KUBE_LEASE_WHOLE ? 0 : err_set(err, r2, "%s", e2.text);
}

/* ---- ours ---- */

static void half_publish(const struct half *h, const struct lease_half *l, uint32_t vni,
			 const struct kube_anns *have, struct kube_anns *ret)
{
	const char *overwrite = kube_anns_get(have, h->overwrite);
	char ip[IP_STRLEN], data[KUBE_ANN_SIZE];
	struct text t = TEXT(data);

	if (!ip_is_set(&l->public_ip) || !mac_is_set(&l->vtep_mac))
		return;
	vxlan_data_format(vni, &l->vtep_mac, &t);
	kube_anns_set(ret, h->data, data);
	kube_anns_set(ret, h->ip,
		      overwrite && *overwrite ? overwrite : ip_format(&l->public_ip, ip));
}

void kube_lease_annotations(const struct lease *l, uint32_t vni, const struct kube_anns *have,
			    struct kube_anns *ret)
{
	*ret = (struct kube_anns){0};
	kube_anns_set(ret, KUBE_ANN_SUBNET_MANAGER, "true");
	kube_anns_set(ret, KUBE_ANN_BACKEND_TYPE, backend_type_names[BACKEND_VXLAN]);
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
		const struct lease_half half = lease_half(l, halves[i].v6);

		half_publish(&halves[i], &half, vni, have, ret);
	}
}
