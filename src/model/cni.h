/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_CNI_H
#define MODEL_CNI_H
/* The nouns of the Container Network Interface, spec 0.1.0 to 1.1.0.
 *
 * A runtime starts a plugin with a verb and an attachment (container id, network namespace,
 * interface name) in the environment and the network's configuration as JSON on stdin; it gets a
 * result or an error as JSON on stdout. These structs are what that JSON means; wire/cni.h reads and
 * writes it. One struct holds a result of every spec version: it has the fields of the newest, the
 * older texts are projections of it.
 *
 * Everything is borrowed from the arena of the call, which lives as long as the process.
 */

#include "base/err.h"
#include "model/ip.h"
#include "model/link.h"

enum cni_version {
	CNI_0_1_0,
	CNI_0_2_0,
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0,
	CNI_VERSION__COUNT,
};

extern const char *const cni_version_names[CNI_VERSION__COUNT];
#define CNI_VERSION_NEWEST CNI_1_1_0
/* Exactly one of the names. False leaves *ret alone. */
bool cni_version_parse(const char *text, enum cni_version *ret);
/* Versions whose results have the same shape: a plugin accepts a prevResult only of its family. */
bool cni_version_same_family(enum cni_version a, enum cni_version b);
/* Any version, also one that we do not know, as a number that orders them. -EINVAL with a story. */
int cni_version_number(const char *text, uint64_t *ret, struct err *err);

enum cni_verb {
	CNI_ADD,
	CNI_DEL,
	CNI_CHECK,
	CNI_GC,
	CNI_STATUS,
	CNI_VERSION,
	CNI_VERB__COUNT,
};

extern const char *const cni_verb_names[CNI_VERB__COUNT];
/* Exactly one of the names. False leaves *ret alone. */
bool cni_verb_parse(const char *text, enum cni_verb *ret);

/* What the environment says. Never NULL; "" where a variable is not set. */
struct cni_env {
	enum cni_verb verb;
	const char *container_id, *netns, *ifname, *args, *path;
	bool netns_override; /* CNI_NETNS may be our own */
};

/* Codes of the spec and of the reference plugins. */
enum cni_code {
	CNI_CODE_UNKNOWN = 0,
	CNI_CODE_VERSION = 1,
	CNI_CODE_UNSUPPORTED_FIELD = 2,
	CNI_CODE_ENVIRONMENT = 4,
	CNI_CODE_IO = 5,
	CNI_CODE_DECODE = 6,
	CNI_CODE_CONFIG = 7,
	CNI_CODE_NETNS = 8,
	CNI_CODE_TRY_AGAIN = 11,
	CNI_CODE_NOT_AVAILABLE = 50, /* STATUS: no ADD can work now */
	CNI_CODE_PLAIN = 999,	     /* whatever has no code of its own */
};

/* An error as the runtime gets to see it. A text that does not fit is cut. */
struct cni_error {
	uint32_t code;
	char msg[1024], details[512];
};

/* Sets code and message, empties details. Always returns -EINVAL, so that
 * `return cni_fail(e, …)` is one line; what went wrong is told by the code. */
int cni_fail(struct cni_error *e, enum cni_code code, const char *fmt, ...) _printf_(3, 4);

/* Names that may become a file name: container ids and network names, [a-zA-Z0-9][a-zA-Z0-9_.-]*. */
bool cni_name_ok(const char *name);
/* What the kernel takes as an interface's name (dev_valid_name). */
bool cni_ifname_ok(const char *name);

struct cni_strings {
	const char **v;
	size_t n, room; /* room: 0 if it is not one that grows */
};

struct cni_dns {
	struct cni_strings nameservers, search, options;
	const char *domain; /* NULL = none */
};

struct cni_route {
	struct cidr dst; /* host bits as given; unset = ::/0 */
	struct ip gw;	 /* unset = none */
	int32_t mtu_bytes, advmss, priority;
	bool has_table, has_scope;
	int32_t table, scope;
};

struct cni_iface {
	const char *name, *mac;			    /* text as given; mac NULL = none */
	const char *sandbox, *socket_path, *pci_id; /* NULL = none */
	int32_t mtu_bytes;			    /* 0 = not said */
};

struct cni_ip {
	struct cidr address; /* host bits kept */
	struct ip gateway;   /* unset = none */
	int32_t iface;	     /* index into ifaces; -1 = not said */
};

struct cni_result {
	struct cni_iface *ifaces;
	struct cni_ip *ips;
	struct cni_route *routes;
	size_t n_ifaces, n_ips, n_routes;
	struct cni_dns dns;
};

/* ---- configurations of the plugins ---- */

/* What every plugin's configuration has. */
struct cni_conf {
	const char *name;      /* of the network; checked by cni_name_ok */
	const char *ipam_type; /* "" = none */
	enum cni_version version;
	bool has_prev;
	struct cni_result prev; /* if has_prev */
};

/* One range of addresses of host-local, ends included. Before ipam_ranges_check() what was left
 * out is unset; behind it everything is set. */
struct ipam_range {
	struct cidr subnet;
	struct ip start, end, gateway;
};

/* One address is given out per set. */
struct ipam_set {
	struct ipam_range *ranges;
	size_t n;
};

struct ipam_conf {
	struct ipam_set *sets;
	struct ip *requested;
	struct cni_route *routes;
	size_t n_sets, n_requested, n_routes;
	const char *data_dir;	 /* never NULL */
	const char *resolv_conf; /* "" = none */
};

/* How packets get from pod to pod on one node. */
enum _packed_ local_traffic {
	LOCAL_TRAFFIC_AUTO,    /* routed if bridged packets do not pass the host's firewall */
	LOCAL_TRAFFIC_BRIDGED, /* by the bridge, as every other bridge plugin has it */
	LOCAL_TRAFFIC_ROUTED,  /* by the gateway */
	LOCAL_TRAFFIC__COUNT,
};

/* "auto" "bridged" "routed" */
extern const char *const local_traffic_names[LOCAL_TRAFFIC__COUNT];

struct bridge_conf {
	char name[LINK_NAME_SIZE];
	bool is_gateway, is_default_gateway, force_address;
	bool hairpin, promisc, isolated;
	enum local_traffic local_traffic;
	bool disable_iface; /* leave the pod's interface down */
	bool ip_masq;	    /* masquerade what leaves the subnet */
	uint32_t mtu_bytes; /* 0 = the kernel's default */
	struct mac mac;	    /* of the pod's interface; unset = random */
	bool has_dns;
	struct cni_dns dns; /* replaces the IPAM plugin's if has_dns */
};

/* What flannel left for the plugin in subnet.env. */
#define FLANNEL_NETWORKS_MAX 16

struct flannel_env {
	struct cidr networks[FLANNEL_NETWORKS_MAX];  /* IPv4, masked */
	struct cidr networks6[FLANNEL_NETWORKS_MAX]; /* IPv6, masked */
	size_t n_networks, n_networks6;
	struct cidr subnet, subnet6; /* masked; unset = none */
	uint32_t mtu_bytes;
	bool ip_masq; /* the agent masquerades, so the bridge must not */
};

#endif
