/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_PEERS_FILE_H
#define WIRE_PEERS_FILE_H
/* What the agent keeps on disk, so that it can start while its source is away: the cluster's
 * configuration, our own lease and all others, as they were when last verified; and of whom and whence
 * they are, so that nobody else's are ever programmed.
 *
 *	bytes	what
 *	8	PEERS_FILE_MAGIC
 *	4	version, big-endian
 *	…	protocol buffers: the head (field 1), then each lease (field 2); 30 bytes a peer
 *	4	CRC-32 (IEEE 802.3) of all before, big-endian
 *
 * A file is used as a whole or not at all. Fields that are not known are passed over, so the version
 * grows only when a reader that does not know them would be wrong. Kinds of backend have numbers of
 * their own here, and an address its family's bytes: nothing depends on how structs lie in memory.
 */

#include "base/err.h"
#include "model/lease.h"
#include "wire/pb.h"

#define PEERS_FILE_MAGIC       "LodenPf\n"
#define PEERS_FILE_VERSION     1
/* 65,536 dual-stack leases of 102 bytes and a configuration of 64 KiB; whoever reads the file stops here. */
#define LIMIT_PEERS_FILE_BYTES (8 << 20)

struct peers_file {
	struct pb_bytes source;	     /* where the leases came from, as configured */
	struct pb_bytes machine;     /* of which machine; "" = it has no id */
	uint64_t store_id;	     /* the source's own word for who it is; 0 = not known */
	int64_t written_s;	     /* Unix time */
	struct pb_bytes netconf;     /* JSON */
	struct ip told_ip, told_ip6; /* source.h: public_ip(); unset = nothing was told */
	struct lease own;
	int64_t own_expires_s; /* Unix time; -1 = a reservation */
	uint64_t n_leases;

	struct pb_bytes rest; /* for peers_file_next() */
};

enum peers_file_outcome {
	PEERS_FILE_NEWER = 1, /* of a later version than ours */
};

/* Checks all of it, each lease too. 0: `ret` borrows from `bytes`; PEERS_FILE_NEWER; -EBADMSG with a
 * story: cut short, damaged, or not such a file. O(n). */
int peers_file_decode(struct pb_bytes bytes, struct peers_file *ret, struct err *err);
/* One lease after another; false = that was the last one. */
bool peers_file_next(struct peers_file *f, struct lease *ret);

/* Writes in pieces of 4 KiB at most. The first failure is kept and returned at the end. */
typedef int peers_file_write_fn(void *arg, const void *bytes, size_t n);

struct peers_file_out {
	peers_file_write_fn *fn; /* 0 or -errno */
	void *arg;
	int code;
	uint32_t crc;
	size_t n_leases; /* still to be added */
	size_t n;
	uint8_t buf[4096];
};

/* Starts a file of head->n_leases leases; add each, then end. 0 or what `fn` returned. */
void peers_file_begin(struct peers_file_out *o, const struct peers_file *head,
		      peers_file_write_fn *fn, void *arg);
void peers_file_add(struct peers_file_out *o, const struct lease *l);
int peers_file_end(struct peers_file_out *o);

#endif
