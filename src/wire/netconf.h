/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_NETCONF_H
#define WIRE_NETCONF_H
/* net-conf.json, or <prefix>/config in etcd, into a struct netconf (flannel.md 2).
 *
 * Go's leniency for JSON (wire/gojson.h); unlike flannel, which stops at the first error, everything
 * that is wrong is told at once: whoever edits this file edits it for a whole cluster.
 */

#include "base/text.h"
#include "model/netconf.h"

#define LIMIT_NETCONF_BYTES 65536 /* real ones have a few hundred; etcd allows 1.5 MiB */

/* Decodes n bytes over netconf_defaults(), then checks and derives (model/netconf.h). Returns how many
 * complaints it appended, lines of "<Field>: <what is wrong>: <value>\n", one per field at most; 0 =
 * *ret is set and ready for use. Values that are shown are escaped. */
int netconf_decode(const char *json, size_t n, struct netconf *ret, struct text *complaints);
/* The same where Kubernetes allots podCIDRs: the keys about subnets must have their types, and count for nothing. */
int netconf_decode_given(const char *json, size_t n, struct netconf *ret, struct text *complaints);

/* The JSON of a configuration that was decoded, derived fields included; decodes to the same. */
#define NETCONF_JSON_SIZE 1000
void netconf_encode(const struct netconf *c, struct text *ret);

/* One key as net-conf.json(5) has it. */
struct netconf_key {
	const char *key, *wants;
	const char *fallback; /* NULL: the help says */
	const char *help;     /* without full stop */
};

/* The i-th key of the configuration, or of a Backend of type vxlan; false behind the last. */
bool netconf_key(bool backend, size_t i, struct netconf_key *ret);

#endif
