/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H
/* What the agent knows about itself, as `loden status` shows it and /readyz answers. */

#include "model/lease.h"
#include "model/netconf.h"
#include "model/plan.h"
#include "model/uplink.h"

/* Who changed something, as far as the kernel says. */
struct culprit {
	uint32_t pid;  /* 0 = the kernel itself, or not known */
	char comm[16]; /* escaped by whoever prints it */
	char unit[64]; /* last part of its cgroup path */
};

#define STATUS_REPAIRS_MAX 16

/* One repair: what was different, and by whose hand. */
struct repair {
	uint64_t at_ms; /* monotonic */
	uint32_t n_ops; /* how many ops this pass ran */
	char what[160]; /* the first op's plan line */
	struct culprit who;
};

/* Repairs that found objects of this kind different, by whose hand: "" = not known, or more names than
 * there is room for. */
struct status_heals {
	enum object_kind kind;
	char actor[16]; /* comm; escaped by whoever prints it */
	uint64_t n;
};

#define STATUS_HEALS_MAX 32

/* What was asked of the API server, by what it said: codes that there is no room for count as the last. */
#define STATUS_CODES_MAX 16

struct status_requests {
	size_t n;

	struct {
		unsigned code; /* of HTTP; 0 = no answer came */
		uint64_t n;
	} of[STATUS_CODES_MAX];
};

enum ready {
	READY_NO,  /* see problem */
	READY_YES, /* the last dump equalled the plan */
};

/* failures.md I-25: one family works or not whatever the other does. */
struct status_family {
	bool enabled, works;
	char problem[240]; /* "" = none */
};

struct status {
	enum ready ready;
	char problem[400]; /* one line, the cause; "" when ready and nothing is worth saying */
	char notes
		[1200]; /* further lines: contested objects, foreign firewalls with the command to run */
	bool have_config;
	struct netconf config;
	struct uplink uplink;
	bool have_lease;
	struct lease own;
	int64_t lease_expires_s; /* seconds from now; -1 = no TTL (reservation) */
	bool source_up;		 /* the lease source answers */
	uint64_t source_seen_ms; /* it did last: now, if it does; 0 = never */
	char source[128];  /* where leases come from, e.g. "etcd http://…" without secrets */
	char recalled[32]; /* the peers are from disk, as of then; "" = from the source */
	size_t n_peers, n_verified;
	size_t n_refused; /* peers left out, for what the notes say */
	uint64_t generation, verified_generation;
	uint64_t verified_at_ms; /* 0 = never */
	uint64_t now_ms, started_ms;
	uint64_t n_repairs, n_sweeps, n_audits;
	size_t n_heals; /* entries in heals[]; one of each kind at least */
	struct status_heals heals[STATUS_HEALS_MAX];
	size_t n_contested[OBJECT__COUNT]; /* objects that somebody keeps changing back */
	size_t n_recent;		   /* entries in recent[], newest first */
	struct repair recent[STATUS_REPAIRS_MAX];
	uint32_t overlay_mtu_bytes, overlay_mtu6_bytes; /* 0 = no such overlay */
	struct mac vtep_mac, vtep_mac6;
	struct status_family families[FAMILY__COUNT]; /* FAMILY_V4 and FAMILY_V6 */
	struct status_requests requests;
	uint64_t rss_bytes; /* of the agent; 0 = not known */
};

#endif
