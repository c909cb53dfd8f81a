/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_STORY_H
#define TRACE_STORY_H
/* One story: lines in, lines out. Each line of input is a word and its arguments; what the brain does
 * about it follows, indented. See tests/trace/README.md for the words. */

#include <stdio.h>

#include "rig.h"
#include "words.h"

#define STORY_PEERS_MAX 512

struct story {
	FILE *out;
	struct brain_conf conf;
	struct sim kernel;
	struct rig rig;
	bool running; /* the rig is set up */
	struct lease peers[STORY_PEERS_MAX];
	size_t n_peers;
	char status[600], notes[1200]; /* as last shown */
	char no_uplink[120];
};

void story_init(struct story *s, FILE *out);
void story_fini(struct story *s);
/* NULL, or what is wrong with the line (which is cut up). */
const char *story_line(struct story *s, char *line);

#endif
