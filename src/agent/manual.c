/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/manual.h"

#include <string.h>

#include "agent/help.h"
#include "model/cni.h"
#include "wire/cni_keys.h"
#include "wire/netconf.h"

#define EXIT_USAGE 2

/* One entry of a list of keys: the key, what it takes, what it is for. */
static void write_key(FILE *out, const char *key, const char *value, const char *help,
		      const char *fallback)
{
	fputs(".TP\n.BR ", out);
	help_roff(out, key);
	fputs(" \" (", out);
	for (; *value; value++) { /* a quote would end the argument */
		if (*value == '"')
			fputs("\\(dq", out);
		else
			fputc(*value, out);
	}
	fputs(")\"\n", out);
	help_roff(out, help);
	fputs(".\n", out);
	if (fallback) {
		fputs("Default: ", out);
		help_roff(out, fallback);
		fputs(".\n", out);
	}
}

/* --- net-conf.json(5) --------------------------------------------------------------------------- */

static const char netconf_head[] =
	".\\\" SPDX-License-Identifier: Apache-2.0\n"
	".\\\" Written by \"loden man net-conf.json\" from the tables in src/wire/netconf.c; do not edit.\n"
	".TH NET\\-CONF.JSON 5 \"\" \"loden\" \"File formats\"\n"
	".SH NAME\n"
	"net\\-conf.json \\- configuration of a flannel network\n"
	".SH DESCRIPTION\n"
	"One JSON object for a whole cluster. It lies in etcd, under the key\n"
	".I /coreos.com/network/config\n"
	"or another prefix's, and is the same that flannel takes:\n"
	".PP\n"
	".RS\n"
	".nf\n"
	"etcdctl put /coreos.com/network/config \\(aq{\n"
	"  \"Network\": \"10.244.0.0/16\",\n"
	"  \"Backend\": {\"Type\": \"vxlan\"}\n"
	"}\\(aq\n"
	".fi\n"
	".RE\n"
	".PP\n"
	"Upper and lower case of keys do not matter, unknown keys are skipped. A key with a bad value\n"
	"is named in the log and by\n"
	".BR \"loden status\" ,\n"
	"with all others that are bad; nothing is set up until it is mended. A network that stands goes\n"
	"on with the configuration that it had.\n"
	".SH KEYS\n";

static void write_netconf(FILE *out)
{
	struct netconf_key k;

	fputs(netconf_head, out);
	for (size_t i = 0; netconf_key(false, i, &k); i++)
		write_key(out, k.key, k.wants, k.help, k.fallback);
	write_key(out, "Backend", "an object", "how packets get to other nodes; it has a Type",
		  NULL);
	fputs(".SH BACKEND VXLAN\n", out);
	write_key(out, "Type", "\"vxlan\"",
		  "must be given: flannel takes udp if it is not, which Loden does not have", NULL);
	for (size_t i = 0; netconf_key(true, i, &k); i++)
		write_key(out, k.key, k.wants, k.help, k.fallback);
	fputs(".SH SEE ALSO\n"
	      ".BR loden (8)\n",
	      out);
}

/* --- loden-cni(8) ------------------------------------------------------------------------------- */

static const char cni_head[] =
	".\\\" SPDX-License-Identifier: Apache-2.0\n"
	".\\\" Written by \"loden man loden-cni\" from the table in src/wire/cni_keys.c; do not edit.\n"
	".TH LODEN\\-CNI 8 \"\" \"loden\" \"System administration\"\n"
	".SH NAME\n"
	"loden\\-cni \\- CNI plugins: flannel, bridge, host\\-local, loopback\n"
	".SH DESCRIPTION\n"
	"A container runtime calls a CNI plugin for each pod that comes, goes or is checked. This one\n"
	"program is several plugins: which one, the name says by which it is called, or, called by its own,\n"
	"the configuration's\n"
	".BR type .\n"
	"To install it, link or copy it to\n"
	".I /opt/cni/bin\n"
	"under the names\n"
	".BR flannel \", \" bridge \", \" host\\-local \" and \" loopback .\n"
	"It needs nothing else on the host, not even the agent: only what that wrote to\n"
	".IR /run/flannel/subnet.env .\n"
	".PP\n"
	"Results, errors, files and what is set up are those of the reference plugins, so that one can\n"
	"take the place of the other while pods run.\n";

static const char cni_tail[] =
	".SH ENVIRONMENT\n"
	".TP\n"
	".B CNI_COMMAND\n"
	"What to do: ADD, DEL, CHECK, GC, STATUS or VERSION. Not set: print the version.\n"
	".TP\n"
	".BR CNI_CONTAINERID \", \" CNI_NETNS \", \" CNI_IFNAME\n"
	"Which pod: its name, its network namespace, the name of its link.\n"
	".TP\n"
	".B CNI_ARGS\n"
	"Pairs KEY=VALUE with semicolons between them; IP, MAC and IgnoreUnknown are known.\n"
	".TP\n"
	".B CNI_PATH\n"
	"Directories of plugins, with colons between them, for plugins that are not in this program.\n"
	".SH FILES\n"
	".TP\n"
	".I /run/flannel/subnet.env\n"
	"This node's subnet and MTU, from the agent.\n"
	".TP\n"
	".I /var/lib/cni/flannel\n"
	"For each pod, the configuration that was handed on.\n"
	".TP\n"
	".I /var/lib/cni/networks\n"
	"For each network, a file for each address that is given out.\n"
	".SH EXIT STATUS\n"
	"0, with a result on standard output where there is one; 1, with an error object: code, msg,\n"
	"details.\n"
	".SH SEE ALSO\n"
	".BR loden (8),\n"
	".I https://www.cni.dev/docs/spec\n";

static void write_cni(FILE *out)
{
	fputs(cni_head, out);
	fputs(".PP\nVersions of the protocol:", out);
	for (size_t i = 0; i < CNI_VERSION__COUNT; i++)
		fprintf(out, "%s %s", i ? "," : "", cni_version_names[i]);
	fputs(".\n.SH PLUGINS AND THEIR KEYS\n", out);
	for (enum cni_keys_plugin p = 0; p < CNI_KEYS__COUNT; p++) {
		fputs(".SS ", out);
		help_roff(out, cni_keys_plugin_names[p]);
		fputc('\n', out);
		help_roff(out, cni_keys_plugin_help[p]);
		fputc('\n', out);
		for (size_t i = 0; i < cni_keys_n; i++) {
			const struct cni_key *k = &cni_keys[i];

			if (k->plugin == p)
				write_key(out, k->key, k->value, k->help, k->fallback);
		}
	}
	fputs(cni_tail, out);
}

/* --- the command -------------------------------------------------------------------------------- */

const struct manual_page manual_pages[] = {
	{"loden", help_man, "docs/man/loden.8"},
	{"loden-cni", write_cni, "docs/man/loden-cni.8"},
	{"net-conf.json", write_netconf, "docs/man/net-conf.json.5"},
	{"loden.conf", help_conf, "deploy/loden.conf.example"},
};
const size_t manual_pages_n = sizeof(manual_pages) / sizeof(manual_pages[0]);

int manual_main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : "loden";

	for (size_t i = 0; i < manual_pages_n; i++) {
		if (!strcmp(name, manual_pages[i].name)) {
			manual_pages[i].write(stdout);
			return 0;
		}
	}
	fputs("Usage: loden man [PAGE], where PAGE is one of:\n", stderr);
	for (size_t i = 0; i < manual_pages_n; i++)
		fprintf(stderr, "  %s\n", manual_pages[i].name);
	return EXIT_USAGE;
}
