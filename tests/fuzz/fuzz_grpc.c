/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC: bodies in pieces (first byte: their size), and headers "name\0value\0…" of the same bytes. */

#include "wire/grpc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void body(const uint8_t *data, size_t size, size_t step)
{
	struct grpc_split split = {0};
	size_t given = 0, taken = 0;
	struct pb_bytes part;
	bool last;
	int r = 0;

	for (size_t at = 0; at < size && r >= 0; at += step) {
		struct pb_bytes piece = {data + at, MIN(step, size - at)};

		given += piece.n;
		while ((r = grpc_split_next(&split, &piece, &part, &last)) > 0) {
			taken += part.n;
			if (taken > given || part.p < data || part.p + part.n > data + size)
				abort();
		}
		if (r == 0 && piece.n > 0)
			abort();
	}
}

static void headers(const uint8_t *data, size_t size)
{
	static const char *const names[] = {":status", "content-type", "grpc-status",
					    "grpc-message"};
	struct grpc_status status = {0};
	struct err err = {""};
	char value[300];

	for (size_t at = 0; at < size;) {
		const char *name = names[data[at] % ARRAY_SIZE(names)];
		size_t n = strnlen((const char *)data + at + 1, size - at - 1);

		n = MIN(n, sizeof(value) - 1);
		memcpy(value, data + at + 1, n);
		value[n] = '\0';
		grpc_status_header(&status, name, value);
		at += n + 2;
	}
	if ((grpc_status_result(&status, &err) == GRPC_OK) != (err.text[0] == '\0'))
		abort();
	for (const char *p = err.text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	body(data + 1, size - 1, (size_t)data[0] + 1);
	headers(data, size);
	return 0;
}
