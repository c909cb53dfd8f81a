/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni.h"

#include <errno.h>
#include <string.h>

#include "wire/cni_result.h"

int cni_decode_name(const json_t *root, const char **ret, struct cni_error *e)
{
	const char *name = "";
	struct err err = {0};

	if (!json_is_object(root) && !json_is_null(root))
		return cni_fail(e, CNI_CODE_DECODE,
				"error unmarshall network config: must be an object, is %s",
				gojson_type_name(root));
	if (gojson_get_text(root, "name", &name, &err) < 0)
		return cni_fail(e, CNI_CODE_DECODE, "error unmarshall network config: %s",
				err.text);
	if (!*name)
		return cni_fail(e, CNI_CODE_CONFIG, "missing network name");
	if (!cni_name_ok(name)) {
		cni_fail(e, CNI_CODE_CONFIG, "invalid characters found in network name");
		text_copy(e->details, sizeof(e->details), name);
		return -EINVAL;
	}
	*ret = name;
	return 0;
}

int cni_decode_version(const json_t *root, const char **ret, struct cni_error *e)
{
	const char *text = "";
	struct err err = {0};

	if (gojson_get_text(root, "cniVersion", &text, &err) < 0)
		return cni_fail(e, CNI_CODE_DECODE, "decoding version from network config: %s",
				err.text);
	*ret = *text ? text : cni_version_names[CNI_0_1_0];
	return 0;
}

int cni_decode_ipam_type(const json_t *root, const char **ret, struct err *err)
{
	const char *type = "";
	json_t *ipam = NULL;
	int r;

	r = gojson_get_object(root, "ipam", &ipam, err);
	if (r < 0)
		return r;
	r = gojson_get_text(ipam, "type", &type, err);
	if (r < 0)
		return err_wrap(err, r, "ipam");
	*ret = type;
	return 0;
}

/* "[1.0.0 1.1.0]": all whose results look like that of `v`, as Go prints a list. The oldest may also
 * go unnamed. */
static const char *family_list(enum cni_version v, char buf[64])
{
	struct text t = {.buf = buf, .size_bytes = 64};

	text_add(&t, "[");
	for (int i = 0; i < CNI_VERSION__COUNT; i++) {
		if (cni_version_same_family((enum cni_version)i, v))
			text_add(&t, "%s%s", t.len > 1 || i == 0 ? " " : "", cni_version_names[i]);
	}
	text_add(&t, "]");
	return buf;
}

int cni_decode_prev(const json_t *root, struct arena *a, struct cni_conf *ret, struct err *err)
{
	enum cni_version version = ret->version;
	const char *text = "";
	json_t *prev = NULL;
	char list[64];
	int r;

	r = gojson_get_object(root, "prevResult", &prev, err);
	if (r < 0 || !prev)
		return r;
	r = gojson_get_text(prev, "cniVersion", &text, err);
	if (r == 0 && *text &&
	    (!cni_version_parse(text, &version) || !cni_version_same_family(version, ret->version)))
		r = err_set(err, -EINVAL,
			    "result type supports %s but unmarshalled CNIVersion is \"%s\"",
			    family_list(ret->version, list), text);
	if (r == 0)
		r = cni_result_decode(prev, ret->version, a, &ret->prev, &version, err);
	if (r < 0)
		return err_wrap(err, r, "could not parse prevResult");
	ret->has_prev = true;
	return 0;
}

/* ---- CNI_ARGS ---- */

static int decode_truth(const char *value, const char *pair, struct arena *a, bool *ret,
			struct err *err)
{
	char *lower = arena_strdup(a, value);

