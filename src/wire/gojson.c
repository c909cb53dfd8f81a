/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/gojson.h"

#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTEGER_DIGITS 18 /* that many always fit into 64 bits, with a sign */

/* ---- reading ---- */

/* Length of the UTF-8 sequence at s (RFC 3629: shortest form, no surrogates), or 0 if it is none. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if (len < 3)
		return len;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* What Go reads and jansson refuses, made into what both read. */
struct repair {
	const unsigned char *s;
	size_t n, i;
	char *out; /* room for 3 n + 1 */
	size_t len;
	bool in_string;
};

static void put(struct repair *r, const char *bytes, size_t n)
{
	memcpy(r->out + r->len, bytes, n);
	r->len += n;
}

static void copy(struct repair *r, size_t n)
{
	put(r, (const char *)r->s + r->i, n);
	r->i += n;
}

/* The number of \uXXXX at offset i, or -1. */
static int escaped(const struct repair *r, size_t i)
{
	int v = 0;

	if (i + 6 > r->n || r->s[i] != '\\' || r->s[i + 1] != 'u')
		return -1;
	for (size_t k = i + 2; k < i + 6; k++) {
		unsigned char c = r->s[k] | 0x20;

		if (r->s[k] >= '0' && r->s[k] <= '9')
			v = v << 4 | (r->s[k] - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (c - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* In a string: wrong bytes and half surrogates become U+FFFD. */
static void repair_text(struct repair *r)
{
	const size_t len = utf8_len(r->s + r->i, r->n - r->i);
	const int u = escaped(r, r->i);

	if (len == 0) {
		put(r, "\xef\xbf\xbd", 3);
		r->i++;
	} else if (u >= 0xd800 && u <= 0xdbff && escaped(r, r->i + 6) >= 0xdc00 &&
		   escaped(r, r->i + 6) <= 0xdfff) {
		copy(r, 12);
	} else if (u >= 0xd800 && u <= 0xdfff) {
		put(r, "\\ufffd", 6);
		r->i += 6;
	} else if (r->s[r->i] == '\\' && r->i + 1 < r->n) {
		copy(r, 1);
		if (utf8_len(r->s + r->i, r->n - r->i) > 0)
			copy(r, 1);
	} else {
		copy(r, len);
	}
}

static size_t number_len(const struct repair *r)
{
	size_t n = 0;

	while (r->i + n < r->n && memchr("+-.0123456789eE", r->s[r->i + n], 15))
		n++;
	return n;
}

/* The power of ten behind the digits, as far as it can matter. */
static int exponent_of(const char *s, size_t n)
{
	const bool negative = n > 0 && *s == '-';
	int v = 0;

	for (size_t i = negative || (n > 0 && *s == '+'); i < n && v <= DBL_MAX_10_EXP; i++) {
		if (s[i] < '0' || s[i] > '9')
			break;
		v = v * 10 + (s[i] - '0');
	}
	return negative ? -v : v;
}

/* Outside of strings: an integer that is too large for jansson becomes a double, as in Go's maps. One
 * that is too large for that, too, becomes some double: a key that we use wants an integer and will
 * complain, any other does not matter. */
static void repair_number(struct repair *r, size_t n)
{
	const char *s = (const char *)r->s + r->i;
	size_t whole = *s == '-', e = 0;

	while (whole < n && s[whole] >= '0' && s[whole] <= '9')
		whole++;
	while (e < n && (s[e] | 0x20) != 'e')
		e++;
	if ((int)MIN(whole, 1000u) + (e < n ? exponent_of(s + e + 1, n - e - 1) : 0) >
	    DBL_MAX_10_EXP) {
		put(r, "1e99", 4);
		r->i += n;
		return;
	}
	copy(r, n);
	if (whole == n && n > INTEGER_DIGITS)
		put(r, ".0", 2);
}

static void repair_rest(struct repair *r)
{
	const size_t n = number_len(r);

	if (n > 0)
		repair_number(r, n);
	else
		copy(r, 1);
}

static char *repaired(const char *bytes, size_t n, struct arena *a, size_t *ret_n)
{
	struct repair r = {.s = (const unsigned char *)bytes, .n = n};

	r.out = arena_calloc(a, 3, n + 1);
	while (r.i < n) {
		if (r.s[r.i] == '"') {
			r.in_string = !r.in_string;
			copy(&r, 1);
		} else if (r.in_string) {
			repair_text(&r);
		} else {
			repair_rest(&r);
		}
	}
	*ret_n = r.len;
	return r.out;
}

static json_t *load(const char *bytes, size_t n, json_error_t *why)
{
	return json_loadb(bytes, n, JSON_ALLOW_NUL | JSON_DECODE_ANY, why);
}

int gojson_parse(const char *bytes, size_t n, json_t **ret, struct err *err)
{
	json_error_t why;
	struct arena a;
	json_t *v;

	v = load(bytes, n, &why);
	if (!v && n > 0) {
		arena_init(&a, 0);
		bytes = repaired(bytes, n, &a, &n);
		v = load(bytes, n, &why);
		arena_fini(&a);
	}
	if (v) {
		*ret = v;
		return 0;
	}
	if (json_error_code(&why) == json_error_premature_end_of_input)
		return err_set(err, -EINVAL, "unexpected end of JSON input");
	return err_set(err, -EINVAL, "line %d, column %d: %s", why.line, why.column, why.text);
}

static bool same_key(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char x = *a >= 'A' && *a <= 'Z' ? (char)(*a | 0x20) : *a;
		char y = *b >= 'A' && *b <= 'Z' ? (char)(*b | 0x20) : *b;

		if (x != y)
			return false;
	}
	return *a == *b;
}

json_t *gojson_get(const json_t *o, const char *key)
{
	json_t *v, *found = NULL;
	const char *k;

	json_object_foreach((json_t *)o, k, v)
	{
		if (!json_is_null(v) && same_key(k, key))
			found = v;
	}
	return found;
}

const char *gojson_type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return "a number with a fraction or exponent";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "unknown";
}

static int mismatch(const char *key, const char *wanted, const json_t *v, struct err *err)
{
	return err_set(err, -EINVAL, "%s: must be %s, is %s", key, wanted, gojson_type_name(v));
}

int gojson_get_bool(const json_t *o, const char *key, bool *ret, struct err *err)
{
	const json_t *v = gojson_get(o, key);

	if (v && !json_is_boolean(v))
		return mismatch(key, "true or false", v, err);
	if (v)
		*ret = json_is_true(v);
	return 0;
}

int gojson_get_int(const json_t *o, const char *key, int32_t *ret, struct err *err)
{
	const json_t *v = gojson_get(o, key);
	json_int_t i;

	if (!v)
		return 0;
	if (!json_is_integer(v))
		return mismatch(key, "an integer", v, err);
	i = json_integer_value(v);
	if (i < INT32_MIN || i > INT32_MAX)
		return err_set(err, -EINVAL, "%s: %lld is out of range", key, (long long)i);
	*ret = (int32_t)i;
	return 0;
}

int gojson_text(const json_t *v, const char **ret, struct err *err)
{
	if (json_is_null(v))
		return 0;
	if (!json_is_string(v))
		return err_set(err, -EINVAL, "must be a string, is %s", gojson_type_name(v));
	if (strlen(json_string_value(v)) != json_string_length(v))
		return err_set(err, -EINVAL, "holds a zero byte");
	*ret = json_string_value(v);
	return 0;
}

int gojson_check_object(const json_t *v, struct err *err)
{
	if (json_is_object(v) || json_is_null(v))
		return 0;
	return err_set(err, -EINVAL, "must be an object, is %s", gojson_type_name(v));
}

int gojson_get_text(const json_t *o, const char *key, const char **ret, struct err *err)
{
	const json_t *v = gojson_get(o, key);
	int r = v ? gojson_text(v, ret, err) : 0;

	return r < 0 ? err_wrap(err, r, "%s", key) : 0;
}

int gojson_get_object(const json_t *o, const char *key, json_t **ret, struct err *err)
{
	json_t *v = gojson_get(o, key);

	if (v && !json_is_object(v))
		return mismatch(key, "an object", v, err);
	if (v)
		*ret = v;
	return 0;
}

int gojson_get_array(const json_t *o, const char *key, json_t **ret, struct err *err)
{
	json_t *v = gojson_get(o, key);

	if (v && !json_is_array(v))
		return mismatch(key, "an array", v, err);
	if (v)
		*ret = v;
	return 0;
}

/* ---- writing ---- */

struct out {
	struct arena *a;
	char *buf;
	size_t len, size;
	unsigned style;
};

static void add(struct out *o, const char *s, size_t n)
{
	if (o->size - o->len <= n) {
		size_t size = MAX(o->size * 2, o->len + n + 512);
		char *bigger = arena_calloc(o->a, 1, size);

		if (o->len > 0)
			memcpy(bigger, o->buf, o->len);
		o->buf = bigger;
		o->size = size;
	}
	memcpy(o->buf + o->len, s, n);
	o->len += n;
	o->buf[o->len] = '\0';
}

static void add_str(struct out *o, const char *s)
{
	add(o, s, strlen(s));
}

/* Go escapes what would break HTML or JavaScript around the JSON, too (encoding/json, HTMLEscape). */
static size_t escape(const char *s, size_t n, char ret[7])
{
	unsigned char c = (unsigned char)s[0];
	const char *letter = c ? strchr("\bb\ff\nn\rr\tt", c) : NULL;

	if (c == '"' || c == '\\') {
		snprintf(ret, 7, "\\%c", c);
	} else if (c < 0x20 && letter) {
		snprintf(ret, 7, "\\%c", letter[1]);
	} else if (c < 0x20 || c == '<' || c == '>' || c == '&') {
		snprintf(ret, 7, "\\u%04x", c);
	} else if (n >= 3 &&
		   (memcmp(s, "\xe2\x80\xa8", 3) == 0 || memcmp(s, "\xe2\x80\xa9", 3) == 0)) {
		snprintf(ret, 7, "\\u202%x", s[2] & 0xf);
		return 3;
	} else {
		ret[0] = '\0';
	}
	return 1;
}

static void add_text(struct out *o, const char *s, size_t n)
{
	size_t begin = 0, used;
	char esc[7];

	add(o, "\"", 1);
	for (size_t i = 0; i < n; i += used) {
		used = escape(s + i, n - i, esc);
		if (!esc[0])
			continue;
		add(o, s + begin, i - begin);
		add_str(o, esc);
		begin = i + used;
	}
	add(o, s + begin, n - begin);
	add(o, "\"", 1);
}

static void newline(struct out *o, unsigned depth)
{
	if (!(o->style & GOJSON_PRETTY))
		return;
	add(o, "\n", 1);
	while (depth-- > 0)
		add(o, "    ", 4);
}

static void add_value(struct out *o, const json_t *v, unsigned depth);

static int key_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_object(struct out *o, const json_t *v, unsigned depth)
{
	size_t n = json_object_size(v), i = 0;
	const char **keys = arena_array(o->a, const char *, n);
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)v, key, member) keys[i++] = key;
	if (o->style & GOJSON_SORTED)
		qsort(keys, n, sizeof(*keys), key_cmp);
	add(o, "{", 1);
	for (i = 0; i < n; i++) {
		if (i > 0)
			add(o, ",", 1);
		newline(o, depth + 1);
		add_text(o, keys[i], strlen(keys[i]));
		add_str(o, o->style & GOJSON_PRETTY ? ": " : ":");
		add_value(o, json_object_get(v, keys[i]), depth + 1);
	}
	if (n > 0)
		newline(o, depth);
	add(o, "}", 1);
}

