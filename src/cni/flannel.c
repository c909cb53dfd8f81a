/* SPDX-License-Identifier: Apache-2.0 */
/* flannel: builds another plugin's configuration from subnet.env and calls it.
 *
 * What it built is kept in <dataDir>/<container id>, as the original does, so that a DEL finds it when
 * subnet.env is gone; ours is removed only when the delegate's DEL has succeeded. The file has no
 * interface in its name: a second attachment of the same container replaces it. So a DEL that finds
 * no file, a broken one, or one of another network, asks host-local whether the attachment holds an
 * address and if so builds what a DEL needs from its own configuration.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/applet.h"
#include "cni/delegate.h"
#include "os/file.h"
#include "wire/cni.h"
#include "wire/cni_flannel.h"

#define ENV_SIZE      4096
#define LIMIT_SCRATCH (1 << 20)
#define DIR_MODE      0700
#define SCRATCH_MODE  0600

static int load(struct call *c, struct cni_flannel *ret)
{
	struct err err = {0};

	return cni_flannel_conf(c->root, ret, &err) < 0 ? call_fail(c, &err) : 0;
}

static int read_env(struct call *c, const char *path, struct flannel_env *ret)
{
	char *text = arena_calloc(c->arena, 1, ENV_SIZE);
	struct err err = {0};
	int r;

	r = file_read(path, text, ENV_SIZE, &err);
	if (r == -ENOENT)
		err_set(&err, r, "open %s: no such file or directory", path);
	if (r == FILE_LONGER)
		r = err_set(&err, -EFBIG, "%s is longer than %d bytes", path, ENV_SIZE - 1);
	if (r == 0)
		r = cni_flannel_env(text, strlen(text), path, ret, &err);
	if (r == 0)
		return 0;
	return cni_fail(c->error, CNI_CODE_PLAIN,
			"failed to load flannel 'subnet.env' file: %s. Check the flannel pod log "
			"for this node.",
			err.text);
}

/* The delegate's configuration as a call of its own. */
static int delegate_call(struct call *c, json_t *root, struct call *ret)
{
	struct call d = *c;

	d.root = root;
	d.text = gojson_print(root, GOJSON_COMPACT | GOJSON_SORTED, c->arena, &d.n);
	*ret = d;
	return call_decode(ret);
}

static int build(struct call *c, const struct cni_flannel *conf, const struct flannel_env *env,
		 struct call *ret)
{
	const char *version = "";
	struct err err = {0};
	json_t *root;

	gojson_get_text(c->root, "cniVersion", &version, NULL);
	if (cni_flannel_delegate(conf, c->conf.name, version, env, &root, &err) < 0)
		return call_fail(c, &err);
	return delegate_call(c, root, ret);
}

static const char *type_of(const struct call *d)
{
	const char *type = "";

	gojson_get_text(d->root, "type", &type, NULL);
	return type;
}

/* ---- the scratch file ---- */

/* *ret_fd -1: there is none, and `create` is false. */
static int open_dir(struct call *c, const char *path, bool create, int *ret_fd)
{
	struct err err = {0};
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && create) {
		if (file_make_dir(path, DIR_MODE, &err) < 0)
			return call_fail(c, &err);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 && (create || errno != ENOENT))
		return cni_fail(c->error, CNI_CODE_PLAIN, "dataDir: cannot open %s: %s", path,
				strerror(errno));
	*ret_fd = fd;
	return 0;
}

static int save(struct call *c, int dir_fd, const char *text)
{
	const char *name = c->env.container_id;
	struct err err = {0};
	int r;

	r = file_create(dir_fd, name, SCRATCH_MODE, text, &err);
	/* Killed in between, there is none: a DEL gets by without. */
	if (r == FILE_EXISTS && unlinkat(dir_fd, name, 0) == 0)
		r = file_create(dir_fd, name, SCRATCH_MODE, text, &err);
	if (r == 0)
		return 0;
	return cni_fail(c->error, CNI_CODE_PLAIN, "dataDir: cannot save %s: %s", name,
			r == FILE_EXISTS ? "it is in the way" : err.text);
}

/* The saved configuration if it is one, and of this network; else *ret_root is NULL. *ret_ours: the
 * file is not another network's, so that it may go. */
