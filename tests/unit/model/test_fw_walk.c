/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fw_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHAINS_MAX 6

/* A chain is words: "ours" is one of our accepts, else an effect and what is behind it:
 *
 *	drop			on some condition
 *	drop!			always
 *	drop~			by interface
 *	drop~s=10.0.0.0/8	by source; s!= not from there; d= d!= destination
 *	jump:NAME, goto:NAME	with any of these
 */
struct chain {
	const char *name, *rules;
};

struct parsed {
	struct fw_rule rule;
	struct fw_step step;
	bool ours;
};

static void parse_addresses(char *s, struct fw_rule *r)
{
	char *save = NULL;

	for (char *p = strtok_r(s, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		bool negated = p[1] == '!';
		bool ok = cidr_parse(p + 2 + negated, *p == 's' ? &r->saddr : &r->daddr);

		if (!ok)
			fail_msg("no address: %s", p);
		*(*p == 's' ? &r->saddr_not : &r->daddr_not) = negated;
	}
}

static struct parsed parse(const char *word)
{
	struct parsed p = {.step.scope = FW_SCOPE_SOME};
	char buf[96], *tail;

	snprintf(buf, sizeof(buf), "%s", word);
	if (strcmp(buf, "ours") == 0) {
		p.ours = true;
		p.step.effect = FW_EFFECT_ACCEPT;
		return p;
	}
	tail = strchr(buf, '~');
	if (tail) {
		*tail = '\0';
		p.step.scope = FW_SCOPE_PLACE;
		parse_addresses(tail + 1, &p.rule);
	} else if (buf[strlen(buf) - 1] == '!') {
		buf[strlen(buf) - 1] = '\0';
		p.step.scope = FW_SCOPE_ALL;
	}
	tail = strchr(buf, ':');
	if (tail) {
		*tail = '\0';
		snprintf(p.step.chain, sizeof(p.step.chain), "%s", tail + 1);
	}
	for (size_t i = 0; i < FW_EFFECT__COUNT; i++) {
		if (strcmp(buf, fw_effect_names[i]) == 0) {
			p.step.effect = (enum fw_effect)i;
			return p;
		}
	}
	fail_msg("no effect: %s", word);
	return p;
}

/* Rules have the handles first, first + 1, … */
static void feed(struct fw_walk *w, const char *rules, uint64_t first)
{
	char buf[256], *save = NULL;

	snprintf(buf, sizeof(buf), "%s", rules);
	for (char *word = strtok_r(buf, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct parsed p = parse(word);

		fw_walk_rule(w, &(struct fw_walk_rule){&p.rule, &p.step, first++, p.ours});
	}
}

/* The rest of a walk whose base chain was fed. */
static void walk_on(struct fw_walk *w, const char *what, const struct chain chains[CHAINS_MAX])
{
	const char *next;

	while ((next = fw_walk_next(w)) != NULL) {
		size_t j = 1;

		while (j < CHAINS_MAX && chains[j].name && strcmp(chains[j].name, next) != 0)
			j++;
		if (j == CHAINS_MAX || !chains[j].name)
			fail_msg("%s: no chain %s", what, next);
		feed(w, chains[j].rules, 100 * j);
	}
}

struct row {
	const char *what;
	bool policy_drop;
	struct chain chains[CHAINS_MAX]; /* the first is the base chain */
	bool drops;
	unsigned drop_handle; /* in the base chain from 1 on */
	bool before;
	unsigned n_before;
};

static void assert_rows(const struct row *rows, size_t n)
{
	struct cidr networks[2];

	assert_true(cidr_parse("10.244.0.0/16", &networks[0]));
	assert_true(cidr_parse("fd00:10:244::/56", &networks[1]));
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		static struct fw_walk w;

		fw_walk_begin(&w, r->policy_drop, networks);
		feed(&w, r->chains[0].rules, 1);
		walk_on(&w, r->what, r->chains);
		if (w.drops != r->drops || w.drop_handle != r->drop_handle ||
		    w.drops_before_ours != r->before || w.n_before != r->n_before)
			fail_msg("%s: drops %d at %u, before ours %d, n_before %u", r->what,
				 w.drops, (unsigned)w.drop_handle, w.drops_before_ours, w.n_before);
	}
}

static void test_base_chain(void **state)
{
	static const struct row rows[] = {
		{"empty, accepts", false, {{"base", ""}}, false, 0, false, 0},
		{"policy", true, {{"base", ""}}, true, 0, false, 0},
		{"ours before policy", true, {{"base", "none ours ours"}}, true, 0, false, 1},
		{"accept-all before policy", true, {{"base", "none! accept!"}}, false, 0, false, 2},
		{"some accepts before policy", true, {{"base", "accept"}}, true, 0, false, 1},
		{"return to the policy", true, {{"base", "accept return!"}}, true, 2, false, 2},
		{"return to an accepting one", false, {{"base", "return!"}}, false, 0, false, 1},
		{"drop behind ours", false, {{"base", "ours drop!"}}, true, 2, false, 0},
		{"drop before ours", false, {{"base", "none drop! ours"}}, true, 2, true, 2},
		{"drop between ours", false, {{"base", "ours drop! ours"}}, true, 2, true, 0},
		{"the first of two", false, {{"base", "ours drop! drop!"}}, true, 2, false, 0},
		{"unreachable", false, {{"base", "accept! drop! ours"}}, false, 0, false, 2},
		{"ours unreachable", true, {{"base", "return! ours"}}, true, 1, true, 1},
		{"who is picked out", false, {{"base", "drop drop ours"}}, false, 0, false, 2},
		{"picked out, policy", true, {{"base", "drop ours"}}, true, 0, false, 1},
		{"ours are no drop", false, {{"base", "ours ours"}}, false, 0, false, 0},
	};

	(void)state;
	assert_rows(rows, ARRAY_SIZE(rows));
}

static void test_place(void **state)
{
	static const struct row rows[] = {
		{"interface", false, {{"base", "drop~ ours"}}, true, 1, true, 1},
		{"all of it", false, {{"base", "drop~s=10.244.0.0/16"}}, true, 1, false, 1},
		{"more", false, {{"base", "drop~d=10.0.0.0/8"}}, true, 1, false, 1},
		{"any", false, {{"base", "drop~s=0.0.0.0/0"}}, true, 1, false, 1},
		{"one pod", false, {{"base", "drop~s=10.244.3.7/32"}}, false, 0, false, 1},
		{"one node", false, {{"base", "drop~d=10.244.3.0/24"}}, false, 0, false, 1},
		{"elsewhere", false, {{"base", "drop~d=192.168.0.0/16"}}, false, 0, false, 1},
		{"pods to elsewhere",
		 false,
		 {{"base", "drop~s=10.0.0.0/8,d=192.168.0.0/16"}},
		 false,
		 0,
		 false,
		 1},
		{"pods to pods",
		 false,
		 {{"base", "drop~s=10.0.0.0/8,d=10.244.0.0/16"}},
		 true,
		 1,
		 false,
		 1},
		{"all but pods", false, {{"base", "drop~s!=10.244.0.0/16"}}, false, 0, false, 1},
		{"all but some pods",
		 false,
		 {{"base", "drop~s!=10.244.1.0/24"}},
		 false,
		 0,
		 false,
		 1},
		{"all but others", false, {{"base", "drop~s!=10.96.0.0/12"}}, true, 1, false, 1},
		{"IPv6", false, {{"base", "drop~s=fd00::/8"}}, true, 1, false, 1},
		{"all but IPv6", false, {{"base", "drop~s!=fe80::/10"}}, true, 1, false, 1},
		{"IPv6 elsewhere", false, {{"base", "drop~s=fe80::/10"}}, false, 0, false, 1},
		{"accepts by place do not save", true, {{"base", "accept~"}}, true, 0, false, 1},
		{"the next drop counts",
		 false,
		 {{"base", "drop~s=10.244.3.7/32 drop ours drop~"}},
		 true,
		 4,
		 false,
		 2},
		{"jumps by place are policy",
		 false,
		 {{"base", "jump:a~ goto:a~s=10.0.0.0/8"}, {"a", "drop!"}},
		 false,
		 0,
		 false,
		 2},
		{"so are drops by place behind a jump",
		 false,
		 {{"base", "jump:a!"}, {"a", "drop~ drop~s=10.0.0.0/8"}},
		 false,
		 0,
		 false,
		 1},
	};
	static struct fw_walk w;
	const struct cidr none[2] = {0};

	(void)state;
	assert_rows(rows, ARRAY_SIZE(rows));
	fw_walk_begin(&w, false, none);
	feed(&w, "drop~s=10.0.0.0/8 drop~", 1);
	assert_null(fw_walk_next(&w));
	assert_int_equal(w.drop_handle, 2); /* no network: no address leaves it in */
}

static void test_jumps(void **state)
{
	static const struct row rows[] = {
		{"harmless jump before ours",
		 true,
		 {{"base", "jump:a! ours"}, {"a", "none drop return!"}},
		 true,
		 0,
		 false,
		 1},
		{"dropping jump before ours",
		 false,
		 {{"base", "none jump:a! ours"}, {"a", "accept drop!"}},
		 true,
		 2,
		 true,
		 2},
		{"dropping jump behind ours",
		 false,
		 {{"base", "ours jump:a! drop!"}, {"a", "drop!"}},
		 true,
		 2,
		 false,
		 0},
		{"the second of two jumps",
		 false,
		 {{"base", "jump:a! ours jump:b! drop!"}, {"a", "none!"}, {"b", "drop!"}},
		 true,
		 3,
		 false,
		 1},
		{"on a condition", false, {{"base", "jump:a goto:a ours"}}, false, 0, false, 2},
		{"two levels",
		 false,
		 {{"base", "jump:a! ours"}, {"a", "none jump:b!"}, {"b", "accept drop!"}},
		 true,
		 1,
		 true,
		 1},
		{"cut off inside",
		 false,
		 {{"base", "jump:a! ours"}, {"a", "return! jump:b! drop!"}},
		 false,
		 0,
		 false,
		 1},
		{"accepted inside: the rest is never reached",
		 true,
		 {{"base", "jump:a! drop!"}, {"a", "accept! drop!"}},
		 false,
		 0,
		 false,
		 2},
		{"accepted two levels down",
		 true,
		 {{"base", "jump:a! drop!"}, {"a", "jump:b! drop!"}, {"b", "accept!"}},
		 false,
		 0,
		 false,
		 2},
		{"goto ends its chain",
		 false,
		 {{"base", "jump:a! ours"}, {"a", "goto:b! drop!"}, {"b", ""}},
		 false,
		 0,
		 false,
		 1},
		{"goto drops",
		 false,
		 {{"base", "jump:a! ours"}, {"a", "goto:b!"}, {"b", "drop!"}},
		 true,
		 1,
		 true,
		 1},
		{"goto leads to the policy",
		 true,
		 {{"base", "none goto:a! accept!"}, {"a", "none"}},
		 true,
		 2,
		 false,
		 3},
		{"same chain twice",
		 false,
		 {{"base", "jump:a! jump:b!"}, {"a", "jump:c!"}, {"b", "jump:c! drop!"}, {"c", ""}},
		 true,
		 2,
		 false,
		 2},
		{"loop",
		 true,
		 {{"base", "jump:a! ours"}, {"a", "jump:b!"}, {"b", "jump:a! none"}},
		 true,
		 0,
		 false,
		 1},
	};

	(void)state;
	assert_rows(rows, ARRAY_SIZE(rows));
}

/* As they stand in the wild: where do our accepts belong? */
static void test_the_wild(void **state)
{
	static const struct row rows[] = {
		{"kube-router",
		 false,
		 {{"base", "jump:KUBE-ROUTER-FORWARD! accept"},
		  {"KUBE-ROUTER-FORWARD",
		   "jump:KUBE-POD-FW~d=10.244.3.7/32 jump:KUBE-POD-FW accept"}},
		 false,
		 0,
		 false,
		 2},
		{"Docker: policy",
		 true,
		 {{"base", "jump:DOCKER-USER! jump:DOCKER-FORWARD!"},
		  {"DOCKER-USER", "drop~s=10.244.3.7/32"},
		  {"DOCKER-FORWARD", "jump:DOCKER-CT! jump:DOCKER! accept~"},
		  {"DOCKER-CT", "accept"},
		  {"DOCKER", "drop~"}},
		 true,
		 0,
		 false,
		 2},
		{"ufw that rejects",
		 false,
		 {{"base", "jump:before! jump:reject!"},
		  {"before", "accept drop"},
		  {"reject", "drop!"}},
		 true,
		 2,
		 false,
		 2},
		{"firewalld on iptables",
		 false,
		 {{"base", "accept jump:FORWARD_IN_ZONES! drop drop!"},
		  {"FORWARD_IN_ZONES", "goto:FWDI_public~ goto:FWDI_public!"},
		  {"FWDI_public", "jump:FWDI_public_log! accept"},
		  {"FWDI_public_log", ""}},
		 true,
		 4,
		 false,
		 4},
	};

	(void)state;
	assert_rows(rows, ARRAY_SIZE(rows));
}

static void test_too_much_is_not_seen(void **state)
{
	static struct fw_walk w;
	const struct cidr none[2] = {0};
	struct parsed jump = {.step.effect = FW_EFFECT_JUMP};
	struct parsed drop = {.step.effect = FW_EFFECT_DROP};
	const char *next;
	size_t n = 0;

	(void)state;
	fw_walk_begin(&w, false, none);
	for (unsigned i = 0; i < LIMIT_FW_WALK_CHAINS; i++) {
		snprintf(jump.step.chain, sizeof(jump.step.chain), "c%u", i);
		for (int twice = 0; twice < 2; twice++)
			fw_walk_rule(&w, &(struct fw_walk_rule){&jump.rule, &jump.step, i + 1});
	}
	while ((next = fw_walk_next(&w)) != NULL) {
		n++;
		if (strcmp(next, "c127") == 0)
			fw_walk_rule(&w, &(struct fw_walk_rule){&drop.rule, &drop.step, 1000});
	}
	assert_int_equal(n, LIMIT_FW_WALK_CHAINS - 1); /* the base chain is one */
	assert_false(w.drops);

	fw_walk_begin(&w, false, none);
	for (unsigned i = 0; i < LIMIT_FW_WALK_JUMPS; i++) {
		snprintf(jump.step.chain, sizeof(jump.step.chain), "c%u", i % 8);
		fw_walk_rule(&w, &(struct fw_walk_rule){&jump.rule, &jump.step, i + 1});
	}
	snprintf(jump.step.chain, sizeof(jump.step.chain), "one more");
	fw_walk_rule(&w, &(struct fw_walk_rule){&jump.rule, &jump.step, 513});
	fw_walk_rule(&w, &(struct fw_walk_rule){&drop.rule, &drop.step, 514});
	for (n = 0; fw_walk_next(&w); n++)
		;
	assert_int_equal(n, 8);
	assert_int_equal(w.drop_handle, 514);
}

/* In the words above `~` makes a rule exact; here it also takes i=INTERFACE, p=PORT. */
static void feed_input(struct fw_walk *w, const char *rules, uint64_t first)
{
	char buf[256], *save = NULL;

	snprintf(buf, sizeof(buf), "%s", rules);
	for (char *word = strtok_r(buf, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *iif = strstr(word, "~i="), *port = strstr(word, "~p=");
		struct parsed p;

		if (iif)
			iif[1] = '\0';
		if (port)
			port[1] = '\0';
		p = parse(word);
		p.step.exact = p.step.scope == FW_SCOPE_PLACE;
		p.step.port = port ? (uint16_t)strtoul(port + 3, NULL, 10) : 0;
		if (p.step.port)
			p.step.scope = FW_SCOPE_SOME;
		if (iif)
			snprintf(p.rule.iif, sizeof(p.rule.iif), "%s", iif + 3);
		fw_walk_rule(w, &(struct fw_walk_rule){&p.rule, &p.step, first++, p.ours});
	}
}

static void test_input(void **state)
{
	static const struct {
		const char *what;
		struct chain chains[CHAINS_MAX];
		bool drops;
	} rows[] = {
		{"policy", {{"base", ""}}, true},
		{"some condition", {{"base", "accept"}}, true},
		{"everything", {{"base", "accept!"}}, false},
		{"loopback", {{"base", "accept~i=lo"}}, true},
		{"the uplink", {{"base", "accept~i=eth0"}}, false},
		{"our port", {{"base", "accept~p=8472"}}, false},
		{"another port", {{"base", "accept~p=53"}}, true},
		{"the neighbours", {{"base", "accept~s=192.168.0.0/16"}}, false},
		{"all but the neighbours", {{"base", "accept~s!=192.168.0.0/16"}}, true},
		{"others", {{"base", "accept~s=10.0.0.0/8"}}, true},
		{"IPv6 neighbours", {{"base", "accept~s=fd00::/8"}}, false},
		{"to us", {{"base", "accept~d=192.168.77.1/32"}}, false},
		{"to another", {{"base", "accept~d=192.168.77.9/32"}}, true},
		{"behind a drop of the rest", {{"base", "drop! accept~p=8472"}}, true},
		{"behind a drop of others", {{"base", "drop~s=192.168.77.9/32 accept!"}}, false},
		{"behind a drop of our port", {{"base", "drop~p=8472 accept!"}}, true},
		{"behind a drop on the uplink", {{"base", "drop~i=eth0 accept!"}}, true},
		{"behind a drop on a link", {{"base", "drop~i=wlan0 accept!"}}, false},
		{"in the uplink's chain",
		 {{"base", "jump:other~i=eth1 jump:zone~i=eth0 drop!"},
		  {"zone", "accept~p=22 accept~p=8472"},
		  {"other", "drop!"}},
		 false},
		{"in another's chain",
		 {{"base", "jump:zone~i=eth1 drop!"}, {"zone", "accept~p=8472"}},
		 true},
		{"returned",
		 {{"base", "jump:a! accept!"}, {"a", "return~d=192.168.77.0/24 drop!"}},
		 false},
	};
	struct fw_arrival arrival = {.port = 8472, .iif = "eth0"};

	(void)state;
	assert_true(ip_parse("192.168.77.1", &arrival.local[0]));
	assert_true(ip_parse("fd00::1", &arrival.local[1]));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct fw_walk w;
		const char *next;

		fw_walk_begin_input(&w, true, &arrival);
		feed_input(&w, rows[i].chains[0].rules, 1);
		while ((next = fw_walk_next(&w)) != NULL) {
			size_t j = 1;

			while (strcmp(rows[i].chains[j].name, next) != 0)
				j++;
			feed_input(&w, rows[i].chains[j].rules, 100 * j);
		}
		if (w.drops != rows[i].drops)
			fail_msg("%s: drops %d", rows[i].what, w.drops);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base_chain), cmocka_unit_test(test_place),
		cmocka_unit_test(test_jumps),	   cmocka_unit_test(test_the_wild),
		cmocka_unit_test(test_input),	   cmocka_unit_test(test_too_much_is_not_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
