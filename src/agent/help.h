/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HELP_H
#define AGENT_HELP_H
/* `loden agent --help`, the man page loden(8) and loden.conf.example, all written from the table of
 * options; the other man pages are in agent/manual.h.
 *
 * docs/man/loden.8 is what help_man() prints, deploy/loden.conf.example what help_conf() prints; unit
 * tests hold them together, and `loden man` renews the files. */

#include <stdio.h>

void help_agent(FILE *out);
void help_man(FILE *out);
void help_conf(FILE *out);

/* Text with what roff would read as its own taken away. */
void help_roff(FILE *out, const char *text);

#endif
