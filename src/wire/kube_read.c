/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kube_read.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

const char *const kube_event_names[] = {
	[KUBE_EVENT_LISTED] = "LISTED",
	[KUBE_EVENT_ADDED] = "ADDED",
	[KUBE_EVENT_MODIFIED] = "MODIFIED",
	[KUBE_EVENT_DELETED] = "DELETED",
};
static_assert(ARRAY_SIZE(kube_event_names) == KUBE_EVENT__COUNT, "an event without name");

/* k8s.io/apimachinery, pkg/runtime/serializer/protobuf */
static const uint8_t magic[4] = {'k', '8', 's', 0};

enum read_state {
	READ_BEGIN, /* the first bytes of a body, or of a frame */
	READ_WALK,
	READ_SKIP, /* the rest of a frame */
	READ_TEXT, /* of a failure */
	READ_DONE, /* whatever follows is of no interest */
	READ_BROKEN,
};

/* ---- tables: offsets count from struct kube_read ---- */

#define INT(number, member)   PB_WANT_INT(number, struct kube_read, member)
#define TEXT_(number, member) PB_WANT_TEXT(number, struct kube_read, member)

static const struct pb_want nothing[] = {PB_WANT_END};

static const struct pb_want time_wants[] = {INT(1, node.created_s), PB_WANT_END};

static const struct pb_want annotation_wants[] = {
	TEXT_(1, raw.key),
	TEXT_(2, raw.value),
	PB_WANT_END,
};

static const struct pb_want meta_wants[] = {
	TEXT_(1, node.name),
	TEXT_(5, node.uid),
	TEXT_(6, node.resource_version),
	PB_WANT_MESSAGE(8, time_wants),
	PB_WANT_MESSAGE(12, annotation_wants),
	PB_WANT_END,
};

static const struct pb_want spec_wants[] = {
	TEXT_(1, node.pod_cidr),
	TEXT_(7, raw.cidr),
	PB_WANT_END,
};

static const struct pb_want condition_wants[] = {
	TEXT_(1, raw.condition_type),
	TEXT_(2, raw.condition.status),
	TEXT_(5, raw.condition.reason),
	TEXT_(6, raw.condition.message),
	PB_WANT_END,
};

static const struct pb_want node_status_wants[] = {
	PB_WANT_MESSAGE(4, condition_wants),
	PB_WANT_END,
};

static const struct pb_want node_wants[] = {
	PB_WANT_MESSAGE(1, meta_wants),
	PB_WANT_MESSAGE(2, spec_wants),
	PB_WANT_MESSAGE(3, node_status_wants),
	PB_WANT_END,
};

static const struct pb_want pod_spec_wants[] = {TEXT_(10, pod_node), PB_WANT_END};

static const struct pb_want pod_wants[] = {
	PB_WANT_MESSAGE(1, meta_wants),
	PB_WANT_MESSAGE(2, pod_spec_wants),
	PB_WANT_END,
};

/* metav1.APIVersions */
static const struct pb_want server_wants[] = {TEXT_(2, server), PB_WANT_END};

static const struct pb_want versions_wants[] = {PB_WANT_MESSAGE(2, server_wants), PB_WANT_END};

static const struct pb_want partial_wants[] = {PB_WANT_MESSAGE(1, meta_wants), PB_WANT_END};

static const struct pb_want list_meta_wants[] = {
	TEXT_(2, list.resource_version),
	TEXT_(3, list.continue_token),
	PB_WANT_END,
};

static const struct pb_want node_list_wants[] = {
	PB_WANT_MESSAGE(1, list_meta_wants),
	PB_WANT_MESSAGE(2, node_wants),
	PB_WANT_END,
};

static const struct pb_want partial_list_wants[] = {
	PB_WANT_MESSAGE(1, list_meta_wants),
	PB_WANT_MESSAGE(2, partial_wants),
	PB_WANT_END,
};

static const struct pb_want details_wants[] = {INT(5, raw.retry_after_s), PB_WANT_END};

