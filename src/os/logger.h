/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LOGGER_H
#define OS_LOGGER_H
/* Where log lines go: standard error, one write per line.
 *
 *	2026-11-21T13:29:53.517Z warn lease.bad key="10.244.9.0-24" why="…"
 *
 * Time in UTC, level, event name, key=value. Words for people (why, problem) come last and may hold
 * quotes of their own: they end with the line. Whatever a caller forgot to escape cannot begin a line
 * of its own or move a terminal's cursor: control bytes leave as \xNN.
 */

#include "base/log.h"

/* A sink for log_init(). */
void logger_stderr(enum log_level level, const char *event, const char *line);

#endif
