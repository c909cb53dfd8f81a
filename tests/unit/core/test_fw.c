/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct cidr cidr(const char *text)
{
	struct cidr c;

	if (!cidr_parse(text, &c))
		fail_msg("%s", text);
	return c;
}

/* Everything a want_input borrows. */
struct setting {
	struct brain_conf conf;
	struct netconf net;
	struct lease own;
	struct want_input in;
	struct arena arena;
	struct netstate want;
};

static void setting_init(struct setting *s)
{
	memset(s, 0, sizeof(*s));
	s->conf.ip_masq = s->conf.forward_rules = s->conf.masq_fully_random = true;
	s->net = netconf_defaults();
	s->net.network = cidr("10.244.0.0/16");
	s->net.network6 = cidr("fd00:10:244::/56");
	s->own.subnet = cidr("10.244.1.0/24");
	s->own.subnet6 = cidr("fd00:10:244:1::/64");
	s->in.conf = &s->conf;
	s->in.net = &s->net;
	s->in.own = &s->own;
	arena_init(&s->arena, 0);
}

static const struct fw_table *want_tables(struct setting *s)
{
	memset(&s->want, 0, sizeof(s->want));
	fw_want(&s->in, &s->arena, &s->want);
	return s->want.of[OBJECT_FW_TABLE].items;
}

static void assert_rules(const struct fw_rule *rules, size_t n, const char *want)
{
	char buf[800] = "";
	struct text t = TEXT(buf);

	for (size_t i = 0; i < n; i++) {
		fw_rule_format(&rules[i], &t);
		text_add(&t, " # %s\n", rules[i].comment);
	}
	assert_string_equal(buf, want);
}

#define FORWARD4                                   \
 "saddr 10.244.0.0/16 accept # flanneld forward\n" \
 "daddr 10.244.0.0/16 accept # flanneld forward\n"
#define MASQ4                                                                         \
 "mark 0x4000/0x4000 return # flanneld masq\n"                                        \
 "saddr 10.244.1.0/24 daddr 10.244.0.0/16 return # flanneld masq\n"                   \
 "saddr 10.244.0.0/16 daddr 10.244.1.0/24 return # flanneld masq\n"                   \
 "saddr != 10.244.0.0/16 daddr 10.244.1.0/24 return # flanneld masq\n"                \
 "saddr 10.244.0.0/16 daddr != 224.0.0.0/4 masquerade fully-random # flanneld masq\n" \
 "saddr != 10.244.0.0/16 daddr 10.244.0.0/16 masquerade fully-random # flanneld masq\n"
#define MASQ6                                                                  \
 "mark 0x4000/0x4000 return # flanneld masq\n"                                 \
 "saddr fd00:10:244:1::/64 daddr fd00:10:244::/56 return # flanneld masq\n"    \
 "saddr fd00:10:244::/56 daddr fd00:10:244:1::/64 return # flanneld masq\n"    \
 "saddr != fd00:10:244::/56 daddr fd00:10:244:1::/64 return # flanneld masq\n" \
 "saddr fd00:10:244::/56 daddr != ff00::/8 masquerade # flanneld masq\n"       \
 "saddr != fd00:10:244::/56 daddr fd00:10:244::/56 masquerade # flanneld masq\n"

static void test_table_of_one_family(void **state)
{
	struct setting s;
	const struct fw_table *t;

	(void)state;
	setting_init(&s);
	t = want_tables(&s);
	assert_int_equal(s.want.of[OBJECT_FW_TABLE].n, 1);
	assert_int_equal(t->family, FW_IP);
	assert_string_equal(t->name, "loden");
	assert_int_equal(t->n_chains, 2);
	assert_string_equal(t->chains[0].name, "forward"); /* sorted by name */
	assert_int_equal(t->chains[0].hook, FW_HOOK_FORWARD);
	assert_int_equal(t->chains[0].priority, 0);
	assert_false(t->chains[0].nat);
	assert_rules(t->chains[0].rules, t->chains[0].n_rules, FORWARD4);
	assert_string_equal(t->chains[1].name, "postrouting");
	assert_int_equal(t->chains[1].hook, FW_HOOK_POSTROUTING);
	assert_int_equal(t->chains[1].priority, 110);
	assert_true(t->chains[1].nat);
	assert_rules(t->chains[1].rules, t->chains[1].n_rules, MASQ4);
	arena_fini(&s.arena);
}

