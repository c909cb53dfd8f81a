/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kube_read.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "kube_bodies.h"
#include "kube_build.h"

#define BYTES(s) ((struct pb_bytes){(const uint8_t *)(s), sizeof(s) - 1})

static struct kube_read reader;

/* One line for each thing that was read. */
static void note(struct text *t, const struct kube_read *r, int got, const struct err *err)
{
	const struct kube_node *n = &r->node;

	switch ((enum kube_read_type)got) {
	case KUBE_READ_NODE:
		text_add(t, "%s %s %.8s rv %s t %lld%s cidr %s (%u: %s %s) anns %x cut %x %s%s%s\n",
			 kube_event_names[r->event], n->name, n->uid, n->resource_version,
			 (long long)n->created_s, n->metadata_only ? " meta" : "", n->pod_cidr,
			 n->n_pod_cidrs, n->pod_cidrs[0], n->pod_cidrs[1], n->anns.present,
			 n->anns.cut, n->network_unavailable.status, n->network_unavailable.reason,
			 n->network_unavailable.message);
		break;
	case KUBE_READ_BOOKMARK:
		text_add(t, "BOOKMARK %s\n", n->resource_version);
		break;
	case KUBE_READ_STATUS:
		text_add(t, "STATUS %lld %s retry %u: %s\n", (long long)r->status.code,
			 r->status.reason, r->status.retry_after_s, r->status.message);
		break;
	case KUBE_READ_LIST_END:
		text_add(t, "LIST %s%s%.20s\n", r->list.resource_version,
			 r->list.continue_token[0] ? " continue " : "", r->list.continue_token);
		break;
	case KUBE_READ_SERVER:
		text_add(t, "SERVER %s\n", r->server);
		break;
	case KUBE_READ_BAD:
		text_add(t, "BAD %s\n", err->text);
		break;
	}
}

/* All of a body, the first piece of `first` bytes, the others of `step`. */
static const char *read_body(enum kube_read_mode mode, struct pb_bytes body, size_t first,
			     size_t step)
{
	static char lines[8000];
	struct text t = TEXT(lines);
	struct err err = {""};
	size_t n = first;
	int r = 0;

	lines[0] = '\0';
	kube_read_init(&reader, mode, PREFIX);
	for (size_t at = 0; at < body.n && r >= 0; at += n, n = step) {
		struct pb_bytes piece = {body.p + at, MIN(n, body.n - at)};

		n = piece.n;
		while ((r = kube_read_next(&reader, &piece, &err)) > 0)
			note(&t, &reader, r, &err);
		if (r == 0)
			assert_int_equal(piece.n, 0);
	}
	if (r == 0)
		r = kube_read_end(&reader, &err);
	if (r > 0)
		note(&t, &reader, r, &err);
	if (r < 0)
		text_add(&t, "%s %s\n", r == -EBADMSG ? "broken:" : "?", err.text);
	assert_false(t.cut);
	return lines;
}

static const char *read_whole(enum kube_read_mode mode, struct pb_bytes body)
{
	return read_body(mode, body, body.n, body.n);
}

static void expect(const char *name, const char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		fail_msg("%s:\n%swanted\n%s", name, got, want);
}

#define NODE_1 " node-1 5ae32c9e rv 202 t 1795303727"
#define NODE_2 " node-2 ed37a2d4 rv "
#define CIDRS  " cidr 10.244.1.0/24 (2: 10.244.1.0/24 fd00:244:1::/64)"
#define IS_UP  " FalseFlannelIsUpFlannel is running on this node\n"
#define META   " meta cidr  (0:  )"
#define FORBIDDEN                                                              \
 "STATUS 403 Forbidden retry 0: nodes is forbidden: User \\x22low\\x22 cannot" \
 " list resource \\x22nodes\\x22 in API group \\x22\\x22 at the cluster scope\n"

