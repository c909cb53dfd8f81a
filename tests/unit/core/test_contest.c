/* SPDX-License-Identifier: Apache-2.0 */
#include "core/contest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct devmap devs = {.dev = {[DEV_VXLAN] = {3, "flannel.1"}}};
static const struct culprit nm = {.pid = 77, .comm = "Network\nM", .unit = "nm.service"};

static struct op route_op(struct route *r, uint32_t i)
{
	*r = (struct route){.dst = {ip_from_v4(0x0a000000 + (i << 8)), 24}, .dev = DEV_VXLAN};
	return (struct op){.verb = OP_ADD, .object = {.kind = OBJECT_ROUTE, .route = r}};
}

/* Heals it in a pass of its own, and says how long the next one has to wait. */
static uint64_t heal(struct contest *c, const struct op *op, bool crowd, uint64_t now)
{
	uint64_t until;

	contest_begin(c);
	contest_healed(c, op, crowd, &devs, &nm, now);
	assert_int_equal(contest_held(c, &op->object, now), 0); /* not its own pass */
	contest_begin(c);
	until = contest_held(c, &op->object, now);
	return until ? until - now : 0;
}

static void test_the_sixth_time_in_a_minute(void **state)
{
	static const uint64_t waits[] = {0, 0, 0, 0, 0, 1000, 2000, 4000, 8000, 15000, 15000};
	char notes[400] = "";
	struct text t = TEXT(notes);
	struct route r, other;
	struct op op = route_op(&r, 1), innocent = route_op(&other, 2);
	size_t counts[OBJECT__COUNT];
	struct contest c;
	uint64_t now = 1000;

	(void)state;
	contest_init(&c);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		assert_int_equal(heal(&c, &op, false, now), waits[i]);
		assert_int_equal(contest_held(&c, &innocent.object, now), 0);
		now += MAX(waits[i], 100);
	}
	assert_int_equal(contest_held(&c, &op.object, now), 0); /* the wait is over */
	contest_notes(&c, now, &t);
	assert_string_equal(notes,
			    "contested: route 10.0.1.0/24 is changed again and again, last by "
			    "pid 77 (Network\\x0aM) of nm.service; it is healed on, with waits\n");
	contest_count(&c, now, counts);
	assert_int_equal(counts[OBJECT_ROUTE], 1);
	assert_int_equal(counts[OBJECT_FDB], 0);

	/* A quiet window, and it is forgotten. */
	now += CONTEST_WINDOW_MS + 1;
	t = TEXT(notes);
	notes[0] = '\0';
	contest_notes(&c, now, &t);
	assert_string_equal(notes, "");
	contest_count(&c, now, counts);
	assert_int_equal(counts[OBJECT_ROUTE], 0);
	assert_int_equal(heal(&c, &op, false, now), 0);
	assert_int_equal(c.n_contested, 0);
}

static void test_now_and_then_is_no_war(void **state)
{
	struct route r;
	struct op op = route_op(&r, 1);
	struct contest c;

	(void)state;
	contest_init(&c);
	for (uint64_t now = 1000; now < 1000000; now += CONTEST_WINDOW_MS / CONTEST_HEALS + 1)
		assert_int_equal(heal(&c, &op, false, now), 0);
}

static void test_others_do_not_push_it_out(void **state)
{
	struct route r, many;
	struct op op = route_op(&r, 1);
	struct contest c;
	uint64_t now = 1000;

	(void)state;
	contest_init(&c);
	for (int i = 0; i < 6; i++) {
		for (uint32_t j = 0; j < CONTEST_ENTRIES - 1; j++) {
			struct op another = route_op(&many, 100 + (uint32_t)i * 64 + j);

			assert_int_equal(heal(&c, &another, false, now++), 0);
		}
		assert_int_equal(heal(&c, &op, false, now++), i < 5 ? 0 : 1000);
	}
}

static void test_a_crowd_is_a_war_over_the_kind(void **state)
{
	char notes[400] = "";
	struct text t = TEXT(notes);
	struct route r;
	struct op op = route_op(&r, 1), other;
	struct contest c;

	(void)state;
	contest_init(&c);
	for (int i = 0; i < 6; i++)
		heal(&c, &op, true, 1000 + (uint64_t)i);
	other = route_op(&r, 2);
	assert_int_equal(contest_held(&c, &other.object, 1005), 2005);
	contest_notes(&c, 1005, &t);
	assert_non_null(strstr(notes, "route objects, all of them"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_sixth_time_in_a_minute),
		cmocka_unit_test(test_now_and_then_is_no_war),
		cmocka_unit_test(test_others_do_not_push_it_out),
		cmocka_unit_test(test_a_crowd_is_a_war_over_the_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
