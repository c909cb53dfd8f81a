/* SPDX-License-Identifier: Apache-2.0 */
#include "os/logger.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

/* syscalls: write clock_gettime */

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void logger_stderr(enum log_level level, const char *event, const char *line)
{
	char out[1400];
	struct text t = {.buf = out, .size_bytes = sizeof(out) - 1}; /* room for the newline */
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	t.len = strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%S", &tm);
	text_add(&t, ".%03ldZ %s %s ", ts.tv_nsec / 1000000, level_names[level], event);
	for (; *line && !t.cut; line++) {
		unsigned char c = (unsigned char)*line;

		text_add(&t, c < 0x20 || c == 0x7f ? "\\x%02x" : "%c", c);
	}
	if (t.len && out[t.len - 1] == ' ')
		t.len--;
	out[t.len++] = '\n';
	/* Nobody to tell when standard error is gone. */
	if (write(STDERR_FILENO, out, t.len) < 0)
		return;
}
