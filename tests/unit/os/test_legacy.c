/* SPDX-License-Identifier: Apache-2.0 */
#include "os/legacy.h"

/* Before the kernel's own, which give way to it. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the kernel hands out: entries of no fixed size, each with its target behind it. */
#ifdef __clang__
# pragma clang diagnostic ignored "-Wgnu-variable-sized-type-not-at-end"
#endif

struct chain4 {
	struct ipt_entry entry;
	struct xt_error_target target;
};

struct chain6 {
	struct ip6t_entry entry;
	struct xt_error_target target;
};

struct rule4 {
	struct ipt_entry entry;
	struct xt_standard_target target;
};

static void set_target(struct xt_error_target *t, const char *name)
{
	t->target.u.target_size = sizeof(*t);
	strcpy(t->target.u.user.name, XT_ERROR_TARGET);
	strcpy(t->errorname, name);
}

static struct chain4 chain4(const char *name)
{
	struct chain4 c = {.entry = {.target_offset = sizeof(struct ipt_entry),
				     .next_offset = sizeof(struct chain4)}};

	set_target(&c.target, name);
	return c;
}

static void test_finds_a_chain(void **state)
{
	struct {
		struct rule4 first;
		struct chain4 flannel;
		struct rule4 in_it;
		struct chain4 end;
	} t = {
		.first.entry = {.target_offset = sizeof(struct ipt_entry),
				.next_offset = sizeof(struct rule4)},
		.flannel = chain4("FLANNEL-POSTRTG"),
		.end = chain4("ERROR"),
	};
	struct chain6 v6 = {.entry = {.target_offset = sizeof(struct ip6t_entry),
				      .next_offset = sizeof(struct chain6)}};

	(void)state;
	t.in_it = t.first;
	set_target(&v6.target, "FLANNEL-FWD");
	assert_true(legacy_has_chain(&t, sizeof(t), false, "FLANNEL-POSTRTG"));
	assert_false(legacy_has_chain(&t, sizeof(t), false, "FLANNEL-FWD"));
	assert_false(legacy_has_chain(&t, sizeof(t), false, "FLANNEL-POST"));
	assert_true(legacy_has_chain(&v6, sizeof(v6), true, "FLANNEL-FWD"));
	/* Cut anywhere before the chain's name ends, it is not found, and nothing is read behind the cut. */
	for (size_t n = 0; n < offsetof(typeof(t), in_it); n++) {
		void *cut = malloc(n ? n : 1);

		memcpy(cut, &t, n);
		assert_false(legacy_has_chain(cut, n, false, "FLANNEL-POSTRTG"));
		free(cut);
	}
	t.first.entry.next_offset = 0; /* would go round and round */
	assert_false(legacy_has_chain(&t, sizeof(t), false, "FLANNEL-POSTRTG"));
	t.first.entry.next_offset = UINT16_MAX;
	assert_false(legacy_has_chain(&t, sizeof(t), false, "FLANNEL-POSTRTG"));
}

static struct rule4 rule4(const char *source, int verdict)
{
	struct rule4 r = {.entry = {.target_offset = sizeof(struct ipt_entry),
				    .next_offset = sizeof(struct rule4)},
			  .target.verdict = verdict};

	if (source) {
		assert_int_equal(inet_pton(AF_INET, source, &r.entry.ip.src), 1);
		r.entry.ip.smsk.s_addr = htonl(0xffff0000);
	}
	return r;
}

static void test_what_forward_does(void **state)
{
	const int accept = -NF_ACCEPT - 1, drop = -NF_DROP - 1;
	struct rule4 t[] = {rule4(NULL, accept), rule4("10.244.0.0", accept), rule4(NULL, drop)};
	struct legacy_span span = {0, 2 * sizeof(t[0])};
	struct fw_chain c = {0};

	(void)state;
	t[0].entry.ip.proto = 6; /* picks somebody out */
	assert_true(legacy_read_forward(t, sizeof(t), span, &c));
	assert_true(c.drops && c.policy_drop);
	assert_int_equal(c.n_ours, 1);
	assert_int_equal(c.ours[0].saddr.len, 16);

	c = (struct fw_chain){0};
	t[0].entry.ip.proto = 0;
	assert_true(legacy_read_forward(t, sizeof(t), span, &c));
	assert_false(c.drops);

	t[0].target.verdict = drop;
	assert_true(legacy_read_forward(t, sizeof(t), span, &c));
	assert_true(c.drops && !c.policy_drop);
	assert_int_equal(c.n_ours, 0);

	t[0].entry.ip.outiface_mask[0] = '\xff';
	for (size_t n = 0; n < sizeof(t); n++) {
		void *cut = malloc(n ? n : 1);

		memcpy(cut, t, n);
		assert_false(legacy_read_forward(cut, n, span, &c));
		free(cut);
	}
	t[0].entry.next_offset = 0;
	assert_false(legacy_read_forward(t, sizeof(t), span, &c));
}

static void on_object(void *arg, const struct object *o)
{
	(void)o;
	++*(size_t *)arg;
}

/* Without the kernel's word nothing is claimed, and no table is made by asking for it. */
static void test_asks_for_no_table_that_is_not_in_use(void **state)
{
	char dir[] = "/tmp/loden-test-XXXXXX", line[200];
	size_t n = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	legacy_dump(dir, on_object, &n);
	snprintf(line, sizeof(line), "mkdir %s/net && echo raw >%s/net/ip_tables_names", dir, dir);
	assert_int_equal(system(line), 0);
	legacy_dump(dir, on_object, &n);
	assert_int_equal(n, 0);
	snprintf(line, sizeof(line), "rm -r %s", dir);
	assert_int_equal(system(line), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_a_chain),
		cmocka_unit_test(test_what_forward_does),
		cmocka_unit_test(test_asks_for_no_table_that_is_not_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
