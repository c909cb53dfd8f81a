/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that are none, in whatever way, and big ones: docs/kube-input.md. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "kube_scene.h"

/* ---- objects that are none ---- */

#define DATA "{\"VNI\":1,\"VtepMAC\":\"02:00:00:00:00:01\"}"

/* A Node c, good but for what is said here; NULL = as it should be, "-" = absent. */
static const struct {
	const char *metadata, *more; /* raw: metadata, and what else is in the Node */
	size_t n_metadata, n_more;
	const char *manager, *type, *data, *ip, *cidrs[3];
	const char *want;
} objects[] = {
	{.manager = "-",
	 .more = "\x08\x01",
	 .n_more = 2,
	 .want = "a Node without name: metadata is not of the type"},
	{.manager = "-", .want = "a Node without name: metadata.name is missing"},
	{.metadata = "\x0a\x01"
		     "c",
	 .n_metadata = 3,
	 .want = "Node \"c\": metadata.uid is missing"},
	{.metadata = "\x2a\x01"
		     "u",
	 .n_metadata = 3,
	 .want = "Node of uid \"u\": metadata.name is missing"},
	{.metadata = "\x0a\x01"
		     "c\x2a\x01"
		     "c\x60\x01",
	 .n_metadata = 8,
	 .want = "Node \"c\": metadata.annotations is not of the type that Kubernetes gives it"},
	{.metadata = "\x0a\x01"
		     "c\x2a\x01"
		     "c\x62\x05\x0a\x01k\x10\x01",
	 .n_metadata = 13,
	 .want = "Node \"c\": metadata.annotations is not of the type that Kubernetes gives it"},
	{.metadata = "\x0a\x01"
		     "c\x2a\x01"
		     "c\x40\x01",
	 .n_metadata = 8,
	 .want = "Node \"c\": metadata.creationTimestamp is not of the type"},
	{.more = "\x12\x02\x38\x01",
	 .n_more = 4,
	 .want = "Node \"c\": spec.podCIDRs is not of the type"},
	{.cidrs = {"10.244.3.0"},
	 .want = "node \"c\": podCIDRs: no network of the form 10.244.1.0/24: \"10.244.3.0\""},
	{.cidrs = {"10.244.3.0/33"}, .want = "node \"c\": podCIDRs: no network"},
	{.cidrs = {"::/0"}, .want = "node \"c\": podCIDRs: no network"},
	{.cidrs = {"\x1b\n"},
	 .want = "podCIDRs: no network of the form 10.244.1.0/24: \"\\x1b\\x0a\""},
	{.cidrs = {"10.244.3.0/24", "10.244.4.0/24"},
	 .want = "node \"c\": podCIDRs: two networks of one family"},
	{.cidrs = {"10.244.3.0/24", "fd00::/64", "10.244.4.0/24"},
	 .want = "node \"c\": podCIDRs: more than one network of each family"},
	{.cidrs = {"-"}, .want = "node \"c\": podCIDR: not assigned"},
	{.data = "7", .want = "node \"c\": backend-data: VtepMAC is no MAC address: \"7\""},
	{.data = "[]", .want = "node \"c\": backend-data: VtepMAC is no MAC address"},
	{.data = "{", .want = "node \"c\": backend-data: no JSON: \"{\""},
	{.data = "{\"VtepMAC\":[1]}",
	 .want = "node \"c\": backend-data: VtepMAC is no MAC address"},
	{.data = "-", .want = "node \"c\": backend-data: the annotation is missing"},
	{.ip = "192.168.0", .want = "node \"c\": public-ip: no IPv4 address: \"192.168.0\""},
	{.ip = "fd00::1", .want = "node \"c\": public-ip: no IPv4 address"},
	{.ip = "-", .want = "node \"c\": public-ip: the annotation is missing"},
};

static void put_unless(const char *key, const char *value, const char *good)
{
	if (!value)
		value = good;
	if (strcmp(value, "-") != 0)
		put_annotation(key, value);
}

