/* SPDX-License-Identifier: Apache-2.0 */
#include "os/legacy.h"

/* Before the kernel's own, which give way to it. */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/file.h"

/* syscalls: socket getsockopt close */

#define LIMIT_LEGACY_BYTES (8 << 20) /* of one table: some 40,000 rules */

/* The two families have the same calls, with structures of different sizes. */
struct family {
	enum fw_family family;
	const char *names; /* of the tables in use, a line each */
	int domain, level, get_info, get_entries;
};

static const struct family families[] = {
	{FW_IP, "net/ip_tables_names", AF_INET, IPPROTO_IP, IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES},
	{FW_IP6, "net/ip6_tables_names", AF_INET6, IPPROTO_IPV6, IP6T_SO_GET_INFO,
	 IP6T_SO_GET_ENTRIES},
};

/* A chain begins with an entry whose target is an error of the chain's name. */
static const char *chain_name(const uint8_t *entry, size_t target, size_t next)
{
	const struct xt_error_target *t =
		(const struct xt_error_target *)(const void *)(entry + target);

	if (target + sizeof(*t) > next || strcmp(t->target.u.user.name, XT_ERROR_TARGET) != 0 ||
	    !memchr(t->errorname, '\0', sizeof(t->errorname)))
		return NULL;
	return t->errorname;
}

bool legacy_has_chain(const void *entries, size_t size_bytes, bool v6, const char *chain)
{
	size_t header = v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
	const uint8_t *p = entries;

	while (size_bytes >= header) {
		const struct ipt_entry *e4 = (const struct ipt_entry *)(const void *)p;
		const struct ip6t_entry *e6 = (const struct ip6t_entry *)(const void *)p;
		size_t target = v6 ? e6->target_offset : e4->target_offset;
		size_t next = v6 ? e6->next_offset : e4->next_offset;
		const char *name;

		if (next < header || next > size_bytes || target < header)
			return false;
		name = chain_name(p, target, next);
		if (name && strcmp(name, chain) == 0)
			return true;
		p += next;
		size_bytes -= next;
	}
	return false;
}

/* ---- what FORWARD does ---- */

struct entry {
	size_t next;
	bool plain; /* picks nobody out but by these addresses */
	struct cidr saddr, daddr;
	enum fw_verdict verdict; /* FW_CONTINUE = none that ends here */
};

/* False: no network. */
static bool to_cidr(const void *addr, const void *mask, size_t n, struct cidr *ret)
{
	const uint8_t *m = mask;
	unsigned bits = 0;

	while (bits < 8 * n && (m[bits / 8] & (0x80 >> bits % 8)))
		bits++;
	for (size_t i = bits; i < 8 * n; i++) {
		if (m[i / 8] & (0x80 >> i % 8))
			return false;
	}
	*ret = bits ? (struct cidr){ip_from_bytes(addr, n), (uint8_t)bits} : (struct cidr){0};
	return true;
}

static bool is_zero(const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (((const uint8_t *)bytes)[i] != 0)
			return false;
	}
	return true;
}

static enum fw_verdict verdict_of(const uint8_t *target, size_t size_bytes)
{
	struct xt_standard_target t;

	if (size_bytes < sizeof(t.target))
		return FW_CONTINUE;
	memcpy(&t, target, MIN(size_bytes, sizeof(t)));
	if (strncmp(t.target.u.user.name, "REJECT", sizeof(t.target.u.user.name)) == 0)
		return FW_DROP;
	if (t.target.u.user.name[0] || size_bytes < sizeof(t))
		return FW_CONTINUE;
	if (t.verdict == -NF_ACCEPT - 1)
		return FW_ACCEPT;
	return t.verdict == -NF_DROP - 1 ? FW_DROP : FW_CONTINUE;
}

static bool read_entry(const uint8_t *p, size_t left, bool v6, struct entry *ret)
{
	size_t header = v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry), target;
	struct ipt_entry e4;
	struct ip6t_entry e6;
	bool plain;

	if (left < header)
		return false;
	memcpy(v6 ? (void *)&e6 : (void *)&e4, p, header);
	target = v6 ? e6.target_offset : e4.target_offset;
	*ret = (struct entry){.next = v6 ? e6.next_offset : e4.next_offset};
	if (target < header || ret->next < target || ret->next > left)
		return false;
	if (v6)
		plain = to_cidr(&e6.ipv6.src, &e6.ipv6.smsk, 16, &ret->saddr) &&
			to_cidr(&e6.ipv6.dst, &e6.ipv6.dmsk, 16, &ret->daddr) &&
			is_zero(e6.ipv6.iniface_mask, 2 * IFNAMSIZ) && !e6.ipv6.proto &&
			!e6.ipv6.invflags;
	else
		plain = to_cidr(&e4.ip.src, &e4.ip.smsk, 4, &ret->saddr) &&
			to_cidr(&e4.ip.dst, &e4.ip.dmsk, 4, &ret->daddr) &&
			is_zero(e4.ip.iniface_mask, 2 * IFNAMSIZ) && !e4.ip.proto &&
			!e4.ip.invflags;
	ret->plain = plain && target == header; /* no matches */
	ret->verdict = verdict_of(p + target, ret->next - target);
	return true;
}

