/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H
/* One line per event: a stable event name, then key=value.
 *
 *	log_info("lease.put", "subnet=%s public_ip=%s", …);
 *
 * The name is its own argument and a literal, so that lint can list every event (docs/events.md)
 * and refuse two places with the same name. Lines go to a sink that the program sets; without one
 * they are dropped, so that pure code and tests may log. Values that others control go through
 * text_add_escaped() first. Only programs and os/ log; pure layers return what happened.
 */

#include "base/base.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

typedef void log_sink_fn(enum log_level level, const char *event, const char *line);

/* sink == NULL drops everything. Lines above `max` are not even formatted. */
void log_init(log_sink_fn *sink, enum log_level max);
void log_line(enum log_level level, const char *event, const char *fmt, ...) _printf_(3, 4);

#define log_error(event, ...) log_line(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_line(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_line(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_line(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

#endif
