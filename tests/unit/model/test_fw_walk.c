/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fw_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A chain is words: an effect, "!" behind it = always; "ours" = one of our accepts. */
struct chain {
	const char *name, *rules;
};

static struct fw_step step_parse(const char *word, bool *ret_ours)
{
	struct fw_step s = {0};
	char buf[64];
	char *to;
	size_t n;

	snprintf(buf, sizeof(buf), "%s", word);
	n = strlen(buf);
	*ret_ours = strcmp(buf, "ours") == 0;
	if (*ret_ours) {
		s.effect = FW_EFFECT_ACCEPT;
		return s;
	}
	if (buf[n - 1] == '!') {
		s.always = true;
		buf[n - 1] = '\0';
	}
	to = strchr(buf, ':');
	if (to) {
		*to = '\0';
		snprintf(s.chain, sizeof(s.chain), "%s", to + 1);
	}
	for (size_t i = 0; i < FW_EFFECT__COUNT; i++) {
		if (strcmp(buf, fw_effect_names[i]) == 0) {
			s.effect = (enum fw_effect)i;
			return s;
		}
	}
	fail_msg("no effect: %s", word);
	return s;
}

static void feed(struct fw_walk *w, const char *rules)
{
	char buf[256], *save = NULL;

	snprintf(buf, sizeof(buf), "%s", rules);
	for (char *p = strtok_r(buf, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		bool ours;
		struct fw_step s = step_parse(p, &ours);

		fw_walk_rule(w, &s, ours);
	}
}

static void test_verdict(void **state)
{
	static const struct {
		const char *what;
		bool policy_drop;
		struct chain chains[6]; /* the first is the base chain */
		bool may_drop, before;
		unsigned n_before;
	} rows[] = {
		{"empty, accepts", false, {{"base", ""}}, false, false, 0},
		{"policy", true, {{"base", ""}}, true, false, 0},
		{"ours before policy", true, {{"base", "ours ours"}}, true, false, 0},
		{"accept-all before policy", true, {{"base", "none! accept!"}}, false, false, 2},
		{"some accepts before policy", true, {{"base", "accept"}}, true, false, 1},
		{"always return leads to policy",
		 true,
		 {{"base", "return! accept!"}},
		 true,
		 false,
		 2},
		{"always goto leads to policy",
		 true,
		 {{"base", "goto:a! accept!"}, {"a", ""}},
		 true,
		 false,
		 2},
		{"drop behind ours", false, {{"base", "ours drop!"}}, true, false, 0},
		{"drop before ours", false, {{"base", "drop ours"}}, true, true, 1},
		{"drop between ours", false, {{"base", "ours drop ours"}}, true, true, 0},
		{"unreachable drop", false, {{"base", "accept! drop ours"}}, false, false, 2},
		{"ours behind accept-all", true, {{"base", "accept! ours"}}, false, false, 1},
		{"harmless jump before ours",
		 true,
		 {{"base", "jump:a ours"}, {"a", "none return"}},
		 true,
		 false,
		 1},
		{"dropping jump before ours",
		 false,
		 {{"base", "jump:a! ours"}, {"a", "drop"}},
		 true,
		 true,
		 1},
		{"dropping jump behind ours",
		 false,
		 {{"base", "ours jump:a"}, {"a", "drop"}},
		 true,
		 false,
		 0},
		{"two levels",
		 false,
		 {{"base", "jump:a ours"}, {"a", "jump:b"}, {"b", "accept drop"}},
		 true,
		 true,
		 1},
		{"cut off inside",
		 false,
		 {{"base", "jump:a ours"}, {"a", "return! jump:b"}, {"b", "drop"}},
		 false,
		 false,
		 1},
		{"goto ends its chain",
		 false,
		 {{"base", "jump:a ours"}, {"a", "goto:b! drop"}, {"b", ""}},
		 false,
		 false,
		 1},
		{"conditional goto does not",
		 false,
		 {{"base", "jump:a ours"}, {"a", "goto:b drop"}, {"b", ""}},
		 true,
		 true,
		 1},
		{"same chain late and early",
		 false,
		 {{"base", "ours jump:a jump:b ours jump:a"},
		  {"a", "none"},
		  {"b", "jump:c"},
		  {"c", "drop"}},
		 true,
		 true,
		 0},
		{"late one found early too",
		 true,
		 {{"base", "jump:a ours jump:b"}, {"a", "jump:b"}, {"b", "drop"}},
		 true,
		 true,
		 1},
		{"loop",
		 false,
		 {{"base", "jump:a ours"}, {"a", "jump:b"}, {"b", "jump:a"}},
		 false,
		 false,
		 1},
		{"accept-all inside a chain ends only that chain",
		 true,
		 {{"base", "jump:a"}, {"a", "accept!"}},
		 true,
		 false,
		 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct fw_walk w;
		const char *next;

		fw_walk_begin(&w, rows[i].policy_drop);
		feed(&w, rows[i].chains[0].rules);
		while ((next = fw_walk_next(&w)) != NULL) {
			size_t j = 1;

			while (j < 6 && rows[i].chains[j].name &&
			       strcmp(rows[i].chains[j].name, next) != 0)
				j++;
			if (j == 6 || !rows[i].chains[j].name)
				fail_msg("%s: no chain %s", rows[i].what, next);
			feed(&w, rows[i].chains[j].rules);
		}
		if (w.may_drop != rows[i].may_drop || w.may_drop_before_ours != rows[i].before ||
		    w.n_before != rows[i].n_before)
			fail_msg("%s: may_drop %d before %d n_before %u", rows[i].what, w.may_drop,
				 w.may_drop_before_ours, w.n_before);
	}
}

static void test_stops_when_nothing_can_change(void **state)
{
	static struct fw_walk w;

	(void)state;
	fw_walk_begin(&w, true);
	feed(&w, "ours jump:a jump:b");
	assert_null(fw_walk_next(&w)); /* drops anyway, and a, b are behind ours */
	assert_true(w.may_drop);
}

static void test_too_many_chains_may_drop(void **state)
{
	static struct fw_walk w;
	struct fw_step s = {.effect = FW_EFFECT_JUMP};

	(void)state;
	fw_walk_begin(&w, false);
	for (int i = 0; i < LIMIT_FW_WALK_CHAINS; i++) {
		snprintf(s.chain, sizeof(s.chain), "c%d", i);
		fw_walk_rule(&w, &s, false);
	}
	assert_false(w.may_drop);
	fw_walk_rule(&w, &s, false); /* known already */
	assert_false(w.may_drop);
	snprintf(s.chain, sizeof(s.chain), "one more");
	fw_walk_rule(&w, &s, false);
	assert_true(w.may_drop);
	fw_walk_rule(&w, &(struct fw_step){.effect = FW_EFFECT_ACCEPT}, true);
	assert_true(w.may_drop_before_ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_stops_when_nothing_can_change),
		cmocka_unit_test(test_too_many_chains_may_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
