/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kube_patch.h"

#include <jansson.h>
#include <string.h>

#define DAY_S  86400
#define LAST_S 253402300799 /* 9999-12-31T23:59:59Z: RFC 3339 has no later one */

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* RFC 3339, UTC. */
static json_t *time_json(int64_t s)
{
	static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const int64_t at = MAX(0, MIN(s, LAST_S));
	unsigned days = (unsigned)(at / DAY_S), year = 1970, month = 0, n;
	const unsigned second = (unsigned)(at % DAY_S);
	char buf[32];
	struct text t = TEXT(buf);

	for (; days >= (n = is_leap(year) ? 366 : 365); year++)
		days -= n;
	for (; days >= (n = month_days[month] + (month == 1 && is_leap(year))); month++)
		days -= n;
	text_add(&t, "%04u-%02u-%02uT%02u:%02u:%02uZ", year, month + 1, days + 1, second / 3600,
		 second / 60 % 60, second % 60);
	return json_string(buf);
}

/* Not every byte sequence is a JSON string: what is none goes in escaped. */
static json_t *text_json(const char *s)
{
	char buf[4 * KUBE_ANN_SIZE] = "";
	struct text t = TEXT(buf);
	json_t *v = json_string(s);

	if (v)
		return v;
	text_add_escaped(&t, s, strlen(s));
	return json_string(buf);
}

static void print(json_t *o, struct text *ret)
{
	const size_t room = ret->size_bytes - ret->len - 1;
	const size_t n = json_dumpb(o, ret->buf + ret->len, room, JSON_COMPACT);

	if (n > room)
		ret->cut = true;
	else
		ret->len += n;
	ret->buf[ret->len] = '\0';
	json_decref(o);
}

void kube_patch_annotations(const char *prefix, const struct kube_anns *anns, unsigned bits,
			    struct text *ret)
{
	json_t *annotations = json_object();

	for (unsigned i = 0; i < KUBE_ANN__COUNT; i++) {
		const char *value = kube_anns_get(anns, (enum kube_ann)i);
		char key[KUBE_PREFIX_SIZE + 32];
		struct text k = TEXT(key);

		if (!(bits & KUBE_ANN_BIT(i)) || !value)
			continue;
		text_add(&k, "%s%s", prefix, kube_ann_suffixes[i]);
		json_object_set_new(annotations, key, text_json(value));
	}
	print(json_pack("{s:{s:o}}", "metadata", "annotations", annotations), ret);
}

void kube_patch_condition(const struct kube_patch_condition *c, struct text *ret)
{
	json_t *condition = json_object();

	json_object_set_new(condition, "type", json_string("NetworkUnavailable"));
	json_object_set_new(condition, "status", json_string(c->unavailable ? "True" : "False"));
	json_object_set_new(condition, "lastHeartbeatTime", time_json(c->now_s));
	json_object_set_new(condition, "lastTransitionTime", time_json(c->transition_s));
	json_object_set_new(condition, "reason", text_json(c->reason));
	json_object_set_new(condition, "message", text_json(c->message));
	print(json_pack("{s:{s:[o]}}", "status", "conditions", condition), ret);
}
