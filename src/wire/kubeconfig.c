/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/kubeconfig.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"
#include "wire/base64.h"

#define SHOWN_MAX   60 /* bytes of a value: enough to find it */
#define NAMES_SHOWN 5
#define STEPS_MAX   2000000 /* keys looked at: a file of the largest size needs a tenth */
#define COPY_MAX    (2 * LIMIT_KUBECONFIG_BYTES)
#define TAGS_MAX    16
#define MERGE_DEPTH 16

const char *const kubeconfig_version_names[KUBECONFIG_EXEC__COUNT] = {
	[KUBECONFIG_EXEC_V1] = "client.authentication.k8s.io/v1",
	[KUBECONFIG_EXEC_V1BETA1] = "client.authentication.k8s.io/v1beta1",
};
static_assert(KUBECONFIG_EXEC__COUNT == 2, "name the new version");

struct walk {
	yaml_document_t doc;
	const char *path;
	struct arena *a;
	struct err *err;
	unsigned steps;	   /* left */
	size_t copy_bytes; /* that may still be copied: an alias costs nothing, its text does */
	/* Where we are, for messages: "cluster \"prod\": " */
	char where[2 * SHOWN_MAX];
};

/* ---- complaints ---- */

static void add_value(struct text *t, const char *s, size_t n)
{
	text_add(t, "\"");
	text_add_escaped(t, s, MIN(n, SHOWN_MAX));
	text_add(t, n > SHOWN_MAX ? "...\"" : "\"");
}

/* "PATH:LINE:COLUMN: cluster "prod": server: " */
static void add_place(const struct walk *w, const yaml_node_t *node, const char *key,
		      struct text *t)
{
	text_add(t, "%s:%zu:%zu: %s%s%s", w->path, node->start_mark.line + 1,
		 node->start_mark.column + 1, w->where, key, *key ? ": " : "");
}

/* Shows the node's value unless it is `secret`. */
static int bad(const struct walk *w, const yaml_node_t *node, const char *key, const char *wants,
	       bool secret)
{
	char buf[sizeof(w->err->text)];
	struct text t = TEXT(buf);

	add_place(w, node, key, &t);
	text_add(&t, "%s", wants);
	if (!secret && node->type == YAML_SCALAR_NODE) {
		text_add(&t, ": ");
		add_value(&t, (const char *)node->data.scalar.value, node->data.scalar.length);
	}
	return err_set(w->err, -EINVAL, "%s", buf);
}

/* ---- nodes ---- */

static const yaml_node_t *node_at(struct walk *w, int i)
{
	return yaml_document_get_node(&w->doc, i);
}

static bool is_plain(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_text(const yaml_node_t *node, const char *text)
{
	const size_t n = strlen(text);

	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == n &&
	       memcmp(node->data.scalar.value, text, n) == 0;
}

static bool is_one_of(const yaml_node_t *node, const char *const *words, size_t n)
{
	for (size_t i = 0; is_plain(node) && i < n; i++)
		if (is_text(node, words[i]))
			return true;
	return false;
}

static bool is_null(const yaml_node_t *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	return is_one_of(node, words, ARRAY_SIZE(words));
}

/* One step; false = they are used up. */
static bool spend(struct walk *w)
{
	w->steps -= w->steps > 0;
	return w->steps > 0;
}

static const yaml_node_t *find(struct walk *w, const yaml_node_t *map, const char *key,
			       unsigned depth);

/* In what "<<" stands for: a mapping, or a list of them, of which the first that has the key counts. */
static const yaml_node_t *find_merged(struct walk *w, const yaml_node_t *merged, const char *key,
				      unsigned depth)
{
	const yaml_node_t *found = NULL;

	if (depth == MERGE_DEPTH)
		return NULL;
	if (merged->type == YAML_MAPPING_NODE)
		return find(w, merged, key, depth + 1);
	if (merged->type != YAML_SEQUENCE_NODE)
		return NULL;
	for (const yaml_node_item_t *i = merged->data.sequence.items.start;
	     !found && i < merged->data.sequence.items.top && spend(w); i++) {
		const yaml_node_t *item = node_at(w, *i);

		if (item->type == YAML_MAPPING_NODE)
			found = find(w, item, key, depth + 1);
	}
	return found;
}

/* The value of a key, its own or merged in; may be a null. */
static const yaml_node_t *find(struct walk *w, const yaml_node_t *map, const char *key,
			       unsigned depth)
{
	const yaml_node_t *found = NULL, *merged = NULL;

	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top && spend(w); p++) {
		const yaml_node_t *k = node_at(w, p->key);

		if (is_text(k, key))
			found = node_at(w, p->value);
		else if (is_plain(k) && is_text(k, "<<"))
			merged = node_at(w, p->value);
	}
	return found || !merged ? found : find_merged(w, merged, key, depth);
}