static void test_both_families(void **state)
{
	struct setting s;
	const struct fw_table *t;
	struct fw_chain *c;

	(void)state;
	setting_init(&s);
	s.net.ipv6 = true;
	s.conf.masq_fully_random = false;
	t = want_tables(&s);
	assert_int_equal(s.want.of[OBJECT_FW_TABLE].n, 2);
	assert_int_equal(t[1].family, FW_IP6);
	assert_rules(t[1].chains[1].rules, t[1].chains[1].n_rules, MASQ6);
	c = s.want.of[OBJECT_FW_CHAIN].items;
	assert_int_equal(s.want.of[OBJECT_FW_CHAIN].n, 2);
	assert_int_equal(c[1].family, FW_IP6);
	assert_rules(c[1].ours, c[1].n_ours,
		     "saddr fd00:10:244::/56 accept # loden: flanneld forward\n"
		     "daddr fd00:10:244::/56 accept # loden: flanneld forward\n");
	arena_fini(&s.arena);
}

static void test_switches(void **state)
{
	struct setting s;
	const struct fw_table *t;

	(void)state;
	setting_init(&s);
	s.conf.ip_masq = false;
	t = want_tables(&s);
	assert_int_equal(t->n_chains, 1);
	assert_string_equal(t->chains[0].name, "forward");
	assert_int_equal(s.want.of[OBJECT_FW_CHAIN].n, 1);

	s.conf.ip_masq = true;
	s.conf.forward_rules = false;
	t = want_tables(&s);
	assert_int_equal(t->n_chains, 1);
	assert_string_equal(t->chains[0].name, "postrouting");
	assert_int_equal(s.want.of[OBJECT_FW_CHAIN].n, 0);

	s.conf.ip_masq = false;
	want_tables(&s);
	assert_int_equal(s.want.of[OBJECT_FW_TABLE].n, 0);

	s.conf.ip_masq = true;
	s.in.own = NULL;
	want_tables(&s);
	assert_int_equal(s.want.of[OBJECT_FW_TABLE].n, 0);
	arena_fini(&s.arena);
}

static void test_accepts_in_iptables_chain(void **state)
{
	struct setting s;
	const struct fw_chain *c;

	(void)state;
	setting_init(&s);
	text_copy(s.conf.instance, sizeof(s.conf.instance), "two");
	want_tables(&s);
	assert_int_equal(s.want.of[OBJECT_FW_CHAIN].n, 1);
	c = s.want.of[OBJECT_FW_CHAIN].items;
	assert_int_equal(c->family, FW_IP);
	assert_int_equal(c->owner, FW_OWNER_IPTABLES);
	assert_string_equal(c->table, "filter");
	assert_string_equal(c->chain, "FORWARD");
	assert_true(c->ours[0].counter);
	assert_rules(c->ours, c->n_ours,
		     "saddr 10.244.0.0/16 accept # loden-two: flanneld forward\n"
		     "daddr 10.244.0.0/16 accept # loden-two: flanneld forward\n");
	arena_fini(&s.arena);
}

