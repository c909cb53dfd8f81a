/* SPDX-License-Identifier: Apache-2.0 */
/* os/nft by hand, for the nft scripts beside it: what it sees, what it writes, what it hears.
 *
 *	nft_probe COMMAND…	one after the other, over the same sockets
 *
 *	dump			objects, a line each, with their rules; twice, the second reading cached
 *	table NETWORK POD	our table as the agent wants it; table-del
 *	accepts NETWORK		our accepts into ip filter FORWARD; accepts-del
 *	sh TEXT			a shell command in between
 *	notices			what the watch heard since the last time
 *	bench N			microseconds: reading, cached reading, replacing the table, accepts
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os/nft.h"
#include "os/nlsock.h"

#define COMMENT "loden"

static struct os_names names = {.fw_table = "loden", .fw_comment = COMMENT};

static struct cidr cidr(const char *s)
{
	struct cidr c;

	if (!s || !cidr_parse(s, &c)) {
		fprintf(stderr, "nft_probe: not a network: %s\n", s ? s : "");
		exit(2);
	}
	return c;
}

static void print_rule(const struct fw_rule *r)
{
	char buf[256];
	struct text t = TEXT(buf);

	fw_rule_format(r, &t);
	printf("\t\t%s%s%s%s\n", buf, r->counter ? " counter" : "", r->comment[0] ? " # " : "",
	       r->comment);
}

static void print_table(const struct fw_table *t)
{
	printf("table %s %s%s%s\n", fw_family_names[t->family], t->name,
	       t->dormant ? " dormant" : "", t->extra ? " extra" : "");
	for (size_t i = 0; i < t->n_chains; i++) {
		const struct fw_own_chain *c = &t->chains[i];

		printf("\tchain %s %s %s %d %s\n", c->name, c->nat ? "nat" : "filter",
		       fw_hook_names[c->hook], c->priority, c->policy_drop ? "drop" : "accept");
		for (size_t j = 0; j < c->n_rules; j++)
			print_rule(&c->rules[j]);
	}
}

static void print_chain(const struct fw_chain *c)
{
	printf("chain %s %s %s %s priority %d policy %s%s%s%s%s n_before %u ours %u%s\n",
	       fw_family_names[c->family], c->table, c->chain, fw_owner_names[c->owner],
	       c->priority, c->policy_drop ? "drop" : "accept", c->drops ? " drops" : "",
	       c->drops_before_ours ? " before_ours" : "", c->table_owned ? " owned by " : "",
	       c->owner_name, c->n_before, c->n_ours, c->ours_extra ? " ours_extra" : "");
	for (size_t i = 0; i < c->n_ours; i++)
		print_rule(&c->ours[i]);
}

static void print_object(void *arg, const struct object *o)
{
	(void)arg;
	if (o->kind == OBJECT_FW_TABLE)
		print_table(o->fw_table);
	else
		print_chain(o->fw_chain);
}

static void ignore_object(void *arg, const struct object *o)
{
	(void)arg;
	(void)o;
}

static int dump(struct nft *n, os_object_fn *fn)
{
	struct err err = {""};
	unsigned kinds = OBJECT_BIT(OBJECT_FW_TABLE) | OBJECT_BIT(OBJECT_FW_CHAIN);
	int r = nft_dump(n, &names, kinds, fn, NULL, &err);

	if (r < 0)
		printf("dump: %d %s\n", r, err.text);
	return r;
}

/* flannel.md 7.1, without the mark rule's mask trap; and forward accepts of our own. */
static struct fw_table own_table(const char *network, const char *pod)
{
	struct cidr net = cidr(network), sub = cidr(pod), multicast = cidr("224.0.0.0/4");
	struct fw_table t = {.family = FW_IP, .name = "loden", .n_chains = 2};
	struct fw_rule masq[] = {
		{.mark = 0x4000, .mark_mask = 0x4000, .verdict = FW_RETURN},
		{.saddr = sub, .daddr = net, .verdict = FW_RETURN},
		{.saddr = net, .daddr = sub, .verdict = FW_RETURN},
		{.saddr = net, .saddr_not = true, .daddr = sub, .verdict = FW_RETURN},
		{.saddr = net,
		 .daddr = multicast,
		 .daddr_not = true,
		 .verdict = FW_MASQUERADE,
		 .fully_random = true,
		 .counter = true},
		{.saddr = net,
		 .saddr_not = true,
		 .daddr = net,
		 .verdict = FW_MASQUERADE,
		 .fully_random = true,
		 .comment = COMMENT},
	};
	struct fw_rule forward[] = {
		{.saddr = net, .iif = "cni0", .verdict = FW_ACCEPT},
		{.daddr = net, .oif = "cni0", .counter = true, .verdict = FW_ACCEPT},
	};

