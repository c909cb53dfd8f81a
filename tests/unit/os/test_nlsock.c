/* SPDX-License-Identifier: Apache-2.0 */
/* Against the real kernel, but only reading: anybody may list links. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "os/nlsock.h"
#include "wire/nl_link.h"

static uint8_t rx[NLSOCK_RX_BYTES], tx[1024];
static struct nlsock s;

static int open_socket(void **state)
{
	(void)state;
	return nlsock_open(&s, NETLINK_ROUTE, rx, NULL);
}

static int close_socket(void **state)
{
	(void)state;
	nlsock_close(&s);
	nlsock_close(&s);
	return 0;
}

static int on_link(void *arg, const struct nl_msg *m)
{
	struct nl_link l;

	assert_int_equal(m->type, RTM_NEWLINK);
	assert_int_equal(nl_link_decode(m, &(struct devmap){0}, &l), 0);
	*(bool *)arg |= strcmp(l.link.name, "lo") == 0;
	return 0;
}

static int refuse(void *arg, const struct nl_msg *m)
{
	(void)arg;
	(void)m;
	return -EILSEQ;
}

static void count_failures(void *arg, const struct nl_ack *ack)
{
	assert_int_equal(ack->code, -ENODEV);
	++*(size_t *)arg;
}

static void test_request(void **state)
{
	struct nl_buf b = NL_BUF(tx);
	bool found = false;
	struct nl_ack ack;

	(void)state;
	nl_link_get(&b, "lo", nlsock_seq(&s));
	assert_int_equal(nlsock_request(&s, &b, on_link, &found, &ack), 0);
	assert_true(found);
	b.len = 0;
	nl_link_get(&b, "no-such-link", nlsock_seq(&s));
	assert_int_equal(nlsock_request(&s, &b, on_link, &found, &ack), -ENODEV);
	assert_int_equal(ack.seq, s.seq);
}

static void test_dump(void **state)
{
	struct nl_buf b = NL_BUF(tx);
	bool found = false;

	(void)state;
	nl_link_dump(&b, nlsock_seq(&s));
	assert_true(nlsock_dump(&s, &b, on_link, &found, NULL) >= 0);
	assert_true(found);
}

/* What a reader gave up half-way must not be taken for the answer to the next request. */
static void test_given_up_answers_are_forgotten(void **state)
{
	struct nl_buf b = NL_BUF(tx);
	struct err err = {0};
	bool found = false;
	struct nl_ack ack;

	(void)state;
	nl_link_dump(&b, nlsock_seq(&s));
	assert_int_equal(nlsock_dump(&s, &b, refuse, NULL, &err), -EILSEQ);
	assert_string_not_equal(err.text, "");
	b.len = 0;
	nl_link_get(&b, "no-such-link", nlsock_seq(&s));
	assert_int_equal(nlsock_request(&s, &b, on_link, &found, &ack), -ENODEV);
	assert_false(found);
}

static void test_batch_reports_each_failure(void **state)
{
	struct nl_buf b = NL_BUF(tx);
	size_t failed = 0;

	(void)state;
	nl_link_get(&b, "no-such-link", nlsock_seq(&s));
	nl_link_get(&b, "lo", nlsock_seq(&s));
	nl_link_get(&b, "no-such-link", nlsock_seq(&s));
	assert_int_equal(nlsock_batch(&s, &b, count_failures, &failed, NULL), 0);
	assert_int_equal(failed, 2);
	b.len = 0;
	assert_int_equal(nlsock_batch(&s, &b, count_failures, &failed, NULL), 0);
}

static void test_sequence_numbers_are_never_zero(void **state)
{
	(void)state;
	s.seq = UINT32_MAX - 1;
	assert_int_equal(nlsock_seq(&s), UINT32_MAX);
	assert_int_equal(nlsock_seq(&s), 1);
}

static void test_nothing_to_drain(void **state)
{
	(void)state;
	assert_int_equal(nlsock_join(&s, RTNLGRP_LINK, NULL), 0);
	assert_int_equal(nlsock_join(&s, 9999, NULL), -EINVAL);
	assert_int_equal(nlsock_drain(&s, refuse, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request, open_socket, close_socket),
		cmocka_unit_test_setup_teardown(test_dump, open_socket, close_socket),
		cmocka_unit_test_setup_teardown(test_given_up_answers_are_forgotten, open_socket,
						close_socket),
		cmocka_unit_test_setup_teardown(test_batch_reports_each_failure, open_socket,
						close_socket),
		cmocka_unit_test_setup_teardown(test_sequence_numbers_are_never_zero, open_socket,
						close_socket),
		cmocka_unit_test_setup_teardown(test_nothing_to_drain, open_socket, close_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