/* NULL if absent or null. */
static const yaml_node_t *get(struct walk *w, const yaml_node_t *map, const char *key)
{
	const yaml_node_t *found = find(w, map, key, 0);

	return found && !is_null(found) ? found : NULL;
}

static int get_kind(struct walk *w, const yaml_node_t *map, const char *key, yaml_node_type_t type,
		    const yaml_node_t **ret)
{
	const yaml_node_t *node = get(w, map, key);

	if (node && node->type != type)
		return bad(w, node, key,
			   type == YAML_MAPPING_NODE ? "must be a mapping" : "must be a list",
			   false);
	*ret = node;
	return 0;
}

/* A scalar's text, in the arena. */
static int text_of(struct walk *w, const yaml_node_t *node, const char *key, bool secret,
		   const char **ret)
{
	if (node->type != YAML_SCALAR_NODE)
		return bad(w, node, key, "must be a text", secret);
	if (memchr(node->data.scalar.value, '\0', node->data.scalar.length))
		return bad(w, node, key, "has a zero byte in it", secret);
	if (node->data.scalar.length >= w->copy_bytes)
		return bad(w, node, key, "is repeated too often", true);
	w->copy_bytes -= node->data.scalar.length + 1;
	*ret = arena_strdup(w->a, (const char *)node->data.scalar.value);
	return 0;
}

static int get_text(struct walk *w, const yaml_node_t *map, const char *key, bool secret,
		    const char **ret)
{
	const yaml_node_t *node = get(w, map, key);

	*ret = "";
	return node ? text_of(w, node, key, secret, ret) : 0;
}

/* ---- fields ---- */

enum field_type {
	FIELD_TEXT,
	FIELD_SECRET, /* a text that is never shown */
	FIELD_PATH,
	FIELD_DATA, /* base64, never shown */
	FIELD_BOOL,
	FIELD__COUNT,
};

struct field {
	const char *key;
	enum field_type type;
	size_t offset; /* in struct kubeconfig */
};

#define FIELD(key, type, member)                         \
 {                                                       \
  key, FIELD_##type, offsetof(struct kubeconfig, member) \
 }

static const struct field cluster_fields[] = {
	FIELD("server", TEXT, server),
	FIELD("certificate-authority", PATH, ca_file),
	FIELD("certificate-authority-data", DATA, ca_data),
	FIELD("insecure-skip-tls-verify", BOOL, insecure),
	FIELD("tls-server-name", TEXT, tls_server_name),
	/* There may be a password in it. */
	FIELD("proxy-url", SECRET, proxy_url),
};

static const struct field user_fields[] = {
	FIELD("client-certificate", PATH, cert_file),
	FIELD("client-certificate-data", DATA, cert_data),
	FIELD("client-key", PATH, key_file),
	FIELD("client-key-data", DATA, key_data),
	FIELD("token", SECRET, token),
	FIELD("tokenFile", PATH, token_file),
	FIELD("username", TEXT, username),
	FIELD("password", SECRET, password),
};

/* To pass over one of these would make us somebody else than the file says. */
static const char *const unsupported[] = {"auth-provider", "as", "as-uid", "as-groups",
					  "as-user-extra"};

static const char *absolute(struct walk *w, const char *path)
{
	const char *slash = strrchr(w->path, '/');

	if (!*path || *path == '/' || !slash)
		return path;
	return arena_printf(w->a, "%.*s/%s", (int)(slash - w->path), w->path, path);
}