static void test_satisfied(void **state)
{
	struct setting s;
	struct fw_chain want, have;

	(void)state;
	setting_init(&s);
	want_tables(&s);
	want = *(struct fw_chain *)s.want.of[OBJECT_FW_CHAIN].items;

	have = want;
	assert_true(fw_chain_satisfied(&want, &have));
	have.n_before = 3; /* policies, say: no blanket drop among them */
	assert_true(fw_chain_satisfied(&want, &have));
	have.policy_drop = have.drops = true;
	assert_true(fw_chain_satisfied(&want, &have));
	have.drops_before_ours = true;
	assert_false(fw_chain_satisfied(&want, &have));

	have = want;
	have.ours_extra = true;
	assert_false(fw_chain_satisfied(&want, &have));
	have = want;
	have.ours[0] = want.ours[1];
	have.ours[1] = want.ours[0];
	assert_false(fw_chain_satisfied(&want, &have));
	have = want;
	have.ours[1].opaque = true; /* somebody added a condition */
	assert_false(fw_chain_satisfied(&want, &have));

	have = want;
	have.n_ours = 0;
	assert_true(fw_chain_satisfied(&want, &have)); /* nothing drops: nothing needed */
	have.drops = true;
	assert_false(fw_chain_satisfied(&want, &have));
	have.drops = false;
	have.n_ours = 1; /* of an older Network, say */
	have.ours[0].saddr.len = 12;
	assert_false(fw_chain_satisfied(&want, &have));
	arena_fini(&s.arena);
}

static void assert_explained(const struct setting *s, const struct fw_chain *have, const char *want)
{
	char buf[700] = "";
	struct text t = TEXT(buf);

	assert_int_equal(fw_chain_explain(have, &s->net, &s->conf, &t), want != NULL);
	assert_string_equal(buf, want ? want : "");
}

static void test_explain(void **state)
{
	struct setting s;
	struct fw_chain have = {
		.family = FW_INET,
		.table = "firewalld",
		.chain = "filter_FORWARD",
		.owner = FW_OWNER_NATIVE,
		.priority = 10,
	};

	(void)state;
	setting_init(&s);
	assert_explained(&s, &have, NULL); /* cannot drop */
	have.drops = true;
	assert_explained(
		&s, &have,
		"nf_tables chain inet firewalld filter_FORWARD (priority 10, policy accept) "
		"may drop pod packets: unless that was done, run: firewall-cmd --permanent "
		"--zone=trusted --add-source=10.244.0.0/16 && firewall-cmd --reload");

	text_copy(have.table, sizeof(have.table), "site");
	text_copy(have.chain, sizeof(have.chain), "fwd");
	have.policy_drop = true;
	assert_explained(
		&s, &have,
		"nf_tables chain inet site fwd (priority 10, policy drop) may drop pod "
		"packets: run: nft insert rule inet site fwd ip saddr 10.244.0.0/16 accept "
		"comment '\"loden: flanneld forward\"'; nft insert rule inet site fwd ip daddr "
		"10.244.0.0/16 accept comment '\"loden: flanneld forward\"'");

	have.table_owned = true;
	assert_explained(&s, &have,
			 "nf_tables chain inet site fwd (priority 10, policy drop) may drop pod "
			 "packets: the table is owned by another process, nobody else can write to "
			 "it; let it accept 10.244.0.0/16");
	text_copy(have.owner_name, sizeof(have.owner_name), "guard\n");
	assert_explained(
		&s, &have,
		"nf_tables chain inet site fwd (priority 10, policy drop) may drop pod "
		"packets: the table is owned by guard\\x0a, nobody else can write to it; let "
		"it accept 10.244.0.0/16");

	/* iptables' own chain is ours to repair, unless it is owned. */
	have.owner = FW_OWNER_IPTABLES;
	have.table_owned = false;
	assert_explained(&s, &have, NULL);
	have.owner = FW_OWNER_NATIVE;
	have.family = FW_IP6;
	assert_explained(&s, &have, NULL); /* no IPv6 pods here */
	arena_fini(&s.arena);
}

