/* SPDX-License-Identifier: Apache-2.0 */
#include "core/heals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t count(const struct heals *h, enum object_kind kind, const char *actor)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->of[i].kind == kind && !strcmp(h->of[i].actor, actor))
			return h->of[i].n;
	}
	return 0;
}

static void each_kind_and_hand_is_counted(void **state)
{
	const struct culprit nobody = {0}, ip = {.pid = 7, .comm = "ip"},
			     nft = {.pid = 8, .comm = "nft"};
	struct heals h;

	(void)state;
	heals_init(&h);
	assert_int_equal(h.n, OBJECT__COUNT);
	heals_add(&h, OBJECT_BIT(OBJECT_ROUTE) | OBJECT_BIT(OBJECT_NEIGH), &ip);
	heals_add(&h, OBJECT_BIT(OBJECT_ROUTE), &ip);
	heals_add(&h, OBJECT_BIT(OBJECT_ROUTE), &nft);
	heals_add(&h, OBJECT_BIT(OBJECT_ENVFILE), &nobody);
	assert_int_equal(count(&h, OBJECT_ROUTE, "ip"), 2);
	assert_int_equal(count(&h, OBJECT_NEIGH, "ip"), 1);
	assert_int_equal(count(&h, OBJECT_ROUTE, "nft"), 1);
	assert_int_equal(count(&h, OBJECT_ROUTE, ""), 0);
	assert_int_equal(count(&h, OBJECT_ENVFILE, ""), 1);
	assert_int_equal(h.n, OBJECT__COUNT + 3);
}

static void names_without_end_are_nobodys(void **state)
{
	struct heals h;
	uint64_t n = 0;

	(void)state;
	heals_init(&h);
	for (unsigned i = 0; i < 1000; i++) {
		struct culprit who = {.pid = i + 1};

		snprintf(who.comm, sizeof(who.comm), "p%u", i);
		heals_add(&h, OBJECT_BIT(OBJECT_FDB), &who);
	}
	assert_int_equal(h.n, STATUS_HEALS_MAX);
	assert_int_equal(count(&h, OBJECT_FDB, "p0"), 1);
	assert_int_equal(count(&h, OBJECT_FDB, ""), 1000 - HEALS_NAMED);
	for (size_t i = 0; i < h.n; i++)
		n += h.of[i].n;
	assert_int_equal(n, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_and_hand_is_counted),
		cmocka_unit_test(names_without_end_are_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
