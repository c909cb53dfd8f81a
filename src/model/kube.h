/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_KUBE_H
#define MODEL_KUBE_H
/* What of a Kubernetes Node concerns us, and flannel's annotations (flannel.md 4.3).
 *
 * A Node has 13 kB and we want 300 bytes of it. This value is filled by wire/kube_read.h one Node at a
 * time, so there is one of it, not one per node: texts are as they came, bounded, and nothing is
 * parsed yet (wire/kube_lease.h does that). Everything here is in other people's hands: escape before
 * printing.
 */

#include "base/err.h"

/* A suffix of an annotation's key; which of them a node carries is a set of bits. */
enum kube_ann {
	KUBE_ANN_SUBNET_MANAGER, /* "true": this node speaks flannel */
	KUBE_ANN_BACKEND_TYPE,
	KUBE_ANN_BACKEND_DATA,
	KUBE_ANN_BACKEND_V6_DATA,
	KUBE_ANN_PUBLIC_IP,
	KUBE_ANN_PUBLIC_IPV6,
	/* The operator's: what to publish … */
	KUBE_ANN_PUBLIC_IP_OVERWRITE,
	KUBE_ANN_PUBLIC_IPV6_OVERWRITE,
	/* … and what --public-ip and --public-ipv6 would say. */
	KUBE_ANN_NODE_PUBLIC_IP,
	KUBE_ANN_NODE_PUBLIC_IPV6,
	KUBE_ANN__COUNT,
};

extern const char *const kube_ann_suffixes[KUBE_ANN__COUNT];

#define KUBE_ANN_BIT(ann) (1u << (ann))
#define KUBE_ANN_SIZE	  256 /* of a value; the longest that flannel writes, wireguard's, has 80 */

/* Values of some of the ten: what a node carries, or what ours shall carry. */
struct kube_anns {
	unsigned present; /* KUBE_ANN_BIT()s; "" is present, too */
	unsigned cut;	  /* of those: longer than KUBE_ANN_SIZE allows, never to be used */
	char value[KUBE_ANN__COUNT][KUBE_ANN_SIZE];
};

/* The value, or NULL: not there, or cut. */
const char *kube_anns_get(const struct kube_anns *a, enum kube_ann ann);
/* A value that does not fit is remembered as cut. */
void kube_anns_set(struct kube_anns *a, enum kube_ann ann, const char *value);
/* Bits of those in `want` that `have` lacks or has otherwise: what a patch must say. */
unsigned kube_anns_differ(const struct kube_anns *want, const struct kube_anns *have);
/* Of all that is present, whether cut or not; never 0. */
uint64_t kube_anns_hash(const struct kube_anns *a);

/* A condition of type NetworkUnavailable. Longer texts are cut: they are not ours then. */
struct kube_condition {
	bool present;
	char status[8]; /* "True", "False", "Unknown" */
	char reason[64];
	char message[400];
};

#define KUBE_NAME_SIZE	  254 /* DNS subdomain: 253 (k8s.io/apimachinery validation) */
#define KUBE_UID_SIZE	  64  /* RFC 4122 text in practice: 36 */
#define KUBE_VERSION_SIZE 32  /* a decimal uint64 in practice */
#define KUBE_CIDR_SIZE	  64  /* the longest CIDR has 49; a cut one is none */

struct kube_node {
	char name[KUBE_NAME_SIZE];
	char uid[KUBE_UID_SIZE];
	char resource_version[KUBE_VERSION_SIZE];
	int64_t created_s; /* since 1970; 0 = not said */
	bool metadata_only; /* spec and status were not asked for: below, podCIDRs and conditions are empty */
	char pod_cidr[KUBE_CIDR_SIZE]; /* "" = none; spec.podCIDRs counts if it is there */
	unsigned n_pod_cidrs;	       /* all of them; the first two are kept */
	char pod_cidrs[2][KUBE_CIDR_SIZE];
	struct kube_anns anns;
	struct kube_condition network_unavailable;
};

/* Was `version`, of the same server, before `than`? Versions are numbers that grow (Kubernetes' KEP-5504);
 * of others nothing is known: false. */
bool kube_version_is_older(const char *version, const char *than);

/* A stable number for a UID, never 0. */
uint64_t kube_uid_id(const char *uid);

#define KUBE_PREFIX_SIZE 297 /* 253, a slash, a name of 63 less the longest suffix, a terminator */

/* --kube-annotation-prefix as flannel reads it: "flannel.alpha.coreos.com" becomes
 * "flannel.alpha.coreos.com/", "org.com/x" becomes "org.com/x-". Whatever flannel takes is taken, if
 * it fits. 0 or -EINVAL with flannel's words. */
int kube_prefix_parse(const char *text, char ret[KUBE_PREFIX_SIZE], struct err *err);

#endif
