/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_COMMANDS_H
#define AGENT_COMMANDS_H
/* The subcommands that src/main.c lists: what comes before and around the agent. Each takes its own
 * words (argv[0] is the subcommand) and returns the exit code; 2 = the words make no sense, or there
 * is no agent to ask. */

int commands_agent(int argc, char *argv[]);
int commands_status(int argc, char *argv[]);
int commands_plan(int argc, char *argv[]);

#endif
