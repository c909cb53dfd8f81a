/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_servers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/file.h"

static char dir[40], path[60];

static int set_up(void **state _unused_)
{
	strcpy(dir, "/tmp/test_servers.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/api-servers", dir);
	return 0;
}

static int tear_down(void **state _unused_)
{
	unlink(path);
	return rmdir(dir);
}

static struct kube_server server(const char *ip, uint16_t port)
{
	struct kube_server s = {.port = port};

	assert_true(ip_parse(ip, &s.ip));
	return s;
}

static void written_and_read(void **state _unused_)
{
	const struct kube_server list[] = {server("10.0.0.1", 6443), server("fd00::1", 443)};
	struct kube_server got[KUBE_SERVERS_MAX];
	struct file_id id;
	char text[100];

	assert_int_equal(kube_servers_read(dir, got), 0);
	assert_int_equal(kube_servers_write(dir, list, 2, NULL), 0);
	assert_int_equal(file_read(path, text, sizeof(text), NULL), 0);
	assert_string_equal(text, "10.0.0.1:6443\n[fd00::1]:443\n");
	assert_int_equal(kube_servers_read(dir, got), 2);
	assert_true(ip_eq(&got[1].ip, &list[1].ip) && got[1].port == 443 && got[0].port == 6443);
	/* The same again, or none at all: not written. */
	id = file_identify(path);
	assert_int_equal(kube_servers_write(dir, list, 2, NULL), 0);
	assert_int_equal(kube_servers_write(dir, list, 0, NULL), 0);
	assert_true(file_id_eq(&id, &(struct file_id){0}) == false);
	{
		const struct file_id now = file_identify(path);

		assert_true(file_id_eq(&id, &now));
	}
	assert_int_equal(kube_servers_write(dir, list + 1, 1, NULL), 0);
	assert_int_equal(kube_servers_read(dir, got), 1);
}

static void what_else_may_be_in_it(void **state _unused_)
{
	struct kube_server got[KUBE_SERVERS_MAX], many[KUBE_SERVERS_MAX + 1];
	struct err err;

	assert_int_equal(file_replace(path,
				      "\nx\n10.0.0.1\n:1\n10.0.0.2:x\nhttps://10.0.0.3:1\n"
				      "10.0.0.4:1/\n10.0.0.5:1/x\nname:1\n10.0.0.6:70000\n",
				      NULL),
			 0);
	assert_int_equal(kube_servers_read(dir, got), 1);
	assert_int_equal(ip_to_v4(&got[0].ip), 0x0a000004);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = server("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0", 65535);
		many[i].ip.b[15] = (uint8_t)i;
	}
	assert_int_equal(kube_servers_write(dir, many, ARRAY_SIZE(many), &err), 0);
	assert_int_equal(kube_servers_read(dir, got), KUBE_SERVERS_MAX);
	assert_int_equal(got[7].ip.b[15], 7);
	assert_true(kube_servers_write("/proc/none", many, 1, &err) < 0);
	assert_non_null(strstr(err.text, "/proc/none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_and_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_else_may_be_in_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
