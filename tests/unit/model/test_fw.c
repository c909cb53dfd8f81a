/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct cidr pods(void)
{
	return (struct cidr){.ip = ip_from_v4(0x0af40000), .len = 16};
}

static struct cidr multicast(void)
{
	return (struct cidr){.ip = ip_from_v4(0xe0000000), .len = 4};
}

static struct fw_table sample(void)
{
	struct fw_table t = {.family = FW_IP, .name = "loden", .n_chains = 2};
	struct fw_own_chain *forward = &t.chains[0], *nat = &t.chains[1];

	text_copy(forward->name, sizeof(forward->name), "forward");
	forward->hook = FW_HOOK_FORWARD;
	forward->n_rules = 2;
	forward->rules[0] = (struct fw_rule){.saddr = pods(), .verdict = FW_ACCEPT};
	forward->rules[1] = (struct fw_rule){.daddr = pods(), .verdict = FW_ACCEPT};
	text_copy(nat->name, sizeof(nat->name), "postrouting");
	nat->nat = true;
	nat->hook = FW_HOOK_POSTROUTING;
	nat->priority = 110;
	nat->n_rules = 1;
	nat->rules[0] = (struct fw_rule){
		.saddr = pods(),
		.daddr = multicast(),
		.daddr_not = true,
		.verdict = FW_MASQUERADE,
		.fully_random = true,
	};
	return t;
}

static void test_rule_text(void **state)
{
	const struct {
		struct fw_rule rule;
		const char *want;
	} rows[] = {
		{{.verdict = FW_DROP}, "drop"},
		{{.mark = 0x4000, .mark_mask = 0x4000, .verdict = FW_RETURN},
		 "mark 0x4000/0x4000 return"},
		{sample().chains[1].rules[0],
		 "saddr 10.244.0.0/16 daddr != 224.0.0.0/4 masquerade fully-random"},
		{{.iif = "cni0", .oif = "e\n", .opaque = true, .verdict = FW_ACCEPT},
		 "iifname cni0 oifname e\\x0a (more) accept"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[200] = "";
		struct text t = TEXT(buf);

		fw_rule_format(&rows[i].rule, &t);
		assert_string_equal(buf, rows[i].want);
	}
}

static void test_rule_eq_sees_every_field(void **state)
{
	const struct fw_rule base = {.saddr = pods(), .verdict = FW_ACCEPT};
	struct fw_rule other[13];

	(void)state;
	assert_true(fw_rule_eq(&base, &base));
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		other[i] = base;
	other[0].saddr.len = 17;
	other[1].daddr = pods();
	other[2].saddr_not = true;
	other[3].daddr_not = true;
	other[4].iif[0] = 'x';
	other[5].oif[0] = 'x';
	other[6].mark = 1;
	other[7].mark_mask = 1;
	other[8].counter = true;
	other[9].fully_random = true;
	other[10].verdict = FW_RETURN;
	other[11].comment[0] = 'x';
	other[12].opaque = true;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (fw_rule_eq(&base, &other[i]))
			fail_msg("difference %zu is not seen", i);
	assert_false(fw_rule_eq(&other[12], &other[12]));
}

static void assert_why(const struct fw_table *have, const char *why)
{
	struct fw_table want = sample();
	char buf[300] = "";
	struct text t = TEXT(buf);

	fw_table_why(&want, have, &t);
	assert_string_equal(buf, why);
	assert_int_equal(t.len, strlen(why));
	assert_int_equal(fw_table_eq(&want, have), why[0] == '\0');
}

static void test_table_differences_are_named(void **state)
{
	struct fw_table have = sample();

	(void)state;
	assert_why(&have, "");
	have.dormant = have.extra = true;
	assert_why(&have, "dormant, foreign objects inside");

	have = sample();
	have.n_chains = 1;
	assert_why(&have, "chain postrouting missing");

	have = sample();
	have.chains[0].n_rules = 1;
	have.chains[1].priority = 100;
	assert_why(&have, "chain forward has 1 rules instead of 2, "
			  "chain postrouting has another type, hook, priority or policy");

	have = sample();
	have.chains[0].rules[1].verdict = FW_DROP;
	assert_why(&have, "chain forward rule 2 differs");

	have = sample();
	text_copy(have.chains[1].name, sizeof(have.chains[1].name), "x\n");
	assert_why(&have, "chain postrouting missing, chain x\\x0a too many");
}

static void test_table_why_cut_keeps_its_text(void **state)
{
	struct fw_table want = sample(), have = {.family = FW_IP, .name = "loden"};
	char buf[12] = "";
	struct text t = TEXT(buf);

	(void)state;
	fw_table_why(&want, &have, &t);
	assert_true(t.cut);
	assert_string_equal(buf, "chain forwa");
}

static void test_chain_eq(void **state)
{
	const struct fw_chain base = {
		.family = FW_IP,
		.table = "filter",
		.chain = "FORWARD",
		.n_ours = 1,
		.ours = {{.saddr = pods(), .verdict = FW_ACCEPT}},
	};
	struct fw_chain other[14];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		other[i] = base;
	other[0].family = FW_IP6;
	other[1].table[0] = 'x';
	other[2].chain[0] = 'x';
	other[3].owner = FW_OWNER_NATIVE;
	other[4].table_owned = true;
	other[5].owner_name[0] = 'x';
	other[6].priority = 1;
	other[7].policy_drop = true;
	other[8].drops = true;
	other[9].drops_before_ours = true;
	other[10].n_before = 1;
	other[11].n_ours = 0;
	other[12].ours_extra = true;
	other[13].ours[0].verdict = FW_DROP;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		if (fw_chain_eq(&base, &other[i]))
			fail_msg("difference %zu is not seen", i);
	other[0] = base;
	assert_true(fw_chain_eq(&base, &other[0]));
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < FW__COUNT; i++)
		assert_non_null(fw_family_names[i]);
	for (size_t i = 0; i < FW_VERDICT__COUNT; i++)
		assert_non_null(fw_verdict_names[i]);
	for (size_t i = 0; i < FW_HOOK__COUNT; i++)
		assert_non_null(fw_hook_names[i]);
	for (size_t i = 0; i < FW_OWNER__COUNT; i++)
		assert_non_null(fw_owner_names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_text),
		cmocka_unit_test(test_rule_eq_sees_every_field),
		cmocka_unit_test(test_table_differences_are_named),
		cmocka_unit_test(test_table_why_cut_keeps_its_text),
		cmocka_unit_test(test_chain_eq),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
