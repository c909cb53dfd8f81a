/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_OPTS_H
#define AGENT_OPTS_H
/* The agent's options: flannel's flags and FLANNELD_ variables, and ours, from one table.
 *
 * The table in opts.c is the only place that knows an option; the parser, the environment, --help
 * and the man page read it. Syntax is that of Go's flag package, because unit files and manifests
 * written for flanneld must work: one or two dashes, "-x=v" or "-x v", booleans only alone or as
 * "-x=true"; parsing stops at the first other word or at "--", and what follows is ignored.
 *
 * Different on purpose: a bad flag is refused with exit code 2 (flanneld prints its usage and exits
 * with 0, so a typing error looks like a clean stop); every bad variable is named, not just one.
 */

#include "base/err.h"
#include "base/text.h"

#define OPTS_LIST_MAX 16

struct opts_list {
	const char *values[OPTS_LIST_MAX];
	size_t n;
};

/* Strings are borrowed from argv, the environment or the table. */
struct opts {
	const char *etcd_endpoints, *etcd_prefix;
	const char *etcd_keyfile, *etcd_certfile, *etcd_cafile, *etcd_username, *etcd_password;
	const char *etcd_password_file;
	int64_t etcd_lease_ttl_s, subnet_lease_renew_margin_min;

	struct opts_list iface, iface_regex;
	const char *iface_can_reach, *public_ip, *public_ipv6;

	bool ip_masq, ip_masq_fully_random_disable, iptables_forward_rules, ip_blackhole_route;
	int64_t iptables_resync_s;

	bool kube_subnet_mgr, set_node_network_unavailable;
	const char *kube_api_url, *kube_annotation_prefix, *kubeconfig_file, *net_config_path;

	const char *subnet_file, *run_dir, *state_dir, *instance, *bridge;
	bool install_cni, cni_replace;
	const char *cni_bin_dir, *cni_conf_dir, *cni_conf_file, *proc_sys;
	const char *healthz_ip;
	int64_t healthz_port;
	int64_t spread_threshold, audit_interval_s;
	bool sandbox, vxlan_guard;

	int64_t verbosity;
	const char *vmodule, *log_backtrace_at;
	bool version, help;

	uint64_t given; /* bit i: row i of the table was set by a flag or a variable */
};

enum opts_type {
	OPTS_STRING,
	OPTS_LIST, /* may be repeated */
	OPTS_INT,
	OPTS_BOOL,
	OPTS__COUNT,
};

/* What becomes of an option that is given. */
enum opts_effect {
	OPTS_WORKS,
	OPTS_NO_EFFECT, /* flannel's; accepted, but there is nothing left for it to do */
	OPTS_EFFECT__COUNT,
};

struct opts_row {
	const char *section; /* title of the group that begins here, else NULL */
	const char *name;
	enum opts_type type;
	enum opts_effect effect;
	uint16_t offset;      /* in struct opts */
	bool secret;	      /* its value is never printed */
	bool ours;	      /* flannel has no such flag */
	int64_t min, max;     /* OPTS_INT: bounds, inclusive */
	const char *fallback; /* text of the default; NULL = empty, 0 or false */
	const char *arg;      /* what help calls the value; NULL for booleans */
	const char *help;     /* in words, without full stop */
};

#define OPTS_ROWS_MAX 64 /* bits of opts.given */
extern const struct opts_row opts_table[];
extern const size_t opts_table_n;

/* Fills `ret` with the defaults, then with argv[1…]. 0, or -EINVAL with the complaint. */
int opts_parse(int argc, char *const argv[], struct opts *ret, struct err *err);

/* Sets what no flag set from the FLANNELD_ variables in `environment` ("NAME=value", NULL at the
 * end); an empty value is as if unset. A bad value leaves the default and appends one line to
 * `complaints`; returns how many. */
int opts_env(char *const environment[], struct opts *o, struct text *complaints);

#define OPTS_ENV_NAME_SIZE 80
/* The variable of a row: "etcd-prefix" is FLANNELD_ETCD_PREFIX. */
void opts_env_name(const struct opts_row *row, char ret_name[OPTS_ENV_NAME_SIZE]);

/* " --name=value" of everything that was given, escaped; secrets show as ***. */
void opts_format(const struct opts *o, struct text *t);

#endif
