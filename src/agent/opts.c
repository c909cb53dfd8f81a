/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENV_PREFIX "FLANNELD_"

#define STRING(field) .type = OPTS_STRING, .offset = offsetof(struct opts, field)
#define LIST(field)   .type = OPTS_LIST, .offset = offsetof(struct opts, field)
#define BOOL(field)   .type = OPTS_BOOL, .offset = offsetof(struct opts, field)
#define INT(field, low, high) \
 .type = OPTS_INT, .offset = offsetof(struct opts, field), .min = (low), .max = (high)
#define SECTION(title) .section = (title)
#define NO_EFFECT      .effect = OPTS_NO_EFFECT
#define SECRET	       .secret = true
#define OURS	       .ours = true

/* name, type and field, default, name of the value, help; flannel.md 1.2. */
const struct opts_row opts_table[] = {
	{SECTION("Leases in etcd"), "etcd-endpoints", STRING(etcd_endpoints),
	 .fallback = "http://127.0.0.1:4001,http://127.0.0.1:2379", .arg = "URLS",
	 .help = "comma list of addresses or names; the first one's scheme counts for all"},
	{.name = "etcd-prefix",
	 STRING(etcd_prefix),
	 .fallback = "/coreos.com/network",
	 .arg = "KEY",
	 .help = "where the network lives: KEY/config and KEY/subnets"},
	{.name = "etcd-keyfile",
	 STRING(etcd_keyfile),
	 .arg = "FILE",
	 .help = "key of the client certificate, PEM, no passphrase"},
	{.name = "etcd-certfile",
	 STRING(etcd_certfile),
	 .arg = "FILE",
	 .help = "client certificate, PEM; files are read anew for each connection"},
	{.name = "etcd-cafile",
	 STRING(etcd_cafile),
	 .arg = "FILE",
	 .help = "who may sign etcd's certificate, PEM; default: the system's authorities"},
	{.name = "etcd-username",
	 STRING(etcd_username),
	 .arg = "NAME",
	 .help = "etcd user; counts only together with a password"},
	{.name = "etcd-password",
	 STRING(etcd_password),
	 SECRET,
	 .arg = "TEXT",
	 .help = "password of the etcd user; ps shows it: better is a file"},
	{.name = "etcd-password-file",
	 STRING(etcd_password_file),
	 OURS,
	 .arg = "FILE",
	 .help = "the password is its first line; goes before --etcd-password"},
	{.name = "subnet-lease-renew-margin",
	 INT(subnet_lease_renew_margin_min, 1, 1439),
	 .fallback = "60",
	 .arg = "MINUTES",
	 .help = "renew the lease this long before it ends"},
	{.name = "etcd-lease-ttl",
	 INT(etcd_lease_ttl_s, 5, 86400 * 365),
	 OURS,
	 .fallback = "86400",
	 .arg = "SECONDS",
	 .help = "how long the lease outlives an agent that is gone"},

	{SECTION("Interface between the nodes (without any of these: the default route's)"),
	 "iface", LIST(iface), .arg = "NAME|IP",
	 .help = "interface by name or address; may be repeated, the first that is there counts"},
	{.name = "iface-regex",
	 LIST(iface_regex),
	 .arg = "REGEX",
	 .help = "interface by regular expression on its addresses, then on its name; repeatable"},
	{.name = "iface-can-reach",
	 STRING(iface_can_reach),
	 .arg = "IP",
	 .help = "the interface that the kernel would route to IP through"},
	{.name = "public-ip",
	 STRING(public_ip),
	 .arg = "IP",
	 .help = "IPv4 address that other nodes shall send to"},
	{.name = "public-ipv6",
	 STRING(public_ipv6),
	 .arg = "IP",
	 .help = "IPv6 address that other nodes shall send to"},

	{SECTION("What is set up"), "ip-masq", BOOL(ip_masq),
	 .help = "masquerade what pods send out of the network"},
	{.name = "ip-masq-fully-random-disable",
	 BOOL(ip_masq_fully_random_disable),
	 .help = "do not randomize source ports when masquerading"},
	{.name = "iptables-forward-rules",
	 BOOL(iptables_forward_rules),
	 .fallback = "true",
	 .help = "accept forwarded packets from and to the network"},
	{.name = "iptables-resync",
	 INT(iptables_resync_s, 0, INT32_MAX),
	 NO_EFFECT,
	 .fallback = "5",
	 .arg = "SECONDS",
	 .help = "not needed: changes by others are seen at once"},
	{.name = "ip-blackhole-route",
	 BOOL(ip_blackhole_route),
	 .help = "blackhole route for the own subnet, for addresses no pod has"},
	{.name = "bridge",
	 STRING(bridge),
	 OURS,
	 .fallback = "cni0",
	 .arg = "NAME",
	 .help = "bridge of the pods, kept from the start on; \"none\" leaves it to the CNI "
		 "plugins"},
	{.name = "vxlan-guard",
	 BOOL(vxlan_guard),
	 OURS,
	 .fallback = "true",
	 .help = "drop packets to the VXLAN port that do not come from a peer's published address"},
	{.name = "spread-threshold",
	 INT(spread_threshold, 0, INT32_MAX),
	 OURS,
	 .fallback = "256",
	 .arg = "PEERS",
	 .help = "give peers' routes different scopes above so many peers: the kernel finds them faster"},
	{.name = "audit-interval",
	 INT(audit_interval_s, 1, 86400),
	 OURS,
	 .fallback = "30",
	 .arg = "SECONDS",
	 .help = "compare everything with the kernel this often, +-20 %"},

	{SECTION("Files and names"), "subnet-file", STRING(subnet_file),
	 .fallback = "/run/flannel/subnet.env", .arg = "FILE",
	 .help = "where CNI plugins read subnet and MTU"},
	{.name = "run-dir",
	 STRING(run_dir),
	 OURS,
	 .fallback = "/run/loden",
	 .arg = "DIR",
	 .help = "lock, socket and last-exit record; one agent per directory"},
	{.name = "state-dir",
	 STRING(state_dir),
	 OURS,
	 .fallback = "/var/lib/loden",
	 .arg = "DIR",
	 .help = "what shall survive a reboot"},
	{.name = "proc-sys",
	 STRING(proc_sys),
	 OURS,
	 .fallback = "/proc/sys",
	 .arg = "DIR",
	 .help = "kernel switches, as far as they are kept; in a container its own are read-only"},
	{.name = "instance",
	 STRING(instance),
	 OURS,
	 .arg = "NAME",
	 .help = "marks what is ours when several agents share a host (default: derived from "
		 "--run-dir)"},

	{SECTION("For the container runtime"), "install-cni", BOOL(install_cni), OURS,
	 .help = "keep the CNI plugins in their place, and the configuration once the network stands"},
	{.name = "cni-bin-dir",
	 STRING(cni_bin_dir),
	 OURS,
	 .fallback = "/opt/cni/bin",
	 .arg = "DIR",
	 .help = "where the runtime looks for CNI plugins"},
	{.name = "cni-conf-dir",
	 STRING(cni_conf_dir),
	 OURS,
	 .fallback = "/etc/cni/net.d",
	 .arg = "DIR",
	 .help = "where it looks for its configuration; ours is 10-flannel.conflist"},
	{.name = "cni-conf-file",
	 STRING(cni_conf_file),
	 OURS,
	 .fallback = "/etc/kube-flannel/cni-conf.json",
	 .arg = "FILE",
	 .help = "of which that is a copy"},
	{.name = "cni-replace",
	 BOOL(cni_replace),
	 OURS,
	 .help = "put our bridge, host-local and loopback in the place of others, too"},

	{SECTION("Health and logs"), "healthz-ip", STRING(healthz_ip), .fallback = "0.0.0.0",
	 .arg = "IP", .help = "address for /healthz, /readyz and /metrics"},
	{.name = "healthz-port",
	 INT(healthz_port, INT32_MIN, 65535),
	 .fallback = "0",
	 .arg = "PORT",
	 .help = "port for /healthz, /readyz and /metrics; 0 = none"},
	{.name = "sandbox",
	 BOOL(sandbox),
	 OURS,
	 .fallback = "true",
	 .help = "keep needed rights alone, refuse and log unknown system calls; false to look "
		 "for a fault"},
	{.name = "v",
	 INT(verbosity, INT32_MIN, INT32_MAX),
	 .fallback = "0",
	 .arg = "LEVEL",
	 .help = "1 or more: also log what is only of interest when looking for a fault"},
	{.name = "vmodule",
	 STRING(vmodule),
	 NO_EFFECT,
	 .arg = "PATTERNS",
	 .help = "verbosity by Go source file"},
	{.name = "log_backtrace_at",
	 STRING(log_backtrace_at),
	 NO_EFFECT,
	 .arg = "FILE:LINE",
	 .help = "Go stack traces"},
	{.name = "version", BOOL(version), .help = "print the version and exit"},
	{.name = "help", BOOL(help), .help = "print this and exit"},

	{SECTION("Kubernetes"), "kube-subnet-mgr", BOOL(kube_subnet_mgr),
	 .help = "leases from the Kubernetes API instead of etcd"},
	{.name = "kube-api-url", STRING(kube_api_url), .arg = "URL", .help = "API server"},
	{.name = "kube-annotation-prefix",
	 STRING(kube_annotation_prefix),
	 .fallback = "flannel.alpha.coreos.com",
	 .arg = "TEXT",
	 .help = "of node annotations"},
	{.name = "kubeconfig-file",
	 STRING(kubeconfig_file),
	 .arg = "FILE",
	 .help = "how to reach the API server"},
	{.name = "net-config-path",
	 STRING(net_config_path),
	 .fallback = "/etc/kube-flannel/net-conf.json",
	 .arg = "FILE",
	 .help = "network configuration"},
	{.name = "set-node-network-unavailable",
	 BOOL(set_node_network_unavailable),
	 .fallback = "true",
	 .help = "keep the node condition NetworkUnavailable"},
};
const size_t opts_table_n = ARRAY_SIZE(opts_table);
static_assert(ARRAY_SIZE(opts_table) <= OPTS_ROWS_MAX, "opts.given has a bit per row");