static const struct pb_want status_wants[] = {
	TEXT_(3, raw.message), TEXT_(4, raw.reason), PB_WANT_MESSAGE(5, details_wants),
	INT(6, raw.code),      PB_WANT_END,
};

static const struct pb_want type_wants[] = {TEXT_(2, raw.kind), PB_WANT_END};

/* runtime.Unknown; what is in field 2 depends on field 1. */
static const struct pb_want unknown_wants[] = {
	PB_WANT_MESSAGE(1, type_wants),
	PB_WANT_MESSAGE(2, nothing),
	PB_WANT_END,
};

static const struct pb_want extension_wants[] = {
	PB_WANT_WRAPPED(1, struct kube_read, magic, unknown_wants),
	PB_WANT_END,
};

static const struct pb_want event_wants[] = {
	TEXT_(1, raw.event),
	PB_WANT_MESSAGE(2, extension_wants),
	PB_WANT_END,
};

static const struct {
	const char *kind;
	const struct pb_want *wants;
} kinds[] = {
	{"Node", node_wants},
	{"NodeList", node_list_wants},
	{"Pod", pod_wants},
	{"APIVersions", versions_wants},
	{"PartialObjectMetadata", partial_wants},
	{"PartialObjectMetadataList", partial_list_wants},
	{"Status", status_wants},
};

static const struct {
	const struct pb_want *wants;
	uint32_t number; /* 0 = any */
	const char *name;
} fields[] = {
	{time_wants, 0, "metadata.creationTimestamp"},
	{annotation_wants, 0, "metadata.annotations"},
	{meta_wants, 1, "metadata.name"},
	{meta_wants, 5, "metadata.uid"},
	{meta_wants, 6, "metadata.resourceVersion"},
	{meta_wants, 8, "metadata.creationTimestamp"},
	{meta_wants, 12, "metadata.annotations"},
	{spec_wants, 1, "spec.podCIDR"},
	{spec_wants, 7, "spec.podCIDRs"},
	{pod_spec_wants, 10, "spec.nodeName"},
	{pod_wants, 1, "metadata"},
	{pod_wants, 2, "spec"},
	{condition_wants, 0, "status.conditions"},
	{node_status_wants, 0, "status.conditions"},
	{node_wants, 1, "metadata"},
	{node_wants, 2, "spec"},
	{node_wants, 3, "status"},
	{partial_wants, 1, "metadata"},
	{list_meta_wants, 2, "the list's resourceVersion"},
	{list_meta_wants, 3, "the list's continue"},
	{node_list_wants, 1, "the list's metadata"},
	{partial_list_wants, 1, "the list's metadata"},
	{node_list_wants, 2, "items"},
	{partial_list_wants, 2, "items"},
	{server_wants, 0, "serverAddressByClientCIDRs"},
	{versions_wants, 0, "serverAddressByClientCIDRs"},
	{extension_wants, 0, "the event's object"},
	{event_wants, 1, "the event's type"},
	{event_wants, 2, "the event's object"},
};

static const char *field_name(const struct pb_step *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].wants == s->wants &&
		    (fields[i].number == s->number || fields[i].number == 0))
			return fields[i].name;
	return "the object's type";
}

/* ---- one Node ---- */

static bool is_node(const struct pb_want *object)
{
	return object == node_wants || object == partial_wants || object == pod_wants;
}

static void item_begin(struct kube_read *r, const struct pb_want *object)
{
	r->node = (struct kube_node){.metadata_only = object != node_wants};
	r->pod_node[0] = '\0';
	r->in_item = true;
	r->wrong = NULL;
}

static void spoil(struct kube_read *r, const struct pb_step *s, const char *how)
{
	r->wrong = field_name(s);
	r->wrong_how = how;
}

