/* SPDX-License-Identifier: Apache-2.0 */
#include "os/holder.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "wire/nl_link.h"

/* syscalls: openat newfstatat fstat read close */

struct search {
	const struct devmap *map;
	const struct link *ours;
	struct link found; /* name "" = none */
};

static int on_link(void *arg, const struct nl_msg *m)
{
	struct search *s = arg;
	struct nl_link l;

	if (m->type != RTM_NEWLINK || nl_link_decode(m, s->map, &l) < 0 || l.port)
		return 0;
	if (l.link.kind != LINK_VXLAN || l.link.vxlan.port != s->ours->vxlan.port ||
	    devmap_find(s->map, l.ifindex) != DEV_NONE)
		return 0;
	/* Of several it is the one that takes all. */
	if (l.link.vxlan.external || (l.link.vxlan.vni == s->ours->vxlan.vni && !s->found.name[0]))
		s->found = l.link;
	return 0;
}

bool holder_socket(const char *table, uint16_t port, uint32_t *ret_uid)
{
	FILE *f = fopen(table, "re");
	unsigned at, uid;
	char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		/* "  12: 00000000:2118 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000 …" */
		found = sscanf(line, "%*u: %*[0-9A-F]:%x %*s %*x %*s %*s %*x %u", &at, &uid) == 2 &&
			at == port;
	}
	if (f)
		fclose(f);
	if (found)
		*ret_uid = uid;
	return found;
}

void holder_name(struct nlsock *s, struct nl_buf *b, const struct devmap *map,
		 const struct link *ours, const char *proc, struct text *t)
{
	static const char *const tables[] = {"net/udp", "net/udp6"};
	struct search search = {.map = map, .ours = ours};
	const struct link *found = &search.found;
	char path[64];
	uint32_t uid;

	nl_link_dump(b, nlsock_seq(s));
	if (nlsock_dump(s, b, on_link, &search, NULL) < 0)
		return;
	if (found->name[0]) {
		text_add(t, "UDP port %u is held by the VXLAN device ", ours->vxlan.port);
		text_add_escaped(t, found->name, strnlen(found->name, LINK_NAME_SIZE));
		if (found->vxlan.external)
			text_add(t, ", for all VNIs");
		else
			text_add(t, ", VNI %u", found->vxlan.vni);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		snprintf(path, sizeof(path), "%s/%s", proc, tables[i]);
		if (!holder_socket(path, ours->vxlan.port, &uid))
			continue;
		text_add(t,
			 "UDP port %u is held by a socket of uid %u; see: ss -ulpn 'sport = :%u'",
			 ours->vxlan.port, uid, ours->vxlan.port);
		return;
	}
}