static void *field_of(struct opts *o, const struct opts_row *row)
{
	return (char *)o + row->offset;
}

/* strconv.ParseBool's words. */
static int bool_parse(const char *text, bool *ret)
{
	static const char *const words[2][6] = {
		{"0", "f", "F", "false", "FALSE", "False"},
		{"1", "t", "T", "true", "TRUE", "True"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words[0]); i++) {
		for (int value = 0; value < 2; value++) {
			if (!strcmp(text, words[value][i])) {
				*ret = value;
				return 0;
			}
		}
	}
	return -EINVAL;
}

static int set_int(const struct opts_row *row, const char *text, int64_t *ret, struct err *err)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 0); /* base 0, as Go: 0x10 and 010 are numbers, too */
	if (end == text || *end || errno || (unsigned char)text[0] <= ' ')
		return err_set(err, -EINVAL, "not a number");
	if (value < row->min || value > row->max)
		return err_set(err, -EINVAL, "must be %lld..%lld", (long long)row->min,
			       (long long)row->max);
	*ret = value;
	return 0;
}

static int set_value(struct opts *o, const struct opts_row *row, const char *text, struct err *err)
{
	struct opts_list *list;

	switch (row->type) {
	case OPTS_STRING:
		*(const char **)field_of(o, row) = text;
		return 0;
	case OPTS_LIST:
		list = field_of(o, row);
		if (list->n == OPTS_LIST_MAX)
			return err_set(err, -EINVAL, "given more than %d times", OPTS_LIST_MAX);
		list->values[list->n++] = text;
		return 0;
	case OPTS_INT:
		return set_int(row, text, field_of(o, row), err);
	case OPTS_BOOL:
		if (bool_parse(text, field_of(o, row)) < 0)
			return err_set(err, -EINVAL, "neither true nor false");
		return 0;
	case OPTS__COUNT:
		break;
	}
	abort();
}

