/* SPDX-License-Identifier: Apache-2.0 */
#include "model/netconf.h"

#include <string.h>

#define VNI_DEFAULT 1	    /* flannel.md 2.2 */
#define VNI_MAX	    9999999 /* "flannel.<VNI>" must fit IFNAMSIZ - 1 = 15 */
#define VNI_MAX6    9999    /* "flannel-v6.<VNI>" */
/* VXLAN over IPv4 takes 50 bytes and must leave 68 (RFC 791), over IPv6 70 and 1280 (RFC 8200 5). */
#define MTU_MIN	    (50 + 68)
#define MTU_MIN6    (70 + 1280)
#define MTU_MAX	    65535

const char *const backend_type_names[BACKEND__COUNT] = {
	[BACKEND_NONE] = "none",
	[BACKEND_VXLAN] = "vxlan",
};
static_assert(BACKEND__COUNT == 2, "name the new backend");

struct netconf netconf_defaults(void)
{
	struct netconf c = {
		.ipv4 = true,
		.backend = BACKEND_NONE,
		.backend_text = "udp", /* what flannel takes when Backend is missing */
		.vxlan = {.vni = VNI_DEFAULT},
	};

	return c;
}

/* One family: where its fields are, what they are called, flannel's numbers for it. */
struct family {
	bool v4;
	const char *network_key, *len_key, *min_key, *max_key;
	const char *example;
	struct cidr *network;
	uint32_t *len;
	struct ip *min, *max;
	unsigned longest_subnet, longest_network;
	unsigned default_len; /* for every network at least two bits wider */
};

/* flannel.md 2.1 step 1. */
static int check_network(const struct family *f, struct text *complaints)
{
	char buf[CIDR_STRLEN];

	if (cidr_is_set(f->network) && ip_is_v4(&f->network->ip) == f->v4 && f->network->len > 0) {
		*f->network = cidr_masked(f->network);
		return 0;
	}
	text_add(complaints, "%s: must be an %s network such as %s: %s\n", f->network_key,
		 f->v4 ? "IPv4" : "IPv6", f->example, cidr_format(f->network, buf));
	return 1;
}

/* Steps 2 and 3. */
static int derive_len(const struct family *f, struct text *complaints)
{
	char buf[CIDR_STRLEN];
	unsigned width = f->network->len;

	cidr_format(f->network, buf);
	if (*f->len == 0 && width > f->longest_network) {
		text_add(complaints, "%s: too small, at least a /%u is needed: %s\n",
			 f->network_key, f->longest_network, buf);
		return 1;
	}
	if (*f->len == 0) {
		*f->len = MAX(f->default_len, width + 2);
		return 0;
	}
	if (*f->len > f->longest_subnet) {
		text_add(complaints, "%s: must be at most %u: %u\n", f->len_key, f->longest_subnet,
			 *f->len);
		return 1;
	}
	if (*f->len < width + 2) {
		text_add(complaints,
			 "%s: must be at least %u, %s %s has to hold four subnets: %u\n",
			 f->len_key, width + 2, f->network_key, buf, *f->len);
		return 1;
	}
	return 0;
}

/* Steps 4 to 6 for one of SubnetMin and SubnetMax. */
static int check_bound(const struct family *f, const char *key, const struct ip *bound,
		       struct text *complaints)
{
	struct cidr subnet = {.ip = *bound, .len = (uint8_t)*f->len};
	struct cidr masked = cidr_masked(&subnet);
	char ip[IP_STRLEN], network[CIDR_STRLEN];

	ip_format(bound, ip);
	if (!cidr_contains(f->network, bound)) {
		text_add(complaints, "%s: not inside %s %s: %s\n", key, f->network_key,
			 cidr_format(f->network, network), ip);
		return 1;
	}
	if (!cidr_eq(&subnet, &masked)) {
		text_add(complaints, "%s: not on a %s boundary (/%u): %s\n", key, f->len_key,
			 *f->len, ip);
		return 1;
	}
	return 0;
}

static int derive_bounds(const struct family *f, struct text *complaints)
{
	struct cidr first = {.ip = f->network->ip, .len = (uint8_t)*f->len};
	struct cidr last = {.ip = cidr_last(f->network), .len = (uint8_t)*f->len};
	struct ip first_end = cidr_last(&first);
	char min[IP_STRLEN], max[IP_STRLEN];
	int n;

	if (ip_is_any(f->min))
		*f->min = ip_add(&first_end, 1);
	if (ip_is_any(f->max))
		*f->max = cidr_masked(&last).ip;
	n = check_bound(f, f->min_key, f->min, complaints) +
	    check_bound(f, f->max_key, f->max, complaints);
	/* flannel lets this pass and then never finds a subnet. */
	if (n == 0 && ip_cmp(f->min, f->max) > 0) {
		text_add(complaints, "%s: below %s %s: %s\n", f->max_key, f->min_key,
			 ip_format(f->min, min), ip_format(f->max, max));
		n = 1;
	}
	return n;
}

