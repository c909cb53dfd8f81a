/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_CONFINE_H
#define AGENT_CONFINE_H
/* What the agent may do (os/sandbox.h), from its options and from the tags in its sources.
 *
 * Each file of src/os and src/agent that makes system calls says which, in comments
 *	syscalls: openat read close
 * and os/sandbox.c says it for libraries. src/agent/calls.awk collects them all into the filter; the
 * tests on real kernels fail when the agent logs a call that is on no list.
 */

#include "agent/opts.h"
#include "os/sandbox.h"

/* CAP_NET_ADMIN: links, routes, rules, and the switches below /proc/sys/net. Reading other users' files only
 * for etcd's keys and passwords and for a kubeconfig, low ports only for a health endpoint on one. */
uint64_t confine_capabilities(const struct opts *o);

/* Sorted by nothing in particular. */
extern const struct sandbox_call confine_calls[];
extern const size_t confine_calls_n;

/* Confines this process as `o` asks, or logs why not. */
void confine_agent(const struct opts *o);

#endif
