/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GOJSON_H
#define WIRE_GOJSON_H
/* JSON as Go's encoding/json reads and writes it, on top of jansson.
 *
 * What we read was written for Go programs, and what we write is read by them, so their leniency is
 * part of the format: keys of structs match without regard to ASCII case, the last of several wins,
 * null leaves the default, unknown keys are ignored whatever their value, bytes that are not UTF-8
 * become U+FFFD. Numbers and booleans are strict: no 1.0, no "5", no "true".
 *
 * Getters: 0 and *ret set; 0 and *ret untouched if the key is absent or null; -EINVAL with a story
 * that names the key. Strings, objects and arrays are borrowed from `o`.
 */

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

/* One value of any type, and nothing behind it but white space. The caller json_decref()s it. */
int gojson_parse(const char *bytes, size_t n, json_t **ret, struct err *err);

/* As a struct member: any case, last wins, NULL for absent and null. NULL `o` is fine. */
json_t *gojson_get(const json_t *o, const char *key);

int gojson_get_bool(const json_t *o, const char *key, bool *ret, struct err *err);
int gojson_get_int(const json_t *o, const char *key, int32_t *ret, struct err *err);
int gojson_get_text(const json_t *o, const char *key, const char **ret, struct err *err);
int gojson_get_object(const json_t *o, const char *key, json_t **ret, struct err *err);
int gojson_get_array(const json_t *o, const char *key, json_t **ret, struct err *err);

/* Elements of an array, where null is not absent: gojson_text() leaves *ret alone, and to
 * gojson_check_object() it is an object without keys. -EINVAL with a story that names no key. */
int gojson_text(const json_t *v, const char **ret, struct err *err);
int gojson_check_object(const json_t *v, struct err *err);

/* "a string", "an object" … */
const char *gojson_type_name(const json_t *v);

enum gojson_style {
	GOJSON_COMPACT = 0,
	GOJSON_PRETTY = 1, /* four blanks a level */
	GOJSON_SORTED = 2, /* keys by bytes; else in order of insertion */
};

/* Terminated; the length without terminator in *ret_n unless NULL. */
char *gojson_print(const json_t *v, unsigned style, struct arena *a, size_t *ret_n);

/* `s` as Go's %q: quoted, with escapes. */
const char *gojson_quote(const char *s, struct arena *a);

#endif