static void test_explain_ends_when_the_command_was_run(void **state)
{
	struct setting s;
	struct fw_chain have = {
		.family = FW_INET,
		.table = "site",
		.chain = "fwd",
		.owner = FW_OWNER_NATIVE,
		.drops = true,
		.n_ours = 2,
	};
	char buf[700] = "";
	struct text t = TEXT(buf);

	(void)state;
	setting_init(&s);
	have.ours[0] = (struct fw_rule){.daddr = s.net.network, .verdict = FW_ACCEPT};
	have.ours[1] = (struct fw_rule){.saddr = s.net.network, .verdict = FW_ACCEPT};
	text_copy(have.ours[0].comment, sizeof(have.ours[0].comment), "loden: flanneld forward");
	assert_explained(&s, &have, NULL);
	have.drops_before_ours = true;
	assert_true(fw_chain_explain(&have, &s.net, &s.conf, &t));
	have.drops_before_ours = false;
	have.n_ours = 1;
	assert_true(fw_chain_explain(&have, &s.net, &s.conf, &t));
	have.n_ours = 2;
	s.net.ipv6 = true; /* and now its packets, too */
	t.len = 0;
	assert_true(fw_chain_explain(&have, &s.net, &s.conf, &t));
	assert_non_null(
		strstr(buf, "nft insert rule inet site fwd ip6 daddr fd00:10:244::/56 accept"));
	arena_fini(&s.arena);
}

static void test_explain_legacy(void **state)
{
	struct setting s;
	struct fw_chain have = {
		.family = FW_IP,
		.table = "filter",
		.chain = "FORWARD",
		.owner = FW_OWNER_LEGACY,
		.policy_drop = true,
		.drops = true,
	};

	(void)state;
	setting_init(&s);
	assert_explained(&s, &have,
			 "iptables-legacy chain filter FORWARD (policy drop) may drop pod packets: "
			 "run: iptables-legacy -I FORWARD -s 10.244.0.0/16 -j ACCEPT; "
			 "iptables-legacy -I FORWARD -d 10.244.0.0/16 -j ACCEPT");
	have.n_ours = 2;
	have.ours[0] = (struct fw_rule){.daddr = s.net.network, .verdict = FW_ACCEPT};
	have.ours[1] = (struct fw_rule){.saddr = s.net.network, .verdict = FW_ACCEPT};
	assert_explained(&s, &have, NULL);
	arena_fini(&s.arena);
}

static void test_explain_input(void **state)
{
	struct setting s;
	struct fw_chain have = {
		.hook = FW_HOOK_INPUT,
		.family = FW_IP,
		.table = "filter",
		.chain = "INPUT",
		.owner = FW_OWNER_NATIVE,
		.policy_drop = true,
	};

	(void)state;
	setting_init(&s);
	assert_explained(&s, &have, NULL); /* the port is open */
	have.drops = true;
	assert_explained(&s, &have,
			 "nf_tables chain ip filter INPUT (priority 0, policy drop) may drop the "
			 "overlay's packets, UDP port 8472: run: iptables -I INPUT -p udp --dport "
			 "8472 -j ACCEPT");
	s.net.ipv6 = true;
	have.family = FW_IP6;
	assert_explained(&s, &have,
			 "nf_tables chain ip6 filter INPUT (priority 0, policy drop) may drop the "
			 "overlay's packets, UDP port 8472: run: ip6tables -I INPUT -p udp --dport "
			 "8472 -j ACCEPT");
	s.net.ipv6 = false;
	have.family = FW_IP;
	have.ufw = true;
	s.net.vxlan.port = 4789;
	assert_explained(&s, &have,
			 "nf_tables chain ip filter INPUT (of UFW, priority 0, policy drop) may "
			 "drop the overlay's packets, UDP port 4789: run: ufw allow 4789/udp");
	have.family = FW_IP6;
	assert_explained(&s, &have, NULL); /* no peers by IPv6 */

	have.family = FW_INET;
	have.ufw = have.policy_drop = false;
	text_copy(have.table, sizeof(have.table), "firewalld");
	text_copy(have.chain, sizeof(have.chain), "filter_INPUT");
	assert_explained(&s, &have,
			 "nf_tables chain inet firewalld filter_INPUT (priority 0, policy accept) "
			 "may drop the overlay's packets, UDP port 4789: run: firewall-cmd "
			 "--permanent --add-port=4789/udp && firewall-cmd --reload");
	text_copy(have.table, sizeof(have.table), "site");
	assert_explained(
		&s, &have,
		"nf_tables chain inet site filter_INPUT (priority 0, policy accept) may "
		"drop the overlay's packets, UDP port 4789: run: nft insert rule inet site "
		"filter_INPUT udp dport 4789 accept");
	have.table_owned = true;
	assert_explained(&s, &have,
			 "nf_tables chain inet site filter_INPUT (priority 0, policy accept) may "
			 "drop the overlay's packets, UDP port 4789: the table is owned by another "
			 "process, nobody else can write to it; let it accept that port");
	arena_fini(&s.arena);
}