static const struct {
	const char *name;
	enum kube_read_mode mode;
	struct pb_bytes body;
	const char *want;
} bodies[] = {
	{"node", KUBE_READ_MODE_OBJECT, BYTES(body_node),
	 "LISTED" NODE_1 CIDRS " anns 3f cut 0" IS_UP},
	{"list_page", KUBE_READ_MODE_OBJECT, BYTES(body_list_page),
	 "LISTED" NODE_1 CIDRS " anns 3f cut 0" IS_UP "LIST 204 continue eyJ2IjoibWV0YS5rOHMu\n"},
	{"list_partial", KUBE_READ_MODE_OBJECT, BYTES(body_list_partial),
	 "LISTED" NODE_1 META " anns 3f cut 0 \nLISTED" NODE_2 "204 t 1795303727" META
	 " anns 0 cut 0 \nLIST 204\n"},
	{"watch_partial", KUBE_READ_MODE_WATCH, BYTES(body_watch_partial),
	 "ADDED" NODE_1 META " anns 3f cut 0 \nADDED" NODE_2 "204 t 1795303727" META
	 " anns 0 cut 0 \nBOOKMARK 204\nMODIFIED" NODE_2 "205 t 1795303727" META
	 " anns 0 cut 0 \nDELETED" NODE_2 "206 t 1795303727" META " anns 0 cut 0 \nBOOKMARK 206\n"},
	{"forbidden", KUBE_READ_MODE_FAILURE, BYTES(body_forbidden), FORBIDDEN},
	{"forbidden where a list should be", KUBE_READ_MODE_OBJECT, BYTES(body_forbidden),
	 FORBIDDEN},
};

static void reads_what_an_api_server_sends(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		expect(bodies[i].name, read_whole(bodies[i].mode, bodies[i].body), bodies[i].want);
	read_whole(KUBE_READ_MODE_OBJECT, BYTES(body_node));
	assert_string_equal(kube_anns_get(&reader.node.anns, KUBE_ANN_BACKEND_V6_DATA),
			    "{\"VNI\":1,\"VtepMAC\":\"c6:d2:32:6f:8f:45\"}");
	assert_string_equal(reader.node.uid, "5ae32c9e-d6fb-47fc-82ce-38525379275e");
}

static void reads_the_same_however_cut(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		const struct pb_bytes b = bodies[i].body;

		for (size_t first = 1; first < b.n; first++)
			expect(bodies[i].name, read_body(bodies[i].mode, b, first, b.n),
			       bodies[i].want);
		for (size_t step = 1; step <= 64; step++)
			expect(bodies[i].name, read_body(bodies[i].mode, b, step, step),
			       bodies[i].want);
	}
}

/* Where a body may end: behind the object (four bytes of runtime.Unknown follow it), between frames. */
static bool may_end(enum kube_read_mode mode, struct pb_bytes b, size_t n)
{
	size_t frame = 0;

	if (mode != KUBE_READ_MODE_WATCH)
		return n >= b.n - 4;
	while (frame < n)
		frame += 4 + ((size_t)b.p[frame] << 24 | (size_t)b.p[frame + 1] << 16 |
			      (size_t)b.p[frame + 2] << 8 | b.p[frame + 3]);
	return frame == n;
}

static void every_truncation_is_told(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct pb_bytes b = bodies[i].body;

		if (bodies[i].mode == KUBE_READ_MODE_FAILURE)
			continue;
		for (size_t n = 0; n < bodies[i].body.n; n++) {
			const char *got;

			b.n = n;
			got = read_whole(bodies[i].mode, b);
			if (may_end(bodies[i].mode, bodies[i].body, n) ==
			    (strstr(got, "broken:") != NULL))
				fail_msg("%s, %zu bytes of it:\n%s", bodies[i].name, n, got);
		}
	}
}

/* ---- bodies of our own ---- */

#define OK(event, name, rest) event " " name " u rv 7 t 0 cidr " rest "\n"
#define PLAIN		      " (0:  ) anns 0 cut 0 "

