/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kube_status.h"

#include <string.h>

#include "wire/gojson.h"

/* How much of a foreign body is shown. */
#define SHOWN_BYTES 80

static void escape(char *buf, size_t size_bytes, const char *s)
{
	struct text t = {.buf = buf, .size_bytes = size_bytes};

	buf[0] = '\0';
	text_add_escaped(&t, s, strlen(s));
}

void kube_status_set(struct kube_status *s, const char *reason, const char *message)
{
	escape(s->reason, sizeof(s->reason), reason);
	escape(s->message, sizeof(s->message), message);
}

void kube_status_set_retry(struct kube_status *s, int64_t retry_after_s)
{
	s->retry_after_s = (uint32_t)MAX(0, MIN(retry_after_s, UINT32_MAX));
}

/* False: it has neither a reason nor a message. */
static bool json_decode(const json_t *o, struct kube_status *ret)
{
	const char *reason = "", *message = "";
	int32_t code = 0, retry_after_s = 0;
	json_t *details = NULL;

	if (!json_is_object(o))
		return false;
	gojson_get_text(o, "reason", &reason, NULL);
	gojson_get_text(o, "message", &message, NULL);
	gojson_get_int(o, "code", &code, NULL);
	gojson_get_object(o, "details", &details, NULL);
	gojson_get_int(details, "retryAfterSeconds", &retry_after_s, NULL);
	kube_status_set(ret, reason, message);
	kube_status_set_retry(ret, retry_after_s);
	ret->code = code;
	return *reason || *message;
}

static bool is_gzip(struct pb_bytes b)
{
	return b.n >= 2 && b.p[0] == 0x1f && b.p[1] == 0x8b; /* RFC 1952, 2.3.1 */
}

static char first_visible(struct pb_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] > ' ' && b.p[i] < 0x7f)
			return (char)b.p[i];
	return '\0';
}

/* Printable words, one blank between them; of HTML those that are no tags. */
static void words_add(struct pb_bytes b, struct text *ret)
{
	const bool html = first_visible(b) == '<';
	bool in_tag = false, blank = false;

	for (size_t i = 0; i < b.n && !ret->cut; i++) {
		const char c = (char)b.p[i];

		in_tag = in_tag || (html && c == '<');
		if (in_tag || c <= ' ' || c >= 0x7f) {
			blank = ret->len > 0;
			in_tag = in_tag && c != '>';
			continue;
		}
		if (blank)
			text_add(ret, " ");
		blank = false;
		text_add_escaped(ret, &c, 1);
	}
}

void kube_status_decode(struct pb_bytes body, struct kube_status *ret)
{
	struct text message = TEXT(ret->message);
	json_t *o = NULL;
	bool is_status;

	*ret = (struct kube_status){0};
	if (is_gzip(body)) {
		text_add(&message, "a gzip body that nobody asked for");
		return;
	}
	if (first_visible(body) == '{' &&
	    gojson_parse((const char *)body.p, body.n, &o, NULL) == 0) {
		is_status = json_decode(o, ret);
		json_decref(o);
		if (is_status)
			return;
	}
	words_add(body, &message);
}

void kube_status_describe(struct pb_bytes begin, struct text *ret)
{
	const char first = first_visible(begin);

	text_add(ret, "%s, not protobuf",
		 is_gzip(begin) ? "gzip, which nobody asked for"
		 : first == '<' ? "HTML"
		 : first == '{' ? "JSON"
				: "something unknown");
	if (is_gzip(begin) || begin.n == 0)
		return;
	text_add(ret, ": \"");
	text_add_escaped(ret, (const char *)begin.p, MIN(begin.n, SHOWN_BYTES));
	text_add(ret, "\"");
}
