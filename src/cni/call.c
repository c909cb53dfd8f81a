/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/call.h"

#include <signal.h>

#include "wire/cni.h"

int call_fail(struct call *c, const struct err *err)
{
	return cni_fail(c->error, CNI_CODE_PLAIN, "%s", err->text);
}

int call_decode(struct call *c)
{
	const char *version = NULL;
	struct err err = {0};
	struct text details;
	int r;

	r = cni_decode_name(c->root, &c->conf.name, c->error);
	if (r == 0)
		r = cni_decode_version(c->root, &version, c->error);
	if (r < 0)
		return r;
	if (!cni_version_parse(version, &c->conf.version)) {
		r = cni_fail(c->error, CNI_CODE_VERSION, "incompatible CNI versions");
		details = TEXT(c->error->details);
		text_add(&details, "config is \"%s\", plugin supports [", version);
		for (size_t i = 0; i < CNI_VERSION__COUNT; i++)
			text_add(&details, "%s\"%s\"", i ? " " : "", cni_version_names[i]);
		text_add(&details, "]");
		return r;
	}
	r = cni_decode_ipam_type(c->root, &c->conf.ipam_type, &err);
	return r < 0 ? cni_fail(c->error, CNI_CODE_PLAIN, "failed to load netconf: %s", err.text)
		     : 0;
}

static volatile sig_atomic_t stopped;

static void on_signal(int signo)
{
	(void)signo;
	stopped = 1;
}

void call_catch_signals(void)
{
	/* Without SA_RESTART: a wait for a lock ends. */
	const struct sigaction stop = {.sa_handler = on_signal};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

bool call_stopped(void)
{
	return stopped;
}
