/* SPDX-License-Identifier: Apache-2.0 */
/* The corpus of one decoder in an ordinary test run: each file, and each of its prefixes, because
 * a message cut short is what a decoder gets wrong first. Each input lies in memory of exactly its
 * size, so that the sanitizers see one byte too many.
 */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's interface: https://llvm.org/docs/LibFuzzer.html */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Prefixes cost n² bytes: above this only the whole file runs. */
#define PREFIX_LIMIT_BYTES 2048

static void run_copy(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		abort();
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static int run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* A crash must name its input: the sanitizer's report follows this line. */
	printf("%s\n", path);
	fflush(stdout);
	for (size_t n = 0; size <= PREFIX_LIMIT_BYTES && n < size; n++)
		run_copy(data, n);
	run_copy(data, size);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned inputs = 0;
	struct dirent *entry;
	DIR *dir;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS_DIR\n", argv[0]);
		return 2;
	}
	dir = opendir(argv[1]);
	while (dir && (entry = readdir(dir))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (run_file(path) < 0)
			return 1;
		inputs++;
	}
	if (dir)
		closedir(dir);
	if (!inputs) {
		fprintf(stderr, "%s: no input there: put at least one real message in it\n",
			argv[1]);
		return 1;
	}
	printf("%u inputs\n", inputs);
	return 0;
}