static int bad(const struct kube_read *r, struct err *err, const char *what, const char *how)
{
	/* Of names that must be escaped the beginning: the reason is to fit, too. */
	char name[KUBE_NAME_SIZE] = "", uid[4 * KUBE_UID_SIZE] = "";
	struct text t = TEXT(name), u = TEXT(uid);

	text_add_escaped(&t, r->node.name, strlen(r->node.name));
	text_add_escaped(&u, r->node.uid, strlen(r->node.uid));
	if (t.len > 0)
		err_set(err, 0, "Node \"%s\": %s %s", name, what, how);
	else if (u.len > 0)
		err_set(err, 0, "Node of uid \"%s\": %s %s", uid, what, how);
	else
		err_set(err, 0, "a Node without name: %s %s", what, how);
	return KUBE_READ_BAD;
}

static int item_end(struct kube_read *r, struct err *err)
{
	r->in_item = false;
	if (r->wrong)
		return bad(r, err, r->wrong, r->wrong_how);
	if (!r->node.name[0])
		return bad(r, err, "metadata.name", "is missing");
	if (!r->node.uid[0])
		return bad(r, err, "metadata.uid", "is missing");
	return KUBE_READ_NODE;
}

static void annotation_end(struct kube_read *r)
{
	const char *key = r->raw.key;

	if (strncmp(key, r->prefix, r->n_prefix) != 0)
		return;
	for (unsigned i = 0; i < KUBE_ANN__COUNT; i++) {
		if (strcmp(key + r->n_prefix, kube_ann_suffixes[i]) != 0)
			continue;
		kube_anns_set(&r->node.anns, (enum kube_ann)i, r->raw.value);
		if (r->raw.value_cut)
			r->node.anns.cut |= KUBE_ANN_BIT(i);
	}
}

static void condition_end(struct kube_read *r)
{
	if (strcmp(r->raw.condition_type, "NetworkUnavailable") != 0)
		return;
	r->node.network_unavailable = r->raw.condition;
	r->node.network_unavailable.present = true;
}

static void pod_cidr_add(struct kube_read *r)
{
	const unsigned n = r->node.n_pod_cidrs++;

	if (n < ARRAY_SIZE(r->node.pod_cidrs))
		text_copy(r->node.pod_cidrs[n], sizeof(r->node.pod_cidrs[n]), r->raw.cidr);
}

/* ---- steps of the walk: 0 = go on, an enum kube_read_type, or -EBADMSG ---- */

static int field(struct kube_read *r, const struct pb_step *s, struct err *err)
{
	if (s->wants == annotation_wants && s->number == 2)
		r->raw.value_cut = s->cut;
	else if (s->wants == spec_wants && s->number == 7)
		pod_cidr_add(r);
	else if ((s->wants == meta_wants || s->wants == pod_spec_wants) && s->cut)
		spoil(r, s, "is too long");
	else if (s->wants == server_wants && s->cut)
		r->server[0] = '\0';
	else if (s->wants == list_meta_wants && s->number == 3)
		r->list.continue_cut = s->cut;
	else if (s->wants == list_meta_wants && s->cut)
		return err_set(err, -EBADMSG, "%s is too long", field_name(s));
	return 0;
}

/* What a runtime.Unknown wraps begins. */
static int object_enter(struct kube_read *r, struct err *err)
{
	char kind[4 * sizeof(r->raw.kind)] = "";
	struct text t = TEXT(kind);

	r->object = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].kind, r->raw.kind) == 0)
			r->object = kinds[i].wants;
	if (r->object == status_wants) {
		r->raw.code = r->raw.retry_after_s = 0;
		r->raw.reason[0] = r->raw.message[0] = '\0';
	} else if (r->mode == KUBE_READ_MODE_FAILURE ||
		   (r->mode == KUBE_READ_MODE_WATCH &&
		    (!is_node(r->object) || r->object == pod_wants))) {
		r->object = NULL;
	}
	if (is_node(r->object)) {
		const char *spoilt = r->wrong;

		item_begin(r, r->object);
		r->wrong = spoilt;
	}
	pb_walk_choose(&r->walk, r->object);
	if (r->object || r->mode != KUBE_READ_MODE_OBJECT)
		return 0;
	text_add_escaped(&t, r->raw.kind, strlen(r->raw.kind));
	return err_set(err, -EBADMSG, "an object of kind \"%s\" came instead of a Node", kind);
}