/* What an earlier flanneld left, where we put nothing in its place. */
static void test_what_is_left_is_explained(void **state)
{
	static const struct fw_table table = {.family = FW_IP6, .name = "flannel-ipv6"};

	static const struct {
		enum fw_family family;
		enum fw_owner owner;
		const char *table, *chain, *want;
	} rows[] = {
		{FW_IP, FW_OWNER_FLANNEL, "nat", "FLANNEL-POSTRTG",
		 "nf_tables chain nat FLANNEL-POSTRTG of an earlier flanneld is still in force: "
		 "without --ip-masq we put nothing in its place; run: iptables-nft -t nat -D "
		 "POSTROUTING -m comment --comment 'flanneld masq' -j FLANNEL-POSTRTG; iptables-nft "
		 "-t nat -F FLANNEL-POSTRTG; iptables-nft -t nat -X FLANNEL-POSTRTG"},
		{FW_IP6, FW_OWNER_FLANNEL, "filter", "FLANNEL-FWD",
		 "nf_tables chain filter FLANNEL-FWD of an earlier flanneld is still in force: "
		 "without --iptables-forward-rules we put nothing in its place; run: ip6tables-nft -t "
		 "filter -D FORWARD -m comment --comment 'flanneld forward' -j FLANNEL-FWD; "
		 "ip6tables-nft -t filter -F FLANNEL-FWD; ip6tables-nft -t filter -X FLANNEL-FWD"},
		{FW_IP6, FW_OWNER_LEGACY, "filter", "FLANNEL-FWD",
		 "iptables-legacy chain filter FLANNEL-FWD of an earlier flanneld is still in force: "
		 "we do not touch that kind of tables; run: ip6tables-legacy -t filter -D FORWARD -m "
		 "comment --comment 'flanneld forward' -j FLANNEL-FWD; ip6tables-legacy -t filter -F "
		 "FLANNEL-FWD; ip6tables-legacy -t filter -X FLANNEL-FWD"},
	};

	char buf[700];
	struct text t = TEXT(buf);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fw_chain c = {.family = rows[i].family, .owner = rows[i].owner};

		text_copy(c.table, sizeof(c.table), rows[i].table);
		text_copy(c.chain, sizeof(c.chain), rows[i].chain);
		t = (struct text)TEXT(buf);
		fw_left_explain(&(struct object){.kind = OBJECT_FW_CHAIN, .fw_chain = &c}, &t);
		assert_string_equal(buf, rows[i].want);
	}
	t = (struct text)TEXT(buf);
	fw_left_explain(&(struct object){.kind = OBJECT_FW_TABLE, .fw_table = &table}, &t);
	assert_string_equal(
		buf, "nf_tables table ip6 flannel-ipv6 of an earlier flanneld is still in force: "
		     "without --ip-masq and --iptables-forward-rules we put nothing in its place; "
		     "run: nft delete table ip6 flannel-ipv6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_of_one_family),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_accepts_in_iptables_chain),
		cmocka_unit_test(test_satisfied),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_input),
		cmocka_unit_test(test_explain_legacy),
		cmocka_unit_test(test_explain_ends_when_the_command_was_run),
		cmocka_unit_test(test_what_is_left_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
