/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kube_servers.h"

#include <string.h>

#include "agent/server_url.h"
#include "base/text.h"
#include "os/file.h"

#define LINE_SIZE 64 /* "[" IPv6 "]:65535\n" */

static const char *path_of(const char *state_dir, char buf[FILE_PATH_SIZE])
{
	struct text t = {.buf = buf, .size_bytes = FILE_PATH_SIZE};

	text_add(&t, "%s/" KUBE_SERVERS_NAME, state_dir);
	return buf;
}

bool kube_server_parse(const char *text, struct kube_server *ret)
{
	struct server_url u;

	if (server_url_parse(text, "", &u, NULL) < 0 || u.scheme != SERVER_URL_NONE || u.path[0] ||
	    !ip_is_set(&u.ip) || u.port == 0)
		return false;
	*ret = (struct kube_server){u.ip, u.port};
	return true;
}

size_t kube_servers_read(const char *state_dir, struct kube_server ret[KUBE_SERVERS_MAX])
{
	char path[FILE_PATH_SIZE], text[KUBE_SERVERS_MAX * LINE_SIZE];
	size_t n = 0;
	char *rest;

	/* Longer than we would write it: the rest is none of ours. */
	if (file_read(path_of(state_dir, path), text, sizeof(text), NULL) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &rest); line && n < KUBE_SERVERS_MAX;
	     line = strtok_r(NULL, "\n", &rest))
		n += kube_server_parse(line, &ret[n]);
	return n;
}

int kube_servers_write(const char *state_dir, const struct kube_server *servers, size_t n,
		       struct err *err)
{
	char path[FILE_PATH_SIZE], text[KUBE_SERVERS_MAX * LINE_SIZE] = "", old[sizeof(text)];
	char authority[SERVER_URL_AUTHORITY_SIZE], ip[IP_STRLEN];
	struct text t = TEXT(text);

	for (size_t i = 0; i < MIN(n, KUBE_SERVERS_MAX); i++) {
		server_url_authority(ip_format(&servers[i].ip, ip), servers[i].port, authority);
		text_add(&t, "%s\n", authority);
	}
	if (n == 0)
		return 0;
	if (file_read(path_of(state_dir, path), old, sizeof(old), NULL) == 0 &&
	    strcmp(old, text) == 0)
		return 0;
	return file_replace(path, text, err);
}
