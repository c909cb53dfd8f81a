/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STEP_H
#define CORE_STEP_H
/* Everything the agent can learn, and everything it can decide.
 *
 * One pure function: step(brain, event) → update. It opens nothing, reads no clock, and keeps all its
 * memory in the brain's own arenas. The shell (agent/agent.c) turns sockets into events and updates into
 * effects; traces (tests/trace) do the same with text, the model tests with a fake kernel.
 *
 * The circle it drives:
 *
 *	lease events ─▶ want ──────────────┐
 *	NOTICE, TIMER ─▶ UPDATE_DUMP ─▶ DUMP_BEGIN, OBJECT…, DUMP_END
 *	                                   ├─▶ no difference: verified, ready
 *	                                   └─▶ UPDATE_PLAN ─▶ APPLIED ─▶ UPDATE_DUMP (verify) …
 *
 * Notices say only when to look and who it was, never what is true. Phases of the brain:
 *
 *	PHASE_WAIT_CONFIG   no usable net-conf yet           want: nothing is touched
 *	PHASE_WAIT_UPLINK   nothing suitable to send through want: nothing is touched
 *	PHASE_WAIT_LEASES   no complete lease list yet       want: nothing is touched
 *	PHASE_WAIT_LEASE    the VTEP link is kept, so that its MAC can be published; own lease awaited
 *	PHASE_RUN           everything is kept
 *
 * EVENT_RECALLED, what an earlier run left on disk, leads through them all at once; then nothing is
 * deleted until the source has told a complete list.
 *
 * "Nothing is touched" is literal: what an earlier run or flannel left goes on forwarding.
 */

#include "model/netconf.h"
#include "model/plan.h"
#include "model/status.h"

enum phase {
	PHASE_WAIT_CONFIG,
	PHASE_WAIT_UPLINK,
	PHASE_WAIT_LEASES,
	PHASE_WAIT_LEASE,
	PHASE_RUN,
	PHASE__COUNT,
};

extern const char *const phase_names[PHASE__COUNT];

enum event_type {
	EVENT_CONFIG,	  /* net-conf read, or why it cannot be */
	EVENT_UPLINK,	  /* uplink chosen, or why there is none */
	EVENT_LEASES,	  /* a complete list of all leases; replaces what was known */
	EVENT_LEASE_PUT,  /* one lease appeared or changed */
	EVENT_LEASE_GONE, /* one lease went away */
	EVENT_OWN,	  /* what became of our own lease */
	EVENT_SOURCE,	  /* the lease source answers, or does not */
	EVENT_STORE,	  /* which store it is: told before anything out of it */
	EVENT_RECALLED, /* what an earlier run left on disk; the first of all events, or ignored */
	EVENT_NOTICE,	/* the kernel says that something changed */
	EVENT_DUMP_BEGIN, /* a dump that UPDATE_DUMP asked for begins … */
	EVENT_OBJECT,	  /* … an object of ours as it is … */
	EVENT_DUMP_END,	  /* … complete, or failed */
	EVENT_APPLIED,	  /* outcome of the last plan */
	EVENT_TIMER,	  /* wake_ms has come */
	EVENT__COUNT,
};

extern const char *const event_type_names[EVENT__COUNT];

enum own_state {
	OWN_HELD,  /* acquired, renewed or confirmed */
	OWN_TAKEN, /* somebody else holds our subnet: keep the pods, be unready, say so */
	OWN_LOST,  /* deleted, or none to be had; the source is at it */
};

struct event {
	uint64_t now_ms; /* monotonic; the only clock core ever sees */
	enum event_type type;

	union {
		struct {
			const struct netconf *conf; /* derived; NULL: see problem */
			const char *problem;	    /* one line, or several complaints */
		} config;

		struct {
			const struct uplink *uplink; /* NULL: see problem */
			const char *problem;  /* also: why one family has none; NULL = it has */
			uint32_t n_shortcuts; /* model/uplink.h */
		} uplink;

		struct {
			const struct lease *leases; /* any order; malformed ones already left out */
			size_t n;
			size_t n_malformed; /* keys or values that were reported and skipped */
		} leases;

		struct {
			const struct lease *lease;
		} put;

		struct {
			const struct lease *lease; /* its key counts */
		} gone;

		struct {
			enum own_state state;
			const struct lease *lease;
			int64_t expires_s;   /* from now; -1 = reservation without TTL */
			const char *problem; /* for OWN_TAKEN and OWN_LOST */
		} own;

		struct {
			bool up;
			const char *name;    /* for the status; no secrets */
			const char *problem; /* if not up */
		} source;

		struct {
			uint64_t id;  /* 0 = not known */
			bool of_node; /* it is that of our own Node: a new one has another */
		} store;

		/* Stands in until the source speaks; see core/recall.c. */
		struct {
			const struct netconf *conf;
			const struct lease *leases; /* ours among them */
			size_t n;
			const struct lease *own;
			int64_t expires_s; /* from now; 0 = has expired; -1 = reservation */
			uint64_t store_id; /* of the store it came from */
			const char *when;  /* for the status */
		} recalled;