bool legacy_read_forward(const void *entries, size_t size_bytes, struct legacy_span span,
			 struct fw_chain *ret)
{
	bool v6 = ret->family == FW_IP6;
	struct fw_chain c = *ret;
	struct entry e;

	for (size_t at = span.first; at <= span.policy && at < size_bytes; at += e.next) {
		if (!read_entry((const uint8_t *)entries + at, size_bytes - at, v6, &e) || !e.next)
			return false;
		if (!e.plain || e.verdict == FW_CONTINUE)
			continue;
		if (!cidr_is_set(&e.saddr) && !cidr_is_set(&e.daddr)) {
			c.drops = e.verdict == FW_DROP;
			c.policy_drop = c.drops && at == span.policy;
			*ret = c;
			return true;
		}
		if (e.verdict == FW_ACCEPT && c.n_ours < FW_RULES_MAX)
			c.ours[c.n_ours++] = (struct fw_rule){
				.saddr = e.saddr, .daddr = e.daddr, .verdict = FW_ACCEPT};
	}
	return false;
}

/* ---- asking ---- */

/* The whole table; *ret is malloc'ed. */
static size_t read_table(const struct family *f, const char *table, void **ret,
			 struct legacy_span *ret_forward)
{
	union {
		struct ipt_getinfo v4;
		struct ip6t_getinfo v6;
	} info = {0};

	socklen_t len = sizeof(info.v4); /* the same for both */
	int fd = socket(f->domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ipt_get_entries *get = NULL; /* for IPv6 it begins alike */
	size_t size = 0;

	static_assert(sizeof(info.v4) == sizeof(info.v6), "one length for both");
	static_assert(offsetof(struct ipt_get_entries, entrytable) ==
			      offsetof(struct ip6t_get_entries, entrytable),
		      "one layout for both");
	snprintf(info.v4.name, sizeof(info.v4.name), "%s", table);
	if (fd < 0 || getsockopt(fd, f->level, f->get_info, &info, &len) < 0)
		goto out;
	size = f->domain == AF_INET ? info.v4.size : info.v6.size;
	if (size > LIMIT_LEGACY_BYTES)
		goto out;
	len = (socklen_t)(sizeof(*get) + size);
	get = calloc(1, len);
	if (!get)
		goto out;
	snprintf(get->name, sizeof(get->name), "%s", table);
	get->size = (unsigned)size;
	if (getsockopt(fd, f->level, f->get_entries, get, &len) == 0) {
		*ret = TAKE_PTR(get);
		*ret_forward = (struct legacy_span){info.v4.hook_entry[NF_INET_FORWARD],
						    info.v4.underflow[NF_INET_FORWARD]};
		close(fd);
		return size;
	}
out:
	free(get);
	if (fd >= 0)
		close(fd);
	return 0;
}

static bool is_in_use(const char *proc, const struct family *f, const char *table)
{
	char path[80], names[256], *save = NULL;

	snprintf(path, sizeof(path), "%s/%s", proc, f->names);
	if (file_read(path, names, sizeof(names), NULL) < 0)
		return false;
	for (char *p = strtok_r(names, "\n", &save); p; p = strtok_r(NULL, "\n", &save)) {
		if (strcmp(p, table) == 0)
			return true;
	}
	return false;
}

static void dump_forward(const struct family *f, os_object_fn *fn, void *arg)
{
	struct fw_chain c = {.family = f->family,
			     .owner = FW_OWNER_LEGACY,
			     .table = "filter",
			     .chain = "FORWARD"};
	struct ipt_get_entries *get = NULL;
	struct legacy_span span;
	size_t size = read_table(f, "filter", (void **)&get, &span);

	if (size && legacy_read_forward(get->entrytable, size, span, &c))
		fn(arg, &(struct object){.kind = OBJECT_FW_CHAIN, .fw_chain = &c});
	free(get);
}

void legacy_dump(const char *proc, os_object_fn *fn, void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(families) * FW_FLANNEL_CHAINS; i++) {
		const struct family *f = &families[i / FW_FLANNEL_CHAINS];
		const struct fw_flannel_chain *flannel = &fw_flannel_chains[i % FW_FLANNEL_CHAINS];
		struct fw_chain c = {.family = f->family, .owner = FW_OWNER_LEGACY};
		struct ipt_get_entries *get = NULL;
		struct legacy_span span;
		size_t size;

		if (!is_in_use(proc, f, flannel->table))
			continue;
		size = read_table(f, flannel->table, (void **)&get, &span);
		text_copy(c.table, sizeof(c.table), flannel->table);
		text_copy(c.chain, sizeof(c.chain), flannel->chain);
		if (size &&
		    legacy_has_chain(get->entrytable, size, f->domain == AF_INET6, flannel->chain))
			fn(arg, &(struct object){.kind = OBJECT_FW_CHAIN, .fw_chain = &c});
		free(get);
	}
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (is_in_use(proc, &families[i], "filter"))
			dump_forward(&families[i], fn, arg);
	}
}
