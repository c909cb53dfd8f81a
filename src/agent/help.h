/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HELP_H
#define AGENT_HELP_H
/* `loden agent --help` and the man page loden(8), both written from the table of options.
 *
 * docs/man/loden.8 is what help_man() prints; a unit test holds them together, and
 * `loden man > docs/man/loden.8` renews the file. */

#include <stdio.h>

void help_agent(FILE *out);
void help_man(FILE *out);

#endif