	t.chains[0] = (struct fw_own_chain){
		.name = "forward", .hook = FW_HOOK_FORWARD, .n_rules = ARRAY_SIZE(forward)};
	memcpy(t.chains[0].rules, forward, sizeof(forward));
	t.chains[1] = (struct fw_own_chain){.name = "postrouting",
					    .nat = true,
					    .hook = FW_HOOK_POSTROUTING,
					    .priority = 110,
					    .n_rules = ARRAY_SIZE(masq)};
	memcpy(t.chains[1].rules, masq, sizeof(masq));
	return t;
}

static struct fw_chain accepts(const char *network)
{
	struct fw_chain c = {.family = FW_IP,
			     .table = "filter",
			     .chain = "FORWARD",
			     .owner = FW_OWNER_IPTABLES,
			     .n_ours = 2};

	for (size_t i = 0; i < c.n_ours; i++)
		c.ours[i] =
			(struct fw_rule){.counter = true, .verdict = FW_ACCEPT, .comment = COMMENT};
	c.ours[0].saddr = cidr(network);
	c.ours[1].daddr = cidr(network);
	return c;
}

static int apply(struct nft *n, enum op_verb verb, enum object_kind kind, const void *any)
{
	struct op op = {.verb = verb, .object = {.kind = kind, .any = any}};
	struct err err = {""};
	char text[120] = "";
	int r = nft_apply(n, &names, &op, text, &err);

	if (r < 0)
		printf("apply: %d %s\n", r, text);
	return r;
}

static void notices(struct nft *n)
{
	struct os_notice w;
	int r = nft_watch_read(n, &w);

	if (r != 1)
		printf("notices: %d\n", r);
	else
		printf("notice: kinds %x%s by %s\n", w.kinds, w.lost ? " lost" : "", w.who.comm);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void bench(struct nft *n, int times)
{
	struct fw_table t = own_table("10.244.0.0/16", "10.244.3.0/24");
	struct fw_chain c = accepts("10.244.0.0/16");
	double us[5];
	double sum[4] = {0};

	for (int i = 0; i < times; i++) {
		us[0] = now_us();
		apply(n, OP_SET, OBJECT_FW_TABLE, &t);
		us[1] = now_us();
		apply(n, OP_SET, OBJECT_FW_CHAIN, &c);
		us[2] = now_us();
		dump(n, ignore_object);
		us[3] = now_us();
		dump(n, ignore_object);
		us[4] = now_us();
		for (int j = 0; j < 4; j++)
			sum[j] += us[j + 1] - us[j];
	}
	printf("bench: table %.0f accepts %.0f dump %.0f cached %.0f us\n", sum[0] / times,
	       sum[1] / times, sum[2] / times, sum[3] / times);
}

/* Returns how many of argv it used. */
static int run(struct nft *n, char **argv)
{
	struct fw_table t;
	struct fw_chain c;

	if (strcmp(argv[0], "dump") == 0) {
		if (dump(n, ignore_object) == 0)
			dump(n, print_object);
	} else if (strcmp(argv[0], "notices") == 0) {
		notices(n);
	} else if (strcmp(argv[0], "table-del") == 0) {
		t = own_table("10.244.0.0/16", "10.244.3.0/24");
		apply(n, OP_DEL, OBJECT_FW_TABLE, &t);
	} else if (strcmp(argv[0], "accepts-del") == 0) {
		c = accepts("10.244.0.0/16");
		apply(n, OP_DEL, OBJECT_FW_CHAIN, &c);
	} else if (strcmp(argv[0], "table") == 0 && argv[1]) {
		t = own_table(argv[1], argv[2]);
		apply(n, OP_SET, OBJECT_FW_TABLE, &t);
		return 3;
	} else if (strcmp(argv[0], "accepts") == 0) {
		c = accepts(argv[1]);
		apply(n, OP_SET, OBJECT_FW_CHAIN, &c);
		return 2;
	} else if (strcmp(argv[0], "bench") == 0 && argv[1]) {
		bench(n, atoi(argv[1]));
		return 2;
	} else if (strcmp(argv[0], "sh") == 0 && argv[1]) {
		fflush(stdout);
		if (system(argv[1]) != 0)
			printf("sh: failed: %s\n", argv[1]);
		return 2;
	} else {
		fprintf(stderr, "nft_probe: what is \"%s\"?\n", argv[0]);
		exit(2);
	}
	return 1;
}

int main(int argc, char **argv)
{
	static uint8_t rx[NLSOCK_RX_BYTES];
	struct err err = {""};
	struct nft *n;
	int r = nft_open(rx, &n, &err);

	(void)argc;
	names.networks[0] = cidr("10.244.0.0/16");
	if (r < 0) {
		printf("open: %d %s\n", r, err.text);
		return 1;
	}
	for (argv++; *argv;) {
		argv += run(n, argv);
		fflush(stdout);
	}
	nft_close(n);
	return 0;
}