static int load_scratch(struct call *c, int dir_fd, json_t **ret_root, bool *ret_ours)
{
	const char *name = c->env.container_id, *network = "";
	_cleanup_(json_decrefp) json_t *root = NULL;
	struct stat st;
	char *text;
	ssize_t n;
	int fd;

	*ret_root = NULL;
	*ret_ours = false;
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > LIMIT_SCRATCH) {
		cni_fail(c->error, CNI_CODE_PLAIN, "dataDir: cannot read %s: %s", name,
			 fd < 0 ? strerror(errno) : "it is too long");
		if (fd >= 0)
			close(fd);
		return -EINVAL;
	}
	text = arena_calloc(c->arena, 1, (size_t)st.st_size + 1);
	n = read(fd, text, (size_t)st.st_size);
	close(fd);
	if (n > 0 && gojson_parse(text, (size_t)n, &root, NULL) == 0)
		gojson_get_text(root, "name", &network, NULL);
	*ret_ours = !*network || strcmp(network, c->conf.name) == 0;
	if (*network && *ret_ours)
		*ret_root = TAKE_PTR(root);
	return 0;
}

/* ---- verbs ---- */

int flannel_add(struct call *c, struct cni_result *ret)
{
	struct cni_flannel conf;
	struct flannel_env env;
	struct call d;
	int r, dir_fd = -1;

	r = load(c, &conf);
	if (r == 0)
		r = read_env(c, conf.subnet_file, &env);
	if (r == 0)
		r = build(c, &conf, &env, &d);
	if (r == 0)
		r = open_dir(c, conf.data_dir, true, &dir_fd);
	if (r == 0)
		r = save(c, dir_fd, d.text);
	if (r == 0) {
		d.blame = conf.subnet_file;
		r = delegate_add(&d, type_of(&d), ret);
		if (r < 0)
			unlinkat(dir_fd, c->env.container_id, 0);
	}
	if (dir_fd >= 0)
		close(dir_fd);
	return r;
}

/* Without the saved configuration: what our own says, if host-local knows of the attachment. */
static int del_unsaved(struct call *c, const struct cni_flannel *conf)
{
	bool holds = false;
	struct call d;
	int r;

	r = build(c, conf, NULL, &d);
	if (r < 0 || strcmp(d.conf.ipam_type, "host-local") != 0)
		return r;
	r = host_local_holds(&d, &holds);
	return r == 0 && holds ? delegate_run(&d, CNI_DEL, type_of(&d)) : r;
}

int flannel_del(struct call *c)
{
	struct cni_flannel conf;
	json_t *saved = NULL;
	int r, dir_fd = -1;
	bool ours = false;
	struct call d;

	r = load(c, &conf);
	if (r == 0)
		r = open_dir(c, conf.data_dir, false, &dir_fd);
	if (r == 0 && dir_fd >= 0)
		r = load_scratch(c, dir_fd, &saved, &ours);
	if (r == 0 && saved) {
		r = delegate_call(c, saved, &d);
		if (r == 0)
			r = delegate_run(&d, CNI_DEL, type_of(&d));
	} else if (r == 0) {
		r = del_unsaved(c, &conf);
	}
	if (r == 0 && ours)
		unlinkat(dir_fd, c->env.container_id, 0);
	if (dir_fd >= 0)
		close(dir_fd);
	return r;
}

/* The delegate's, with what it was given at ADD and what the chain has made of the result since.
 * Without the former there is nothing to compare with. */
int flannel_check(struct call *c)
{
	struct cni_flannel conf;
	json_t *saved = NULL, *prev;
	int r, dir_fd = -1;
	struct call d;
	bool ours;

	r = load(c, &conf);
	if (r == 0)
		r = open_dir(c, conf.data_dir, false, &dir_fd);
	if (r == 0 && dir_fd >= 0)
		r = load_scratch(c, dir_fd, &saved, &ours);
	if (dir_fd >= 0)
		close(dir_fd);
	if (r < 0 || !saved)
		return r;
	prev = gojson_get(c->root, "prevResult");
	if (prev)
		json_object_set(saved, "prevResult", prev);
	r = delegate_call(c, saved, &d);
	return r == 0 ? delegate_run(&d, CNI_CHECK, type_of(&d)) : r;
}

/* Nothing can be attached until the agent has written subnet.env. */
int flannel_status(struct call *c)
{
	struct cni_flannel conf;
	struct flannel_env env;
	int r;

	r = load(c, &conf);
	if (r == 0 && (r = read_env(c, conf.subnet_file, &env)) < 0)
		c->error->code = CNI_CODE_NOT_AVAILABLE;
	return r;
}
