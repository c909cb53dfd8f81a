/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fw.h"

#include <string.h>

#include "core/want.h"

/* srcnat (100) + 10: behind kube-proxy's chains, which carry its own masquerade mark. */
#define POSTROUTING_PRIORITY 110
#define KUBE_MARK	     0x4000	     /* kube-proxy: "masquerade this", its business */
#define COMMENT_MASQ	     "flanneld masq" /* as WANT_COMMENT_FORWARD */

/* All about one family that rules are made of. */
struct side {
	enum fw_family family;
	struct cidr cluster, pod, multicast;
	bool fully_random;
};

static struct fw_own_chain *add_chain(struct fw_table *t, const char *name, enum fw_hook hook)
{
	struct fw_own_chain *c = &t->chains[t->n_chains++];

	text_copy(c->name, sizeof(c->name), name);
	c->hook = hook;
	return c;
}

static void add_own_rule(struct fw_own_chain *c, const char *comment, struct fw_rule rule)
{
	assert(c->n_rules < FW_RULES_MAX);
	text_copy(rule.comment, sizeof(rule.comment), comment);
	c->rules[c->n_rules++] = rule;
}

/* flannel.md 7.1, rule by rule. */
static void add_postrouting(struct fw_table *t, const struct side *s)
{
	struct fw_own_chain *c = add_chain(t, "postrouting", FW_HOOK_POSTROUTING);
	const struct fw_rule rules[] = {
		{.mark = KUBE_MARK, .mark_mask = KUBE_MARK, .verdict = FW_RETURN},
		{.saddr = s->pod, .daddr = s->cluster, .verdict = FW_RETURN},
		{.saddr = s->cluster, .daddr = s->pod, .verdict = FW_RETURN},
		{.saddr = s->cluster, .saddr_not = true, .daddr = s->pod, .verdict = FW_RETURN},
		{.saddr = s->cluster,
		 .daddr = s->multicast,
		 .daddr_not = true,
		 .verdict = FW_MASQUERADE,
		 .fully_random = s->fully_random},
		{.saddr = s->cluster,
		 .saddr_not = true,
		 .daddr = s->cluster,
		 .verdict = FW_MASQUERADE,
		 .fully_random = s->fully_random},
	};

	c->nat = true;
	c->priority = POSTROUTING_PRIORITY;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		add_own_rule(c, COMMENT_MASQ, rules[i]);
}

static void forward_rules(const struct side *s, struct fw_rule ret[2])
{
	ret[0] = (struct fw_rule){.saddr = s->cluster, .verdict = FW_ACCEPT};
	ret[1] = (struct fw_rule){.daddr = s->cluster, .verdict = FW_ACCEPT};
}

/* flannel.md 7.2, as flannel's nftables mode has it. It says what shall pass, no more: no accept
 * saves a packet from a drop in another base chain (failures.md 4-E12). */
static void add_forward(struct fw_table *t, const struct side *s)
{
	struct fw_own_chain *c = add_chain(t, "forward", FW_HOOK_FORWARD);
	struct fw_rule rules[2];

	forward_rules(s, rules);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		add_own_rule(c, WANT_COMMENT_FORWARD, rules[i]);
}

/* The accepts that do the work: in iptables' own chain, in a form that survives iptables-save |
 * iptables-restore (failures.md 4-E14), counter included as iptables always has one. */
static void fill_iptables_chain(const struct want_input *in, const struct side *s,
				struct fw_chain *ret)
{
	ret->family = s->family;
	ret->owner = FW_OWNER_IPTABLES;
	text_copy(ret->table, sizeof(ret->table), "filter");
	text_copy(ret->chain, sizeof(ret->chain), "FORWARD");
	forward_rules(s, ret->ours);
	ret->n_ours = 2;
	for (size_t i = 0; i < ret->n_ours; i++) {
		ret->ours[i].counter = true;
		want_comment(in->conf, ret->ours[i].comment);
	}
}

/* The families that are on, IPv4 first. Returns how many. */
static size_t list_sides(const struct want_input *in, struct side ret[2])
{
	size_t n = 0;

	if (in->net->ipv4)
		ret[n++] = (struct side){
			.family = FW_IP,
			.cluster = in->net->network,
			.pod = in->own->subnet,
			.multicast = {.ip = ip_from_v4(0xe0000000), .len = 4},
			.fully_random = in->conf->masq_fully_random,
		};
	if (in->net->ipv6)
		ret[n++] = (struct side){
			.family = FW_IP6,
			.cluster = in->net->network6,
			.pod = in->own->subnet6,
			.multicast = {.ip = {{0xff}}, .len = 8},
			.fully_random = in->conf->masq_fully_random,
		};
	return n;
}

