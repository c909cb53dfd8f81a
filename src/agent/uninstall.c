/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/uninstall.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/cni_files.h"
#include "agent/conf.h"
#include "agent/kube_servers.h"
#include "agent/last_good.h"
#include "agent/lease_record.h"
#include "agent/process.h"
#include "agent/source.h"
#include "core/adopt.h"
#include "core/diff.h"
#include "core/want.h"
#include "os/kernel.h"

#define SLICE	      256
#define LINES_A_KIND  4
#define VXLAN_MAX     16
#define EXIT_FAILED   1
#define EXIT_USAGE    2
#define KINDS_REMOVED (OBJECT_ALL & ~OBJECT_BIT(OBJECT_SYSCTL))

extern char **environ;

struct job {
	const struct opts *opts;
	struct brain_conf conf;
	const struct os_ops *ops;
	struct os *os;
	struct adopt adopt;
	struct os_names names;
	char vxlans[VXLAN_MAX][LINK_NAME_SIZE]; /* links that may be ours, by name */
	size_t n_vxlans;
	struct link found; /* by the last look() */
	size_t removed[OBJECT__COUNT];
	size_t n_failed;
	bool lease; /* --lease */
	bool lease_failed;
};

/* --- finding what is ours ----------------------------------------------------------------------- */

static void on_link(void *arg, const struct object *o)
{
	struct job *j = arg;

	if (o->kind == OBJECT_LINK)
		j->found = *o->link;
}

/* The link of this name, as the kernel has it. */
static int look(struct job *j, enum dev dev, const char *name, struct err *err)
{
	struct os_names names = j->names;
	const struct os_dump what = {OBJECT_BIT(OBJECT_LINK), on_link, j};
	struct os_taken taken;
	int r;

	j->found = (struct link){0};
	text_copy(names.dev[dev], sizeof(names.dev[dev]), name);
	j->ops->set_names(j->os, &names);
	r = j->ops->dump(j->os, &what, &taken, err);
	return r;
}

static bool is_marked(const struct job *j)
{
	return !strcmp(j->found.alias, j->names.link_alias);
}

static void say_unmarked(const struct job *j, const char *what, const char *name)
{
	char alias[4 * LINK_ALIAS_SIZE] = "";
	struct text t = TEXT(alias);

	text_add_escaped(&t, j->found.alias, strlen(j->found.alias));
	printf("left     %s %s: not marked as ours (alias \"%s\")\n", what, name, alias);
}