static int enter(struct kube_read *r, const struct pb_step *s, struct err *err)
{
	if (s->wants == meta_wants && s->number == 12) {
		r->raw.key[0] = r->raw.value[0] = '\0';
		r->raw.value_cut = false;
	} else if (s->wants == node_status_wants) {
		r->raw.condition = (struct kube_condition){0};
		r->raw.condition_type[0] = '\0';
	} else if (s->wants == node_list_wants && s->number == 2) {
		item_begin(r, node_wants);
	} else if (s->wants == partial_list_wants && s->number == 2) {
		item_begin(r, partial_wants);
	} else if (s->wants == versions_wants) {
		r->server[0] = '\0';
	} else if (s->wants == unknown_wants && s->number == 2) {
		return object_enter(r, err);
	} else if (s->wants == extension_wants && memcmp(r->magic, magic, sizeof(magic)) != 0) {
		spoil(r, s, "is no protobuf");
		pb_walk_choose(&r->walk, NULL);
	}
	return 0;
}

static int status_end(struct kube_read *r)
{
	kube_status_set(&r->status, r->raw.reason, r->raw.message);
	kube_status_set_retry(&r->status, r->raw.retry_after_s);
	r->status.code = r->raw.code;
	return KUBE_READ_STATUS;
}

/* What a runtime.Unknown wraps has ended. */
static int object_leave(struct kube_read *r, struct err *err)
{
	switch (r->mode) {
	case KUBE_READ_MODE_WATCH:
		return 0; /* the event's type says what it means */
	case KUBE_READ_MODE_FAILURE:
		r->whole = r->object != NULL;
		if (r->whole)
			status_end(r);
		r->state = READ_DONE;
		return 0;
	case KUBE_READ_MODE_OBJECT:
		r->whole = true;
		r->state = READ_DONE;
		break;
	}
	if (r->object == status_wants)
		return status_end(r);
	return is_node(r->object) ? item_end(r, err) : KUBE_READ_LIST_END;
}

static int leave(struct kube_read *r, const struct pb_step *s, struct err *err)
{
	if (s->wants == meta_wants && s->number == 12)
		annotation_end(r);
	else if (s->wants == node_status_wants)
		condition_end(r);
	else if ((s->wants == node_list_wants || s->wants == partial_list_wants) && s->number == 2)
		return item_end(r, err);
	else if (s->wants == versions_wants)
		return KUBE_READ_SERVER;
	else if (s->wants == unknown_wants && s->number == 2)
		return object_leave(r, err);
	return 0;
}

static int wrong(struct kube_read *r, const struct pb_step *s, struct err *err)
{
	static const char how[] = "is not of the type that Kubernetes gives it";

	if (r->mode == KUBE_READ_MODE_OBJECT && !r->in_item)
		return err_set(err, -EBADMSG, "%s %s", field_name(s), how);
	spoil(r, s, how);
	return 0;
}

static int step(struct kube_read *r, const struct pb_step *s, struct err *err)
{
	switch (s->type) {
	case PB_STEP_FIELD:
		return field(r, s, err);
	case PB_STEP_ENTER:
		return enter(r, s, err);
	case PB_STEP_LEAVE:
		return leave(r, s, err);
	case PB_STEP_WRONG:
		return wrong(r, s, err);
	}
	return 0;
}

/* ---- bodies ---- */

void kube_read_init(struct kube_read *r, enum kube_read_mode mode, const char *prefix)
{
	*r = (struct kube_read){.mode = mode, .prefix = prefix, .n_prefix = strlen(prefix)};
}