void fw_want(const struct want_input *in, struct arena *a, struct netstate *ret)
{
	struct fw_table *tables = arena_array(a, struct fw_table, 2);
	struct fw_chain *chains = arena_array(a, struct fw_chain, 2);
	struct side sides[2];
	size_t n;

	if (!in->own || (!in->conf->ip_masq && !in->conf->forward_rules))
		return;
	n = list_sides(in, sides);
	for (size_t i = 0; i < n; i++) {
		tables[i].family = sides[i].family;
		want_table_name(in->conf, tables[i].name);
		if (in->conf->forward_rules) {
			add_forward(&tables[i], &sides[i]); /* chains go by name */
			fill_iptables_chain(in, &sides[i], &chains[i]);
		}
		if (in->conf->ip_masq)
			add_postrouting(&tables[i], &sides[i]);
	}
	ret->of[OBJECT_FW_TABLE].items = tables;
	ret->of[OBJECT_FW_TABLE].n = n;
	ret->of[OBJECT_FW_CHAIN].items = chains;
	ret->of[OBJECT_FW_CHAIN].n = in->conf->forward_rules ? n : 0;
}

bool fw_chain_satisfied(const struct fw_chain *want, const struct fw_chain *have)
{
	/* None of ours needed, none there. Some there, but not these: of an older Network. */
	if (!have->drops && have->n_ours == 0 && !have->ours_extra)
		return true;
	if (have->n_ours != want->n_ours || have->ours_extra || have->drops_before_ours)
		return false;
	for (size_t i = 0; i < want->n_ours; i++)
		if (!fw_rule_eq(&want->ours[i], &have->ours[i]))
			return false;
	return true;
}

/* Do accepts with our comment, put there by hand, let `cluster` pass in both directions? */
static bool accepts(const struct fw_chain *have, const struct cidr *cluster)
{
	bool from = false, to = false;

	for (size_t i = 0; i < have->n_ours; i++) {
		struct fw_rule r = have->ours[i];

		r.counter = false;
		r.comment[0] = '\0';
		from = from ||
		       fw_rule_eq(&r, &(struct fw_rule){.saddr = *cluster, .verdict = FW_ACCEPT});
		to = to ||
		     fw_rule_eq(&r, &(struct fw_rule){.daddr = *cluster, .verdict = FW_ACCEPT});
	}
	return from && to;
}

static void add_name(const char *name, struct text *t)
{
	text_add(t, " ");
	text_add_escaped(t, name, strlen(name));
}

/* Networks of ours that pass through the chain's family. Returns how many. */
static size_t list_networks(const struct fw_chain *have, const struct netconf *net,
			    struct cidr ret[2])
{
	size_t n = 0;

	if (net->ipv4 && have->family != FW_IP6)
		ret[n++] = net->network;
	if (net->ipv6 && have->family != FW_IP)
		ret[n++] = net->network6;
	return n;
}

static void add_firewalld_command(const struct cidr *networks, size_t n, struct text *t)
{
	char buf[CIDR_STRLEN];

	text_add(t, "unless that was done, run: firewall-cmd --permanent --zone=trusted");
	for (size_t i = 0; i < n; i++)
		text_add(t, " --add-source=%s", cidr_format(&networks[i], buf));
	text_add(t, " && firewall-cmd --reload");
}

static void add_nft_commands(const struct fw_chain *have, const struct cidr *networks, size_t n,
			     const char *comment, struct text *t)
{
	static const char *const directions[] = {"saddr", "daddr"};
	char buf[CIDR_STRLEN];

	text_add(t, "run:");
	for (size_t i = 0; i < 2 * n; i++) {
		const struct cidr *c = &networks[i / 2];

		text_add(t, "%s nft insert rule %s", i > 0 ? ";" : "",
			 fw_family_names[have->family]);
		add_name(have->table, t);
		add_name(have->chain, t);
		text_add(t, " %s %s %s accept comment '\"%s\"'", ip_is_v4(&c->ip) ? "ip" : "ip6",
			 directions[i % 2], cidr_format(c, buf), comment);
	}
}

static void add_table_owner(const struct fw_chain *have, struct text *t)
{
	text_add(t, "the table is owned by");
	add_name(have->owner_name[0] ? have->owner_name : "another process", t);
	text_add(t, ", nobody else can write to it; let it accept");
}

/* At hook input: what closes the port of the overlay. Once its owner's rules accept that, in whatever
 * way the walk understands, the chain drops no more. */
static void explain_input(const struct fw_chain *have, const struct netconf *net, struct text *t)
{
	bool firewalld = strcmp(have->table, "firewalld") == 0;
	unsigned port = want_port(net);

	text_add(t, "nf_tables chain %s", fw_family_names[have->family]);
	add_name(have->table, t);
	add_name(have->chain, t);
	text_add(t, " (%spriority %d, policy %s) may drop the overlay's packets, UDP port %u: ",
		 have->ufw ? "of UFW, " : "", have->priority, have->policy_drop ? "drop" : "accept",
		 port);
	if (firewalld) {
		text_add(t,
			 "run: firewall-cmd --permanent --add-port=%u/udp && firewall-cmd --reload",
			 port);
	} else if (have->table_owned) {
		add_table_owner(have, t);
		text_add(t, " that port");
	} else if (have->ufw) {
		text_add(t, "run: ufw allow %u/udp", port);
	} else if (have->family != FW_INET && strcmp(have->table, "filter") == 0 &&
		   strcmp(have->chain, "INPUT") == 0) {
		text_add(t, "run: %s -I INPUT -p udp --dport %u -j ACCEPT",
			 have->family == FW_IP6 ? "ip6tables" : "iptables", port);
	} else {
		text_add(t, "run: nft insert rule %s", fw_family_names[have->family]);
		add_name(have->table, t);
		add_name(have->chain, t);
		text_add(t, " udp dport %u accept", port);
	}
}