static void items_without_a_name_cost_themselves(void **state _unused_)
{
	char name[300];
	size_t list;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	body_begin();
	list = wrap_begin("NodeList");
	put_item("a", "u");
	put_item(NULL, "u\n");
	put_item("b\x1b", NULL);
	put_item("", "");
	pb_end(&o, pb_begin(&o, 2)); /* not even metadata */
	name[254] = '\0';
	put_item(name, "u");
	name[70] = '\0';
	put_item("c", name);
	put_item("d", "u");
	pb_end(&o, list);
	name[253] = 'n';
	name[254] = '\0';
	expect("items", read_whole(KUBE_READ_MODE_OBJECT, body_end()),
	       OK("LISTED", "a",
		  PLAIN) "BAD Node of uid \"u\\x0a\": metadata.name is missing\n"
			 "BAD Node \"b\\x1b\": metadata.uid is missing\n"
			 "BAD a Node without name: metadata.name is missing\n"
			 "BAD a Node without name: metadata.name is missing\n"
			 "BAD Node \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
			 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
			 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
			 "nnnnnnnnnnnnnnnnnnnnnnnnnnn\": metadata.name is too long\n"
			 "BAD Node \"c\": metadata.uid is too long\n" OK("LISTED", "d",
									 PLAIN) "LIST \n");
}

static void the_reason_survives_any_name(void **state _unused_)
{
	char name[KUBE_NAME_SIZE];

	memset(name, '\n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	body_begin();
	frame_begin("ADDED", "Node");
	put_meta(name, NULL);
	frame_end();
	assert_non_null(strstr(read_whole(KUBE_READ_MODE_WATCH, body_end()),
			       "\": metadata.uid is missing\n"));
}

/* Each puts one thing into an otherwise good Node; the next Node is good. */
static const struct {
	const char *bytes; /* of metadata, or of spec, or of status, or of Node */
	size_t n;
	uint32_t number; /* of what they are in; 0 = Node itself */
	const char *want;
} spoils[] = {

#define SPOIL(number, bytes, want)                                           \
 {                                                                           \
  bytes, sizeof(bytes) - 1, number,                                          \
	  "Node \"a\": " want " is not of the type that Kubernetes gives it" \
 }
	SPOIL(1, "\x60\x01", "metadata.annotations"),		       /* a number */
	SPOIL(1, "\x62\x02\x08\x01", "metadata.annotations"),	       /* its key */
	SPOIL(1, "\x62\x05\x0a\x01k\x10\x01", "metadata.annotations"), /* its value */
	SPOIL(1, "\x65\x01\x02\x03\x04", "metadata.annotations"),      /* 32 bits */
	SPOIL(1, "\x42\x02\x0a\x00", "metadata.creationTimestamp"),
	SPOIL(1, "\x40\x01", "metadata.creationTimestamp"),
	SPOIL(1, "\x08\x01", "metadata.name"),
	SPOIL(1, "\x28\x01", "metadata.uid"),
	SPOIL(1, "\x30\x01", "metadata.resourceVersion"),
	SPOIL(2, "\x08\x01", "spec.podCIDR"),
	SPOIL(2, "\x38\x01", "spec.podCIDRs"),
	SPOIL(3, "\x20\x01", "status.conditions"),
	SPOIL(3, "\x22\x02\x08\x01", "status.conditions"),
	SPOIL(0, "\x08\x01", "metadata"),
	SPOIL(0, "\x10\x01", "spec"),
	SPOIL(0, "\x18\x01", "status"),
};

static void fields_of_a_wrong_type_cost_their_object(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		char want[300];
		size_t list, item, at;

		body_begin();
		list = wrap_begin("NodeList");
		item = pb_begin(&o, 2);
		put_meta("a", "u");
		at = spoils[i].number ? pb_begin(&o, spoils[i].number) : 0;
		put_raw(spoils[i].bytes, spoils[i].n);
		if (at)
			pb_end(&o, at);
		pb_end(&o, item);
		put_item("b", "u");
		pb_end(&o, list);
		snprintf(want, sizeof(want), "BAD %s\n" OK("LISTED", "b", PLAIN) "LIST \n",
			 spoils[i].want);
		expect(spoils[i].want, read_whole(KUBE_READ_MODE_OBJECT, body_end()), want);
	}
}