	for (char *p = lower; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
	if (strcmp(lower, "1") == 0 || strcmp(lower, "true") == 0)
		*ret = true;
	else if (strcmp(lower, "0") == 0 || strcmp(lower, "false") == 0)
		*ret = false;
	else
		return err_set(err, -EINVAL,
			       "ARGS: error parsing value of pair %s: boolean unmarshal error: "
			       "invalid input %s",
			       gojson_quote(pair, a), lower);
	return 0;
}

static struct cni_arg *find_arg(struct cni_arg *args, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(args[i].key, key) == 0)
			return &args[i];
	}
	return NULL;
}

int cni_decode_args(const char *text, struct cni_arg *args, size_t n, struct arena *a,
		    struct err *err)
{
	bool ignore_unknown = false;
	char unknown_buf[256] = "";
	struct text unknown = TEXT(unknown_buf);

	for (const char *end; *text; text = end + (*end == ';')) {
		char *pair, *value;
		struct cni_arg *arg;

		end = text + strlen(text);
		if (strchr(text, ';'))
			end = strchr(text, ';');
		pair = arena_calloc(a, 1, (size_t)(end - text) + 1);
		memcpy(pair, text, (size_t)(end - text));
		value = strchr(pair, '=');
		if (!value || strchr(value + 1, '='))
			return err_set(err, -EINVAL, "ARGS: invalid pair %s",
				       gojson_quote(pair, a));
		/* A separator at the end is followed by an empty pair. */
		if (*end && !end[1])
			return err_set(err, -EINVAL, "ARGS: invalid pair \"\"");
		value = arena_strdup(a, value + 1);
		pair[strcspn(pair, "=")] = '\0';
		arg = find_arg(args, n, pair);
		if (arg)
			arg->value = value;
		else if (strcmp(pair, "IgnoreUnknown") != 0)
			text_add(&unknown, "%s%s", unknown.len > 0 ? " " : "",
				 gojson_quote(arena_printf(a, "%s=%s", pair, value), a));
		else if (decode_truth(value, arena_printf(a, "%s=%s", pair, value), a,
				      &ignore_unknown, err) < 0)
			return -EINVAL;
	}
	if (unknown.len > 0 && !ignore_unknown)
		return err_set(err, -EINVAL, "ARGS: unknown args [%s]", unknown_buf);
	return 0;
}

/* ---- errors, versions ---- */

int cni_decode_error(const json_t *root, struct cni_error *ret, struct err *err)
{
	const char *msg = "", *details = "";
	struct cni_error e = {0};
	int32_t code = 0;
	int r;

	if (!json_is_object(root))
		return err_set(err, -EINVAL, "must be an object, is %s", gojson_type_name(root));
	if ((r = gojson_get_int(root, "code", &code, err)) < 0 ||
	    (r = gojson_get_text(root, "msg", &msg, err)) < 0 ||
	    (r = gojson_get_text(root, "details", &details, err)) < 0)
		return r;
	if (code < 0)
		return err_set(err, -EINVAL, "code: %d is out of range", code);
	cni_fail(&e, CNI_CODE_PLAIN, "%s", msg);
	e.code = (uint32_t)code;
	text_add(&TEXT(e.details), "%s", details);
	*ret = e;
	return 0;
}

const char *cni_encode_error(const struct cni_error *e, struct arena *a)
{
	json_t *o = json_object();
	const char *text;

	json_object_set_new(o, "code", json_integer(e->code));
	json_object_set_new(o, "msg", json_string_nocheck(e->msg));
	if (e->details[0])
		json_object_set_new(o, "details", json_string_nocheck(e->details));
	text = gojson_print(o, GOJSON_PRETTY, a, NULL);
	json_decref(o);
	return text;
}

const char *cni_encode_versions(struct arena *a)
{
	const char *list = "";

	for (size_t i = 0; i < CNI_VERSION__COUNT; i++)
		list = arena_printf(a, "%s%s\"%s\"", list, i ? "," : "", cni_version_names[i]);
	return arena_printf(a, "{\"cniVersion\":\"%s\",\"supportedVersions\":[%s]}\n",
			    cni_version_names[CNI_VERSION_NEWEST], list);
}
