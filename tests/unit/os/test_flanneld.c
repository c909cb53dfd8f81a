/* SPDX-License-Identifier: Apache-2.0 */
#include "os/flanneld.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A /proc of our own: links to namespaces and programs are files here. */
static char proc[64];

static void sh(const char *command)
{
	char line[600];

	snprintf(line, sizeof(line), "cd %s && %s", proc, command);
	assert_int_equal(system(line), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(proc, "/tmp/loden-test-XXXXXX");
	assert_non_null(mkdtemp(proc));
	sh("mkdir self self/net && echo >self/exe && echo >self/net/dev && echo >other && echo >flannel");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sh("rm -rf self other flannel [0-9]*; rmdir $PWD");
	return 0;
}

static void test_who_counts(void **state)
{
	static const struct {
		const char *what, *make;
		uint32_t pid;
	} rows[] = {
		{"nobody", "true", 0},
		{"another program", "mkdir -p 7/net; echo kubelet >7/comm; ln other 7/net/dev", 0},
		{"flanneld", "echo flanneld >7/comm; ln flannel 7/exe; ln self/net/dev 7/net/dev",
		 7},
		{"in another network",
		 "echo flanneld >7/comm; ln flannel 7/exe; ln other 7/net/dev", 0},
		{"Loden by that name",
		 "echo flanneld >7/comm; ln self/exe 7/exe; ln self/net/dev 7/net/dev", 0},
		{"dead", "echo flanneld >7/comm", 0},
		{"no number", "mkdir 7x; mv 7/* 7x; echo flanneld >7x/comm", 0},
		{"called alike",
		 "echo flanneld2 >7/comm; ln flannel 7/exe; ln self/net/dev 7/net/dev", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct flanneld f = {0};
		char make[500];

		snprintf(make, sizeof(make),
			 "rm -rf [0-9]*; mkdir -p 7/net; { %s; } 2>/dev/null || :", rows[i].make);
		sh(make);
		flanneld_look(&f, proc, true, 1000);
		if (f.who.pid != rows[i].pid)
			fail_msg("%s: %u", rows[i].what, f.who.pid);
	}
}

static void test_how_often(void **state)
{
	struct flanneld f = {0};

	(void)state;
	sh("rm -rf [0-9]*");
	flanneld_look(&f, proc, false, 1000);
	sh("mkdir -p 7/net; echo flanneld >7/comm; ln flannel 7/exe; ln self/net/dev 7/net/dev");
	flanneld_look(&f, proc, false, 1000 + FLANNELD_LOOK_MS - 1);
	assert_int_equal(f.who.pid, 0);
	flanneld_look(&f, proc, true, 1000 + FLANNELD_SUSPECT_MS - 1);
	assert_int_equal(f.who.pid, 0);
	flanneld_look(&f, proc, true, 1000 + FLANNELD_SUSPECT_MS);
	assert_int_equal(f.who.pid, 7);
	assert_string_equal(f.who.comm, "flanneld");
	/* Known, it is asked each time; gone, its successor is found at once. */
	sh("mv 7 8");
	flanneld_look(&f, proc, false, 1000 + FLANNELD_SUSPECT_MS + 1);
	assert_int_equal(f.who.pid, 8);
	sh("rm -rf 8");
	flanneld_look(&f, proc, false, 1000 + FLANNELD_SUSPECT_MS + 2);
	assert_int_equal(f.who.pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_counts),
		cmocka_unit_test(test_how_often),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
