/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/server_url.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"

/* ":2379/" …; `ret_rest` begins with the path. */
static bool port_parse(const char *text, uint16_t *ret, const char **ret_rest)
{
	unsigned port = 0;

	*ret = 0;
	*ret_rest = text;
	if (*text != ':')
		return true;
	for (text++; isdigit((unsigned char)*text) && port <= UINT16_MAX; text++)
		port = port * 10 + (unsigned)(*text - '0');
	*ret = (uint16_t)port;
	*ret_rest = text;
	return port > 0 && port <= UINT16_MAX;
}

/* What RFC 3986, 3.3 has in a path. */
static bool path_parse(const char *text, char ret[SERVER_URL_PATH_SIZE])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~!$&'()*+,;=:@/%";
	size_t n = strlen(text);

	if ((n > 0 && *text != '/') || text[strspn(text, allowed)])
		return false;
	while (n > 0 && text[n - 1] == '/')
		n--;
	if (n >= SERVER_URL_PATH_SIZE)
		return false;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return true;
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

	return *host && !host[strspn(host, allowed)];
}

bool server_url_is_host(const char *host)
{
	struct ip ip;

	return strlen(host) < SERVER_URL_HOST_SIZE && (ip_parse(host, &ip) || is_name(host));
}

static enum server_url_scheme scheme_of(const char *text, const char **ret_rest)
{
	if (strncmp(text, "https://", 8) == 0) {
		*ret_rest = text + 8;
		return SERVER_URL_HTTPS;
	}
	*ret_rest = strncmp(text, "http://", 7) == 0 ? text + 7 : text;
	return *ret_rest == text ? SERVER_URL_NONE : SERVER_URL_HTTP;
}

/* "TEXT: STORY", the text escaped: others may have written it. */
static int fail(struct err *err, const char *text, const char *story)
{
	char shown[200] = "";
	struct text t = TEXT(shown);

	text_add_escaped(&t, text, strlen(text));
	return err_set(err, -EINVAL, "%s: %s", shown, story);
}

static int fail_host(struct err *err, const char *text, const char *host)
{
	char story[200] = "";
	struct text t = TEXT(story);

	text_add_escaped(&t, host, strlen(host));
	text_add(&t, " is neither an address nor a host name");
	return fail(err, text, story);
}

static int fail_form(struct err *err, const char *text, const char *example)
{
	char story[100];

	text_add(&TEXT(story), "must look like %s", example);
	return fail(err, text, story);
}

int server_url_parse(const char *text, const char *example, struct server_url *ret, struct err *err)
{
	struct server_url u = {0};
	char ip[IP_STRLEN];
	const char *rest;

	u.scheme = scheme_of(text, &rest);
	if (strchr(text, '@'))
		return err_set(err, -EINVAL, "user and password do not belong into a URL");
	if (u.scheme == SERVER_URL_NONE && strstr(text, "://"))
		return fail(err, text, "the scheme must be http or https");
	if (!host_split(rest, u.host, sizeof(u.host), &rest) || !port_parse(rest, &u.port, &rest) ||
	    !path_parse(rest, u.path))
		return fail_form(err, text, example);
	if (ip_parse(u.host, &u.ip))
		text_copy(u.host, sizeof(u.host), ip_format(&u.ip, ip));
	else if (!is_name(u.host))
		return fail_host(err, text, u.host);
	*ret = u;
	return 0;
}

void server_url_authority(const char *host, uint16_t port, char ret[SERVER_URL_AUTHORITY_SIZE])
{
	struct text t = {.buf = ret, .size_bytes = SERVER_URL_AUTHORITY_SIZE};

	text_add(&t, strchr(host, ':') ? "[%s]" : "%s", host);
	if (port != 0)
		text_add(&t, ":%u", port);
}
