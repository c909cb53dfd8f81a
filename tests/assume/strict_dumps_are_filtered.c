/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"
#include "wire/nl_rt.h"

const char sentence[] =
	"With NETLINK_GET_STRICT_CHK the kernel filters dumps: neighbours and FDB entries by "
	"NDA_IFINDEX, routes by table.";

struct seen {
	unsigned wanted, others;
	uint32_t ifindex;
};

static int on_neigh(void *arg, const struct nl_msg *m)
{
	struct seen *s = arg;
	struct ndmsg head;
	struct nl_bytes attrs;

	if (nl_header(m, &head, sizeof(head), &attrs) && (uint32_t)head.ndm_ifindex == s->ifindex)
		s->wanted++;
	else
		s->others++;
	return 0;
}

static int on_route(void *arg, const struct nl_msg *m)
{
	struct seen *s = arg;
	struct rtmsg head;
	struct nl_bytes attrs;

	if (nl_header(m, &head, sizeof(head), &attrs) && head.rtm_table == RT_TABLE_MAIN)
		s->wanted++;
	else
		s->others++;
	return 0;
}

static void dump(enum object_kind kind, nlsock_msg_fn *fn, unsigned at_least)
{
	struct seen s = {.ifindex = ifindex("flannel.1")};
	uint8_t bytes[128];
	struct nl_buf b = NL_BUF(bytes);
	struct err err = {0};

	nl_rt_dump(&b, kind, s.ifindex, false, nlsock_seq(&request));
	check(nlsock_dump(&request, &b, fn, &s, &err) == 0, "%s", err.text);
	check(s.wanted >= at_least && s.others == 0, "kind %d: %u wanted, %u others", kind,
	      s.wanted, s.others);
}

void prove(void)
{
	sh("ip link add flannel.2 type vxlan id 2 dstport 8472 dev eth0 nolearning;"
	   "ip link set flannel.2 up; ip link add cni0 type bridge; ip link set eth0p master cni0;"
	   "for d in flannel.1 flannel.2; do"
	   " ip neigh add 10.1.1.0 lladdr 02:00:00:00:00:01 dev $d nud permanent;"
	   " bridge fdb add 02:00:00:00:00:01 dev $d dst 192.168.77.2 self permanent; done;"
	   "ip neigh add 192.168.77.9 lladdr 02:00:00:00:00:01 dev eth0;"
	   "ip route add 10.7.0.0/16 dev eth0 table 77");
	dump(OBJECT_NEIGH, on_neigh, 1);
	dump(OBJECT_FDB, on_neigh, 1);
	dump(OBJECT_ROUTE, on_route, 1);
}
