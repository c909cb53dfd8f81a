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

static int parse_one(const char *item, struct etcd_endpoint *ret, struct err *err)
{
	struct etcd_endpoint e = {.port = DEFAULT_PORT};
	struct text authority = TEXT(e.authority);
	char host[256], ip[IP_STRLEN]; /* 255: RFC 1035, 2.3.4 */
	const char *rest = item;

	if (strncmp(item, "https://", 8) == 0)
		return err_set(err, -EINVAL,
			       "%s: this version speaks to etcd without TLS only (http://)", item);
	if (strncmp(item, "http://", 7) == 0)
		rest += 7;
	else if (strstr(item, "://"))
		return err_set(err, -EINVAL, "%s: the scheme must be http", item);
	if (!host_split(rest, host, sizeof(host), &rest) || !port_parse(rest, &e.port))
		return err_set(err, -EINVAL, "%s: must look like http://10.0.0.1:2379", item);
	if (strcmp(host, "localhost") == 0)
		e.ip = ip_from_v4(0x7f000001);
	else if (!ip_parse(host, &e.ip))
		return err_set(err, -EINVAL,
			       "%s: %s is no IP address; host names are not resolved yet, "
			       "write the address",
			       item, host);
	ip_format(&e.ip, ip);
	text_add(&authority, ip_is_v4(&e.ip) ? "%s:%u" : "[%s]:%u", ip, e.port);
	*ret = e;
	return 0;
}

int etcd_endpoint_parse_list(const char *list, struct etcd_endpoints *ret, struct err *err)
{
	struct etcd_endpoints all = {0};
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
		r = parse_one(item, &all.of[all.n], err);
		if (r < 0)
			return r;
		all.n++;
	}
	if (all.n == 0)
		return err_set(err, -EINVAL, "no endpoint is given");
	*ret = all;
	return 0;
}
