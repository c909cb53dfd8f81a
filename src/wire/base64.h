/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H
/* Base64 with padding (RFC 4648, 4), as kubeconfigs and HTTP's basic authentication have it. */

#include "base/base.h"

/* Enough for what n bytes of text decode to, and for what n bytes encode to, terminated. */
#define BASE64_DECODED_SIZE(n) ((n) / 4 * 3 + 3)
#define BASE64_ENCODED_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* White space counts for nothing. False, and ret as it happens to be, if it is not base64. */
bool base64_decode(const char *text, size_t n, uint8_t *ret, size_t *ret_n);

/* Terminated; the length without terminator is returned. */
size_t base64_encode(const void *bytes, size_t n, char *ret);

#endif
