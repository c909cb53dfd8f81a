/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LONELY_H
#define OS_LONELY_H
int lonely_is(size_t n);
#endif