static void values_that_do_not_fit_are_never_used(void **state _unused_)
{
	char longest[KUBE_ANN_SIZE + 1], key[600] = PREFIX;
	size_t at, meta, spec;

	memset(longest, 'v', KUBE_ANN_SIZE);
	longest[KUBE_ANN_SIZE] = '\0';
	memset(key + strlen(PREFIX), 'k', 400);
	body_begin();
	at = wrap_begin("Node");
	meta = meta_begin("a", "u");
	put_annotation(PREFIX "backend-data", longest);
	put_annotation(PREFIX "public-ip", longest + 1);
	put_annotation(key, "x");
	put_annotation(PREFIX "public-ipx", "x");
	put_annotation("x" PREFIX "backend-type", "x");
	put_annotation(PREFIX "kube-subnet-manager", "");
	pb_end(&o, meta);
	spec = pb_begin(&o, 2);
	pb_put_text(&o, 7, "10.1.1.0/24");
	pb_put_text(&o, 7, longest);
	pb_put_text(&o, 7, "10.1.3.0/24");
	pb_end(&o, spec);
	pb_end(&o, at);
	read_whole(KUBE_READ_MODE_OBJECT, body_end());
	assert_int_equal(reader.node.anns.present, KUBE_ANN_BIT(KUBE_ANN_BACKEND_DATA) |
							   KUBE_ANN_BIT(KUBE_ANN_PUBLIC_IP) |
							   KUBE_ANN_BIT(KUBE_ANN_SUBNET_MANAGER));
	assert_int_equal(reader.node.anns.cut, KUBE_ANN_BIT(KUBE_ANN_BACKEND_DATA));
	assert_null(kube_anns_get(&reader.node.anns, KUBE_ANN_BACKEND_DATA));
	assert_string_equal(kube_anns_get(&reader.node.anns, KUBE_ANN_PUBLIC_IP), longest + 1);
	assert_string_equal(kube_anns_get(&reader.node.anns, KUBE_ANN_SUBNET_MANAGER), "");
	assert_int_equal(reader.node.n_pod_cidrs, 3);
	assert_string_equal(reader.node.pod_cidrs[0], "10.1.1.0/24");
	assert_int_equal(strlen(reader.node.pod_cidrs[1]), KUBE_CIDR_SIZE - 1);
}

/* A map's entry without a key, without a value, value first: protobuf allows all of them. */
static void entries_come_in_any_order(void **state _unused_)
{
	size_t at, meta, entry;

	body_begin();
	at = wrap_begin("Node");
	meta = meta_begin("a", "u");
	put_annotation(PREFIX "public-ip", "first");
	entry = pb_begin(&o, 12);
	pb_put_text(&o, 2, "1.2.3.4");
	pb_put_text(&o, 1, PREFIX "public-ip");
	pb_end(&o, entry);
	entry = pb_begin(&o, 12);
	pb_put_text(&o, 1, PREFIX "backend-type");
	pb_end(&o, entry);
	entry = pb_begin(&o, 12);
	pb_put_text(&o, 2, "nobody's");
	pb_end(&o, entry);
	pb_end(&o, meta);
	pb_end(&o, at);
	read_whole(KUBE_READ_MODE_OBJECT, body_end());
	assert_string_equal(kube_anns_get(&reader.node.anns, KUBE_ANN_PUBLIC_IP), "1.2.3.4");
	assert_string_equal(kube_anns_get(&reader.node.anns, KUBE_ANN_BACKEND_TYPE), "");
}

/* Of our own Pod only the Node counts that it runs on. */
static void a_pod_says_where_it_runs(void **state _unused_)
{
	size_t at, spec;

	body_begin();
	at = wrap_begin("Pod");
	put_meta("loden-x", "u");
	spec = pb_begin(&o, 2);
	pb_put_text(&o, 9, "flannel");
	pb_put_text(&o, 10, "node-1");
	pb_end(&o, spec);
	pb_end(&o, at);
	read_whole(KUBE_READ_MODE_OBJECT, body_end());
	assert_string_equal(reader.node.name, "loden-x");
	assert_string_equal(reader.pod_node, "node-1");
	assert_true(reader.node.metadata_only);
}

