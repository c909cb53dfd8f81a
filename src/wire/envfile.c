/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/envfile.h"

#include <string.h>

/* A piece of the text, borrowed; not terminated. */
struct slice {
	const char *s;
	size_t n;
};

static bool slice_is(struct slice a, const char *b)
{
	return strlen(b) == a.n && memcmp(a.s, b, a.n) == 0;
}

static size_t slice_find(struct slice a, char c)
{
	const char *p = a.n > 0 ? memchr(a.s, c, a.n) : NULL;

	return p ? (size_t)(p - a.s) : a.n;
}

/* Cuts the part in front of the next `c` off *rest. False when nothing is left. */
static bool slice_next(struct slice *rest, char c, struct slice *ret)
{
	if (!rest->s)
		return false;
	*ret = (struct slice){rest->s, slice_find(*rest, c)};
	if (ret->n == rest->n)
		rest->s = NULL; /* that was the last part, even if it is empty */
	else
		*rest = (struct slice){rest->s + ret->n + 1, rest->n - ret->n - 1};
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct slice slice_trim(struct slice a)
{
	while (a.n > 0 && is_blank(a.s[0]))
		a = (struct slice){a.s + 1, a.n - 1};
	while (a.n > 0 && is_blank(a.s[a.n - 1]))
		a.n--;
	return a;
}

static bool parse_cidr(struct slice text, struct cidr *ret_masked)
{
	char buf[CIDR_STRLEN];
	struct cidr c;

	if (text.n >= sizeof(buf) || slice_find(text, '\0') < text.n)
		return false;
	memcpy(buf, text.s, text.n);
	buf[text.n] = '\0';
	if (!cidr_parse(buf, &c))
		return false;
	*ret_masked = cidr_masked(&c);
	return true;
}

/* The value of a dotenv line behind its '='. */
static struct slice unquote(struct slice value)
{
	value = slice_trim(value);
	if (value.n > 0 && (value.s[0] == '"' || value.s[0] == '\'')) {
		struct slice inner = {value.s + 1, value.n - 1};

		inner.n = slice_find(inner, value.s[0]);
		return inner;
	}
	for (size_t i = 1; i < value.n; i++)
		if (value.s[i] == '#' && is_blank(value.s[i - 1]))
			value.n = i;
	return slice_trim(value);
}

/* The one entry that parses as a network of this family; unset if there are none or several. */
static struct cidr single_network(struct slice list, bool v4)
{
	struct cidr one = {0}, c;
	struct slice part;
	size_t n = 0;

	while (slice_next(&list, ',', &part))
		if (parse_cidr(part, &c) && cidr_is_set(&c) && ip_is_v4(&c.ip) == v4) {
			one = c;
			n++;
		}
	return n == 1 ? one : (struct cidr){0};
}

void envfile_decode_previous(const char *text, size_t n, struct envfile_previous *ret)
{
	struct envfile_previous previous = {0};
	struct slice rest = {text, n}, line;

	while (slice_next(&rest, '\n', &line)) {
		size_t eq = slice_find(line, '=');
		struct slice key = slice_trim((struct slice){line.s, eq}), value;

		if (eq == line.n || key.n == 0 || key.s[0] == '#')
			continue;
		if (key.n > 7 && memcmp(key.s, "export ", 7) == 0)
			key = slice_trim((struct slice){key.s + 7, key.n - 7});
		value = unquote((struct slice){line.s + eq + 1, line.n - eq - 1});
		if (slice_is(key, "FLANNEL_NETWORK"))
			previous.network = single_network(value, true);
		else if (slice_is(key, "FLANNEL_SUBNET"))
			previous.subnet = single_network(value, true);
		else if (slice_is(key, "FLANNEL_IPV6_NETWORK"))
			previous.network6 = single_network(value, false);
		else if (slice_is(key, "FLANNEL_IPV6_SUBNET"))
			previous.subnet6 = single_network(value, false);
	}
	*ret = previous;
}
