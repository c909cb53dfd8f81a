/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_CNI_KEEP_H
#define AGENT_CNI_KEEP_H
/* Puts plugins and conflist in place (cni_files.h): once, as `loden install-cni`; or for as long as the agent runs, with
 * --install-cni, whatever becomes of them. Then the conflist, which makes kubelet call the node ready, is withheld until
 * the network stands for the first time.
 */

#include "agent/opts.h"
#include "os/loop.h"

struct cni_keep;

/* NULL without --install-cni; all others take that. */
struct cni_keep *cni_keep_new(struct loop *loop, const struct opts *o);
void cni_keep_free(struct cni_keep *k);

/* The network stands. */
void cni_keep_ready(struct cni_keep *k);

/* Lines, or "". */
const char *cni_keep_problems(const struct cni_keep *k);

/* The commands: install-cni; and install-conf SOURCE TARGET, which is flannel's. */
int cni_keep_main(int argc, char *argv[]);
int cni_keep_conf_main(int argc, char *argv[]);

#endif
