/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SHA512_H
#define BASE_SHA512_H
/* SHA-512 (FIPS 180-4) of small texts, for names that the reference CNI plugins make of it. Not for
 * secrets, and not for speed. */

#include "base/base.h"

#define SHA512_BYTES 64

void sha512(const void *data, size_t n, uint8_t ret[SHA512_BYTES]);

#endif
