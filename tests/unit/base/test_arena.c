/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_memory_is_zeroed_aligned_and_apart(void **state)
{
	static const size_t sizes[] = {1, 3, 16, 17, 100, 4000, 5000, 100000, 1};
	unsigned char *p[ARRAY_SIZE(sizes)];
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			p[i] = arena_calloc(&a, 1, sizes[i]);
			assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
			for (size_t j = 0; j < sizes[i]; j++)
				assert_int_equal(p[i][j], 0);
			memset(p[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			assert_int_equal(p[i][0], i + 1);
			assert_int_equal(p[i][sizes[i] - 1], i + 1);
		}
		/* The second pass reuses dirty memory and must look the same. */
		arena_reset(&a);
		assert_int_equal(a.used_bytes, 0);
	}
	arena_fini(&a);
	assert_null(a.chunk);
}

static void test_text_helpers(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_strdup(&a, "node-a"), "node-a");
	assert_string_equal(arena_printf(&a, "%s/%d", "10.244.0.0", 16), "10.244.0.0/16");
	arena_fini(&a);
}

static void test_an_array_grows(void **state)
{
	const size_t n = 1000;
	uint32_t *items = NULL, *before;
	size_t room = 0, moved = 0;
	struct arena a;

	(void)state;
	arena_init(&a, 0);
	for (size_t i = 0; i < n; i++) {
		before = items;
		items = arena_room(&a, items, i, &room, sizeof(*items));
		moved += items != before;
		assert_true(room > i);
		items[i] = (uint32_t)i;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(items[i], i);
	assert_in_range(moved, 2, 10);
	/* Fewer again: what is there is enough. */
	assert_ptr_equal(arena_room(&a, items, 3, &room, sizeof(*items)), items);
	arena_fini(&a);
}

/* Runs one allocation in a child: did it abort, as the header promises? */
static bool aborts(size_t limit_bytes, size_t n, size_t size)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct arena a;

		signal(SIGABRT, SIG_DFL);
		arena_init(&a, limit_bytes);
		arena_calloc(&a, n, size);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_limit_and_overflow_abort(void **state)
{
	(void)state;
	assert_false(aborts(64, 4, 16));
	assert_true(aborts(64, 5, 16));
	assert_true(aborts(0, SIZE_MAX, 2));
	assert_true(aborts(0, SIZE_MAX, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(test_text_helpers),
		cmocka_unit_test(test_an_array_grows),
		cmocka_unit_test(test_limit_and_overflow_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
