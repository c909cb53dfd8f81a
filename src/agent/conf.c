/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "os/file.h"

/* syscalls: getrandom */

#define DEFAULT_RUN_DIR "/run/loden"
#define INSTANCE_MAX	12 /* "loden-" and this fit a table's and an alias' name */
/* The default instance's ids begin at 'L' << 24. */
#define NEXTHOP_TOP	'L'
#define NEXTHOP_TOPS	32
#define NEXTHOP_ID_BITS 24

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static int instance(const struct opts *o, struct brain_conf *ret, struct err *err)
{
	const char *name = o->instance;

	if (!name[0] && strcmp(o->run_dir, DEFAULT_RUN_DIR))
		snprintf(ret->instance, sizeof(ret->instance), "%08x", hash(o->run_dir));
	if (!name[0])
		return 0;
	if (strlen(name) > INSTANCE_MAX ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789")])
		return err_set(err, -EINVAL,
			       "--instance: must be at most %d lower-case letters and digits: "
			       "\"%s\"",
			       INSTANCE_MAX, name);
	text_copy(ret->instance, sizeof(ret->instance), name);
	return 0;
}

int conf_from_opts(const struct opts *o, struct brain_conf *ret, struct err *err)
{
	struct brain_conf c = {
		.ip_masq = o->ip_masq,
		.masq_fully_random = !o->ip_masq_fully_random_disable,
		.forward_rules = o->iptables_forward_rules,
		.blackhole_route = o->ip_blackhole_route,
		.bridge = strcmp(o->bridge, "none") != 0,
		.vxlan_guard = o->vxlan_guard,
		.spread_threshold = (uint32_t)o->spread_threshold,
		.audit_ms = (uint64_t)o->audit_interval_s * 1000,
	};
	struct ip ip;
	int r = instance(o, &c, err);

	if (r < 0)
		return r;
	if (!o->bridge[0] || strpbrk(o->bridge, "/: ") ||
	    !text_copy(c.bridge_name, sizeof(c.bridge_name), o->bridge))
		return err_set(err, -EINVAL, "--bridge: not a name for an interface: \"%s\"",
			       o->bridge);
	if (!ip_parse(o->healthz_ip, &ip))
		return err_set(err, -EINVAL, "--healthz-ip: not an IP address: \"%s\"",
			       o->healthz_ip);
	if (getrandom(&c.seed, sizeof(c.seed), 0) != sizeof(c.seed) || !c.seed)
		c.seed = 1;
	*ret = c;
	return 0;
}

uint32_t conf_nexthop_base(const struct brain_conf *conf)
{
	uint32_t top = NEXTHOP_TOP;

	if (conf->instance[0])
		top += 1 + hash(conf->instance) % NEXTHOP_TOPS;
	return top << NEXTHOP_ID_BITS;
}

void conf_previous(const struct opts *o, struct envfile_previous *ret)
{
	char text[4096];

	*ret = (struct envfile_previous){0};
	if (file_read(o->subnet_file, text, sizeof(text), NULL) == 0)
		envfile_decode_previous(text, strlen(text), ret);
}