static int alien(struct kube_read *r, const struct pb_bytes *piece, struct err *err)
{
	uint8_t bytes[128];
	char what[300];
	struct text t = TEXT(what);
	const size_t n = MIN(piece->n, sizeof(bytes) - sizeof(r->begin));

	memcpy(bytes, r->begin, sizeof(r->begin));
	if (n > 0)
		memcpy(bytes + sizeof(r->begin), piece->p, n);
	kube_status_describe((struct pb_bytes){bytes, sizeof(r->begin) + n}, &t);
	r->state = READ_BROKEN;
	return err_set(err, -EBADMSG, "the answer is %s", what);
}

static void frame_begin(struct kube_read *r, uint32_t n)
{
	r->n_begin = 0;
	r->left = n;
	r->object = NULL;
	r->raw.event[0] = r->raw.kind[0] = '\0';
	item_begin(r, NULL);
	pb_walk_start(&r->walk, event_wants, r, n);
	r->state = READ_WALK;
}

/* The four bytes that decide are there. 0 or -EBADMSG. */
static int begin(struct kube_read *r, const struct pb_bytes *piece, struct err *err)
{
	const uint8_t *b = r->begin;
	const uint32_t n = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

	if (r->mode == KUBE_READ_MODE_WATCH) {
		if (n > LIMIT_KUBE_FRAME_BYTES)
			return alien(r, piece, err);
		frame_begin(r, n);
		return 0;
	}
	if (memcmp(b, magic, sizeof(magic)) == 0) {
		r->left = PB_WALK_OPEN;
		pb_walk_start(&r->walk, unknown_wants, r, r->left);
		r->state = READ_WALK;
		return 0;
	}
	if (r->mode == KUBE_READ_MODE_OBJECT)
		return alien(r, piece, err);
	memcpy(r->text, b, sizeof(r->begin));
	r->n_text = sizeof(r->begin);
	r->state = READ_TEXT;
	return 0;
}

static int event_bad(struct kube_read *r, struct err *err)
{
	char event[4 * sizeof(r->raw.event)] = "", kind[4 * sizeof(r->raw.kind)] = "";
	struct text e = TEXT(event), k = TEXT(kind);

	if (r->wrong)
		return bad(r, err, r->wrong, r->wrong_how);
	text_add_escaped(&e, r->raw.event, strlen(r->raw.event));
	text_add_escaped(&k, r->raw.kind, strlen(r->raw.kind));
	err_set(err, 0, "a watch event of type %s with an object of kind \"%s\"", event, kind);
	return KUBE_READ_BAD;
}

/* A frame is over: what does it mean? 0 = nothing. */
static int event_end(struct kube_read *r, struct err *err)
{
	const char *type = r->raw.event;

	r->state = READ_BEGIN;
	if (strcmp(type, "ERROR") == 0)
		return r->object == status_wants ? status_end(r) : event_bad(r, err);
	if (strcmp(type, "BOOKMARK") == 0)
		return is_node(r->object) && !r->wrong && r->node.resource_version[0]
			       ? KUBE_READ_BOOKMARK
			       : event_bad(r, err);
	for (int e = KUBE_EVENT_ADDED; e < KUBE_EVENT__COUNT; e++) {
		if (strcmp(type, kube_event_names[e]) != 0)
			continue;
		r->event = (enum kube_event)e;
		return is_node(r->object) ? item_end(r, err) : event_bad(r, err);
	}
	r->n_unknown++;
	return 0;
}

/* No protobuf. Where that is within an event, the frame's length still says where the next one begins. */
static int broken(struct kube_read *r, struct err *err)
{
	static const char how[] = "is no protobuf: a length is longer than what it is in, "
				  "or a wire type is none";

	switch (r->mode) {
	case KUBE_READ_MODE_WATCH:
		r->state = r->left > 0 ? READ_SKIP : READ_BEGIN;
		return bad(r, err, "the event", how);
	case KUBE_READ_MODE_FAILURE:
		r->state = READ_DONE;
		return 0;
	case KUBE_READ_MODE_OBJECT:
		break;
	}
	r->state = READ_BROKEN;
	if (r->in_item)
		bad(r, err, "it", how);
	else
		err_set(err, 0, "the answer %s", how);
	return -EBADMSG;
}

