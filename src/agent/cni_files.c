/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cni_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/cni_list.h"

/* syscalls: readlink readlinkat openat newfstatat getdents64 access faccessat close */

#define CONF_MAX	(1 << 20)
#define PROGRAM		"loden-cni"
#define MODE_PLUGIN	0755
#define MODE_CONF	0644
#define MODE_CONF_NEEDS 0400

static const struct {
	const char *name;
	bool always_ours;
} plugins[] = {{"flannel", true}, {"bridge", false}, {"host-local", false}, {"loopback", false}};

static_assert(ARRAY_SIZE(plugins) == CNI_FILES_PLUGINS, "each is remembered");

static const char *in_dir(const char *dir, const char *name, char path[FILE_PATH_SIZE])
{
	text_add(&(struct text){.buf = path, .size_bytes = FILE_PATH_SIZE}, "%s/%s", dir, name);
	return path;
}

bool cni_files_is_to_put(enum install_found found, bool always_ours, bool replace)
{
	switch (found) {
	case INSTALL_NONE:
	case INSTALL_OURS:
		return true;
	case INSTALL_SAME:
		return false;
	case INSTALL_OTHER:
		return always_ours || replace;
	case INSTALL_FOUND__COUNT:
		break;
	}
	abort();
}

bool cni_files_init(struct cni_files *f, const struct opts *o, struct err *err)
{
	ssize_t n =
		readlink("/proc/self/exe", f->program, sizeof(f->program) - sizeof("/" PROGRAM));
	char *slash;

	if (n < 0) {
		err_set(err, -errno, "cannot read /proc/self/exe: %s", strerror(errno));
		return false;
	}
	f->opts = o;
	f->program[n] = '\0';
	slash = strrchr(f->program, '/');
	memcpy(slash ? slash + 1 : f->program, PROGRAM, sizeof(PROGRAM));
	return true;
}

/* --- plugins ------------------------------------------------------------------------------------ */

static void put_plugin(struct cni_files *f, size_t i, struct text *problems)
{
	const struct file_id program = file_identify(f->program);
	char path[FILE_PATH_SIZE];
	struct file_id there;
	struct err err;
	int r;

	in_dir(f->opts->cni_bin_dir, plugins[i].name, path);
	there = file_identify(path);
	if (f->seen[i].fine && file_id_eq(&there, &f->seen[i].there) &&
	    file_id_eq(&program, &f->seen[i].program))
		return;
	f->seen[i].fine = false;
	r = install_look(path, f->program, MODE_PLUGIN, &err);
	if (r >= 0 && cni_files_is_to_put(r, plugins[i].always_ours, f->opts->cni_replace)) {
		const char *why = install_found_names[r];

		r = install_copy(path, f->program, MODE_PLUGIN, &err);
		if (r == 0)
			f->fn(path, why);
		there = file_identify(path);
	}
	if (r < 0)
		text_add(problems, "CNI plugin %s: %s\n", plugins[i].name, err.text);
	f->seen[i].fine = r >= 0;
	f->seen[i].there = there;
	f->seen[i].program = program;
}

void cni_files_put_plugins(struct cni_files *f, struct text *problems)
{
	for (size_t i = 0; i < CNI_FILES_PLUGINS; i++)
		put_plugin(f, i, problems);
}

/* --- the conflist ------------------------------------------------------------------------------- */

static void check_plugins(const struct cni_files *f, const struct cni_list *list,
			  struct text *problems)
{
	char path[FILE_PATH_SIZE];

	for (size_t i = 0; i < list->n; i++) {
		in_dir(f->opts->cni_bin_dir, list->types[i], path);
		if (access(path, X_OK) == 0)
			continue;
		text_add(problems,
			 "%s names the CNI plugin \"%s\", and %s: %s; no pod starts without it: "
			 "install it (Debian: containernetworking-plugins), or take it out\n",
			 f->opts->cni_conf_file, list->types[i], path, strerror(errno));
	}
}

static bool check_conf(const struct cni_files *f, struct text *problems)
{
	const char *path = f->opts->cni_conf_file;
	uint8_t *bytes = NULL;
	struct cni_list list;
	json_t *root = NULL;
	struct err err;
	size_t n;
	int r = file_load(path, CONF_MAX, &bytes, &n, &err);

	if (r < 0) {
		text_add(problems, "CNI configuration: %s\n", err.text);
		return false;
	}
	r = gojson_parse((const char *)bytes, n, &root, &err);
	if (r == 0)
		r = cni_list_decode(root, &list, &err);
	if (r < 0)
		text_add(problems, "CNI configuration: %s: %s; what is in place stays\n", path,
			 err.text);
	else
		check_plugins(f, &list, problems);
	json_decref(root);
	free(bytes);
	return r == 0;
}

static bool is_conf(const char *name)
{
	const char *dot = strrchr(name, '.');

	/* libcni's list. */
	return dot && (!strcmp(dot, ".conf") || !strcmp(dot, ".conflist") || !strcmp(dot, ".json"));
}

/* Runtimes use the first file by name. */
static void check_first(const struct cni_files *f, struct text *problems)
{
	const char *dir = f->opts->cni_conf_dir;
	DIR *d = opendir(dir);

	if (!d)
		return;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (is_conf(e->d_name) && strcmp(e->d_name, CNI_FILES_CONFLIST) < 0)
			text_add(problems,
				 "%s/%s comes before " CNI_FILES_CONFLIST
				 ": the container runtime uses that one; move it away if it is "
				 "of another network\n",
				 dir, e->d_name);
	}
	closedir(d);
}

void cni_files_put_conflist(struct cni_files *f, bool put, struct text *problems)
{
	const char *source = f->opts->cni_conf_file;
	char path[FILE_PATH_SIZE];
	struct err err;
	int r;

	check_first(f, problems);
	if (!check_conf(f, problems) || !put)
		return;
	in_dir(f->opts->cni_conf_dir, CNI_FILES_CONFLIST, path);
	r = install_look(path, source, MODE_CONF_NEEDS, &err);
	if (r >= 0 && r != INSTALL_SAME) {
		const char *why = r == INSTALL_NONE ? install_found_names[r] : "different";

		r = install_copy(path, source, MODE_CONF, &err);
		if (r == 0)
			f->fn(path, why);
	}
	if (r < 0)
		text_add(problems, "CNI configuration: %s\n", err.text);
}
