/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_CONF_H
#define AGENT_CONF_H
/* What the options mean further in: to the brain, and to whoever looks for what is ours. */

#include "agent/opts.h"
#include "core/step.h"
#include "wire/envfile.h"

/* -EINVAL names the option that cannot be used. The instance, if not given, is "" for the default run
 * directory and otherwise derived from its name, so that a second agent on a host marks as its own
 * without being told to. */
int conf_from_opts(const struct opts *o, struct brain_conf *ret, struct err *err);

/* First of the 2^24 ids of nexthop objects that are ours: earlier versions made some, which are to be found. */
uint32_t conf_nexthop_base(const struct brain_conf *conf);

/* What an earlier run, ours or flanneld's, wrote into the subnet file. */
void conf_previous(const struct opts *o, struct envfile_previous *ret);

#endif