/* As long as one step follows the other: those at the end of a message need no more bytes. */
static int walk(struct kube_read *r, struct pb_bytes *piece, struct err *err)
{
	int ret = 0;

	while (ret == 0 && r->state == READ_WALK) {
		const size_t n = piece->n;
		struct pb_step s;
		const int stepped = pb_walk_next(&r->walk, piece, &s);

		r->left -= n - piece->n;
		if (stepped < 0)
			return broken(r, err);
		if (stepped > 0)
			ret = step(r, &s, err);
		else if (r->mode == KUBE_READ_MODE_WATCH && pb_walk_at_end(&r->walk))
			return event_end(r, err);
		else
			return 0;
	}
	if (ret < 0)
		r->state = READ_BROKEN;
	return ret;
}

static size_t take(uint8_t *to, size_t room, struct pb_bytes *piece)
{
	const size_t n = MIN(room, piece->n);

	if (n > 0)
		memcpy(to, piece->p, n);
	piece->p += n;
	piece->n -= n;
	return n;
}

static void rest(struct pb_bytes *piece)
{
	piece->p += piece->n;
	piece->n = 0;
}

int kube_read_next(struct kube_read *r, struct pb_bytes *piece, struct err *err)
{
	int ret = 0;
	size_t n;

	do {
		switch ((enum read_state)r->state) {
		case READ_BEGIN:
			r->n_begin +=
				take(r->begin + r->n_begin, sizeof(r->begin) - r->n_begin, piece);
			if (r->n_begin == sizeof(r->begin))
				ret = begin(r, piece, err);
			break;
		case READ_WALK:
			ret = walk(r, piece, err);
			break;
		case READ_SKIP:
			n = (size_t)MIN(r->left, piece->n);
			piece->p += n;
			piece->n -= n;
			r->left -= n;
			if (r->left == 0)
				r->state = READ_BEGIN;
			break;
		case READ_TEXT:
			r->n_text += take(r->text + r->n_text, sizeof(r->text) - r->n_text, piece);
			if (r->n_text == sizeof(r->text))
				r->state = READ_DONE;
			break;
		case READ_DONE:
			rest(piece);
			break;
		case READ_BROKEN:
			return err_set(err, -EBADMSG, "the answer was given up before");
		}
	} while (ret == 0 && piece->n > 0);
	return ret;
}

static int failure_end(struct kube_read *r)
{
	const bool protobuf = r->n_text == 0 && r->n_begin == sizeof(r->begin);

	if (r->whole)
		return KUBE_READ_STATUS;
	if (protobuf) {
		kube_status_set(&r->status, "", "an answer in protobuf that is no whole Status");
		return KUBE_READ_STATUS;
	}
	if (r->n_text == 0) {
		memcpy(r->text, r->begin, r->n_begin);
		r->n_text = r->n_begin;
	}
	kube_status_decode((struct pb_bytes){r->text, r->n_text}, &r->status);
	return KUBE_READ_STATUS;
}

int kube_read_end(struct kube_read *r, struct err *err)
{
	switch (r->mode) {
	case KUBE_READ_MODE_FAILURE:
		return failure_end(r);
	case KUBE_READ_MODE_WATCH:
		if (r->state == READ_BEGIN && r->n_begin == 0)
			return 0;
		return err_set(err, -EBADMSG, "the watch ended within an event");
	case KUBE_READ_MODE_OBJECT:
		break;
	}
	if (r->whole)
		return 0;
	if (r->n_begin == 0)
		return err_set(err, -EBADMSG, "the answer is empty");
	if (r->in_item)
		bad(r, err, "the answer", "ended within it");
	else
		err_set(err, 0, "the answer ended too early");
	return -EBADMSG;
}