		struct {
			unsigned kinds; /* OBJECT_BIT()s that may have changed; 0 = only who */
			bool uplink;	/* links, addresses or routes of the host changed too */
			const struct culprit *who; /* NULL = not known */
		} notice;

		struct {
			unsigned kinds;
		} dump_begin;

		struct {
			struct object object; /* borrowed for the call */
		} object;

		struct {
			int code; /* 0, or why the dump is not complete: the diff is thrown away */
			const char *problem;
			const struct devmap *devs; /* who played which role in this dump */
			const struct culprit
				*flanneld; /* a real one that lives here; NULL = none */
		} dump_end;

		struct {
			const struct op_failure *failures;
			size_t n_failures;
		} applied;
	};
};

enum {
	UPDATE_PLAN = 1 << 0,	 /* apply `plan`, then report EVENT_APPLIED */
	UPDATE_DUMP = 1 << 1,	 /* dump `dump_kinds`, then report DUMP_BEGIN … DUMP_END */
	UPDATE_PUBLISH = 1 << 2, /* acquire or update our lease with `publish` */
	UPDATE_RELIST = 1 << 3,	 /* ask the source for a complete list again */
	UPDATE_UPLINK = 1 << 4,	 /* collect interface facts and report EVENT_UPLINK */
	UPDATE_STATUS = 1 << 5,	 /* readiness or problem changed */
};

struct update {
	unsigned flags;
	struct plan plan; /* borrowed; a long one comes in slices, one per APPLIED */
	unsigned dump_kinds;
	struct lease publish; /* public addresses, type, VTEP MACs; the subnets are the source's */
	uint64_t wake_ms;     /* absolute; UINT64_MAX = none. Always set */
	/* What this plan repairs and by whose hand, for the log; NULL = ordinary convergence. */
	const struct repair *repair;
	/* What was recalled is dropped just now, and why, for the log; NULL = no. */
	const char *dropped;
};

/* Fixed for the life of an agent. */
struct brain_conf {
	uint64_t seed;	   /* randomness for jitter, the first MAC */
	char instance[24]; /* "" = the default instance; part of marks and names */
	bool ip_masq, masq_fully_random, forward_rules, blackhole_route, bridge, vxlan_guard;
	char bridge_name[LINK_NAME_SIZE]; /* "cni0" */
	uint32_t spread_threshold;	  /* peers above which their routes have scopes; 256 */
	uint64_t audit_ms;		  /* 30,000, ± 20 % */
};

struct adopt;
struct brain;
struct peer;

/* Heap; NULL never (aborts). brain_free(NULL) is fine. */
struct brain *brain_new(const struct brain_conf *conf);
void brain_free(struct brain *b);

/* Learns `ev`, decides `ret`. Everything `ret` points to lives until the next step(). Never fails: what
 * cannot be acted on becomes the status' problem.
 *
 * An UPDATE_DUMP is answered by DUMP_BEGIN, any number of OBJECTs and DUMP_END, an UPDATE_PLAN by
 * APPLIED; other events may come in between and no second dump or plan is asked for meanwhile. */
void step(struct brain *b, const struct event *ev, struct update *ret);

enum phase brain_phase(const struct brain *b);
/* Fills all of `ret`. O(1). */
void brain_status(const struct brain *b, uint64_t now_ms, struct status *ret);
/* The state wanted now; borrowed until the next step(). */
const struct netstate *brain_want(const struct brain *b);
/* Which link plays which role: known as soon as the configuration (the uplink) is, also before anything
 * is wanted, so that what is there can be looked at first. "" = nobody. */
void brain_names(const struct brain *b, char ret_names[DEV__COUNT][LINK_NAME_SIZE]);
/* The networks of the cluster, IPv4 and IPv6; unset = none, or not known yet. */
void brain_networks(const struct brain *b, struct cidr ret_networks[2]);
/* How peers' packets come to this node; port 0 = not known yet. */
void brain_arrival(const struct brain *b, struct fw_arrival *ret);

/* What a later run may start from: what the source told, all of it, and the lease that we hold. */
struct brain_keep {
	const struct netconf *conf;
	const struct peer *peers; /* core/leases.h */
	size_t n;
	const struct lease *own;
	int64_t own_expires_ms; /* -1 = a reservation */
};

/* Another number whenever that is something else; 0 = there is nothing of the kind now. O(1). */
uint64_t brain_keep_version(const struct brain *b);
/* Only if there is. Borrowed until the next step(). */
void brain_keep(struct brain *b, struct brain_keep *ret);
/* What of the objects that are not wanted a plan made now would delete; NULL = nothing, because the
 * list of leases is not known to be complete. Borrowed until the next step(). */
const struct adopt *brain_sweep(const struct brain *b);

#endif
