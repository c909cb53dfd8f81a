/* SPDX-License-Identifier: Apache-2.0 */
/* Runs stories and compares what the brain does with what is written there.
 *
 *	trace [--bless] STORY…
 *
 * A story holds its own golden output: indented lines are what followed from the line before. They
 * are made anew and compared; --bless writes them back. A reviewer reads the diff. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t n = 0;

	if (!f || getdelim(&text, &n, '\0', f) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	fclose(f);
	return text;
}

/* The story told again, or NULL: it cannot be understood. */
static char *retell(const char *path, const char *text)
{
	char *told = NULL;
	size_t n_told;
	FILE *out = open_memstream(&told, &n_told);
	struct story *s = calloc(1, sizeof(*s));
	bool ok = true;
	int number = 0;

	story_init(s, out);
	for (const char *p = text; *p && ok; p += strcspn(p, "\n") + 1) {
		char *line = strndup(p, strcspn(p, "\n"));
		const char *wrong = NULL;

		number++;
		if (line[0] != ' ') {
			fprintf(out, "%s\n", line);
			if (line[0] && line[0] != '#')
				wrong = story_line(s, line);
		}
		if (wrong) {
			fprintf(stderr, "%s:%d: %s\n", path, number, wrong);
			ok = false;
		}
		free(line);
		if (!p[strcspn(p, "\n")])
			break;
	}
	story_fini(s);
	free(s);
	fclose(out);
	if (!ok) {
		free(told);
		return NULL;
	}
	return told;
}

/* The first line that differs, and a few around it. */
static void show_difference(const char *path, const char *want, const char *have)
{
	int line = 1;

	while (*want && strcspn(want, "\n") == strcspn(have, "\n") &&
	       memcmp(want, have, strcspn(want, "\n")) == 0) {
		want += strcspn(want, "\n");
		have += strcspn(have, "\n");
		want += *want == '\n';
		have += *have == '\n';
		line++;
	}
	fprintf(stderr, "%s:%d: wanted:\n", path, line);
	for (int i = 0; i < 5 && *want; i++) {
		fprintf(stderr, "\t%.*s\n", (int)strcspn(want, "\n"), want);
		want += strcspn(want, "\n") + (want[strcspn(want, "\n")] == '\n');
	}
	fprintf(stderr, "there is:\n");
	for (int i = 0; i < 5 && *have; i++) {
		fprintf(stderr, "\t%.*s\n", (int)strcspn(have, "\n"), have);
		have += strcspn(have, "\n") + (have[strcspn(have, "\n")] == '\n');
	}
	fprintf(stderr, "If that is right: ./dev bless, and read the diff.\n");
}

static int run(const char *path, bool bless)
{
	char *text = slurp(path), *told = retell(path, text);
	int failed = !told;

	if (told && strcmp(text, told) != 0 && bless) {
		FILE *f = fopen(path, "w");

		if (!f || fputs(told, f) < 0 || fclose(f) != 0) {
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
			exit(2);
		}
		printf("blessed %s\n", path);
	} else if (told && strcmp(text, told) != 0) {
		show_difference(path, text, told);
		failed = 1;
	}
	free(text);
	free(told);
	return failed;
}

int main(int argc, char **argv)
{
	bool bless = argc > 1 && strcmp(argv[1], "--bless") == 0;
	int n_failed = 0;

	if (argc < 2 + bless) {
		fprintf(stderr, "usage: trace [--bless] STORY…\n");
		return 2;
	}
	for (int i = 1 + bless; i < argc; i++)
		n_failed += run(argv[i], bless);
	return n_failed ? 1 : 0;
}
