/* SPDX-License-Identifier: Apache-2.0 */
/* loden-cni: the CNI plugins in one program; which one it is is told by the name it is called by.
 *
 * One call: environment → verb, stdin → configuration, applet → result, one write() to stdout.
 * Order of checks and texts are those of the reference's skeleton (cni.md 1.1).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/applet.h"
#include "os/install.h"
#include "os/netns.h"
#include "wire/cni.h"
#include "wire/cni_result.h"

#ifndef LODEN_VERSION
# define LODEN_VERSION "unknown"
#endif

#define LIMIT_CONFIG (64 << 20) /* a runtime that sends more is not one */

/* ---- environment ---- */

#define VERB(v)	   (1u << (v))
#define ATTACHED   (VERB(CNI_ADD) | VERB(CNI_CHECK) | VERB(CNI_DEL))
#define CONFIGURED (ATTACHED | VERB(CNI_GC) | VERB(CNI_STATUS))

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static int check_container_id(const char *id, struct cni_error *e)
{
	if (cni_name_ok(id))
		return 0;
	cni_fail(e, CNI_CODE_ENVIRONMENT, "invalid characters in containerID");
	text_copy(e->details, sizeof(e->details), id);
	return -EINVAL;
}

static int check_ifname(const char *name, struct cni_error *e)
{
	if (strlen(name) >= LINK_NAME_SIZE) {
		cni_fail(e, CNI_CODE_ENVIRONMENT, "interface name is too long");
		text_copy(e->details, sizeof(e->details),
			  "interface name should be less than 16 characters");
		return -EINVAL;
	}
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return cni_fail(e, CNI_CODE_ENVIRONMENT, "interface name is . or ..");
	if (!cni_ifname_ok(name))
		return cni_fail(e, CNI_CODE_ENVIRONMENT,
				"interface name contains / or : or whitespace characters");
	return 0;
}

struct needed {
	const char *name;
	unsigned verbs; /* that need it */
	int (*check)(const char *value, struct cni_error *e);
};

/* In the order in which missing ones are named. */
static const struct needed needed[] = {
	{"CNI_COMMAND", UINT32_MAX, NULL},
	{"CNI_CONTAINERID", ATTACHED, check_container_id},
	{"CNI_NETNS", VERB(CNI_ADD) | VERB(CNI_CHECK), NULL},
	{"CNI_IFNAME", ATTACHED, check_ifname},
	{"CNI_PATH", CONFIGURED, NULL},
};

/* Values are checked before missing ones are named. An unknown verb needs nothing here. */
static int check_environment(unsigned verb_bit, struct cni_error *e)
{
	char buf[128] = "";
	struct text missing = TEXT(buf);

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const struct needed *v = &needed[i];
		const char *value = variable(v->name);
		const bool wanted = v->verbs == UINT32_MAX || (v->verbs & verb_bit);

		if (wanted && !*value)
			text_add(&missing, "%s%s", missing.len > 0 ? "," : "", v->name);
		else if (wanted && v->check && v->check(value, e) < 0)
			return -EINVAL;
	}
	if (missing.len == 0)
		return 0;
	return cni_fail(e, CNI_CODE_ENVIRONMENT, "required env variables [%s] missing", buf);
}

static bool is_true(const char *s)
{
	return strcmp(s, "1") == 0 || strcasecmp(s, "true") == 0;
}

/* ---- configuration ---- */

static int read_stdin(struct call *c)
{
	size_t size = 4096, len = 0;
	char *buf = arena_calloc(c->arena, 1, size);
	ssize_t n;

	for (;;) {
		n = read(STDIN_FILENO, buf + len, size - 1 - len);
		if (n < 0 && errno == EINTR && !call_stopped())
			continue;
		if (n < 0)
			return cni_fail(c->error, CNI_CODE_IO, "error reading from stdin: %s",
					strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > LIMIT_CONFIG)
			return cni_fail(c->error, CNI_CODE_IO,
					"error reading from stdin: more than %d bytes",
					LIMIT_CONFIG);
		buf = arena_room(c->arena, buf, len + 1, &size, 1);
	}
	c->text = buf;
	c->n = len;
	return 0;
}

static int read_config(struct call *c)
{
	struct err err;
	int r;

	r = read_stdin(c);
	if (r < 0)
		return r;
	if (gojson_parse(c->text, c->n, &c->root, &err) < 0)
		return cni_fail(c->error, CNI_CODE_DECODE, "error unmarshall network config: %s",
				err.text);
	return cni_decode_name(c->root, &c->conf.name, c->error);
}

/* CHECK, GC and STATUS came with later versions of the spec. The version may be one we do not know. */
static int check_verb_version(struct call *c)
{
	const enum cni_verb verb = c->env.verb;
	const enum cni_version since = verb == CNI_CHECK ? CNI_0_4_0 : CNI_1_1_0;
	uint64_t conf, first, newest;
	const char *text = NULL;
	struct err err = {0};
	int r;

	if (verb != CNI_CHECK && verb != CNI_GC && verb != CNI_STATUS)
		return 0;
	r = cni_decode_version(c->root, &text, c->error);
	if (r < 0)
		return r;
	if (cni_version_number(text, &conf, &err) < 0)
		return cni_fail(c->error, CNI_CODE_DECODE, "%s", err.text);
	cni_version_number(cni_version_names[since], &first, NULL);
	cni_version_number(cni_version_names[CNI_VERSION_NEWEST], &newest, NULL);
	if (conf < first)
		return cni_fail(c->error, CNI_CODE_VERSION, "config version does not allow %s",
				cni_verb_names[verb]);
	if (conf > newest)
		return cni_fail(c->error, CNI_CODE_VERSION, "plugin version does not allow %s",
				cni_verb_names[verb]);
	return 0;
}