static void explain_legacy(const struct fw_chain *have, const struct cidr *networks, size_t n,
			   struct text *t)
{
	const char *tool = have->family == FW_IP6 ? "ip6tables-legacy" : "iptables-legacy";
	char buf[CIDR_STRLEN];

	text_add(t, "%s chain filter FORWARD (policy %s) may drop pod packets: run: ", tool,
		 have->policy_drop ? "drop" : "accept");
	for (size_t i = 0; i < n; i++) {
		cidr_format(&networks[i], buf);
		text_add(t, "%s%s -I FORWARD -s %s -j ACCEPT; %s -I FORWARD -d %s -j ACCEPT",
			 i > 0 ? "; " : "", tool, buf, tool, buf);
	}
}

bool fw_chain_explain(const struct fw_chain *have, const struct netconf *net,
		      const struct brain_conf *conf, struct text *ret)
{
	bool firewalld = strcmp(have->table, "firewalld") == 0;
	char comment[FW_COMMENT_SIZE];
	struct cidr networks[2];
	size_t n = list_networks(have, net, networks);
	bool passes = have->n_ours > 0 && !have->drops_before_ours;

	for (size_t i = 0; i < n; i++)
		passes = passes && accepts(have, &networks[i]);
	if (n == 0 || passes || !have->drops)
		return false;
	if (have->hook == FW_HOOK_INPUT) {
		explain_input(have, net, ret);
		return true;
	}
	if (have->owner == FW_OWNER_LEGACY) {
		explain_legacy(have, networks, n, ret);
		return true;
	}
	if (have->owner == FW_OWNER_IPTABLES && !have->table_owned)
		return false;
	text_add(ret, "nf_tables chain %s", fw_family_names[have->family]);
	add_name(have->table, ret);
	add_name(have->chain, ret);
	text_add(ret, " (priority %d, policy %s) may drop pod packets: ", have->priority,
		 have->policy_drop ? "drop" : "accept");
	want_comment(conf, comment);
	if (firewalld) {
		add_firewalld_command(networks, n, ret);
	} else if (have->table_owned) {
		add_table_owner(have, ret);
		for (size_t i = 0; i < n; i++) {
			char buf[CIDR_STRLEN];

			text_add(ret, " %s", cidr_format(&networks[i], buf));
		}
	} else {
		add_nft_commands(have, networks, n, comment, ret);
	}
	return true;
}

static void add_iptables_commands(const struct fw_chain *c, const struct fw_flannel_chain *f,
				  struct text *t)
{
	const char *tool = c->owner == FW_OWNER_LEGACY
				   ? (c->family == FW_IP6 ? "ip6tables-legacy" : "iptables-legacy")
				   : (c->family == FW_IP6 ? "ip6tables-nft" : "iptables-nft");

	text_add(t,
		 "run: %s -t %s -D %s -m comment --comment '%s' -j %s; %s -t %s -F %s; "
		 "%s -t %s -X %s",
		 tool, f->table, f->base, f->comment, f->chain, tool, f->table, f->chain, tool,
		 f->table, f->chain);
}

void fw_left_explain(const struct object *have, struct text *ret)
{
	const struct fw_chain *c = have->fw_chain;
	const struct fw_flannel_chain *f;

	if (have->kind == OBJECT_FW_TABLE) {
		const struct fw_table *t = have->fw_table;

		text_add(ret,
			 "nf_tables table %s %s of an earlier flanneld is still in force: without "
			 "--ip-masq and --iptables-forward-rules we put nothing in its place; run: "
			 "nft delete table %s %s",
			 fw_family_names[t->family], t->name, fw_family_names[t->family], t->name);
		return;
	}
	f = fw_flannel_chain(c->table, c->chain);
	assert(f);
	text_add(ret, "%s chain %s %s of an earlier flanneld is still in force: ",
		 c->owner == FW_OWNER_LEGACY ? "iptables-legacy" : "nf_tables", f->table, f->chain);
	if (c->owner == FW_OWNER_LEGACY)
		text_add(ret, "we do not touch that kind of tables; ");
	else
		text_add(ret, "without %s we put nothing in its place; ",
			 f->masquerades ? "--ip-masq" : "--iptables-forward-rules");
	add_iptables_commands(c, f, ret);
}