/* GET /api: nothing of it is a Node, and of an address that does not fit nothing is left to take for another. */
static void an_api_server_says_where_it_is(void **state _unused_)
{
	static const char *const servers[] = {
		"10.0.0.1:6443", "[fd00::1]:6443", "",
		"a-name-that-is-longer-than-any-address-with-a-port-could-ever-be.example:443"};
	size_t at, server;

	body_begin();
	at = wrap_begin("APIVersions");
	pb_put_text(&o, 1, "v1");
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		server = pb_begin(&o, 2);
		pb_put_text(&o, 1, "0.0.0.0/0");
		pb_put_text(&o, 2, servers[i]);
		pb_end(&o, server);
	}
	pb_end(&o, pb_begin(&o, 2));
	pb_end(&o, at);
	expect("servers", read_body(KUBE_READ_MODE_OBJECT, body_end(), 5, 9),
	       "SERVER 10.0.0.1:6443\nSERVER [fd00::1]:6443\nSERVER \nSERVER \nSERVER \nLIST \n");
	body_begin();
	at = wrap_begin("APIVersions");
	pb_put_int(&o, 2, 7);
	pb_end(&o, at);
	expect("no server", read_whole(KUBE_READ_MODE_OBJECT, body_end()),
	       "broken: serverAddressByClientCIDRs is not of the type that Kubernetes gives it\n");
}

static void many_annotations_take_no_more_room(void **state _unused_)
{
	char key[64];
	size_t at, meta;

	body_begin();
	at = wrap_begin("Node");
	meta = meta_begin("a", "u");
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(key, sizeof(key), PREFIX "%u", i);
		put_annotation(key, "some value");
	}
	put_annotation(PREFIX "backend-type", "vxlan");
	pb_end(&o, meta);
	pb_end(&o, at);
	expect("50,000", read_body(KUBE_READ_MODE_OBJECT, body_end(), 1000, 16384),
	       OK("LISTED", "a", " (0:  ) anns 2 cut 0 "));
}

/* ---- watches ---- */

static void put_status(int64_t code, const char *reason, const char *message)
{
	pb_put_text(&o, 2, "Failure");
	pb_put_text(&o, 3, message);
	pb_put_text(&o, 4, reason);
	pb_put_int(&o, 6, code);
}

static void put_good(const char *name)
{
	frame_begin("MODIFIED", "Node");
	put_meta(name, "u");
	frame_end();
}

static void events_that_are_none_cost_themselves(void **state _unused_)
{
	body_begin();
	frame_begin("ADDED", "Pod");
	put_meta("p", "u");
	frame_end();
	frame_begin("ADDED", "NodeList");
	put_item("p", "u");
	frame_end();
	frame_begin("FUTURE", "Node");
	put_meta("p", "u");
	frame_end();
	frame_begin("BOOKMARK", "Node");
	frame_end();
	frame_begin("BOOKMARK", "Status");
	frame_end();
	frame_begin("ERROR", "Node");
	put_meta("p", "u");
	frame_end();
	frame_begin("DELETED", "Node");
	put_meta("p", NULL);
	frame_end();
	/* No object at all; one that is JSON; one too short; a type that is a number. */
	frame_begin("ADDED", "Node");
	o.n = event_object_at - 1;
	frame_length();
	frame_at = o.n;
	put_raw("\0\0\0\x12\x0a\x05"
		"ADDED\x12\x09\x0a\x07{\"a\":1}",
		22);
	frame_at = o.n;
	put_raw("\0\0\0\x0d\x0a\x05"
		"ADDED\x12\x04\x0a\x02k8",
		17);
	frame_at = o.n;
	put_raw("\0\0\0\x02\x08\x01", 6);
	put_raw("\0\0\0", 4); /* empty */
	put_good("b");
	expect("events", read_whole(KUBE_READ_MODE_WATCH, body_end()),
	       "BAD a watch event of type ADDED with an object of kind \"Pod\"\n"
	       "BAD a watch event of type ADDED with an object of kind \"NodeList\"\n"
	       "BAD a watch event of type BOOKMARK with an object of kind \"Node\"\n"
	       "BAD a watch event of type BOOKMARK with an object of kind \"Status\"\n"
	       "BAD a watch event of type ERROR with an object of kind \"Node\"\n"
	       "BAD Node \"p\": metadata.uid is missing\n"
	       "BAD a watch event of type ADDED with an object of kind \"\"\n"
	       "BAD a Node without name: the event's object is no protobuf\n"
	       "BAD a Node without name: the event's object is not of the type that Kubernetes "
	       "gives it\n" OK("MODIFIED", "b", PLAIN));
	assert_int_equal(reader.n_unknown, 3);
}