static void put_object(size_t i)
{
	size_t at;

	if (objects[i].metadata) {
		at = pb_begin(&o, 1);
		put_raw(objects[i].metadata, objects[i].n_metadata);
		pb_end(&o, at);
	} else if (!objects[i].manager) {
		at = meta_begin("c", "c");
		put_version(11);
		put_annotation(PREFIX "kube-subnet-manager", "true");
		put_unless(PREFIX "backend-type", objects[i].type, "vxlan");
		put_unless(PREFIX "backend-data", objects[i].data, DATA);
		put_unless(PREFIX "public-ip", objects[i].ip, "192.168.0.3");
		pb_end(&o, at);
	}
	if (objects[i].n_more > 0)
		put_raw(objects[i].more, objects[i].n_more);
	at = pb_begin(&o, 2);
	for (size_t k = 0; k < ARRAY_SIZE(objects[i].cidrs); k++)
		if (objects[i].cidrs[k] && strcmp(objects[i].cidrs[k], "-") != 0)
			pb_put_text(&o, 7, objects[i].cidrs[k]);
	if (!objects[i].cidrs[0])
		pb_put_text(&o, 7, "10.244.3.0/24");
	pb_end(&o, at);
}

/* Each costs itself and nothing else, in a list and in a watch. */
static void objects_that_are_none(void **state)
{
	size_t bytes = 0;

	(void)state;
	begin();
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
			size_t list, item;

			pieces(WATCH_MINE, event_of("MODIFIED", "a", 10), 1000);
			fake_loop_pass(&scene.loop, 60000); /* so many are told in a minute */
			source_kube.relist(scene.source);
			fake_loop_pass(&scene.loop, 0);
			list = list_begin("NodeList", 10);
			put_item_node("a", "10.244.1.0/24", 9);
			item = pb_begin(&o, 2);
			put_object(i);
			pb_end(&o, item);
			put_item_node("b", "10.244.2.0/24", 9);
			pb_end(&o, list);
			reply(LIST, "200", body_end());
			want_told(BOTH);
			want_logged(objects[i].want);
			header(WATCH, ":status", "200");
			body_begin();
			frame_begin("MODIFIED", "Node");
			put_object(i);
			frame_end();
			pieces(WATCH, body_end(), 100);
			want_logged(objects[i].want);
			pieces(WATCH, event_of("DELETED", "b", 11), 100);
			want_told("-10.244.2.0/24; ");
		}
		if (round > 0)
			assert_int_equal(mallinfo2().uordblks, bytes);
		bytes = mallinfo2().uordblks;
	}
}

/* What is known of a peer stays as it was when nothing can be made of what it says now. */
static void a_peer_stays_as_it_was(void **state)
{
	(void)state;
	begin();
	body_begin();
	frame_begin("MODIFIED", "PartialObjectMetadata");
	put_node("b", NULL, 11);
	{
		size_t at = meta_begin("b", "b");

		put_version(11);
		put_annotation(PREFIX "public-ip", "here");
		pb_end(&o, at);
	}
	frame_end();
	pieces(WATCH, body_end(), 100);
	want_logged("node \"b\": public-ip: no IPv4 address: \"here\"");
	want_told("");
}

/* Our own: the cause names it, and nobody says that it is not there. */
static void our_node_is_none(void **state)
{
	size_t list, item, meta;

	(void)state;
	open_source(CONF);
	come_up();
	list = list_begin("NodeList", 10);
	item = pb_begin(&o, 2);
	meta = meta_begin("a", "a");
	put_raw("\x60\x01", 2);
	pb_end(&o, meta);
	pb_end(&o, item);
	pb_end(&o, list);
	reply(LIST_MINE, "200", body_end());
	header(WATCH_MINE, ":status", "200");
	want_told(
		"config; Node \"a\": metadata.annotations is not of the type that Kubernetes gives "
		"it; ");
	reply(LIST, "200", both());
	header(WATCH, ":status", "200");
	want_told(BOTH "up; ");
}

/* ---- big ones ---- */

#define BIG_BYTES (100u << 20)

/* What comes in `room` so far, and then `n` bytes more, are the field `number` behind `lead`. */
static void wrap(const char *lead, size_t n_lead, uint32_t number, size_t n)
{
	static uint8_t inner[2000];
	const size_t n_inner = o.n;

	assert_true(n_inner <= sizeof(inner));
	memcpy(inner, room, n_inner);
	body_begin();
	put_raw(lead, n_lead);
	pb_put_head(&o, number, n_inner + n);
	put_raw((const char *)inner, n_inner);
}