static int data_of(struct walk *w, const yaml_node_t *node, const char *key,
		   struct kubeconfig_data *ret)
{
	const char *text;
	uint8_t *bytes;
	size_t n;
	int r = text_of(w, node, key, true, &text);

	if (r < 0)
		return r;
	bytes = arena_array(w->a, uint8_t, BASE64_DECODED_SIZE(strlen(text)));
	if (!base64_decode(text, strlen(text), bytes, &n))
		return bad(w, node, key, "is not base64", true);
	if (n > 0)
		*ret = (struct kubeconfig_data){bytes, n};
	return 0;
}

/* YAML 1.1's words, as Go's library takes them. */
static int bool_of(struct walk *w, const yaml_node_t *node, const char *key, bool *ret)
{
	static const char *const no[] = {"n",	"N",   "no",	"No",	 "NO",	 "off",
					 "Off", "OFF", "false", "False", "FALSE"};
	static const char *const yes[] = {"y",	"Y",  "yes",  "Yes",  "YES", "on",
					  "On", "ON", "true", "True", "TRUE"};

	*ret = is_one_of(node, yes, ARRAY_SIZE(yes));
	if (!*ret && !is_one_of(node, no, ARRAY_SIZE(no)))
		return bad(w, node, key, "must be true or false, without quotes", false);
	return 0;
}

static int get_field(struct walk *w, const yaml_node_t *map, const struct field *f,
		     struct kubeconfig *ret)
{
	void *p = (char *)ret + f->offset;
	const yaml_node_t *node = get(w, map, f->key);
	const char **text = p;
	int r;

	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_SECRET:
		return get_text(w, map, f->key, f->type == FIELD_SECRET, text);
	case FIELD_PATH:
		r = get_text(w, map, f->key, false, text);
		if (r == 0)
			*text = absolute(w, *text);
		return r;
	case FIELD_DATA:
		return node ? data_of(w, node, f->key, p) : 0;
	case FIELD_BOOL:
		return node ? bool_of(w, node, f->key, p) : 0;
	case FIELD__COUNT:
		break;
	}
	return 0;
}

static int get_fields(struct walk *w, const yaml_node_t *map, const struct field *fields, size_t n,
		      struct kubeconfig *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = get_field(w, map, &fields[i], ret);
	return r;
}

/* ---- exec ---- */

