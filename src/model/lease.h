/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_LEASE_H
#define MODEL_LEASE_H
/* A lease: which node holds which pod subnet, and how to reach it.
 *
 * The same value for etcd keys and for Kubernetes Nodes; both families side by side. Peers control
 * every field: lease_check() stands between them and the kernel.
 */

#include "base/err.h"
#include "model/ip.h"
#include "model/netconf.h"

struct lease {
	/* These three are the key within one source. */
	struct cidr subnet;  /* network address, host bits clear */
	struct cidr subnet6; /* unset = the lease has no IPv6 part */
	uint64_t node;	     /* whose it is: of a Node's UID; 0 = the subnet says it all (etcd) */
	struct ip public_ip; /* outer address of the node's VTEP */
	struct ip public_ip6;
	enum backend_type type; /* BACKEND_NONE: some other backend; such a lease holds its subnet
	                             and is never programmed */
	struct mac vtep_mac;	/* inner MAC of the node's VXLAN device, IPv4 */
	struct mac vtep_mac6;
	/* The operator's word is published as public address (public-ip-overwrite): which address the node sends
	 * from is not known. */
	bool overwritten, overwritten6;
	uint64_t
		since; /* order of creation within the source, 0 = not known; says who was first, and
	                   is no part of what is compared */
};

#define LEASE_STRLEN 200

/* Order of the lease table: by subnet, then subnet6, then node. */
int lease_cmp(const struct lease *a, const struct lease *b);
bool lease_eq(const struct lease *a, const struct lease *b);

/* One family's half of a lease; all unset = it has none. */
struct lease_half {
	struct cidr subnet;
	struct ip public_ip;
	struct mac vtep_mac;
	bool overwritten;
};

struct lease_half lease_half(const struct lease *l, bool v6);

/* Can this half of a peer be programmed into a network `c`? 0, or -EINVAL with a story that names the
 * field and the value (zero MAC, multicast address, subnet outside Network, …). The other half is not
 * looked at: flannel drops the whole node (flannel.md 4.5), half a lease is better than none. */
int lease_check(const struct lease *l, bool v6, const struct netconf *c, struct err *err);

/* A backend's type as leases name it; any other, NULL included, is BACKEND_NONE. */
enum backend_type lease_type_parse(const char *text);

/* "10.244.1.0/24 via 192.168.0.2 mac 02:…" ; returns buf. */
const char *lease_format(const struct lease *l, char buf[LEASE_STRLEN]);

#endif
