/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CNI_DELEGATE_H
#define CNI_DELEGATE_H
/* Other plugins, called with this call's configuration.
 *
 * A plugin is the first regular file of its name along CNI_PATH. If that is this very program, it is
 * called as a function; any other is executed as the reference does: same environment but for the
 * verb, configuration on stdin, its stderr handed on, its error object passed on unchanged.
 */

#include "cni/call.h"

/* ADD. 0, or < 0 with c->error. */
int delegate_add(struct call *c, const char *type, struct cni_result *ret);
/* Any verb without a result. */
int delegate_run(struct call *c, enum cni_verb verb, const char *type);

#endif
