/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_COMMANDS_H
#define AGENT_COMMANDS_H
/* The subcommands that src/main.c lists: what comes before and around the agent. Each takes its own
 * words (argv[0] is the subcommand) and returns the exit code; 2 = the words make no sense, or there
 * is no agent to ask. */

int agent_main(int argc, char *argv[]);
int status_main(int argc, char *argv[]);
int plan_main(int argc, char *argv[]);

#endif