static void add_array(struct out *o, const json_t *v, unsigned depth)
{
	size_t n = json_array_size(v);

	add(o, "[", 1);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			add(o, ",", 1);
		newline(o, depth + 1);
		add_value(o, json_array_get(v, i), depth + 1);
	}
	if (n > 0)
		newline(o, depth);
	add(o, "]", 1);
}

/* 15 digits are those that somebody wrote, 17 are always enough. */
static void add_real(struct out *o, double value)
{
	char number[40];
	json_t *again;
	int n;

	n = snprintf(number, sizeof(number), "%.15g", value);
	again = load(number, (size_t)n, NULL);
	if (json_number_value(again) != value)
		snprintf(number, sizeof(number), "%.17g", value);
	json_decref(again);
	add_str(o, number);
}

/* Depth is bounded by jansson's parser (JSON_PARSER_MAX_DEPTH, 2048). */
static void add_value(struct out *o, const json_t *v, unsigned depth)
{
	char number[40];

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		add_object(o, v, depth);
		return;
	case JSON_ARRAY:
		add_array(o, v, depth);
		return;
	case JSON_STRING:
		add_text(o, json_string_value(v), json_string_length(v));
		return;
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		add_str(o, number);
		return;
	case JSON_REAL:
		add_real(o, json_real_value(v));
		return;
	case JSON_TRUE:
		add_str(o, "true");
		return;
	case JSON_FALSE:
		add_str(o, "false");
		return;
	case JSON_NULL:
		add_str(o, "null");
		return;
	}
}

char *gojson_print(const json_t *v, unsigned style, struct arena *a, size_t *ret_n)
{
	struct out o = {.a = a, .style = style};

	add_value(&o, v, 0);
	if (ret_n)
		*ret_n = o.len;
	return o.buf;
}

const char *gojson_quote(const char *s, struct arena *a)
{
	struct out o = {.a = a};

	add(&o, "\"", 1);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		const char *letter = strchr("\aa\bb\ff\nn\rr\tt\vv", c);
		char esc[8];

		if (c == '"' || c == '\\')
			snprintf(esc, sizeof(esc), "\\%c", c);
		else if (c < 0x20 && letter)
			snprintf(esc, sizeof(esc), "\\%c", letter[1]);
		else if (c < 0x20 || c == 0x7f)
			snprintf(esc, sizeof(esc), "\\x%02x", c);
		else
			snprintf(esc, sizeof(esc), "%c", c);
		add_str(&o, esc);
	}
	add(&o, "\"", 1);
	return o.buf;
}
