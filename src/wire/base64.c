/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool base64_decode(const char *text, size_t n, uint8_t *ret, size_t *ret_n)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t digits = 0, pads = 0, out = 0;

	for (size_t i = 0; i < n; i++) {
		const char *at;

		if (is_space(text[i]))
			continue;
		if (text[i] == '=') {
			pads++;
			continue;
		}
		at = memchr(alphabet, text[i], sizeof(alphabet) - 1);
		if (!at || pads > 0)
			return false;
		bits = (bits << 6 | (uint32_t)(at - alphabet)) & 0xffffff;
		n_bits += 6;
		digits++;
		if (n_bits >= 8) {
			n_bits -= 8;
			ret[out++] = (uint8_t)(bits >> n_bits);
		}
	}
	if ((digits + pads) % 4 != 0 || pads > 2)
		return false;
	*ret_n = out;
	return true;
}

size_t base64_encode(const void *bytes, size_t n, char *ret)
{
	const uint8_t *p = bytes;
	size_t out = 0;

	for (size_t i = 0; i < n; i += 3) {
		const size_t left = n - i;
		const uint32_t bits = (uint32_t)p[i] << 16 |
				      (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
				      (left > 2 ? p[i + 2] : 0u);

		ret[out++] = alphabet[bits >> 18];
		ret[out++] = alphabet[bits >> 12 & 63];
		ret[out++] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		ret[out++] = left > 2 ? alphabet[bits & 63] : '=';
	}
	ret[out] = '\0';
	return out;
}
