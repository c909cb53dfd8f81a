/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_endpoint.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DEFAULT_PORT 2379

/* "", ":2379", ":2379/" … */
static bool port_parse(const char *text, uint16_t *ret)
{
	unsigned port = 0;

	if (*text != ':') {
		*ret = DEFAULT_PORT;
		return !*text || strcmp(text, "/") == 0;
	}
	for (text++; isdigit((unsigned char)*text) && port <= UINT16_MAX; text++)
		port = port * 10 + (unsigned)(*text - '0');
	*ret = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX && (!*text || strcmp(text, "/") == 0);
}

/* Splits "[fd00::1]:2379", "10.0.0.1:2379", "localhost"; `ret_rest` begins with the port. */
static bool host_split(const char *text, char *ret_host, size_t size, const char **ret_rest)
{
	bool bracket = *text == '[';
	size_t n;

	text += bracket;
	n = strcspn(text, bracket ? "]" : ":/");
	if (n == 0 || n >= size || (bracket && text[n] != ']'))
		return false;
	memcpy(ret_host, text, n);
	ret_host[n] = '\0';
	*ret_rest = text + n + bracket;
	return true;
}

/* RFC 1123, 2.1; and underscores, which DNS has and people use. */
static bool is_name(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._";

	return !host[strspn(host, allowed)];
}

static enum etcd_scheme scheme_of(const char *item, const char **ret_rest)
{
	if (strncmp(item, "https://", 8) == 0) {
		*ret_rest = item + 8;
		return ETCD_SCHEME_HTTPS;
	}
	*ret_rest = strncmp(item, "http://", 7) == 0 ? item + 7 : item;
	return *ret_rest == item ? ETCD_SCHEME_NONE : ETCD_SCHEME_HTTP;
}

static int parse_one(const char *item, struct etcd_endpoint *ret, enum etcd_scheme *ret_scheme,
		     struct err *err)
{
	struct etcd_endpoint e = {.port = DEFAULT_PORT};
	struct text authority = TEXT(e.authority);
	char ip[IP_STRLEN];
	const char *rest;
	enum etcd_scheme scheme = scheme_of(item, &rest);

	if (strchr(item, '@')) /* and not shown: there may be a password in it */
		return err_set(err, -EINVAL,
			       "user and password do not belong into an endpoint: give "
			       "--etcd-username and --etcd-password-file");
	if (scheme == ETCD_SCHEME_NONE && strstr(item, "://"))
		return err_set(err, -EINVAL, "%s: the scheme must be http or https", item);
	if (!host_split(rest, e.host, sizeof(e.host), &rest) || !port_parse(rest, &e.port))
		return err_set(err, -EINVAL, "%s: must look like https://etcd-1:2379", item);
	if (ip_parse(e.host, &e.ip))
		text_copy(e.host, sizeof(e.host), ip_format(&e.ip, ip));
	else if (!is_name(e.host))
		return err_set(err, -EINVAL, "%s: %s is neither an address nor a host name", item,
			       e.host);
	text_add(&authority, strchr(e.host, ':') ? "[%s]:%u" : "%s:%u", e.host, e.port);
	*ret = e;
	*ret_scheme = scheme;
	return 0;
}

int etcd_endpoint_parse_list(const char *list, struct etcd_endpoints *ret, struct err *err)
{
	struct etcd_endpoints all = {0};
	enum etcd_scheme scheme = ETCD_SCHEME_NONE;
	char item[300];

	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		size_t blanks = strspn(p, " \t");
		int r;

		blanks = MIN(blanks, n);
		if (n - blanks >= sizeof(item))
			return err_set(err, -EINVAL, "an endpoint has %zu characters", n);
		memcpy(item, p + blanks, n - blanks);
		item[n - blanks] = '\0';
		for (size_t i = n - blanks; i > 0 && isspace((unsigned char)item[i - 1]); i--)
			item[i - 1] = '\0';
		p += n + (p[n] == ',');
		if (!item[0])
			continue;
		if (all.n == ETCD_ENDPOINTS_MAX)
			return err_set(err, -EINVAL, "more than %d endpoints", ETCD_ENDPOINTS_MAX);
		r = parse_one(item, &all.of[all.n], &scheme, err);
		if (r < 0)
			return r;
		if (all.n == 0)
			all.scheme = scheme;
		all.mixed = all.mixed || scheme != all.scheme;
		all.n++;
	}
	if (all.n == 0)
		return err_set(err, -EINVAL, "no endpoint is given");
	*ret = all;
	return 0;
}
