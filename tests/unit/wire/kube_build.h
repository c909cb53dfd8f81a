/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_WIRE_KUBE_BUILD_H
#define TESTS_UNIT_WIRE_KUBE_BUILD_H
/* Bodies as an API server could send them, built field by field: for those that none sends. A test includes this
 * once, behind cmocka.h; there is one body at a time.
 *
 *	body_begin(); at = wrap_begin("Node"); put_meta("a", "uid"); pb_end(&o, at); … body_end()
 *	body_begin(); frame_begin("ADDED", "Node"); put_meta("a", "uid"); frame_end(); … body_end()
 */

#include <stdio.h>
#include <string.h>

#include "wire/pb.h"

#define PREFIX "flannel.alpha.coreos.com/"

static uint8_t room[4 << 20];
static struct pb_out o;

static inline void body_begin(void)
{
	o = PB_OUT(room);
}

static inline struct pb_bytes body_end(void)
{
	assert_false(o.cut);
	return (struct pb_bytes){room, o.n};
}

static inline void put_raw(const char *bytes, size_t n)
{
	assert_true(n <= sizeof(room) - o.n);
	memcpy(room + o.n, bytes, n);
	o.n += n;
}

/* "k8s\0" and a runtime.Unknown that wraps what is put until pb_end(). */
static inline size_t wrap_begin(const char *kind)
{
	size_t type;

	put_raw("k8s", 4);
	type = pb_begin(&o, 1);
	pb_put_text(&o, 1, "v1");
	pb_put_text(&o, 2, kind);
	pb_end(&o, type);
	return pb_begin(&o, 2);
}

static size_t frame_at;

/* A frame with the object `kind` that is put until frame_end(). */
static size_t object_at, raw_at, event_object_at;

static inline void frame_begin(const char *type, const char *kind)
{
	frame_at = o.n;
	put_raw("\0\0\0", 4);
	pb_put_text(&o, 1, type);
	event_object_at = pb_begin(&o, 2);
	raw_at = pb_begin(&o, 1);
	object_at = wrap_begin(kind);
}

static inline void frame_length(void)
{
	const size_t n = o.n - frame_at - 4;

	room[frame_at + 1] = (uint8_t)(n >> 16);
	room[frame_at + 2] = (uint8_t)(n >> 8);
	room[frame_at + 3] = (uint8_t)n;
}

static inline void frame_end(void)
{
	pb_end(&o, object_at);
	pb_end(&o, raw_at);
	pb_end(&o, event_object_at);
	frame_length();
}

static inline void put_annotation(const char *key, const char *value)
{
	const size_t at = pb_begin(&o, 12);

	pb_put_text(&o, 1, key);
	pb_put_text(&o, 2, value);
	pb_end(&o, at);
}

static inline size_t meta_begin(const char *name, const char *uid)
{
	const size_t at = pb_begin(&o, 1);

	if (name)
		pb_put_text(&o, 1, name);
	if (uid)
		pb_put_text(&o, 5, uid);
	pb_put_text(&o, 6, "7");
	return at;
}

static inline void put_meta(const char *name, const char *uid)
{
	pb_end(&o, meta_begin(name, uid));
}

static inline void put_item(const char *name, const char *uid)
{
	const size_t at = pb_begin(&o, 2);

	put_meta(name, uid);
	pb_end(&o, at);
}

/* ---- Nodes of flannel's ---- */

static inline void put_version(unsigned version)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", version);
	pb_put_text(&o, 6, text);
}

/* The fields of a Node as flannel leaves it; cidr NULL = its metadata alone. */
static inline void put_node(const char *name, const char *cidr, unsigned version)
{
	size_t at = meta_begin(name, name);

	put_version(version);
	put_annotation(PREFIX "kube-subnet-manager", "true");
	put_annotation(PREFIX "backend-type", "vxlan");
	put_annotation(PREFIX "backend-data", "{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:00:01\"}");
	put_annotation(PREFIX "public-ip", "192.168.0.1");
	pb_end(&o, at);
	if (!cidr)
		return;
	at = pb_begin(&o, 2);
	pb_put_text(&o, 7, cidr);
	pb_end(&o, at);
}

static inline size_t list_begin(const char *kind, unsigned version)
{
	char text[12];
	size_t at, list;

	body_begin();
	list = wrap_begin(kind);
	at = pb_begin(&o, 1);
	snprintf(text, sizeof(text), "%u", version);
	pb_put_text(&o, 2, text);
	pb_end(&o, at);
	return list;
}

static inline void put_item_node(const char *name, const char *cidr, unsigned version)
{
	size_t at = pb_begin(&o, 2);

	put_node(name, cidr, version);
	pb_end(&o, at);
}

/* One Node, or "" = none. */
static inline struct pb_bytes list_of(const char *name, const char *cidr, unsigned version)
{
	size_t list = list_begin("NodeList", version);

	if (name[0])
		put_item_node(name, cidr, version);
	pb_end(&o, list);
	return body_end();
}

static inline struct pb_bytes node_of(const char *name, const char *cidr, unsigned version)
{
	size_t at;

	body_begin();
	at = wrap_begin("Node");
	put_node(name, cidr, version);
	pb_end(&o, at);
	return body_end();
}

static inline struct pb_bytes event_of(const char *type, const char *name, unsigned version)
{
	body_begin();
	frame_begin(type, "PartialObjectMetadata");
	put_node(name, NULL, version);
	frame_end();
	return body_end();
}

static inline struct pb_bytes error_of(int64_t code, const char *reason, const char *message)
{
	body_begin();
	frame_begin("ERROR", "Status");
	pb_put_text(&o, 3, message);
	pb_put_text(&o, 4, reason);
	pb_put_int(&o, 6, code);
	frame_end();
	return body_end();
}

#endif