static int exec_args(struct walk *w, const yaml_node_t *map, struct kubeconfig_exec *ret)
{
	const yaml_node_t *list = NULL;
	int r = get_kind(w, map, "args", YAML_SEQUENCE_NODE, &list);
	const char **args;
	size_t n;

	if (r < 0 || !list)
		return r;
	n = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
	args = arena_array(w->a, const char *, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = text_of(w, node_at(w, list->data.sequence.items.start[i]), "args", true,
			    &args[i]);
	ret->args = args;
	ret->n_args = n;
	return r;
}

static int exec_env(struct walk *w, const yaml_node_t *map, struct kubeconfig_exec *ret)
{
	const yaml_node_t *list = NULL;
	int r = get_kind(w, map, "env", YAML_SEQUENCE_NODE, &list);
	struct kubeconfig_env *env;
	size_t n;

	if (r < 0 || !list)
		return r;
	n = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
	env = arena_array(w->a, struct kubeconfig_env, n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const yaml_node_t *item = node_at(w, list->data.sequence.items.start[i]);

		if (item->type != YAML_MAPPING_NODE)
			return bad(w, item, "env", "must be mappings with name and value", true);
		r = get_text(w, item, "name", false, &env[i].name);
		if (r == 0)
			r = get_text(w, item, "value", true, &env[i].value);
		if (r == 0 && (!*env[i].name || strchr(env[i].name, '=')))
			r = bad(w, item, "env", "one has no name that a variable can have", true);
	}
	ret->env = env;
	ret->n_env = n;
	return r;
}

static int exec_version(struct walk *w, const yaml_node_t *map, enum kubeconfig_version *ret)
{
	const yaml_node_t *node = get(w, map, "apiVersion");

	for (*ret = 0; node && *ret < KUBECONFIG_EXEC__COUNT; (*ret)++)
		if (is_text(node, kubeconfig_version_names[*ret]))
			return 0;
	return bad(w, node ? node : map, "apiVersion",
		   "must be client.authentication.k8s.io/v1 or v1beta1", false);
}

static int get_exec(struct walk *w, const yaml_node_t *user, struct kubeconfig_exec *ret)
{
	const yaml_node_t *map = NULL, *node;
	const size_t where = strlen(w->where);
	int r = get_kind(w, user, "exec", YAML_MAPPING_NODE, &map);

	if (r < 0 || !map)
		return r;
	text_copy(w->where + where, sizeof(w->where) - where, "exec: ");
	r = exec_version(w, map, &ret->version);
	if (r == 0)
		r = get_text(w, map, "command", false, &ret->command);
	if (r == 0 && !*ret->command)
		r = bad(w, map, "command", "is missing", true);
	if (r == 0 && strchr(ret->command, '/'))
		ret->command = absolute(w, ret->command);
	if (r == 0)
		r = exec_args(w, map, ret);
	if (r == 0)
		r = exec_env(w, map, ret);
	if (r == 0)
		r = get_text(w, map, "installHint", false, &ret->install_hint);
	if (r == 0)
		r = get_text(w, map, "interactiveMode", false, &ret->interactive_mode);
	node = get(w, map, "provideClusterInfo");
	if (r == 0 && node)
		r = bool_of(w, node, "provideClusterInfo", &ret->with_cluster);
	w->where[where] = '\0';
	return r;
}

/* ---- by name ---- */

/* The name of an item of clusters, contexts or users. */
static const yaml_node_t *name_of(struct walk *w, int item)
{
	const yaml_node_t *map = node_at(w, item), *name;

	name = map->type == YAML_MAPPING_NODE ? get(w, map, "name") : NULL;
	return name && name->type == YAML_SCALAR_NODE ? name : NULL;
}

/* `"a", "b" and 3 more` */
static void add_names(struct walk *w, const yaml_node_t *list, struct text *t)
{
	size_t n = 0;

	for (const yaml_node_item_t *i = list ? list->data.sequence.items.start : NULL;
	     list && i < list->data.sequence.items.top; i++) {
		const yaml_node_t *name = name_of(w, *i);

		if (!name || ++n > NAMES_SHOWN)
			continue;
		text_add(t, n > 1 ? ", " : "");
		add_value(t, (const char *)name->data.scalar.value, name->data.scalar.length);
	}
	if (n > NAMES_SHOWN)
		text_add(t, " and %zu more", n - NAMES_SHOWN);
	else if (n == 0)
		text_add(t, "none");
}

/* What is asked for, of clusters, contexts or users. */
struct named {
	const char *list, *key, *name;
	const yaml_node_t *said; /* where it is asked for */
	const char *by;		 /* … and by which key */
};

static int not_found(struct walk *w, const struct named *q, const yaml_node_t *list)
{
	char buf[sizeof(w->err->text)];
	struct text t = TEXT(buf);

	add_place(w, q->said, q->by, &t);
	text_add(&t, "no %s is called ", q->key);
	add_value(&t, q->name, strlen(q->name));
	text_add(&t, "; there are: ");
	add_names(w, list, &t);
	return err_set(w->err, -EINVAL, "%s", buf);
}

/* Also sets w->where; `ret` is NULL if the item is empty. */
static int find_named(struct walk *w, const yaml_node_t *root, const struct named *q,
		      const yaml_node_t **ret)
{
	const yaml_node_t *list = NULL, *found = NULL;
	int r = get_kind(w, root, q->list, YAML_SEQUENCE_NODE, &list);
	struct text where = TEXT(w->where);

	if (r < 0)
		return r;
	for (const yaml_node_item_t *i = list ? list->data.sequence.items.start : NULL;
	     list && i < list->data.sequence.items.top; i++) {
		const yaml_node_t *name = name_of(w, *i);

		if (!name || !is_text(name, q->name))
			continue;
		if (found)
			return bad(w, name, q->list, "two have this name", false);
		found = node_at(w, *i);
	}
	if (!found)
		return not_found(w, q, list);
	text_add(&where, "%s ", q->key);
	add_value(&where, q->name, strlen(q->name));
	text_add(&where, ": ");
	return get_kind(w, found, q->key, YAML_MAPPING_NODE, ret);
}

/* ---- the file ---- */

static int get_context(struct walk *w, const yaml_node_t *root, struct kubeconfig *c,
		       struct named *ret_cluster, struct named *ret_user)
{
	const yaml_node_t *said = get(w, root, "current-context"), *context;
	char buf[sizeof(w->err->text)];
	struct text t = TEXT(buf);
	int r = get_text(w, root, "current-context", false, &c->context);

	if (r == 0 && !*c->context) {
		text_add(&t, "%s: no current-context; there are: ", w->path);
		r = get_kind(w, root, "contexts", YAML_SEQUENCE_NODE, &context);
		if (r < 0)
			return r;
		add_names(w, context, &t);
		return err_set(w->err, -EINVAL, "%s", buf);
	}
	if (r == 0)
		r = find_named(
			w, root,
			&(struct named){"contexts", "context", c->context, said, "current-context"},
			&context);
	if (r < 0)
		return r;
	if (!context)
		return bad(w, said, "cluster", "is missing", true);
	*ret_cluster =
		(struct named){"clusters", "cluster", NULL, get(w, context, "cluster"), "cluster"};
	*ret_user = (struct named){"users", "user", NULL, get(w, context, "user"), "user"};
	r = get_text(w, context, "cluster", false, &c->cluster);
	if (r == 0 && !*c->cluster)
		r = bad(w, context, "cluster", "is missing", true);
	if (r == 0)
		r = get_text(w, context, "user", false, &c->user);
	ret_cluster->name = c->cluster;
	ret_user->name = c->user;
	return r;
}

static int get_user(struct walk *w, const yaml_node_t *user, struct kubeconfig *c)
{
	int r = get_fields(w, user, user_fields, ARRAY_SIZE(user_fields), c);

	for (size_t i = 0; i < ARRAY_SIZE(unsupported) && !*c->unsupported; i++)
		if (get(w, user, unsupported[i]))
			c->unsupported = unsupported[i];
	return r < 0 ? r : get_exec(w, user, &c->exec);
}

static int get_all(struct walk *w, const yaml_node_t *root, struct kubeconfig *c)
{
	const yaml_node_t *kind = get(w, root, "kind"), *cluster = NULL, *user = NULL;
	struct named of_cluster, of_user;
	char context[sizeof(w->where)];
	int r;

	if (kind && !is_text(kind, "Config"))
		return bad(w, kind, "kind", "this is no kubeconfig: it must be Config", false);
	r = get_context(w, root, c, &of_cluster, &of_user);
	memcpy(context, w->where, sizeof(context));
	if (r == 0)
		r = find_named(w, root, &of_cluster, &cluster);
	if (r == 0 && cluster)
		r = get_fields(w, cluster, cluster_fields, ARRAY_SIZE(cluster_fields), c);
	if (r < 0 || !*c->user) /* nobody, then */
		return r;
	memcpy(w->where, context, sizeof(context));
	r = find_named(w, root, &of_user, &user);
	return r == 0 && user ? get_user(w, user, c) : r;
}

static int not_yaml(const yaml_parser_t *p, const char *path, struct err *err)
{
	const char *problem = p->problem ? p->problem : "out of memory";

	if (p->error == YAML_READER_ERROR)
		return err_set(err, -EINVAL, "%s: not a text: %s at byte %zu", path, problem,
			       p->problem_offset);
	return err_set(err, -EINVAL, "%s:%zu:%zu: not YAML: %s", path, p->problem_mark.line + 1,
		       p->problem_mark.column + 1, problem);
}

/* How big it is, before libyaml makes a tree of it. */
struct measure {
	unsigned nodes, anchors, depth;
	bool done;
};

static void measure_event(struct measure *m, const yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL;

	switch (e->type) { /* libyaml's */
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		m->depth++;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		m->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		m->depth--;
		break;
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		m->done = true;
		break;
	default: /* directives, aliases */
		break;
	}
	m->nodes++;
	m->anchors += anchor != NULL;
}

static int measure(yaml_parser_t *p, const char *path, struct err *err)
{
	struct measure m = {0};
	yaml_event_t e;

	while (!m.done) {
		if (!yaml_parser_parse(p, &e))
			return not_yaml(p, path, err);
		measure_event(&m, &e);
		yaml_event_delete(&e);
		if (m.depth > LIMIT_KUBECONFIG_DEPTH)
			return err_set(err, -EINVAL, "%s: nested deeper than %d", path,
				       LIMIT_KUBECONFIG_DEPTH);
		if (m.nodes > LIMIT_KUBECONFIG_NODES)
			return err_set(err, -EINVAL, "%s: more than %d values", path,
				       LIMIT_KUBECONFIG_NODES);
		if (m.anchors > LIMIT_KUBECONFIG_ANCHORS)
			return err_set(err, -EINVAL, "%s: more than %d anchors", path,
				       LIMIT_KUBECONFIG_ANCHORS);
	}
	return 0;
}

static void parser_init(yaml_parser_t *p, const char *bytes, size_t n)
{
	if (!yaml_parser_initialize(p))
		abort(); /* out of memory */
	yaml_parser_set_input_string(p, (const unsigned char *)bytes, n);
}

/* libyaml compares each %TAG with all before it, within one step: 75,000 of them take 12 s. Wherever they stand, for
 * there are many kinds of line ends; in UTF-16, too. */
static bool has_many_tags(const char *bytes, size_t n)
{
	unsigned count = 0;
	char last = 0;

	for (size_t i = 0; i < n; i++) {
		count += last == '%' && bytes[i] == 'T';
		last = bytes[i] ? bytes[i] : last;
	}
	return count > TAGS_MAX;
}

static int load(struct walk *w, const char *bytes, size_t n)
{
	yaml_parser_t p;
	int r;

	if (has_many_tags(bytes, n))
		return err_set(w->err, -EINVAL, "%s: more than %d %%TAG directives", w->path,
			       TAGS_MAX);
	parser_init(&p, bytes, n);
	r = measure(&p, w->path, w->err);
	yaml_parser_delete(&p);
	if (r < 0)
		return r;
	parser_init(&p, bytes, n);
	if (!yaml_parser_load(&p, &w->doc))
		r = not_yaml(&p, w->path, w->err);
	yaml_parser_delete(&p);
	return r;
}

int kubeconfig_decode(const char *bytes, size_t n, const char *path, struct arena *a,
		      struct kubeconfig *ret, struct err *err)
{
	struct walk w = {
		.path = path, .a = a, .err = err, .steps = STEPS_MAX, .copy_bytes = COPY_MAX};
	struct kubeconfig c = {
		.context = "",
		.cluster = "",
		.user = "",
		.server = "",
		.ca_file = "",
		.tls_server_name = "",
		.proxy_url = "",
		.cert_file = "",
		.key_file = "",
		.token = "",
		.token_file = "",
		.username = "",
		.password = "",
		.exec = {.command = "", .install_hint = "", .interactive_mode = ""},
		.unsupported = "",
	};
	const yaml_node_t *root;
	int r;

	if (n > LIMIT_KUBECONFIG_BYTES)
		return err_set(err, -EINVAL, "%s: longer than %d bytes: %zu", path,
			       LIMIT_KUBECONFIG_BYTES, n);
	r = load(&w, bytes, n);
	if (r < 0)
		return r;
	root = yaml_document_get_root_node(&w.doc);
	if (!root || is_null(root))
		r = err_set(err, -EINVAL, "%s: is empty", path);
	else if (root->type != YAML_MAPPING_NODE)
		r = bad(&w, root, "", "must be a mapping with clusters, contexts and users", false);
	else
		r = get_all(&w, root, &c);
	if (w.steps == 0)
		r = err_set(err, -EINVAL, "%s: merge keys (<<) that lead too far", path);
	yaml_document_delete(&w.doc);
	if (r == 0)
		*ret = c;
	return r;
}
