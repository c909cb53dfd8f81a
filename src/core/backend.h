/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKEND_H
#define CORE_BACKEND_H
/* A backend turns leases into wanted kernel objects. Adding one = one file and one row of the table. */

#include "base/arena.h"
#include "core/leases.h"
#include "core/step.h"
#include "model/lease.h"
#include "model/netstate.h"
#include "model/uplink.h"

/* All that a backend may look at. Borrowed. */
struct want_input {
	const struct brain_conf *conf;
	const struct netconf
		*net; /* with the families alone for which uplink and lease are there */
	const struct uplink *uplink;
	const struct lease *own;  /* NULL until we hold one: then only the link is wanted */
	const struct peer *peers; /* the whole table, judged; only halves PEER_OK are programmed */
	size_t n_peers;
	struct mac vtep_mac, vtep_mac6;
	struct mac bridge_mac; /* of an adopted bridge; unset = the one derived from its address */
	bool spread;	       /* peers are many: give their routes different scopes */
	bool strangers[2];     /* IPv4, IPv6: some node sends from an address that is not known */
};

struct backend {
	enum backend_type type;
	uint32_t overhead_bytes, overhead6_bytes; /* off the uplink's MTU, by the outer family */
	/* Appends its objects to `ret`; arrays from `a`, sorted by the caller. */
	void (*want)(const struct want_input *in, struct arena *a, struct netstate *ret);
};

/* NULL for a type without one. */
const struct backend *backend_find(enum backend_type type);
extern const struct backend backend_vxlan;

#endif
