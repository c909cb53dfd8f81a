/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf: the walker and the stream agree on every input, however the stream's pieces are cut.
 * First byte: size of the pieces; second: room for a field that spans several.
 */

#include "wire/pb.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool field_eq(const struct pb_field *whole, const struct pb_field *streamed)
{
	return whole->number == streamed->number && whole->type == streamed->type &&
	       whole->value == streamed->value &&
	       (streamed->cut ? whole->bytes.n > streamed->bytes.n
			      : whole->bytes.n == streamed->bytes.n) &&
	       (streamed->bytes.n == 0 ||
		memcmp(whole->bytes.p, streamed->bytes.p, streamed->bytes.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t room[256];
	struct pb_stream stream = {.buf = room};
	struct pb_field whole, streamed;
	struct pb_bytes in;
	size_t step;
	int r = 0, whole_r = 1;

	if (size < 2)
		return 0;
	step = (size_t)data[0] + 1;
	stream.size_bytes = data[1];
	in = (struct pb_bytes){data + 2, size - 2};
	for (size_t at = 2; at < size && r >= 0; at += step) {
		struct pb_bytes piece = {data + at, step < size - at ? step : size - at};

		while ((r = pb_stream_next(&stream, &piece, &streamed)) > 0) {
			whole_r = pb_next(&in, &whole);
			must(whole_r > 0);
			must(field_eq(&whole, &streamed));
		}
		must(r < 0 || piece.n == 0);
	}
	if (r == 0)
		r = pb_stream_end(&stream);
	must((pb_next(&in, &whole) < 0) == (r < 0));
	return 0;
}
