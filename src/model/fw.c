/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fw.h"

#include <string.h>

const char *const fw_family_names[FW__COUNT] = {
	[FW_IP] = "ip",
	[FW_IP6] = "ip6",
	[FW_INET] = "inet",
};
static_assert(FW__COUNT == 3, "name the new family");

const char *const fw_verdict_names[FW_VERDICT__COUNT] = {
	[FW_CONTINUE] = "continue", [FW_ACCEPT] = "accept",	    [FW_DROP] = "drop",
	[FW_RETURN] = "return",	    [FW_MASQUERADE] = "masquerade",
};
static_assert(FW_VERDICT__COUNT == 5, "name the new verdict");

const char *const fw_hook_names[FW_HOOK__COUNT] = {
	[FW_HOOK_FORWARD] = "forward",
	[FW_HOOK_POSTROUTING] = "postrouting",
	[FW_HOOK_INPUT] = "input",
	[FW_HOOK_OTHER] = "other",
};
static_assert(FW_HOOK__COUNT == 4, "name the new hook");

const char *const fw_owner_names[FW_OWNER__COUNT] = {
	[FW_OWNER_IPTABLES] = "iptables",
	[FW_OWNER_NATIVE] = "native",
	[FW_OWNER_FLANNEL] = "flannel",
	[FW_OWNER_LEGACY] = "legacy",
};
static_assert(FW_OWNER__COUNT == 4, "name the new owner");

bool fw_rule_eq(const struct fw_rule *a, const struct fw_rule *b)
{
	return !a->opaque && !b->opaque && cidr_eq(&a->saddr, &b->saddr) &&
	       cidr_eq(&a->daddr, &b->daddr) && a->saddr_not == b->saddr_not &&
	       a->daddr_not == b->daddr_not && strcmp(a->iif, b->iif) == 0 &&
	       strcmp(a->oif, b->oif) == 0 && a->mark == b->mark && a->mark_mask == b->mark_mask &&
	       a->counter == b->counter && a->fully_random == b->fully_random &&
	       a->verdict == b->verdict && strcmp(a->comment, b->comment) == 0;
}

static void format_cidr(const char *what, const struct cidr *c, bool negated, struct text *t)
{
	char buf[CIDR_STRLEN];

	if (cidr_is_set(c))
		text_add(t, "%s %s%s ", what, negated ? "!= " : "", cidr_format(c, buf));
}

static void format_name(const char *what, const char *name, struct text *t)
{
	if (!name[0])
		return;
	text_add(t, "%s ", what);
	text_add_escaped(t, name, strlen(name));
	text_add(t, " ");
}

void fw_rule_format(const struct fw_rule *r, struct text *t)
{
	if (r->mark_mask)
		text_add(t, "mark 0x%x/0x%x ", r->mark, r->mark_mask);
	format_cidr("saddr", &r->saddr, r->saddr_not, t);
	format_cidr("daddr", &r->daddr, r->daddr_not, t);
	format_name("iifname", r->iif, t);
	format_name("oifname", r->oif, t);
	if (r->opaque)
		text_add(t, "(more) ");
	text_add(t, "%s%s", fw_verdict_names[r->verdict], r->fully_random ? " fully-random" : "");
}

static bool own_chain_same_head(const struct fw_own_chain *a, const struct fw_own_chain *b)
{
	return a->nat == b->nat && a->hook == b->hook && a->priority == b->priority &&
	       a->policy_drop == b->policy_drop;
}

/* Index of the first rule that differs; the shorter list ends with a difference. -1 = none. */
static int first_difference(const struct fw_own_chain *a, const struct fw_own_chain *b)
{
	int both = MIN(a->n_rules, b->n_rules);

	for (int i = 0; i < both; i++)
		if (!fw_rule_eq(&a->rules[i], &b->rules[i]))
			return i;
	return a->n_rules == b->n_rules ? -1 : both;
}

bool fw_table_same_chains(const struct fw_table *a, const struct fw_table *b)
{
	if (a->family != b->family || strcmp(a->name, b->name) != 0 || a->dormant != b->dormant ||
	    a->extra != b->extra || a->n_chains != b->n_chains)
		return false;
	for (size_t i = 0; i < a->n_chains; i++)
		if (strcmp(a->chains[i].name, b->chains[i].name) != 0 ||
		    !own_chain_same_head(&a->chains[i], &b->chains[i]))
			return false;
	return true;
}

