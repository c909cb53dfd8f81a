/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/help.h"

#include <string.h>

#include "agent/opts.h"
#include "wire/metrics.h"

static const char *const effect_words[OPTS_EFFECT__COUNT] = {
	[OPTS_WORKS] = "",
	[OPTS_NO_EFFECT] = "; accepted, without effect",
};
static_assert(ARRAY_SIZE(effect_words) == OPTS_EFFECT__COUNT, "one per effect");

void help_agent(FILE *out)
{
	fputs("Usage: loden agent [FLAG]...\n"
	      "Keeps this node's part of a flannel network, and repairs it. Takes flanneld's\n"
	      "flags, with one dash or two, as \"--flag=value\" or \"--flag value\"; each can also be\n"
	      "set as FLANNELD_<FLAG> in the environment (FLANNELD_ETCD_PREFIX).\n",
	      out);
	for (size_t i = 0; i < opts_table_n; i++) {
		const struct opts_row *row = &opts_table[i];

		if (row->section)
			fprintf(out, "\n%s:\n", row->section);
		fprintf(out, "  --%s%s%s\n        %s%s", row->name, row->arg ? " " : "",
			row->arg ? row->arg : "", row->help, effect_words[row->effect]);
		if (row->fallback)
			fprintf(out, "\n        (default: %s)", row->fallback);
		fputc('\n', out);
	}
}

static const char man_head[] =
	".\\\" SPDX-License-Identifier: Apache-2.0\n"
	".\\\" Written by \"loden man\" from the tables in src/agent/opts.c and src/wire/metrics.c; do not edit.\n"
	".TH LODEN 8 \"\" \"loden\" \"System administration\"\n"
	".SH NAME\n"
	"loden \\- a flannel network that heals itself\n"
	".SH SYNOPSIS\n"
	".B loden agent\n"
	".RI [ flag ]...\n"
	".br\n"
	".B loden status\n"
	".RB [ \\-\\-json ]\n"
	".br\n"
	".B loden plan\n"
	".br\n"
	".B loden uninstall\n"
	".RB [ \\-\\-all ]\n"
	".RB [ \\-\\-lease ]\n"
	".br\n"
	".B flanneld\n"
	".RI [ flag ]...\n"
	".SH DESCRIPTION\n"
	"The agent leases a subnet for this node's pods, learns the subnets of all other nodes,\n"
	"and keeps in the kernel what is needed to reach them: the VXLAN device, addresses, routes,\n"
	"neighbours, masquerade and accept rules, sysctls, the pods' bridge and subnet.env.\n"
	"Whatever else changes these things, it notices, repairs and says who it was.\n"
	"It takes flanneld's flags, variables and files; called as\n"
	".B flanneld\n"
	"it is the agent.\n"
	".SH COMMANDS\n"
	".TP\n"
	".B agent\n"
	"Run in the foreground until SIGTERM, SIGINT or SIGHUP. Nothing is torn down at the end: pods\n"
	"go on talking, and the next agent takes over what it finds.\n"
	".TP\n"
	".B status\n"
	"Is this node's network working, and if not, why? Exit code 0: ready, 1: not ready, 2: no\n"
	"agent answers.\n"
	".TP\n"
	".B plan\n"
	"What would the agent change in the kernel now? Changes nothing. Exit code 0: nothing, 1:\n"
	"something, 2: no agent answers.\n"
	".TP\n"
	".B uninstall\n"
	"With the agent stopped: remove everything of ours from this node, and say what was removed,\n"
	"what was left and why. Takes the agent's flags, to find what is ours. A bridge with pods on\n"
	"it stays, unless\n"
	".B \\-\\-all\n"
	"is given. The node's lease stays in etcd, so that a node that comes back gets the same\n"
	"subnet, unless\n"
	".B \\-\\-lease\n"
	"is given: then it is deleted there, if it is still this node's. Where, the agent has written\n"
	"down; \\-\\-etcd\\-endpoints and \\-\\-etcd\\-prefix go before that. Exit code 0: done, 1: something\n"
	"of ours is still there, and said which; it can be run again.\n"
	".TP\n"
	".BR version \", \" help\n"
	"What they say.\n";

