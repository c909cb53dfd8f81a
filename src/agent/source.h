/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SOURCE_H
#define AGENT_SOURCE_H
/* Where leases come from: one interface for etcd now and the Kubernetes API later.
 *
 * A source reads the configuration, lists and watches leases, and holds our own. It reports in
 * core's events (EVENT_STORE, _CONFIG, _LEASES, _LEASE_PUT, _LEASE_GONE, _OWN, _SOURCE), with now_ms set. It never
 * gives up: whatever fails is reported once per change of cause through EVENT_SOURCE (or EVENT_CONFIG, if
 * the configuration is the problem) and retried with a jittered back-off of 0.5–30 s.
 *
 * Ownership: what an event points to is borrowed for the call. Peers' malformed keys and values are
 * logged, counted and skipped by the source; they never reach core and never hide other leases.
 */

#include "agent/opts.h"
#include "core/step.h"
#include "os/loop.h"

typedef void source_event_fn(void *arg, const struct event *ev);

struct kube_exec;
struct source;

/* All borrowed for the life of the source. */
struct source_conf {
	struct loop *loop;
	source_event_fn *fn; /* may not free the source */
	void *arg;
	uint64_t seed;
	const struct opts *opts;     /* how to get at the store, and where in it */
	struct kube_exec *kube_exec; /* a plugin that knows who we are; NULL = none */
	/* FLANNEL_SUBNET and FLANNEL_IPV6_SUBNET of the subnet file, masked; unset = none */
	struct cidr previous, previous6;
	/* The operator says at the store what --public-ip and --public-ipv6 shall be for this node; unset = what
	 * the flags say. Once per change. May be NULL. */
	void (*public_ip)(void *arg, const struct ip *ip, const struct ip *ip6);
	struct ip told_ip,
		told_ip6; /* what public_ip() said last, in an earlier run; unset = nothing */
	const struct lease *known; /* by an earlier run; during open() alone */
	size_t n_known;
	struct status_requests *requests; /* counted, by sources that send some; may be NULL */
	uint32_t renew_margin_min;
	uint32_t lease_ttl_s; /* 86,400; tests use less */
};

/* A lease as lease_record has it. */
struct source_withdrawal {
	const struct opts *opts; /* as in source_conf */
	const char *key;	 /* "10.244.7.0-24" */
	struct ip public_ip;	 /* somebody else's is not ours to withdraw */
	uint64_t seed;
};

enum source_withdraw {
	SOURCE_WITHDRAW_DONE = 0,
	SOURCE_WITHDRAW_NONE,	     /* there is none (any more) */
	SOURCE_WITHDRAW_RESERVATION, /* it has no TTL: the operator's */
	SOURCE_WITHDRAW_FOREIGN,     /* err says whose it is */
};

struct source_ops {
	const char *name; /* "etcd" */
	/* Starts connecting from the loop. -errno only for configuration that can never work. */
	int (*open)(const struct source_conf *conf, struct source **ret, struct err *err);
	void (*close)(struct source *s);
	/* Acquire, or change, our own lease: public addresses, type and VTEP MAC from `l`. Kept up (renewed,
	 * re-acquired) from then on. Calling it again with equal content costs nothing. */
	void (*publish)(struct source *s, const struct lease *l);
	/* Send a complete list again. */
	void (*relist)(struct source *s);
	/* Whether this node has its network, and if not why: for whoever schedules pods. NULL = nobody asks. */
	void (*ready)(struct source *s, bool ready, const char *problem);
	/* For `loden uninstall --lease`, without an open source: takes a lease out of the store. Blocks, 10 s
	 * at most. NULL = leases do not outlive their node. One of enum source_withdraw, or -errno: it may still be there. */
	int (*withdraw)(const struct source_withdrawal *w, struct err *err);
};

extern const struct source_ops source_etcd, source_kube;

#endif
