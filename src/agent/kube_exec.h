/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_KUBE_EXEC_H
#define AGENT_KUBE_EXEC_H
/* The credential plugin that a kubeconfig names under `exec`: run when its last answer has expired or was refused.
 *
 * Only if the kubeconfig says so at start is anything ever executed: by a keeper that is forked before the sandbox is
 * entered (os/plugin.h), which knows command, arguments and environment from then on. For a changed `exec` the
 * agent is to be restarted.
 */

#include "agent/opts.h"
#include "os/loop.h"
#include "wire/exec_credential.h"

#define KUBE_EXEC_DEADLINE_MS 60000

struct kube_exec;

/* To be called before the sandbox is entered. *ret NULL = no plugin is asked for, or the kubeconfig is of no use, which
 * its next reader says. 0 or -errno with a story. */
int kube_exec_new(const struct opts *o, struct kube_exec **ret, struct err *err);
/* NULL is fine. */
void kube_exec_free(struct kube_exec *e);

/* `problem` NULL = kube_exec_credential() has the answer. */
typedef void kube_exec_done_fn(void *arg, const char *problem);

/* Asks it anew, unless it is being asked: then `done` of that time is called. */
void kube_exec_ask(struct kube_exec *e, struct loop *loop, kube_exec_done_fn *done, void *arg);
bool kube_exec_is_asked(const struct kube_exec *e);
/* `done` is not called any more. */
void kube_exec_forget(struct kube_exec *e);

/* The last good answer, until the next; NULL = there is none, or it has expired. */
const struct exec_credential *kube_exec_credential(const struct kube_exec *e);
/* For how long it will be good; 0 = it is not; INT64_MAX = for ever, as far as we were told. */
int64_t kube_exec_valid_s(const struct kube_exec *e);
/* "the plugin aws"; what was wrong last time, "" = nothing. */
const char *kube_exec_name(const struct kube_exec *e);
const char *kube_exec_problem(const struct kube_exec *e);

#endif