static const char man_tail[] =
	".SH ENVIRONMENT\n"
	".TP\n"
	".BI FLANNELD_ FLAG\n"
	"Sets a flag that is not given: FLANNELD_ETCD_PREFIX sets \\-\\-etcd\\-prefix. An empty value\n"
	"counts as unset; a bad one is reported and the default stays.\n"
	".TP\n"
	".B NOTIFY_SOCKET\n"
	"systemd is told when the network stands for the first time (READY=1), what is wrong\n"
	"(STATUS=), and that we are about to stop.\n"
	".TP\n"
	".BR WATCHDOG_USEC \", \" WATCHDOG_PID\n"
	"If systemd asks for it, it hears WATCHDOG=1 twice in this time, from within the event loop.\n"
	".SH FILES\n"
	".TP\n"
	".I /etc/loden/loden.conf\n"
	"Variables for the agent, where systemd starts it; not read by the agent itself.\n"
	".TP\n"
	".I /run/flannel/subnet.env\n"
	"Subnet and MTU for CNI plugins.\n"
	".TP\n"
	".I /run/loden/lock\n"
	"Held by the running agent; holds its process id.\n"
	".TP\n"
	".I /run/loden/loden.sock\n"
	"Where\n"
	".B loden status\n"
	"and\n"
	".B loden plan\n"
	"ask; mode 0660.\n"
	".TP\n"
	".I /run/loden/last\\-exit\n"
	"Who stopped the last agent, and when. Missing after a crash.\n"
	".TP\n"
	".I /var/lib/loden/peers\n"
	"Configuration and leases as last told, for a start while etcd is away. Where that cannot be\n"
	"written, in /run/loden.\n"
	".TP\n"
	".I /var/lib/loden/lease.env\n"
	"Which lease this node holds, and in which etcd. For\n"
	".BR \"loden uninstall \\-\\-lease\" .\n"
	".SH EXIT STATUS\n"
	"0: done, or stopped by a signal. 1: cannot run (another agent holds the lock, no right to\n"
	"change the network). 2: a flag that makes no sense (flanneld exits with 0 there).\n"
	"A cause that can be mended while the agent runs never ends it.\n"
	".SH SEE ALSO\n"
	".BR net\\-conf.json (5),\n"
	".BR loden\\-cni (8),\n"
	".BR ip (8),\n"
	".BR nft (8)\n";

void help_roff(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
	}
}

static void write_metrics(FILE *out)
{
	fputs(".SH METRICS\n"
	      "Where /healthz is, Prometheus finds /metrics; the numbers are those of\n"
	      ".BR \"loden status \\-\\-json\" .\n",
	      out);
	for (size_t i = 0; i < metrics_table_n; i++) {
		const struct metrics_row *row = &metrics_table[i];

		fputs(".TP\n.BR ", out);
		help_roff(out, row->name);
		if (row->labels)
			fprintf(out, " {%s}", row->labels);
		fprintf(out, " \" (%s)\"\n", row->type);
		help_roff(out, row->help);
		fputs(".\n", out);
	}
}

void help_man(FILE *out)
{
	fputs(man_head, out);
	fputs(".SH FLAGS OF THE AGENT\n"
	      "One dash or two, as \"\\-\\-flag=value\" or \"\\-\\-flag value\"; booleans alone or as\n"
	      "\"\\-\\-flag=false\". Flags that flannel does not have are marked *.\n",
	      out);
	for (size_t i = 0; i < opts_table_n; i++) {
		const struct opts_row *row = &opts_table[i];

		if (row->section)
			fprintf(out, ".SS %s\n", row->section);
		fputs(".TP\n.B ", out);
		help_roff(out, "--");
		help_roff(out, row->name);
		if (row->arg) {
			fputc(' ', out);
			help_roff(out, row->arg);
		}
		fputs(row->ours ? " *\n" : "\n", out);
		help_roff(out, row->help);
		help_roff(out, effect_words[row->effect]);
		fputs(".\n", out);
		if (row->fallback) {
			fputs("Default: ", out);
			help_roff(out, row->fallback);
			fputs(".\n", out);
		}
	}
	write_metrics(out);
	fputs(man_tail, out);
}

static const char conf_head[] =
	"# SPDX-License-Identifier: Apache-2.0\n"
	"# Written by \"loden man loden.conf\" from the table in src/agent/opts.c; do not edit.\n"
	"#\n"
	"# What the agent is started with: copy to /etc/loden/loden.conf, from where loden.service reads it\n"
	"# (systemd.exec(5), EnvironmentFile), and take the # off what shall differ from its default.\n"
	"# Then: systemctl restart loden. Pods do not notice. Files and directories elsewhere than here\n"
	"# must be writable for the unit: ReadWritePaths= in \"systemctl edit loden\".\n";

void help_conf(FILE *out)
{
	fputs(conf_head, out);
	for (size_t i = 0; i < opts_table_n; i++) {
		const struct opts_row *row = &opts_table[i];
		char name[OPTS_ENV_NAME_SIZE];

		if (row->section)
			fprintf(out, "\n# --- %s\n", row->section);
		if (row->effect != OPTS_WORKS || row->offset == offsetof(struct opts, version) ||
		    row->offset == offsetof(struct opts, help))
			continue;
		opts_env_name(row, name);
		fprintf(out, "\n# %s\n#%s=%s\n", row->help, name,
			row->fallback		 ? row->fallback
			: row->type == OPTS_BOOL ? "false"
						 : "");
	}
}
