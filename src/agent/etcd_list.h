/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ETCD_LIST_H
#define AGENT_ETCD_LIST_H
/* All keys of a range as of one revision, read in pages.
 *
 * The first page fixes the revision; the following ones ask for the same. Each pair is handed on as it
 * arrives: nothing is held but the last key, from where the next page goes on.
 */

#include "agent/etcd_client.h"

struct etcd_list;

/* Strings are borrowed until the end. */
struct etcd_list_conf {
	const char *from, *to; /* from ≤ key < to */
	/* `broken`: longer than LIMIT_ETCD_KV_BYTES or no protobuf; as much is set as could be read. */
	void (*kv)(void *arg, const struct etcd_kv *kv, bool broken);
	/* Once, unless cancelled; the list is gone. `header` is that of the snapshot if GRPC_OK.
	 * GRPC_OUT_OF_RANGE = compacted away while we read: start again. */
	void (*done)(void *arg, const struct etcd_header *header, enum grpc_code code,
		     const char *problem);
	void *arg;
};

/* The client must be up. Never NULL; `done` is never called from within. */
struct etcd_list *etcd_list_start(struct etcd_client *c, const struct etcd_list_conf *conf);
/* Whose the list is, as far as it has come: from `kv` on. Borrowed. */
const struct etcd_header *etcd_list_header(const struct etcd_list *l);
/* Not from `kv`. NULL is fine. */
void etcd_list_cancel(struct etcd_list *l);

#endif
