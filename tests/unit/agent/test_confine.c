/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/confine.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

static void capabilities_follow_the_options(void **state)
{
	static const struct {
		const char *flag;
		uint64_t more;
	} cases[] = {
		{"--ip-masq", 0},
		{"--healthz-port=10253", 0},
		{"--healthz-port=0", 0},
		{"--healthz-port=-1", 0},
		{"--healthz-port=1023", 1ull << CAP_NET_BIND_SERVICE},
		{"--etcd-keyfile=/etc/etcd/key.pem", 1ull << CAP_DAC_READ_SEARCH},
		{"--etcd-password-file=/etc/etcd/pw", 1ull << CAP_DAC_READ_SEARCH},
		{"--kubeconfig-file=/etc/kubernetes/loden.conf", 1ull << CAP_DAC_READ_SEARCH},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char program[] = "agent", flag[80];
		char *const argv[] = {program, flag, NULL};
		struct opts o;
		struct err err;

		strcpy(flag, cases[i].flag);
		assert_int_equal(opts_parse(2, argv, &o, &err), 0);
		assert_true(o.sandbox);
		assert_true(confine_capabilities(&o) == (1ull << CAP_NET_ADMIN | cases[i].more));
	}
}

static bool is_listed(int nr)
{
	for (size_t i = 0; i < confine_calls_n; i++)
		if (confine_calls[i].nr == nr)
			return true;
	return false;
}

/* Collected from the sources: some that must be there, some that must never be. */
static void calls_are_the_sources(void **state)
{
	(void)state;
	assert_true(confine_calls_n > 50);
	assert_true(is_listed(SYS_recvmsg));
	assert_true(is_listed(SYS_signalfd4));
	assert_true(is_listed(SYS_mmap));
	assert_false(is_listed(SYS_execve));
	assert_true(is_listed(SYS_clone)); /* for a plain fork, see os/sandbox.h */
	assert_false(is_listed(SYS_setns));
	assert_false(is_listed(SYS_unshare));
	assert_false(is_listed(SYS_mount));
	assert_false(is_listed(SYS_ptrace));
	assert_false(is_listed(SYS_kill));
	for (size_t i = 0; i < confine_calls_n; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(confine_calls[i].nr, confine_calls[j].nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_follow_the_options),
		cmocka_unit_test(calls_are_the_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