static bool has_prefix(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* A name that no link has: then the kernel side looks for the mark. */
#define NO_NAME "?"

static bool is_found(const struct job *j, const char *name)
{
	for (size_t i = 0; i < j->n_vxlans; i++) {
		if (!strcmp(j->vxlans[i], name))
			return true;
	}
	return false;
}

/* One of ours that somebody gave another name. */
static int find_renamed(struct job *j, enum dev dev, struct err *err)
{
	int r = look(j, dev, NO_NAME, err);

	if (r == 0 && j->n_vxlans < VXLAN_MAX && j->found.dev == dev && !is_found(j, j->found.name))
		text_copy(j->vxlans[j->n_vxlans++], LINK_NAME_SIZE, j->found.name);
	return r;
}

/* flannel's names for VXLAN links; whose they are, their alias says. */
static int find_vxlans(struct job *j, struct err *err)
{
	struct if_nameindex *links = if_nameindex();
	int r = links ? 0 : err_set(err, -errno, "cannot list links: %s", strerror(errno));

	want_link_alias(&j->conf, j->names.link_alias);
	for (size_t i = 0; links && links[i].if_name && j->n_vxlans < VXLAN_MAX; i++) {
		const char *name = links[i].if_name;

		if (!has_prefix(name, "flannel.") && !has_prefix(name, "flannel-v6."))
			continue;
		r = look(j, DEV_VXLAN, name, err);
		if (r < 0)
			break;
		if (j->found.kind == LINK_VXLAN && is_marked(j))
			text_copy(j->vxlans[j->n_vxlans++], LINK_NAME_SIZE, name);
		else
			say_unmarked(j, "link", name);
	}
	if_freenameindex(links);
	if (r == 0)
		r = find_renamed(j, DEV_VXLAN, err);
	return r < 0 ? r : find_renamed(j, DEV_VXLAN6, err);
}

/* How many links are attached to the bridge: pods, mostly. */
static size_t count_ports(const char *bridge)
{
	char path[80];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brif", bridge);
	dir = opendir(path);
	if (!dir)
		return 0;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* The bridge belongs to its pods alone from now on; who comes next finds nothing of ours on it. */
static int unmark_bridge(struct job *j, struct err *err)
{
	struct os_names names = j->names;
	struct link marked = j->found, plain = j->found;
	const struct op_failure *failures;
	struct op op = {OP_SET, {OBJECT_LINK, {&plain}}, {OBJECT_LINK, {&marked}}};
	struct plan plan = {&op, 1};
	struct arena arena;
	size_t n_failures;
	int r;

	plain.alias[0] = '\0';
	text_copy(names.dev[DEV_BRIDGE], LINK_NAME_SIZE, plain.name);
	j->ops->set_names(j->os, &names);
	arena_init(&arena, 0);
	r = j->ops->apply(j->os, &plan, &arena, &failures, &n_failures, err);
	if (r == 0 && n_failures) {
		printf("FAILED   to take our mark off %s: %s\n", plain.name, failures[0].text);
		j->n_failed++;
	}
	arena_fini(&arena);
	return r;
}

/* Gives the bridge its role if it may go. */
static int judge_bridge(struct job *j, bool all, struct err *err)
{
	size_t ports;
	int r;

	if (!j->conf.bridge)
		return 0;
	r = look(j, DEV_BRIDGE, j->conf.bridge_name, err);
	if (r < 0 || j->found.dev != DEV_BRIDGE)
		return r;
	ports = count_ports(j->found.name);
	if (!is_marked(j)) {
		say_unmarked(j, "bridge", j->conf.bridge_name);
	} else if (ports && !all) {
		printf("left     bridge %s and its address: %zu pods are attached; it is not "
		       "marked as ours any more\n",
		       j->conf.bridge_name, ports);
		return unmark_bridge(j, err);
	} else {
		text_copy(j->names.dev[DEV_BRIDGE], LINK_NAME_SIZE, j->conf.bridge_name);
		j->adopt.uninstall_bridge = true;
	}
	return 0;
}

/* --- removing it -------------------------------------------------------------------------------- */

static void feed_diff(void *arg, const struct object *o)
{
	diff_feed(arg, o);
}

static bool has_failed(const struct op_failure *failures, size_t n, size_t op, struct err *ret_why)
{
	for (size_t i = 0; i < n; i++) {
		if (failures[i].op != op)
			continue;
		err_set(ret_why, 0, "%s",
			failures[i].text[0] ? failures[i].text : strerror(-failures[i].code));
		return true;
	}
	return false;
}

static void report(struct job *j, const struct plan *plan, const struct op_failure *failures,
		   size_t n_failures)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct op *op = &plan->ops[i];
		char line[OP_STRLEN] = "";
		struct text t = TEXT(line);
		struct err why;

		object_format(&op->object, j->ops->devmap(j->os), &t);
		if (has_failed(failures, n_failures, i, &why)) {
			printf("FAILED   %s: %s\n", line, why.text);
			j->n_failed++;
		} else if (++j->removed[op->object.kind] <= LINES_A_KIND) {
			printf("removed  %s\n", line);
		}
	}
}

/* Everything that the names now point at. */
static int sweep(struct job *j, struct err *err)
{
	static const struct netstate nothing;
	const struct op_failure *failures;
	struct op ops[SLICE];
	struct arena arena;
	struct diff diff;
	const struct os_dump what = {KINDS_REMOVED, feed_diff, &diff};
	struct os_taken taken;
	size_t n, n_failures;
	int r;

	arena_init(&arena, 0);
	j->ops->set_names(j->os, &j->names);
	diff_begin(&diff, &nothing, KINDS_REMOVED, &j->adopt, &arena);
	r = j->ops->dump(j->os, &what, &taken, err);
	do {
		struct plan plan = {.ops = ops};

		n = plan.n = r < 0 ? 0 : diff_next(&diff, ops, SLICE);
		if (n)
			r = j->ops->apply(j->os, &plan, &arena, &failures, &n_failures, err);
		if (n && r == 0)
			report(j, &plan, failures, n_failures);
	} while (n == SLICE);
	arena_fini(&arena);
	return r;
}

