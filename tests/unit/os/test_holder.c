/* SPDX-License-Identifier: Apache-2.0 */
#include "os/holder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* As Linux 6.1 writes them. */
static const char udp[] =
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
	"inode ref pointer drops             \n"
	" 1237: 0100007F:0143 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
	"20021 2 0000000000000000 0         \n"
	"  850: 00000000:2118 00000000:0000 07 00000000:00000000 00:00000000 00000000   998        0 "
	"31337 2 0000000000000000 0         \n";
static const char udp6[] =
	"  sl  local_address                         remote_address                        st tx_queue "
	"rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
	"  850: 00000000000000000000000000000000:2118 00000000000000000000000000000000:0000 07 "
	"00000000:00000000 00:00000000 00000000    12        0 4711 2 0000000000000000 0\n";

static bool look(const char *content, uint16_t port, uint32_t *ret_uid)
{
	char path[] = "/tmp/loden-holder-XXXXXX";
	int fd = mkstemp(path);
	bool found;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
	found = holder_socket(path, port, ret_uid);
	unlink(path);
	return found;
}

static void test_a_socket_is_found_by_its_port(void **state)
{
	uint32_t uid = 4711;

	(void)state;
	assert_true(look(udp, 8472, &uid));
	assert_int_equal(uid, 998);
	assert_true(look(udp6, 8472, &uid));
	assert_int_equal(uid, 12);
	assert_true(look(udp, 323, &uid));
	assert_int_equal(uid, 0);
}

static void test_no_socket_no_answer(void **state)
{
	uint32_t uid = 4711;

	(void)state;
	assert_false(look(udp, 8473, &uid));
	assert_false(look("", 8472, &uid));
	assert_false(look("nonsense\n", 8472, &uid));
	assert_false(holder_socket("/proc/no/such/file", 8472, &uid));
	assert_int_equal(uid, 4711);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_socket_is_found_by_its_port),
		cmocka_unit_test(test_no_socket_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