/* A wrong CNI_NETNS would make us configure the host: refused before anything is touched. */
static int check_netns(struct call *c)
{
	const enum cni_verb verb = c->env.verb;

	if ((verb == CNI_ADD || verb == CNI_DEL) && !c->env.netns_override && *c->env.netns &&
	    netns_is_own(c->env.netns))
		return cni_fail(c->error, CNI_CODE_NETNS,
				"plugin's netns and netns from CNI_NETNS should not be the same");
	return 0;
}

/* ---- the call ---- */

static int add(struct call *c, const struct applet *applet, const char **ret_text)
{
	struct cni_result result = {0};
	struct err err = {0};
	int r;

	r = applet->add(c, &result);
	if (r < 0)
		return r;
	if (cni_result_encode(&result, c->conf.version, c->arena, ret_text, &err) == 0)
		return 0;
	/* It cannot be said, so it must not be. */
	call_fail(c, &err);
	{
		struct cni_error ignored;
		struct call undo = *c;

		undo.error = &ignored;
		undo.env.verb = CNI_DEL;
		applet->del(&undo);
	}
	return -EINVAL;
}

static int dispatch(struct call *c, const struct applet *applet, const char **ret_text)
{
	switch (c->env.verb) {
	case CNI_ADD:
		return add(c, applet, ret_text);
	case CNI_DEL:
		return applet->del(c);
	case CNI_CHECK:
		return applet->check(c);
	case CNI_STATUS:
		return applet->status ? applet->status(c) : 0;
	case CNI_GC:
	case CNI_VERSION:
	case CNI_VERB__COUNT:
		break;
	}
	return 0;
}

static int run(struct call *c, const char *name, const char **ret_text)
{
	const char *command = variable("CNI_COMMAND"), *type = "";
	const struct applet *applet = applet_find(name);
	bool known = cni_verb_parse(command, &c->env.verb);
	int r;

	r = check_environment(known ? VERB(c->env.verb) : 0, c->error);
	if (r < 0)
		return r;
	if (known && c->env.verb == CNI_VERSION) {
		*ret_text = cni_encode_versions(c->arena);
		return 0;
	}
	r = read_config(c);
	if (r < 0)
		return r;
	if (!known)
		return cni_fail(c->error, CNI_CODE_ENVIRONMENT, "unknown CNI_COMMAND: %s", command);
	r = check_verb_version(c);
	if (r == 0)
		r = call_decode(c);
	if (r == 0)
		r = check_netns(c);
	if (r < 0)
		return r;
	/* Called by a name of its own, it is what the configuration says. */
	if (!applet && gojson_get_text(c->root, "type", &type, NULL) == 0)
		applet = applet_find(type);
	if (!applet)
		return cni_fail(c->error, CNI_CODE_PLAIN,
				"%s is no plugin of this program: call it bridge, flannel, "
				"host-local or loopback",
				name);
	return dispatch(c, applet, ret_text);
}

static void print_about(const char *name)
{
	if (strcmp(name, "flannel") == 0)
		fprintf(stderr, "CNI Plugin flannel version v" LODEN_VERSION INSTALL_MARK);
	else
		fprintf(stderr, "CNI %s plugin v" LODEN_VERSION INSTALL_MARK, name);
	fprintf(stderr, "CNI protocol versions supported: ");
	for (size_t i = 0; i < CNI_VERSION__COUNT; i++)
		fprintf(stderr, "%s%s", i ? ", " : "", cni_version_names[i]);
	fprintf(stderr, "\n");
}

/* One write, unless the reader is slow. */
static int print(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "", *text = NULL;
	struct cni_error error = {0};
	struct arena arena;
	struct call c = {.arena = &arena, .error = &error};
	int r;

	if (strrchr(name, '/'))
		name = strrchr(name, '/') + 1;
	if (!*variable("CNI_COMMAND")) {
		print_about(name);
		return 0;
	}
	call_catch_signals();
	json_object_seed(1); /* or jansson asks /dev/urandom; nobody here floods hashes */
	arena_init(&arena, 0);
	c.env.container_id = variable("CNI_CONTAINERID");
	c.env.netns = variable("CNI_NETNS");
	c.env.ifname = variable("CNI_IFNAME");
	c.env.args = variable("CNI_ARGS");
	c.env.path = variable("CNI_PATH");
	c.env.netns_override = is_true(variable("CNI_NETNS_OVERRIDE"));
	r = run(&c, name, &text);
	if (r < 0)
		text = cni_encode_error(&error, &arena);
	return print(text) < 0 || r < 0 ? 1 : 0;
}
