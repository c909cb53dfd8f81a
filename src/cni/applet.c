/* SPDX-License-Identifier: Apache-2.0 */
#include "cni/applet.h"

#include <string.h>

static const struct applet applets[] = {
	{"bridge", bridge_add, bridge_del, bridge_check, bridge_status},
	{"flannel", flannel_add, flannel_del, flannel_check, flannel_status},
	{"host-local", host_local_add, host_local_del, host_local_check, NULL},
	{"loopback", loopback_add, loopback_del, loopback_check, NULL},
};

const struct applet *applet_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(applets); i++) {
		if (strcmp(applets[i].name, name) == 0)
			return &applets[i];
	}
	return NULL;
}
