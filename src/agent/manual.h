/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_MANUAL_H
#define AGENT_MANUAL_H
/* `loden man [PAGE]`: what is written about us from tables of the source. Each page also lies in the
 * source tree, where a unit test compares it with what is written here. */

#include <stddef.h>
#include <stdio.h>

struct manual_page {
	const char *name;
	void (*write)(FILE *out);
	const char *path; /* in the source tree */
};

extern const struct manual_page manual_pages[];
extern const size_t manual_pages_n;

/* Without a name: loden(8). */
int manual_main(int argc, char *argv[]);

#endif