static void value_add(const struct opts_row *row, const char *text, struct text *t)
{
	if (row->secret)
		text_add(t, "***");
	else
		text_add_escaped(t, text, strlen(text));
}

/* set_value, and on failure a story that names `what` and the value. */
static int set_named(struct opts *o, const struct opts_row *row, const char *what, const char *text,
		     struct err *err)
{
	char value[200] = "";
	struct text t = TEXT(value);
	struct err why = {0};
	int r = set_value(o, row, text, &why);

	if (r == 0) {
		o->given |= 1ull << (row - opts_table);
		return 0;
	}
	value_add(row, text, &t);
	return err_set(err, r, "%s: %s: \"%s\"", what, why.text, value);
}

static const struct opts_row *find_row(const char *name, size_t n)
{
	if (n == 1 && name[0] == 'h')
		return find_row("help", 4);
	for (size_t i = 0; i < opts_table_n; i++) {
		if (strlen(opts_table[i].name) == n && !memcmp(opts_table[i].name, name, n))
			return &opts_table[i];
	}
	return NULL;
}

static void defaults(struct opts *o)
{
	*o = (struct opts){0};
	for (size_t i = 0; i < opts_table_n; i++) {
		const struct opts_row *row = &opts_table[i];
		int r = 0;

		if (row->fallback)
			r = set_value(o, row, row->fallback, NULL);
		else if (row->type == OPTS_STRING)
			r = set_value(o, row, "", NULL);
		assert(r == 0);
	}
}

