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

/* NAME='it'\''s': as a shell reads it. */
static void add_line(struct text *t, const char *name, const char *value)
{
	text_add(t, "%s='", name);
	for (; *value; value++) {
		if (*value == '\'')
			text_add(t, "'\\''");
		else
			text_add(t, "%c", *value);
	}
	text_add(t, "'\n");
}

void lease_record_save(const struct opts *o, const struct lease *l)
{
	char path[PATH_SIZE], key[ETCD_LEASE_KEY_SIZE], ip[IP_STRLEN], text[4096], old[4096];
	struct text key_text = TEXT(key), t = TEXT(text);

	const struct {
		const char *name, *value;
	} lines[] = {
		{"FLANNELD_ETCD_ENDPOINTS", o->etcd_endpoints},
		{"FLANNELD_ETCD_PREFIX", o->etcd_prefix},
		{"FLANNELD_ETCD_CAFILE", o->etcd_cafile},
		{"FLANNELD_ETCD_CERTFILE", o->etcd_certfile},
		{"FLANNELD_ETCD_KEYFILE", o->etcd_keyfile},
		{"FLANNELD_ETCD_USERNAME", o->etcd_username},
		{"FLANNELD_ETCD_PASSWORD_FILE", o->etcd_password_file},
		{"LEASE", key},
		{"PUBLIC_IP", ip_format(&l->public_ip, ip)},
	};
	struct err err;

	if (l->node)
		return;
	etcd_lease_key_format(l, &key_text);
	text_add(&t, "# The lease of this node, for: loden uninstall --lease\n");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		add_line(&t, lines[i].name, lines[i].value);
	path_of(o, path);
	if (file_read(path, old, sizeof(old), NULL) == 0 && strcmp(old, text) == 0)
		return;
	if (t.cut || file_replace(path, text, &err) < 0)
		log_warn("lease.not_recorded", "why=\"%s\"", t.cut ? "too long" : err.text);
}

/* NAME='it'\''s' becomes NAME=it's; what was written before there were quotes stays. */
static void unquote(char *line)
{
	char *to = strchr(line, '='), *last = line + strlen(line) - 1;

	if (!to || to[1] != '\'' || last < to + 2 || *last != '\'')
		return;
	*last = '\0';
	to++;
	for (const char *from = to + 1; *from; from++) {
		if (strncmp(from, "'\\''", 4) == 0)
			from += 3;
		*to++ = *from;
	}
	*to = '\0';
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
	     line = strtok_r(NULL, "\n", &rest)) {
		unquote(line);
		lines[n++] = line;
	}
	ret->key = value_of(lines, "LEASE=");
	/* What is not a lease's key must not be deleted, whoever wrote it there. */
	if (r == FILE_LONGER || opts_env(lines, o, &bad) > 0 ||
	    !ip_parse(value_of(lines, "PUBLIC_IP="), &ret->public_ip) ||
	    etcd_lease_key_parse((struct pb_bytes){(const uint8_t *)ret->key, strlen(ret->key)}, &l,
				 NULL) < 0)
		return err_set(err, -EINVAL, "%s: not what the agent writes there", path);
	return 0;
}