static int sweep_all(struct job *j, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < MAX(j->n_vxlans, (size_t)1); i++) {
		j->names.dev[DEV_VXLAN][0] = '\0';
		if (i < j->n_vxlans)
			text_copy(j->names.dev[DEV_VXLAN], LINK_NAME_SIZE, j->vxlans[i]);
		r = sweep(j, err);
	}
	for (int kind = 0; kind < OBJECT__COUNT; kind++) {
		if (j->removed[kind] > LINES_A_KIND)
			printf("removed  %zu more of kind %s\n", j->removed[kind] - LINES_A_KIND,
			       object_kind_names[kind]);
	}
	return r;
}

static void remove_file(const char *dir, const char *name)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (unlink(path) == 0)
		printf("removed  %s\n", path);
	else if (errno != ENOENT)
		printf("left     %s: %s\n", path, strerror(errno));
}

static void remove_dir(const char *dir)
{
	if (rmdir(dir) == 0)
		printf("removed  %s\n", dir);
	else if (errno != ENOENT)
		printf("left     %s: %s\n", dir, strerror(errno));
}

/* --- giving back the lease ---------------------------------------------------------------------- */

/* What to do by hand. The prefix is printed as given: slashes at its end do not count. */
static void say_by_hand(const struct opts *o, const char *key)
{
	int n = (int)strlen(o->etcd_prefix);

	while (n > 0 && o->etcd_prefix[n - 1] == '/')
		n--;
	/* Quoted: a dual-stack key has an ampersand. */
	printf("         by hand: etcdctl --endpoints=%s del '%.*s/subnets/%s'\n",
	       o->etcd_endpoints, n, o->etcd_prefix, key);
}

/* False = it may still be there, against the user's will. */
static bool withdraw(const struct job *j, const struct opts *o, const struct lease_record *record)
{
	const struct source_withdrawal w = {
		.opts = o,
		.key = record->key,
		.public_ip = record->public_ip,
		.seed = j->conf.seed,
	};
	struct err err;
	int r = source_etcd.withdraw(&w, &err);

	if (r < 0) {
		printf("FAILED   lease %s: %s\n", record->key, err.text);
		say_by_hand(o, record->key);
		return false;
	}
	switch ((enum source_withdraw)r) {
	case SOURCE_WITHDRAW_DONE:
		printf("removed  lease %s\n", record->key);
		break;
	case SOURCE_WITHDRAW_NONE:
		printf("none     lease %s: no longer in etcd\n", record->key);
		break;
	case SOURCE_WITHDRAW_FOREIGN:
		printf("left     lease %s: not ours any more: %s\n", record->key, err.text);
		break;
	case SOURCE_WITHDRAW_RESERVATION:
		printf("left     lease %s: a reservation without end\n", record->key);
		say_by_hand(o, record->key);
		break;
	}
	return true;
}

/* The lease first: peers then send nothing more to what is taken away. */
static void see_to_lease(struct job *j, struct opts *o)
{
	struct lease_record record;
	struct err err;
	int r = lease_record_load(o, &record, &err);

	if (r == -ENOENT) {
		if (j->lease)
			printf("none     lease: no agent left word of one in %s\n", o->state_dir);
	} else if (r < 0) {
		printf("%s   lease: %s\n", j->lease ? "FAILED" : "left  ", err.text);
		j->lease_failed = j->lease;
	} else if (j->lease) {
		j->lease_failed = !withdraw(j, o, &record);
	} else {
		printf("left     lease %s: it ends by itself; --lease gives it back\n", record.key);
		say_by_hand(o, record.key);
	}
}

/* --- our files ---------------------------------------------------------------------------------- */

/* A runtime calls the plugins to take down each pod that is left. */
static void say_cni_files(const struct opts *o)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/" CNI_FILES_CONFLIST, o->cni_conf_dir);
	if (access(path, F_OK) == 0)
		printf("left     %s and the plugins in %s: pods need them to end; remove them after "
		       "the last pod\n",
		       path, o->cni_bin_dir);
}