/* A Node b with an annotation of 100 MB, or what precedes its bytes. */
static void put_big_node(void)
{
	char lead[300];
	size_t n;

	body_begin();
	pb_put_text(&o, 1, "b");
	pb_put_text(&o, 5, "b");
	put_version(11);
	put_annotation(PREFIX "kube-subnet-manager", "true");
	put_annotation(PREFIX "backend-type", "vxlan");
	put_annotation(PREFIX "public-ip", "192.168.0.1");
	n = o.n;
	assert_true(n <= sizeof(lead));
	memcpy(lead, room, n);
	body_begin();
	pb_put_text(&o, 1, PREFIX "backend-data");
	pb_put_head(&o, 2, BIG_BYTES);
	wrap(lead, n, 12, BIG_BYTES);
	wrap("", 0, 1, BIG_BYTES);
}

static void say_big(struct h2_stream *s)
{
	const size_t bytes = mallinfo2().uordblks;

	pieces(s, (struct pb_bytes){room, o.n}, 1000);
	memset(room, 'x', 1 << 20);
	for (unsigned i = 0; i < BIG_BYTES >> 20; i++) {
		pieces(s, (struct pb_bytes){room, 1 << 20}, 16384);
		assert_true(mallinfo2().uordblks <= bytes + 1000);
	}
}

static void a_node_of_100_mb(void **state)
{
	uint32_t n;

	(void)state;
	begin();
	put_big_node();
	wrap("k8s\0\x0a\x06\x12\x04Node", 12, 2, BIG_BYTES);
	wrap("", 0, 1, BIG_BYTES);
	wrap("\x0a\x08MODIFIED", 10, 2, BIG_BYTES);
	n = (uint32_t)o.n + BIG_BYTES;
	memmove(room + 4, room, o.n);
	room[0] = (uint8_t)(n >> 24);
	room[1] = (uint8_t)(n >> 16);
	room[2] = (uint8_t)(n >> 8);
	room[3] = (uint8_t)n;
	o.n += 4;
	say_big(WATCH);
	want_told("");
	pieces(WATCH, event_of("DELETED", "b", 12), 100);
	want_told("-10.244.2.0/24; ");
	/* Alone, and in a list. */
	pieces(WATCH, event_of("ADDED", "c", 13), 100);
	put_big_node();
	wrap("k8s\0\x0a\x06\x12\x04Node", 12, 2, BIG_BYTES);
	header(asked(true, "/nodes/c"), ":status", "200");
	say_big(asked(true, "/nodes/c"));
	finish(asked(true, "/nodes/c"), NULL);
	source_kube.relist(scene.source);
	fake_loop_pass(&scene.loop, 0);
	put_big_node();
	wrap("\x0a\x04\x12\x02"
	     "14",
	     6, 2, BIG_BYTES); /* behind the list's resourceVersion */
	wrap("k8s\0\x0a\x0a\x12\x08NodeList", 16, 2, BIG_BYTES);
	header(LIST, ":status", "200");
	say_big(LIST);
	finish(LIST, NULL);
	want_told("list; ");
}

static void a_node_of_50000_annotations(void **state)
{
	char key[64];
	size_t bytes, at;

	(void)state;
	begin();
	body_begin();
	frame_begin("MODIFIED", "PartialObjectMetadata");
	put_node("b", NULL, 11);
	at = meta_begin("b", "b");
	put_version(11);
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(key, sizeof(key), PREFIX "%u", i);
		put_annotation(key, "some value");
	}
	pb_end(&o, at);
	frame_end();
	bytes = mallinfo2().uordblks;
	pieces(WATCH, body_end(), 16384);
	assert_int_equal(mallinfo2().uordblks, bytes);
	want_told(""); /* none of them is flannel's */
	pieces(WATCH, event_of("DELETED", "b", 12), 1000);
	want_told("-10.244.2.0/24; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(objects_that_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_stays_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(our_node_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_node_of_100_mb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_node_of_50000_annotations, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
