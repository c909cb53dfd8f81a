/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/proxy.h"

#include <string.h>
#include <strings.h>

#include "agent/server_url.h"
#include "base/text.h"

const char *proxy_environment(char *const environment[], const char *name)
{
	const size_t n = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
			return *environment + n + 1;
	return "";
}

/* "foo" is foo and all below it, ".foo" and "*.foo" only what is below. */
static bool is_below(const char *host, const char *domain)
{
	const size_t n = strlen(host);
	size_t m;

	domain += domain[0] == '*' && domain[1] == '.';
	m = strlen(domain);
	if (*domain != '.' && strcasecmp(host, domain) == 0)
		return true;
	return n > m && strcasecmp(host + n - m, domain) == 0 &&
	       (*domain == '.' || host[n - m - 1] == '.');
}

/* One item of NO_PROXY: "*", a network, an address, a domain; the latter two perhaps with a port. */
static bool covers(const char *item, const struct proxy_target *to)
{
	struct server_url u;
	struct cidr net;

	if (strcmp(item, "*") == 0)
		return true;
	if (cidr_parse(item, &net))
		return ip_is_set(&to->ip) && cidr_contains(&net, &to->ip);
	if (ip_parse(item, &u.ip)) /* IPv6 without brackets */
		return ip_eq(&u.ip, &to->ip);
	item += item[0] == '*' && item[1] == '.';
	if (server_url_parse(item, "", &u, NULL) < 0 || (u.port != 0 && u.port != to->port))
		return false;
	return ip_is_set(&u.ip) ? ip_eq(&u.ip, &to->ip)
				: !ip_is_set(&to->ip) && is_below(to->host, u.host);
}

static bool is_excepted(const char *list, const struct proxy_target *to)
{
	char item[SERVER_URL_AUTHORITY_SIZE];

	if (strcasecmp(to->host, "localhost") == 0 ||
	    (ip_is_set(&to->ip) && ip_is_loopback(&to->ip)))
		return true;
	while (*list) {
		const size_t n = strcspn(list, ", \t");

		if (n > 0 && n < sizeof(item)) {
			memcpy(item, list, n);
			item[n] = '\0';
			if (covers(item, to))
				return true;
		}
		list += n + (list[n] != '\0');
	}
	return false;
}

const char *proxy_variable(char *const environment[], const struct proxy_target *to)
{
	static const char *const names[2][2] = {{"HTTP_PROXY", "http_proxy"},
						{"HTTPS_PROXY", "https_proxy"}};
	const char *no = proxy_environment(environment, "NO_PROXY");

	if (!*no)
		no = proxy_environment(environment, "no_proxy");
	for (size_t i = 0; i < 2; i++)
		if (*proxy_environment(environment, names[to->with_tls][i]))
			return is_excepted(no, to) ? NULL : names[to->with_tls][i];
	return NULL;
}