static void error_events_say_why(void **state _unused_)
{
	size_t details;

	body_begin();
	frame_begin("ERROR", "Status");
	put_status(410, "Expired", "too old resource version: 1 (4711)");
	frame_end();
	frame_begin("ERROR", "Status");
	put_status(500, "InternalError\x1b", "etcdserver:\n\"no\"");
	details = pb_begin(&o, 5);
	pb_put_int(&o, 5, 7);
	pb_end(&o, details);
	frame_end();
	frame_begin("ERROR", "Status");
	details = pb_begin(&o, 5);
	pb_put_int(&o, 5, -7);
	pb_end(&o, details);
	frame_end();
	frame_begin("ERROR", "Status");
	details = pb_begin(&o, 5);
	pb_put_int(&o, 5, INT64_MAX);
	pb_end(&o, details);
	frame_end();
	expect("errors", read_whole(KUBE_READ_MODE_WATCH, body_end()),
	       "STATUS 410 Expired retry 0: too old resource version: 1 (4711)\n"
	       "STATUS 500 InternalError\\x1b retry 7: etcdserver:\\x0a\\x22no\\x22\n"
	       "STATUS 0  retry 0: \nSTATUS 0  retry 4294967295: \n");
}

/* Lengths that lie cost their event: the frame says where the next one is. */
static void lies_within_an_event_cost_the_event(void **state _unused_)
{
	size_t meta;

	for (unsigned lie = 0; lie < 5; lie++) {
		body_begin();
		put_good("a");
		frame_begin("MODIFIED", "Node");
		meta = meta_begin("x", "u");
		if (lie == 0)
			put_raw("\x62\x7f", 2); /* an annotation, longer than the rest */
		if (lie == 1)
			put_raw("\x62\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
		if (lie == 2)
			put_raw("\x63", 1); /* a group */
		if (lie == 3)
			put_raw("\x62", 1); /* a tag that ends its message */
		if (lie == 4)
			put_raw("\x00\x01", 2); /* field 0 */
		pb_end(&o, meta);
		frame_end();
		put_good("b");
		for (size_t step = 1; step < 90; step++)
			expect("lie", read_body(KUBE_READ_MODE_WATCH, body_end(), step, step),
			       OK("MODIFIED", "a",
				  PLAIN) "BAD Node \"x\": the event is no protobuf: a length is longer than "
					 "what it is in, or a wire type is none\n" OK("MODIFIED",
										      "b", PLAIN));
	}
}

static void lies_within_a_list_end_it(void **state _unused_)
{
	size_t list, item, meta;

	body_begin();
	list = wrap_begin("NodeList");
	put_item("a", "u");
	item = pb_begin(&o, 2);
	meta = meta_begin("x", "u");
	put_raw("\x62\x7f", 2);
	pb_end(&o, meta);
	pb_end(&o, item);
	put_item("b", "u");
	pb_end(&o, list);
	expect("lie", read_whole(KUBE_READ_MODE_OBJECT, body_end()),
	       OK("LISTED", "a",
		  PLAIN) "broken: Node \"x\": it is no protobuf: a length is longer than what it is in, or a "
			 "wire type is none\n");
	expect("lie", read_whole(KUBE_READ_MODE_OBJECT, BYTES("k8s\0\x0a\x02\x0a\x7f")),
	       "broken: the answer is no protobuf: a length is longer than what it is in, or a "
	       "wire type is none\n");
}

/* ---- what is no Node, and no protobuf ---- */

static void lists_that_cannot_be_used_are_refused(void **state _unused_)
{
	static char longest[LIMIT_KUBE_TOKEN_BYTES + 2];
	size_t list, meta;

	memset(longest, 'c', sizeof(longest) - 1);
	for (unsigned i = 0; i < 3; i++) {
		body_begin();
		list = wrap_begin("NodeList");
		meta = pb_begin(&o, 1);
		if (i == 0)
			pb_put_text(&o, 2, longest);
		if (i == 1)
			pb_put_int(&o, 2, 1);
		if (i == 2)
			pb_put_text(&o, 3, longest);
		pb_end(&o, meta);
		pb_end(&o, list);
		expect("list", read_whole(KUBE_READ_MODE_OBJECT, body_end()),
		       i == 0	? "broken: the list's resourceVersion is too long\n"
		       : i == 1 ? "broken: the list's resourceVersion is not of the type that "
				  "Kubernetes gives it\n"
				: "LIST  continue cccccccccccccccccccc\n");
	}
	assert_true(reader.list.continue_cut);
	body_begin();
	pb_end(&o, wrap_begin("Job"));
	expect("kind", read_whole(KUBE_READ_MODE_OBJECT, body_end()),
	       "broken: an object of kind \"Job\" came instead of a Node\n");
	body_begin();
	expect("type", read_whole(KUBE_READ_MODE_OBJECT, BYTES("k8s\0\x0a\x02\x10\x01")),
	       "broken: the object's type is not of the type that Kubernetes gives it\n");
	body_begin();
	pb_end(&o, wrap_begin("NodeList"));
	expect("empty list", read_whole(KUBE_READ_MODE_OBJECT, body_end()), "LIST \n");
}

#define GZIP "\x1f\x8b\x08\x00\x00\x00\x00\x00"

static const struct {
	enum kube_read_mode mode;
	struct pb_bytes body;
	const char *want;
} aliens[] = {
	{KUBE_READ_MODE_OBJECT, BYTES("<html><body>hi\n"),
	 "broken: the answer is HTML, not protobuf: \"<html><body>hi\\x0a\"\n"},
	{KUBE_READ_MODE_WATCH, BYTES("\t\t\t\t<p>"),
	 "broken: the answer is HTML, not protobuf: \"\\x09\\x09\\x09\\x09<p>\"\n"},
	{KUBE_READ_MODE_WATCH, BYTES("<!DOCTYPE html>"),
	 "broken: the answer is HTML, not protobuf: \"<!DOCTYPE html>\"\n"},
	{KUBE_READ_MODE_WATCH, BYTES("{\"type\":\"ADDED\"}"),
	 "broken: the answer is JSON, not protobuf: \"{\\x22type\\x22:\\x22ADDED\\x22}\"\n"},
	{KUBE_READ_MODE_OBJECT, BYTES("{\"kind\":\"NodeList\"}"),
	 "broken: the answer is JSON, not protobuf: \"{\\x22kind\\x22:\\x22NodeList\\x22}\"\n"},
	{KUBE_READ_MODE_WATCH, BYTES(GZIP),
	 "broken: the answer is gzip, which nobody asked for, not protobuf\n"},
	{KUBE_READ_MODE_OBJECT, BYTES("k8s\x01"),
	 "broken: the answer is something unknown, not protobuf: \"k8s\\x01\"\n"},
	{KUBE_READ_MODE_OBJECT, BYTES(""), "broken: the answer is empty\n"},
	{KUBE_READ_MODE_OBJECT, BYTES("k8s\0"), "broken: the answer ended too early\n"},
	{KUBE_READ_MODE_WATCH, BYTES(""), ""},
	{KUBE_READ_MODE_FAILURE, BYTES(""), "STATUS 0  retry 0: \n"},
	{KUBE_READ_MODE_FAILURE, BYTES("no"), "STATUS 0  retry 0: no\n"},
	{KUBE_READ_MODE_FAILURE, BYTES("Too many requests, please try again later.\n"),
	 "STATUS 0  retry 0: Too many requests, please try again later.\n"},
	{KUBE_READ_MODE_FAILURE,
	 BYTES("<html>\r\n<head><title>503 Bad</title></head>\r\n<b>nginx</b>"),
	 "STATUS 0  retry 0: 503 Bad nginx\n"},
	{KUBE_READ_MODE_FAILURE, BYTES(GZIP),
	 "STATUS 0  retry 0: a gzip body that nobody asked for\n"},
	{KUBE_READ_MODE_FAILURE,
	 BYTES("{\"kind\":\"Status\",\"message\":\"no\\n\",\"reason\":\"Gone\",\"code\":410,"
	       "\"details\":{\"retryAfterSeconds\":9}}"),
	 "STATUS 410 Gone retry 9: no\\x0a\n"},
	{KUBE_READ_MODE_FAILURE, BYTES("{\"message\":7}"),
	 "STATUS 0  retry 0: {\\x22message\\x22:7}\n"},
	{KUBE_READ_MODE_FAILURE, BYTES("k8s\0\x0a\x7f"),
	 "STATUS 0  retry 0: an answer in protobuf that is no whole Status\n"},
	{KUBE_READ_MODE_FAILURE, BYTES("k8s\0\x0b\x7f"),
	 "STATUS 0  retry 0: an answer in protobuf that is no whole Status\n"},
	{KUBE_READ_MODE_FAILURE, BYTES(body_node),
	 "STATUS 0  retry 0: an answer in protobuf that is no whole Status\n"},
};

static void says_what_came_instead(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliens); i++)
		expect("alien", read_whole(aliens[i].mode, aliens[i].body), aliens[i].want);
}