static int derive_family(const struct family *f, bool given, struct text *complaints)
{
	int n = check_network(f, complaints);

	if (n > 0)
		return n;
	if (given)
		return 0;
	n = derive_len(f, complaints);
	return n > 0 ? n : derive_bounds(f, complaints);
}

static int check_vxlan(const struct netconf *c, struct text *complaints)
{
	uint32_t vni_max = c->ipv6 ? VNI_MAX6 : VNI_MAX;
	uint32_t mtu_min = c->ipv6 ? MTU_MIN6 : MTU_MIN;
	const struct vxlan_conf *v = &c->vxlan;
	int n = 0;

	if (v->vni < 1 || v->vni > vni_max) {
		text_add(complaints,
			 "Backend.VNI: must be 1 to %u (the link is named after it): %u\n", vni_max,
			 v->vni);
		n++;
	}
	if (v->mtu_bytes != 0 && (v->mtu_bytes < mtu_min || v->mtu_bytes > MTU_MAX)) {
		text_add(complaints, "Backend.MTU: must be %u to %u, or 0 for the uplink's: %u\n",
			 mtu_min, MTU_MAX, v->mtu_bytes);
		n++;
	}
	return n;
}

static int check_backend(const struct netconf *c, struct text *complaints)
{
	switch (c->backend) {
	case BACKEND_VXLAN:
		return check_vxlan(c, complaints);
	case BACKEND_NONE:
	case BACKEND__COUNT:
		break;
	}
	text_add(complaints, "Backend.Type: must be vxlan (flannel takes udp if it is missing): ");
	text_add_escaped(complaints, c->backend_text, strlen(c->backend_text));
	text_add(complaints, "\n");
	return 1;
}

int netconf_derive(struct netconf *c, struct text *complaints)
{
	const struct family v4 = {
		.v4 = true,
		.network_key = "Network",
		.len_key = "SubnetLen",
		.min_key = "SubnetMin",
		.max_key = "SubnetMax",
		.example = "10.244.0.0/16",
		.network = &c->network,
		.len = &c->subnet_len,
		.min = &c->subnet_min,
		.max = &c->subnet_max,
		.longest_subnet = 30,
		.longest_network = 28,
		.default_len = 24,
	};
	const struct family v6 = {
		.v4 = false,
		.network_key = "IPv6Network",
		.len_key = "IPv6SubnetLen",
		.min_key = "IPv6SubnetMin",
		.max_key = "IPv6SubnetMax",
		.example = "fd00:10:244::/56",
		.network = &c->network6,
		.len = &c->subnet_len6,
		.min = &c->subnet_min6,
		.max = &c->subnet_max6,
		.longest_subnet = 126,
		.longest_network = 124,
		.default_len = 64,
	};
	int n = 0;

	if (c->given) {
		c->subnet_len = c->subnet_len6 = 0;
		c->subnet_min = c->subnet_max = (struct ip){0};
		c->subnet_min6 = c->subnet_max6 = (struct ip){0};
	}
	if (!c->ipv4 && !c->ipv6) {
		text_add(complaints, "EnableIPv4: neither IPv4 nor IPv6 is enabled: false\n");
		n++;
	}
	if (c->ipv4)
		n += derive_family(&v4, c->given, complaints);
	if (c->ipv6)
		n += derive_family(&v6, c->given, complaints);
	return n + check_backend(c, complaints);
}

static bool vxlan_eq(const struct vxlan_conf *a, const struct vxlan_conf *b)
{
	return a->vni == b->vni && a->port == b->port && a->mtu_bytes == b->mtu_bytes &&
	       a->gbp == b->gbp && a->learning == b->learning &&
	       a->direct_routing == b->direct_routing;
}

bool netconf_eq(const struct netconf *a, const struct netconf *b)
{
	return a->ipv4 == b->ipv4 && a->ipv6 == b->ipv6 && a->nftables == b->nftables &&
	       cidr_eq(&a->network, &b->network) && cidr_eq(&a->network6, &b->network6) &&
	       a->subnet_len == b->subnet_len && a->subnet_len6 == b->subnet_len6 &&
	       ip_eq(&a->subnet_min, &b->subnet_min) && ip_eq(&a->subnet_max, &b->subnet_max) &&
	       ip_eq(&a->subnet_min6, &b->subnet_min6) && ip_eq(&a->subnet_max6, &b->subnet_max6) &&
	       a->backend == b->backend && strcmp(a->backend_text, b->backend_text) == 0 &&
	       vxlan_eq(&a->vxlan, &b->vxlan);
}