int opts_parse(int argc, char *const argv[], struct opts *ret, struct err *err)
{
	struct opts o;

	defaults(&o);
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i], *value;
		const struct opts_row *row;
		char what[80] = "";
		size_t n;
		int r;

		if (name[0] != '-' || name[1] == '\0')
			break; /* the first word that is no flag; the rest is ignored, as in Go */
		name += name[1] == '-' ? 2 : 1;
		if (!*name)
			break; /* "--" */
		n = strcspn(name, "=");
		value = name[n] ? name + n + 1 : NULL;
		row = find_row(name, n);
		if (!row) {
			struct text t = TEXT(what);

			text_add_escaped(&t, name, n);
			return err_set(err, -EINVAL, "--%s: there is no such flag", what);
		}
		if (!value && row->type == OPTS_BOOL)
			value = "true";
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value)
			return err_set(err, -EINVAL, "--%s: needs a value (%s)", row->name,
				       row->arg);
		text_add(&TEXT(what), "--%s", row->name);
		r = set_named(&o, row, what, value, err);
		if (r < 0)
			return r;
	}
	*ret = o;
	return 0;
}

void opts_env_name(const struct opts_row *row, char ret_name[OPTS_ENV_NAME_SIZE])
{
	struct text t = {.buf = ret_name, .size_bytes = OPTS_ENV_NAME_SIZE};

	text_add(&t, ENV_PREFIX);
	for (const char *c = row->name; *c; c++)
		text_add(&t, "%c", *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
}

/* The value of a row's variable, or NULL. */
static const char *env_value(char *const environment[], const struct opts_row *row,
			     char name[OPTS_ENV_NAME_SIZE])
{
	size_t n;

	opts_env_name(row, name);
	n = strlen(name);
	for (; *environment; environment++) {
		if (!strncmp(*environment, name, n) && (*environment)[n] == '=')
			return *environment + n + 1;
	}
	return NULL;
}

int opts_env(char *const environment[], struct opts *o, struct text *complaints)
{
	const uint64_t by_flag = o->given;
	int n = 0;

	for (size_t i = 0; i < opts_table_n; i++) {
		char name[OPTS_ENV_NAME_SIZE];
		const char *value = env_value(environment, &opts_table[i], name);
		struct err err;

		if (!value || !*value || (by_flag & 1ull << i))
			continue;
		if (set_named(o, &opts_table[i], name, value, &err) < 0) {
			text_add(complaints, "%s\n", err.text);
			n++;
		}
	}
	return n;
}

void opts_format(const struct opts *o, struct text *t)
{
	for (size_t i = 0; i < opts_table_n; i++) {
		const struct opts_row *row = &opts_table[i];
		const void *field = (const char *)o + row->offset;
		const struct opts_list *list = field;

		if (!(o->given & 1ull << i))
			continue;
		switch (row->type) {
		case OPTS_STRING:
			text_add(t, " --%s=", row->name);
			value_add(row, *(const char *const *)field, t);
			break;
		case OPTS_LIST:
			for (size_t k = 0; k < list->n; k++) {
				text_add(t, " --%s=", row->name);
				value_add(row, list->values[k], t);
			}
			break;
		case OPTS_INT:
			text_add(t, " --%s=%lld", row->name, (long long)*(const int64_t *)field);
			break;
		case OPTS_BOOL:
			text_add(t, " --%s=%s", row->name, *(const bool *)field ? "true" : "false");
			break;
		case OPTS__COUNT:
			abort();
		}
	}
}
