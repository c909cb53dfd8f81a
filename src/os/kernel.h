/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_KERNEL_H
#define OS_KERNEL_H
/* The real kernel behind os/ops.h: an rtnetlink request socket, an rtnetlink and an nfnetlink
 * watch socket, an nfnetlink request socket, /proc/sys, and the file subnet.env. */

#include "os/ops.h"

/* Opens the sockets in the current network namespace. -errno with a story. */
int kernel_open(struct os **ret_os, struct err *err);
/* NULL is fine. */
void kernel_close(struct os *os);

/* Without, all firewall ops fail, and nothing is there to be dumped. */
bool kernel_has_nf_tables(const struct os *os);

#endif
