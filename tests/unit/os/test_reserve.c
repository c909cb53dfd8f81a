/* SPDX-License-Identifier: Apache-2.0 */
#include "os/reserve.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct reserve_owner c1 = {.container_id = "c1", .ifname = "eth0"};

struct fixture {
	struct arena arena;
	char dir[64];
};

static int setup(void **state)
{
	static struct fixture f;

	arena_init(&f.arena, 0);
	snprintf(f.dir, sizeof(f.dir), "/tmp/test-reserve-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	arena_fini(&f->arena);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	return system(command);
}

static struct ip ip(const char *text)
{
	struct ip ret;

	assert_true(ip_parse(text, &ret));
	return ret;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/net/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The bytes of a file, or NULL. */
static const char *get(const struct fixture *f, const char *name)
{
	static char buf[256];
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/net/%s", f->dir, name);
	file = fopen(path, "r");
	if (!file)
		return NULL;
	buf[fread(buf, 1, sizeof(buf) - 1, file)] = '\0';
	fclose(file);
	return buf;
}

static struct reserve open_store(const struct fixture *f)
{
	struct reserve r;
	struct err err;

	if (reserve_open(f->dir, "net", true, &r, &err) != 0)
		fail_msg("%s", err.text);
	return r;
}

static void test_reserve_bytes(void **state)
{
	struct fixture *f = *state;
	struct reserve r = open_store(f);
	struct ip v4 = ip("10.0.0.2"), v6 = ip("fd00::2"), last;
	struct stat st;

	assert_int_equal(reserve_take(&r, &v4, &c1, NULL), 0);
	assert_int_equal(reserve_take(&r, &v6, &c1, NULL), 0);
	assert_int_equal(reserve_set_last(&r, 1, &v6, NULL), 0);
	assert_string_equal(get(f, "10.0.0.2"), "c1\r\neth0");
	assert_string_equal(get(f, "fd00::2"), "c1\r\neth0");
	assert_string_equal(get(f, "last_reserved_ip.1"), "fd00::2");
	assert_int_equal(fstatat(r.dir_fd, "10.0.0.2", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	last = reserve_last(&r, 1);
	assert_true(ip_eq(&last, &v6));
	last = reserve_last(&r, 0);
	assert_false(ip_is_set(&last));
	assert_int_equal(reserve_take(&r, &v4, &c1, NULL), RESERVE_TAKEN);
	assert_int_equal(reserve_release(&r, "10.0.0.2", NULL), 0);
	assert_int_equal(reserve_release(&r, "10.0.0.2", NULL), 0);
	assert_null(get(f, "10.0.0.2"));
	reserve_close(&r);
	reserve_close(&r);
}

static void test_reserve_read(void **state)
{
	struct fixture *f = *state;
	struct reserve r = open_store(f);
	struct reserve_view v;
	char text[IP_STRLEN];

	put(f, "10.0.0.9", "c1\r\neth0");
	put(f, "10.0.0.3", "  c1\r\neth0\n");
	put(f, "10.0.0.4", "c1\n");
	put(f, "10.0.0.5", "c1\r\neth1");
	put(f, "10.0.0.6", ""); /* of a killed Go plugin */
	put(f, "10.0.0.7",
	    "c1\r\neth0                                                            "
	    "                   and more");
	put(f, "last_reserved_ip.0", "10.0.0.9");
	put(f, "notes", "c1\r\neth0");
	put(f, ".hidden", "c1\r\neth0");
	assert_int_equal(mkdirat(r.dir_fd, "10.0.0.8", 0755), 0);
	assert_int_equal(symlinkat("nowhere", r.dir_fd, "10.0.0.10"), 0);
	assert_int_equal(reserve_read(&r, &c1, &f->arena, &v, NULL), 0);
	assert_int_equal(v.n_own, 3); /* two addresses and whatever else says it is c1's */
	assert_int_equal(v.n_own_old, 1);
	assert_string_equal(v.own_old[0], "10.0.0.4");
	assert_int_equal(v.n_taken, 7);
	for (size_t i = 1; i < v.n_taken; i++)
		assert_true(ip_cmp(&v.taken[i - 1], &v.taken[i]) < 0);
	for (size_t i = 0; i < v.n_taken; i++)
		assert_string_not_equal(ip_format(&v.taken[i], text), "10.0.0.6");
	reserve_close(&r);
}

static void test_reserve_many(void **state)
{
	struct fixture *f = *state;
	struct reserve r = open_store(f);
	struct reserve_view v;

	for (uint32_t i = 0; i < 700; i++) {
		struct ip one = ip_from_v4(0x0a000000 + i);

		assert_int_equal(reserve_take(&r, &one, &c1, NULL), 0);
	}
	assert_int_equal(reserve_read(&r, &c1, &f->arena, &v, NULL), 0);
	assert_int_equal(v.n_taken, 700);
	assert_int_equal(v.n_own, 700);
	assert_int_equal(ip_to_v4(&v.taken[699]), 0x0a000000 + 699);
	reserve_close(&r);
}

/* An empty file is what a killed Go plugin leaves: it is free. */
static void test_reserve_empty(void **state)
{
	struct fixture *f = *state;
	struct reserve r = open_store(f);
	struct ip v4 = ip("10.0.0.2");

	put(f, "10.0.0.2", "");
	assert_int_equal(reserve_take(&r, &v4, &c1, NULL), 0);
	assert_string_equal(get(f, "10.0.0.2"), "c1\r\neth0");
	reserve_close(&r);
}

/* The lock is the Go plugin's: flock() on the file "lock". */
static void test_reserve_lock(void **state)
{
	struct fixture *f = *state;
	struct reserve r = open_store(f);
	char path[256];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/net/lock", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	reserve_close(&r);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
}

static void test_reserve_none(void **state)
{
	struct fixture *f = *state;
	struct reserve r = RESERVE_CLOSED;
	struct err err;

	assert_int_equal(reserve_open(f->dir, "absent", false, &r, &err), RESERVE_NONE);
	assert_int_equal(r.dir_fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reserve_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
