/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/lease_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "os/file.h"
#include "wire/etcd_lease.h"

#define PATH_SIZE 600
#define LINES_MAX 16

static const char *path_of(const struct opts *o, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/" LEASE_RECORD_NAME, o->state_dir);
	return path;
}

void lease_record_save(const struct opts *o, const struct lease *l)
{
	char path[PATH_SIZE], key[ETCD_LEASE_KEY_SIZE], ip[IP_STRLEN], text[4096], old[4096];
	struct text key_text = TEXT(key), t = TEXT(text);
	struct err err;

	etcd_lease_key_format(l, &key_text);
	text_add(&t,
		 "# The lease of this node, for: loden uninstall --lease\n"
		 "FLANNELD_ETCD_ENDPOINTS=%s\nFLANNELD_ETCD_PREFIX=%s\n"
		 "FLANNELD_ETCD_CAFILE=%s\nFLANNELD_ETCD_CERTFILE=%s\nFLANNELD_ETCD_KEYFILE=%s\n"
		 "FLANNELD_ETCD_USERNAME=%s\nFLANNELD_ETCD_PASSWORD_FILE=%s\n"
		 "LEASE=%s\nPUBLIC_IP=%s\n",
		 o->etcd_endpoints, o->etcd_prefix, o->etcd_cafile, o->etcd_certfile,
		 o->etcd_keyfile, o->etcd_username, o->etcd_password_file, key,
		 ip_format(&l->public_ip, ip));
	path_of(o, path);
	if (file_read(path, old, sizeof(old), NULL) == 0 && strcmp(old, text) == 0)
		return;
	if (t.cut || file_replace(path, text, &err) < 0)
		log_warn("lease.not_recorded", "why=\"%s\"", t.cut ? "too long" : err.text);
}

static const char *value_of(char *const *lines, const char *name)
{
	const size_t n = strlen(name);

	for (; *lines; lines++) {
		if (strncmp(*lines, name, n) == 0)
			return *lines + n;
	}
	return "";
}

int lease_record_load(struct opts *o, struct lease_record *ret, struct err *err)
{
	char path[PATH_SIZE], complaints[400] = "", *lines[LINES_MAX + 1] = {0}, *rest;
	struct text bad = TEXT(complaints);
	struct lease l = {0};
	size_t n = 0;
	int r = file_read(path_of(o, path), ret->text, sizeof(ret->text), err);

	if (r < 0)
		return r;
	for (char *line = strtok_r(ret->text, "\n", &rest); line && n < LINES_MAX;
	     line = strtok_r(NULL, "\n", &rest))
		lines[n++] = line;
	ret->key = value_of(lines, "LEASE=");
	/* What is not a lease's key must not be deleted, whoever wrote it there. */
	if (r == FILE_LONGER || opts_env(lines, o, &bad) > 0 ||
	    !ip_parse(value_of(lines, "PUBLIC_IP="), &ret->public_ip) ||
	    etcd_lease_key_parse((struct pb_bytes){(const uint8_t *)ret->key, strlen(ret->key)}, &l,
				 NULL) < 0)
		return err_set(err, -EINVAL, "%s: not what the agent writes there", path);
	return 0;
}
