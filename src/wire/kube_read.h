/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_KUBE_READ_H
#define WIRE_KUBE_READ_H
/* Bodies of the API server's responses, in pieces of any size, into Nodes, one at a time.
 *
 * We ask for application/vnd.kubernetes.protobuf. An object is the bytes "k8s\0" and a runtime.Unknown,
 * which says its kind and wraps it; a watch is frames of a 32-bit big-endian length and a
 * metav1.WatchEvent, which wraps such an object. Field numbers are those of generated.proto in
 * k8s.io/apimachinery (pkg/runtime, pkg/apis/meta/v1) and k8s.io/api (core/v1).
 *
 * Nothing grows with what comes: a list of 58 MB and a Node of 100 MB pass through this struct.
 *
 * Whatever is wrong within one object costs that object (KUBE_READ_BAD); whatever is wrong around it
 * ends the body (-EBADMSG) with a story that says what came instead.
 */

#include "base/err.h"
#include "model/kube.h"
#include "wire/kube_status.h"
#include "wire/pb_walk.h"

enum kube_read_mode {
	KUBE_READ_MODE_OBJECT,	/* of a GET, LIST or PATCH that succeeded */
	KUBE_READ_MODE_WATCH,	/* of a watch that succeeded */
	KUBE_READ_MODE_FAILURE, /* of any response with another HTTP status than 2xx */
};

/* What kube_read_next() found; in brackets, what is valid until the next call. */
enum kube_read_type {
	KUBE_READ_NODE = 1, /* [event, node] */
	KUBE_READ_BOOKMARK, /* [node.resource_version] */
	KUBE_READ_STATUS,   /* [status] an ERROR event, or a Status instead of an object */
	KUBE_READ_LIST_END, /* [list] all items were read */
	KUBE_READ_SERVER,   /* [server] of `GET /api`: where the API server is, by its own word */
	KUBE_READ_BAD,	    /* [node as far as it came] one object that is none; `err` says */
};

enum kube_event {
	KUBE_EVENT_LISTED, /* not from a watch: item of a list, or the one object */
	KUBE_EVENT_ADDED,
	KUBE_EVENT_MODIFIED,
	KUBE_EVENT_DELETED, /* the node as it was last */
	KUBE_EVENT__COUNT,
};

extern const char *const kube_event_names[KUBE_EVENT__COUNT]; /* "LISTED", else as in a watch */

#define KUBE_SERVER_SIZE       64   /* an IPv6 address in brackets and a port have 47 */
#define LIMIT_KUBE_TOKEN_BYTES 4095 /* of `continue`; real ones have some 300 */
#define LIMIT_KUBE_TEXT_BYTES  4096 /* of a failure's body that is looked at */
/* Of one watch event; etcd stores objects of 1.5 MiB. Less than any text is, white space included, when
 * read as a length: so text is told from frames. */
#define LIMIT_KUBE_FRAME_BYTES (128u << 20)

/* metav1.ListMeta. */
struct kube_list {
	char resource_version[KUBE_VERSION_SIZE];
	bool continue_cut; /* longer than the limit: of no use; list without `limit` */
	char continue_token[LIMIT_KUBE_TOKEN_BYTES + 1]; /* "" = this was the last page */
};

/* Texts as they come, before anybody knows whether they are wanted. */
struct kube_read_raw {
	char kind[32];
	char event[16];
	char key[320], value[KUBE_ANN_SIZE]; /* of an annotation; keys have 317 at most */
	bool value_cut;
	char cidr[KUBE_CIDR_SIZE];
	char condition_type[32];
	struct kube_condition condition;
	int64_t code, retry_after_s;
	char reason[64], message[300];
};

/* Made by kube_read_init(). What precedes `mode` is for the caller. */
struct kube_read {
	enum kube_event event;
	struct kube_node node;
	char pod_node
		[KUBE_NAME_SIZE]; /* spec.nodeName, where `node` is the metadata of a Pod; "" = none */
	char server[KUBE_SERVER_SIZE]; /* "10.0.0.1:6443", raw; "" = none, or longer */
	struct kube_status status;
	struct kube_list list;
	uint64_t n_unknown; /* events of types that we do not know, passed over */

	enum kube_read_mode mode;
	const char *prefix; /* of annotations, from kube_prefix_parse(); borrowed */
	size_t n_prefix;
	unsigned state;	  /* enum read_state */
	uint8_t begin[4]; /* of an object: its magic; of a frame: its length */
	size_t n_begin;
	uint64_t left; /* of a frame */
	struct pb_walk walk;
	uint8_t magic[4]; /* of an event's object */
	const struct pb_want
		*object; /* what is within the runtime.Unknown; NULL = nothing yet, or not ours */
	bool in_item;
	bool whole;	   /* the one object, or list, of this body has come */
	const char *wrong; /* a field that spoils the item or event */
	const char *wrong_how;
	struct kube_read_raw raw;
	uint8_t text[LIMIT_KUBE_TEXT_BYTES]; /* FAILURE: a body that is no protobuf */
	size_t n_text;
};

void kube_read_init(struct kube_read *r, enum kube_read_mode mode, const char *prefix);
/* The next thing in the body, of which `piece` is the next piece; it moves on. One of enum kube_read_type;
 * 0 = the piece is used up; -EBADMSG: this body is of no use (any more). FAILURE: always 0. */
int kube_read_next(struct kube_read *r, struct pb_bytes *piece, struct err *err);
/* The body is over. 0; -EBADMSG: too early (not for a watch between two frames: it ends so).
 * FAILURE: always KUBE_READ_STATUS, made of whatever came: a Status in protobuf or JSON, else the first
 * printable words. */
int kube_read_end(struct kube_read *r, struct err *err);

#endif