static void what_was_given_up_stays_given_up(void **state _unused_)
{
	struct pb_bytes piece = BYTES("<html>"), more = BYTES("k8s\0");
	struct err err;

	kube_read_init(&reader, KUBE_READ_MODE_OBJECT, PREFIX);
	assert_int_equal(kube_read_next(&reader, &piece, &err), -EBADMSG);
	assert_int_equal(kube_read_next(&reader, &more, &err), -EBADMSG);
	assert_int_equal(kube_read_end(&reader, &err), -EBADMSG);
}

/* More of a failure's body than is looked at. */
static void long_failures_are_cut(void **state _unused_)
{
	memset(room, 'x', 3 * LIMIT_KUBE_TEXT_BYTES);
	read_whole(KUBE_READ_MODE_FAILURE, (struct pb_bytes){room, 3 * LIMIT_KUBE_TEXT_BYTES});
	assert_int_equal(strlen(reader.status.message), sizeof(reader.status.message) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_an_api_server_sends),
		cmocka_unit_test(reads_the_same_however_cut),
		cmocka_unit_test(every_truncation_is_told),
		cmocka_unit_test(items_without_a_name_cost_themselves),
		cmocka_unit_test(the_reason_survives_any_name),
		cmocka_unit_test(fields_of_a_wrong_type_cost_their_object),
		cmocka_unit_test(values_that_do_not_fit_are_never_used),
		cmocka_unit_test(entries_come_in_any_order),
		cmocka_unit_test(a_pod_says_where_it_runs),
		cmocka_unit_test(an_api_server_says_where_it_is),
		cmocka_unit_test(many_annotations_take_no_more_room),
		cmocka_unit_test(events_that_are_none_cost_themselves),
		cmocka_unit_test(error_events_say_why),
		cmocka_unit_test(lies_within_an_event_cost_the_event),
		cmocka_unit_test(lies_within_a_list_end_it),
		cmocka_unit_test(lists_that_cannot_be_used_are_refused),
		cmocka_unit_test(says_what_came_instead),
		cmocka_unit_test(what_was_given_up_stays_given_up),
		cmocka_unit_test(long_failures_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
