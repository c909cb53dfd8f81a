/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/etcd_endpoint.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"

#define DEFAULT_PORT 2379

static int parse_one(const char *item, struct etcd_endpoint *ret,
		     enum server_url_scheme *ret_scheme, struct err *err)
{
	static const char example[] = "https://etcd-1:2379";
	struct etcd_endpoint e = {0};
	struct server_url u;
	int r;

	if (strchr(item, '@')) /* and not shown: there may be a password in it */
		return err_set(err, -EINVAL,
			       "user and password do not belong into an endpoint: give "
			       "--etcd-username and --etcd-password-file");
	r = server_url_parse(item, example, &u, err);
	if (r < 0)
		return r;
	if (u.path[0])
		return err_set(err, -EINVAL, "%s: must look like %s", item, example);
	memcpy(e.host, u.host, sizeof(e.host));
	e.ip = u.ip;
	e.port = u.port ? u.port : DEFAULT_PORT;
	server_url_authority(e.host, e.port, e.authority);
	*ret = e;
	*ret_scheme = u.scheme;
	return 0;
}

int etcd_endpoint_parse_list(const char *list, struct etcd_endpoints *ret, struct err *err)
{
	struct etcd_endpoints all = {0};
	enum server_url_scheme scheme = SERVER_URL_NONE;
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