bool fw_table_eq(const struct fw_table *a, const struct fw_table *b)
{
	if (!fw_table_same_chains(a, b))
		return false;
	for (size_t i = 0; i < a->n_chains; i++)
		if (first_difference(&a->chains[i], &b->chains[i]) >= 0)
			return false;
	return true;
}

static const struct fw_own_chain *find_chain(const struct fw_table *t, const char *name)
{
	for (size_t i = 0; i < t->n_chains; i++)
		if (strcmp(t->chains[i].name, name) == 0)
			return &t->chains[i];
	return NULL;
}

static void own_chain_why(const struct fw_own_chain *want, const struct fw_own_chain *have,
			  struct text *t)
{
	int i = first_difference(want, have);

	if (!own_chain_same_head(want, have))
		text_add(t, "chain %s has another type, hook, priority or policy, ", want->name);
	if (i < 0)
		return;
	if (want->n_rules != have->n_rules)
		text_add(t, "chain %s has %u rules instead of %u, ", want->name, have->n_rules,
			 want->n_rules);
	else
		text_add(t, "chain %s rule %d differs, ", want->name, i + 1);
}

void fw_table_why(const struct fw_table *want, const struct fw_table *have, struct text *t)
{
	size_t before = t->len;

	if (have->dormant && !want->dormant)
		text_add(t, "dormant, ");
	for (size_t i = 0; i < want->n_chains; i++) {
		const struct fw_own_chain *chain = find_chain(have, want->chains[i].name);

		if (chain)
			own_chain_why(&want->chains[i], chain, t);
		else
			text_add(t, "chain %s missing, ", want->chains[i].name);
	}
	for (size_t i = 0; i < have->n_chains; i++)
		if (!find_chain(want, have->chains[i].name)) {
			text_add(t, "chain ");
			text_add_escaped(t, have->chains[i].name, strlen(have->chains[i].name));
			text_add(t, " too many, ");
		}
	if (have->extra && !want->extra)
		text_add(t, "foreign objects inside, ");
	if (t->len > before && !t->cut) {
		t->len -= 2; /* the last ", " */
		t->buf[t->len] = '\0';
	}
}

bool fw_arrival_eq(const struct fw_arrival *a, const struct fw_arrival *b)
{
	return a->port == b->port && ip_eq(&a->local[0], &b->local[0]) &&
	       ip_eq(&a->local[1], &b->local[1]) && strcmp(a->iif, b->iif) == 0;
}

bool fw_chain_eq(const struct fw_chain *a, const struct fw_chain *b)
{
	if (a->family != b->family || strcmp(a->table, b->table) != 0 ||
	    strcmp(a->chain, b->chain) != 0 || a->hook != b->hook || a->owner != b->owner ||
	    a->ufw != b->ufw || a->table_owned != b->table_owned ||
	    strcmp(a->owner_name, b->owner_name) != 0 || a->priority != b->priority ||
	    a->policy_drop != b->policy_drop || a->drops != b->drops ||
	    a->drops_before_ours != b->drops_before_ours || a->n_before != b->n_before ||
	    a->n_ours != b->n_ours || a->ours_extra != b->ours_extra)
		return false;
	for (size_t i = 0; i < a->n_ours; i++)
		if (!fw_rule_eq(&a->ours[i], &b->ours[i]))
			return false;
	return true;
}

const struct fw_flannel_chain fw_flannel_chains[FW_FLANNEL_CHAINS] = {
	{"nat", "FLANNEL-POSTRTG", "POSTROUTING", "flanneld masq", true},
	{"filter", "FLANNEL-FWD", "FORWARD", "flanneld forward", false},
};

const struct fw_flannel_chain *fw_flannel_chain(const char *table, const char *chain)
{
	for (size_t i = 0; i < FW_FLANNEL_CHAINS; i++) {
		if (strcmp(table, fw_flannel_chains[i].table) == 0 &&
		    strcmp(chain, fw_flannel_chains[i].chain) == 0)
			return &fw_flannel_chains[i];
	}
	return NULL;
}

bool fw_is_flannel_table(enum fw_family family, const char *name)
{
	return (family == FW_IP && strcmp(name, "flannel-ipv4") == 0) ||
	       (family == FW_IP6 && strcmp(name, "flannel-ipv6") == 0);
}
