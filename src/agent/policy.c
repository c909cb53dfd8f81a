/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "agent/policy.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* An interface name is matched in some dozen steps; 15 characters cannot need so many. */
#define MATCH_STEPS_MAX 100000
#define MATCH_HEAP_KIB	64

static bool matches(void *arg, size_t i, const char *text)
{
	struct policy *p = arg;
	int r = pcre2_match(p->codes[i], (PCRE2_SPTR)text, strlen(text), 0, 0, p->match, p->limits);
	char regex[200] = "";
	struct text t = TEXT(regex);

	if (r < 0 && r != PCRE2_ERROR_NOMATCH) {
		text_add_escaped(&t, p->regexes[i], strlen(p->regexes[i]));
		log_warn("uplink.regex_gave_up", "regex=\"%s\" code=%d", regex, r);
	}
	return r >= 0;
}

static int compile(const char *regex, void **ret_code, struct err *err)
{
	PCRE2_UCHAR why[120];
	PCRE2_SIZE at;
	pcre2_code *code;
	int number;

	code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, 0, &number, &at, NULL);
	if (!code) {
		pcre2_get_error_message(number, why, sizeof(why));
		return err_set(err, -EINVAL, "--iface-regex: %s, at character %zu of \"%s\"", why,
			       at + 1, regex);
	}
	*ret_code = code;
	return 0;
}

static int parse_ip(const char *flag, const char *text, bool v6, struct ip *ret, struct err *err)
{
	struct ip ip;

	if (!*text)
		return 0;
	if (!ip_parse(text, &ip))
		return err_set(err, -EINVAL, "--%s: not an IP address: \"%s\"", flag, text);
	if (v6 == ip_is_v4(&ip))
		return err_set(err, -EINVAL, "--%s: must be an IPv%d address: \"%s\"", flag,
			       v6 ? 6 : 4, text);
	*ret = ip;
	return 0;
}

int policy_init(struct policy *p, const struct opts *o, struct err *err)
{
	int r;

	*p = (struct policy){
		.uplink = {.ifaces = o->iface.values,
			   .n_ifaces = o->iface.n,
			   .regexes = o->iface_regex.values,
			   .n_regexes = o->iface_regex.n,
			   .match = matches,
			   .match_arg = p,
			   .ipv4 = true},
		.regexes = o->iface_regex.values,
		.limits = pcre2_match_context_create(NULL),
		.match = pcre2_match_data_create(1, NULL),
	};
	if (!p->limits || !p->match)
		abort();
	pcre2_set_match_limit(p->limits, MATCH_STEPS_MAX);
	pcre2_set_heap_limit(p->limits, MATCH_HEAP_KIB);
	for (size_t i = 0; i < o->iface_regex.n; i++) {
		r = compile(o->iface_regex.values[i], &p->codes[i], err);
		if (r < 0)
			return r;
	}
	if (o->iface_can_reach[0] && !ip_parse(o->iface_can_reach, &p->uplink.can_reach))
		return err_set(err, -EINVAL, "--iface-can-reach: not an IP address: \"%s\"",
			       o->iface_can_reach);
	r = parse_ip("public-ip", o->public_ip, false, &p->uplink.public_ip, err);
	if (r < 0)
		return r;
	return parse_ip("public-ipv6", o->public_ipv6, true, &p->uplink.public_ip6, err);
}

void policy_fini(struct policy *p)
{
	for (size_t i = 0; i < OPTS_LIST_MAX; i++)
		pcre2_code_free(p->codes[i]);
	pcre2_match_data_free(p->match);
	pcre2_match_context_free(p->limits);
	*p = (struct policy){0};
}
