/* SPDX-License-Identifier: Apache-2.0 */
/* loden: one program, several commands. Called as `flanneld` it is the agent, as `install-conf`
 * what flannel's image has by that name. */

#include <stdio.h>
#include <string.h>

#include "agent/cni_keep.h"
#include "agent/commands.h"
#include "agent/manual.h"
#include "agent/uninstall.h"

static int help_main(int argc, char *argv[]);

static int version_main(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	puts("loden " LODEN_VERSION);
	return 0;
}

static const struct applet {
	const char *name;
	int (*run)(int argc, char *argv[]);
	const char *help; /* NULL: not for people */
} applets[] = {
	{"agent", commands_agent, "run this node's part of the network (flanneld's flags)"},
	{"status", commands_status, "is it working, and if not, why?"},
	{"plan", commands_plan, "what would the agent change now? changes nothing"},
	{"install-cni", cni_keep_main, "put the CNI plugins and their configuration in place"},
	{"uninstall", uninstall_main, "remove everything of ours from this node"},
	{"version", version_main, "print the version"},
	{"help", help_main, "print this"},
	{"h", help_main, NULL},
	{"man", manual_main, NULL},
};

#define N_APPLETS (sizeof(applets) / sizeof(applets[0]))

static void help(FILE *out)
{
	fputs("Usage: loden COMMAND [FLAG]...\n\n", out);
	for (size_t i = 0; i < N_APPLETS; i++) {
		if (applets[i].help)
			fprintf(out, "  %-11s %s\n", applets[i].name, applets[i].help);
	}
	fputs("\nPods cannot talk?   loden status     names the cause\n"
	      "A command's flags:  loden COMMAND --help\n",
	      out);
}

static int help_main(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	help(stdout);
	return 0;
}

static const struct applet *find(const char *name)
{
	for (size_t i = 0; i < N_APPLETS; i++) {
		if (!strcmp(applets[i].name, name))
			return &applets[i];
	}
	return NULL;
}

int main(int argc, char *argv[])
{
	const char *name = argc > 0 ? argv[0] : "";
	const struct applet *applet;

	if (strrchr(name, '/'))
		name = strrchr(name, '/') + 1;
	if (!strcmp(name, "flanneld"))
		return commands_agent(argc, argv);
	if (!strcmp(name, "install-conf"))
		return cni_keep_conf_main(argc, argv);
	if (argc < 2) {
		help(stderr);
		return 2;
	}
	applet = find(argv[1] + strspn(argv[1], "-")); /* --help, -h, --version */
	if (!applet) {
		fprintf(stderr, "loden: there is no command \"%s\"\n\n", argv[1]);
		help(stderr);
		return 2;
	}
	return applet->run(argc - 1, argv + 1);
}