static void remove_files(const struct job *j)
{
	static const char *const names[] = {"loden.sock",    "last-exit",
					    "last-exit.new", "lock",
					    LAST_GOOD_NAME,  "." LAST_GOOD_NAME ".tmp"};
	const struct opts *o = j->opts;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		remove_file(o->run_dir, names[i]);
	remove_dir(o->run_dir);
	remove_file(o->state_dir, LAST_GOOD_NAME);
	remove_file(o->state_dir, "." LAST_GOOD_NAME ".tmp");
	remove_file(o->state_dir, KUBE_SERVERS_NAME);
	if (!j->lease_failed) {
		remove_file(o->state_dir, LEASE_RECORD_NAME);
		remove_dir(o->state_dir);
	} else {
		printf("left     %s/" LEASE_RECORD_NAME ": for another loden uninstall --lease\n",
		       o->state_dir);
	}
	say_cni_files(o);
	printf("left     sysctls (ip_forward and the like): others may count on them by now\n");
}

static int uninstall(struct job *j, bool all, struct err *err)
{
	struct envfile_previous previous;
	int r = kernel_open(&j->os, err);

	if (r < 0)
		return r;
	conf_previous(j->opts, &previous);
	j->names = (struct os_names){.nexthop_base = conf_nexthop_base(&j->conf),
				     .envfile_path = j->opts->subnet_file};
	want_table_name(&j->conf, j->names.fw_table);
	want_guard_name(&j->conf, j->names.guard_table);
	want_comment(&j->conf, j->names.fw_comment);
	j->adopt = (struct adopt){
		.uninstall = true, .network = previous.network, .network6 = previous.network6};
	r = find_vxlans(j, err);
	if (r == 0)
		r = judge_bridge(j, all, err);
	if (r == 0)
		r = sweep_all(j, err);
	kernel_close(j->os);
	return r;
}

/* Words that are not the agent's. */
static bool take_word(int *argc, char *argv[], const char *word)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], word))
			continue;
		memmove(&argv[i], &argv[i + 1], (size_t)((*argc)-- - i) * sizeof(*argv));
		return true;
	}
	return false;
}

int uninstall_main(int argc, char *argv[])
{
	struct process process = PROCESS_INIT;
	struct job j = {.ops = &os_ops_kernel};
	char complaints[2048] = "";
	struct text bad = TEXT(complaints);
	bool all = take_word(&argc, argv, "--all");
	struct opts o;
	struct err err;
	int r;

	j.lease = take_word(&argc, argv, "--lease");
	if (opts_parse(argc, argv, &o, &err) < 0) {
		fprintf(stderr, "loden uninstall: %s\nSee: loden uninstall --help\n", err.text);
		return EXIT_USAGE;
	}
	if (o.help) {
		puts("Usage: loden uninstall [--all] [--lease] [the agent's flags]\n"
		     "Removes everything of ours from this node. The agent must be stopped. Flags and\n"
		     "variables that the agent ran with (--run-dir, --state-dir, --instance, --bridge,\n"
		     "--subnet-file) tell what is ours.\n"
		     "--all: also a bridge with pods on it.\n"
		     "--lease: also this node's lease, out of etcd; --etcd-endpoints if etcd moved.\n"
		     "Without, it stays: a node that comes back gets the same subnet.");
		return 0;
	}
	/* As the agent does: a bad one is told, and the default stays. */
	if (opts_env(environ, &o, &bad) > 0)
		fprintf(stderr, "loden uninstall: %s", complaints);
	if (conf_from_opts(&o, &j.conf, &err) < 0) {
		fprintf(stderr, "loden uninstall: %s\n", err.text);
		return EXIT_USAGE;
	}
	j.opts = &o;
	/* Without a run directory nobody can hold its lock, and none need be made. */
	r = access(o.run_dir, F_OK) < 0 ? 0 : process_lock(&process, o.run_dir, &err);
	if (r == 1)
		fprintf(stderr, "loden uninstall: stop the agent first: %s\n", err.text);
	if (r == 0) {
		see_to_lease(&j, &o);
		r = uninstall(&j, all, &err);
	}
	if (r < 0)
		fprintf(stderr, "loden uninstall: %s\n", err.text);
	if (r == 0)
		remove_files(&j);
	process_fini(&process);
	return r != 0 || j.n_failed || j.lease_failed ? EXIT_FAILED : 0;
}
