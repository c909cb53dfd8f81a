/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BRAIN_H
#define CORE_BRAIN_H
/* The inside of the brain, for brain.c (its life, and what others may ask), step.c (what events teach),
 * recall.c (what was left on disk), converge.c (the circle of dump, plan and verification) and status.c
 * (what to say about it). Nobody
 * else includes this. */

#include "base/arena.h"
#include "core/adopt.h"
#include "core/contest.h"
#include "core/diff.h"
#include "core/heals.h"
#include "core/leases.h"
#include "core/look.h"
#include "core/retry.h"
#include "core/shrink.h"
#include "core/step.h"

/* Ops handed out at once. Enough to fill the kernel side's batches; 20 kB. */
#define SLICE_OPS 512

#define FIREWALL_KINDS (OBJECT_BIT(OBJECT_FW_TABLE) | OBJECT_BIT(OBJECT_FW_CHAIN))
#define FLANNELD_MS    5000 /* while one lives here, how often to see whether it still does */

/* Objects that leases decide about; the others follow from configuration, uplink and own lease. */
#define PEER_KINDS                                                                        \
 (OBJECT_BIT(OBJECT_GUARD_PEER) | OBJECT_BIT(OBJECT_NEXTHOP) | OBJECT_BIT(OBJECT_NEIGH) | \
  OBJECT_BIT(OBJECT_FDB) | OBJECT_BIT(OBJECT_ROUTE))

/* A link takes what lies on it along without saying so, and an address what goes by it. The firewall and
 * our file are not on it. */
#define LINK_FALLOUT                                                              \
 (OBJECT_BIT(OBJECT_LINK) | OBJECT_BIT(OBJECT_SYSCTL) | OBJECT_BIT(OBJECT_ADDR) | \
  (PEER_KINDS & ~OBJECT_BIT(OBJECT_GUARD_PEER)))

enum circle {
	CIRCLE_IDLE,
	CIRCLE_DUMP,  /* UPDATE_DUMP is out; DUMP_END is awaited */
	CIRCLE_APPLY, /* UPDATE_PLAN is out; APPLIED is awaited */
};

/* What of the learnt is only recalled, and goes as soon as the source speaks of the same. */
struct recall {
	bool conf, leases, own;
	bool node_checked; /* it is of this node */
	uint64_t store_id;
	char when[32];
	char dropped[240]; /* why nothing of it is used; "" = it is, or there was none */
	bool tell_dropped;
};

/* What was learnt. */
struct learnt {
	bool have_config;
	struct netconf net;
	char config_problem[400]; /* "" = the last one read was fine */

	uint64_t store_id; /* 0 = not known, yet */

	bool have_uplink;
	struct uplink uplink; /* a family that lost its addresses keeps the last ones */
	char uplink_problem[240];
	uint32_t n_shortcuts;	   /* ports by which pods pass the firewall by */
	bool lacks[FAMILY__COUNT]; /* has no addresses now, because of uplink_lacks */
	char uplink_lacks[240];
	struct uplink next; /* another uplink, adopted at next_ms if it is still chosen then */
	uint64_t next_ms;   /* LOOK_NEVER = none */
	uint64_t facts_ms;  /* when to ask for UPDATE_UPLINK; LOOK_NEVER = not needed */

	bool listed; /* a complete list was seen */
	struct leases leases;
	size_t n_malformed;
	struct shrink shrink;
	bool strange; /* another network's configuration was read last: its leases are not ours */

	bool have_own;
	struct lease own;
	char own_problem[240];	/* "" = held */
	char own_problem6[240]; /* "" = its IPv6 half, too, if it has one */
	int64_t own_expires_ms; /* -1 = no TTL */

	bool source_up;
	uint64_t source_seen_ms; /* while it is not: when it last was; 0 = never */
	char source[128], source_problem[400];

	struct culprit flanneld; /* another fabric daemon on this node; pid 0 = none was seen */

	uint64_t version; /* of what is worth keeping, see brain_keep() */
	struct recall recall;
};

/* What follows from it. */
struct wanted {
	struct arena arena;
	struct netstate state;
	bool stale; /* to be rebuilt before the next dump */
	struct adopt rule;
	struct leases_verdict verdict;
	char notes[600]; /* peers left out */
	bool spread;
	size_t n_strangers
		[2]; /* nodes that send from an address that is not known, IPv4 and IPv6 */
	/* By role, of links that are made; unset = not yet chosen. Decided: the first dump had its say. */
	struct mac mac[DEV__COUNT];
	bool mac_decided[DEV__COUNT];
	uint64_t generation;
};

