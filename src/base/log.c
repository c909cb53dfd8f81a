/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static log_sink_fn *log_sink;
static enum log_level log_max = LOG_LEVEL_INFO;

void log_init(log_sink_fn *sink, enum log_level max)
{
	log_sink = sink;
	log_max = max;
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!log_sink || level > log_max)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_sink(level, event, line);
}
