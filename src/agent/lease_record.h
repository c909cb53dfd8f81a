/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_LEASE_RECORD_H
#define AGENT_LEASE_RECORD_H
/* Which lease this node holds, and where: written down in the state directory by the agent, so that
 * `loden uninstall --lease` finds it with no flag at all, and after a reboot.
 *
 *	FLANNELD_ETCD_ENDPOINTS='http://10.0.0.1:2379'	flags, where they are not given
 *	FLANNELD_ETCD_PREFIX='/coreos.com/network'
 *	FLANNELD_ETCD_CAFILE='' …			and where keys and passwords lie, but none of them
 *	LEASE='10.244.7.0-24&fd00:10:244:7::-64'	behind <prefix>/subnets/
 *	PUBLIC_IP='192.168.0.7'				what its value carries, if it is ours
 *
 * A shell may source it; without the quotes, as it was written once, it is read, too.
 */

#include "agent/opts.h"
#include "model/lease.h"

#define LEASE_RECORD_NAME "lease.env"

/* Brings the record up to date; what hinders is logged. A Node's lease is in no etcd of ours: no word of that. */
void lease_record_save(const struct opts *o, const struct lease *l);

struct lease_record {
	char text[4096]; /* what `o` may now point into */
	const char *key; /* "10.244.7.0-24" */
	struct ip public_ip;
};

/* Reads o->state_dir's, and sets in `o` what no flag or variable has set. -ENOENT: there is none. */
int lease_record_load(struct opts *o, struct lease_record *ret, struct err *err);

#endif