/* The pass that is running. */
struct pass {
	struct arena arena;
	unsigned kinds;
	struct devmap devs;
	struct diff diff;
	struct op *ops; /* the slice that was handed out */
	size_t n_ops;
	unsigned touched;      /* kinds of ops handed out so far */
	unsigned blocked_devs; /* links that cannot be used: nothing on them is tried */
	unsigned repair_kinds; /* a difference in these is somebody's doing */
	bool verifying;	       /* this dump follows a plan, and nothing new is wanted since */
	bool unguarded; /* some link would lose its routes if the host became an IPv6 router */
	uint64_t applied_generation; /* of the last plan */
	size_t n_run[OBJECT__COUNT]; /* ops that may run now, per kind */
	struct repair repair;
};

struct brain {
	struct arena arena; /* owns the brain */
	struct brain_conf conf;
	uint64_t random;
	uint64_t now_ms, started_ms;
	struct learnt learnt;
	struct wanted wanted;
	struct look look;
	enum circle circle;
	struct pass pass;
	struct retry retry;	/* what is refused, and must not be */
	struct retry retry6;	/* ditto, what is for IPv6 alone, beside IPv4 */
	struct retry tolerated; /* what is refused, and we can do without */
	struct contest contest;
	struct backoff dump_backoff;
	char dump_problem[240];

	/* Bits of kinds. Verified: all empty. */
	unsigned changed; /* want or we changed something, no dump has shown it right since */
	unsigned bad[FAMILY__COUNT]; /* the last dump showed differences that have to wait */
	bool fault[FAMILY__COUNT]; /* something is wrong: not just a new peer that is being made */
	uint64_t verified_generation,
		verified_ms; /* but for IPv6 beside IPv4: it has its own say */
	bool stood6;	     /* IPv6 was verified since it is wanted */
	size_t n_bad_peers[FAMILY__COUNT][OBJECT__COUNT];
	char difference[OP_STRLEN]; /* the first one of the last dump that showed any */

	/* Packets that the guards dropped; when there were more than at the look before. */
	struct {
		bool seen;
		uint64_t n_dropped, more_ms;
	} guard[FW__COUNT];

	char table_notes[240], chain_notes[1200], addr_notes[200];

	struct lease published;
	uint64_t n_repairs, n_sweeps, n_audits;
	struct heals heals;
	struct repair recent[STATUS_REPAIRS_MAX]; /* a ring */
	size_t n_recent;			  /* ever */

	enum ready told_ready;
	char told_problem[400];
};

/* brain.c */
uint64_t brain_random(struct brain *b);
/* netconf_leads6(), as an index of what there is for each. */
enum ip_family brain_leader(const struct brain *b);
/* Our public address in that family. */
const struct ip *brain_leading_ip(const struct brain *b, const struct uplink *u);
/* The uplink's MTU leaves IPv6's overlay what IPv6 needs. */
bool brain_has_room6(const struct brain *b);
/* The configuration with those families alone for which there are uplink and lease. */
void brain_net(const struct brain *b, struct netconf *ret);
/* Kinds kept in the phase. */
unsigned brain_kinds(const struct brain *b);
/* `kinds` are wanted otherwise than before: rebuild, look. */
void brain_changed(struct brain *b, unsigned kinds);

/* recall.c */
void recall_take(struct brain *b, const struct event *ev);
/* The uplink, the store is known. */
void recall_check_node(struct brain *b);
void recall_check_store(struct brain *b, uint64_t id, bool of_node);

/* converge.c. Each is one event's part in the circle. */
void converge_start(struct brain *b, unsigned kinds, struct update *ret);
void converge_dump_begin(struct brain *b, unsigned kinds);
void converge_object(struct brain *b, const struct object *have);
void converge_dump_end(struct brain *b, const struct event *ev, struct update *ret);
void converge_applied(struct brain *b, const struct op_failure *failures, size_t n_failures,
		      struct update *ret);

/* status.c: "" = nothing. */
enum ready status_judge(const struct brain *b, struct text *problem);
void status_fill(const struct brain *b, uint64_t now_ms, struct status *ret);

#endif
