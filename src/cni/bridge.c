/* SPDX-License-Identifier: Apache-2.0 */
/* bridge: a veth pair between the pod and a Linux bridge, with addresses from an IPAM plugin.
 *
 * ADD: reserve the address, make the link, configure; whatever fails, or SIGTERM, takes back the link
 * and then the address. DEL: link, then address; it needs neither the configuration's details nor
 * prevResult nor the namespace, only network, container and interface.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cni/applet.h"
#include "cni/delegate.h"
#include "cni/masq.h"
#include "cni/pod.h"
#include "os/file.h"
#include "os/netns.h"
#include "wire/cni_conf.h"

#define NAME_TRIES 10 /* names for the host's end; the reference's number */

static struct cni_plan_owner owner_of(const struct call *c)
{
	return (struct cni_plan_owner){
		.network = c->conf.name,
		.container_id = c->env.container_id,
		.ifname = c->env.ifname,
	};
}

/* ---- ADD ---- */

struct attaching {
	struct call *c;
	struct bridge_conf conf;
	struct pod *pod;
	struct cni_result ipam;
	struct cni_plan plan;
	char host_name[LINK_NAME_SIZE];
	char alias[CNI_PLAN_ALIAS_SIZE];
	bool reserved;
};

static int open_netns(struct call *c, int *ret_fd)
{
	struct err err = {0};
	int r = netns_open(c->env.netns, ret_fd, &err);

	if (r != 0)
		return cni_fail(c->error, CNI_CODE_PLAIN, "failed to open netns \"%s\": %s",
				c->env.netns, err.text);
	return 0;
}

/* What the bridge looks like. */
static int look_at_bridge(struct attaching *x, struct cni_plan_bridge *ret, struct err *err)
{
	struct pod_addrs addrs[2] = {{0}};
	struct nl_pod_link link;
	struct cidr *all;
	int r;

	*ret = (struct cni_plan_bridge){0};
	r = pod_link(&x->pod->host, 0, x->conf.name, &link, err);
	if (r != 0)
		return MIN(r, 0);
	x->pod->bridge = link.ifindex;
	*ret = (struct cni_plan_bridge){
		.exists = true,
		.is_bridge = link.kind == NL_POD_BRIDGE,
		.up = link.up,
		.promisc = link.promisc,
		.mac = link.mac,
	};
	if (!x->conf.is_gateway || !ret->is_bridge)
		return 0;
	for (int v6 = 0; r == 0 && v6 < 2; v6++) {
		bool used = false;

		for (size_t i = 0; i < x->ipam.n_ips; i++)
			used |= ip_is_v4(&x->ipam.ips[i].address.ip) == !v6;
		if (used)
			r = pod_addrs(&x->pod->host, link.ifindex, v6, x->c->arena, &addrs[v6],
				      err);
	}
	all = arena_array(x->c->arena, struct cidr, addrs[0].n + addrs[1].n);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < addrs[v6].n; i++)
			all[ret->n_addrs++] = addrs[v6].v[i];
	}
	ret->addrs = all;
	return r;
}

/* Does the firewall see what the bridge passes on? Without the module there is no such file. */
static bool is_filtered(const char *family)
{
	char path[64], value[4];

	snprintf(path, sizeof(path), "/proc/sys/net/bridge/bridge-nf-call-%s", family);
	return file_read(path, value, sizeof(value), NULL) >= 0 && value[0] == '1';
}

static int draw_macs(struct mac ret[CNI_PLAN_LINK__COUNT], struct err *err)
{
	uint64_t random[CNI_PLAN_LINK__COUNT];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_set(err, -errno, "getrandom: %s", strerror(errno));
	for (size_t i = 0; i < CNI_PLAN_LINK__COUNT; i++)
		ret[i] = mac_from_random(random[i]);
	return 0;
}

static int plan_and_run(struct attaching *x, unsigned attempt, struct err *err)
{
	const struct pod_names names = {
		.bridge = x->conf.name,
		.host = x->host_name,
		.ifname = x->c->env.ifname,
		.alias = x->alias,
	};
	struct cni_plan_input in = {
		.conf = &x->conf,
		.owner = owner_of(x->c),
		.host_name = x->host_name,
		.sandbox = x->c->env.netns,
		.blame = x->c->blame,
		.ipam = x->reserved ? &x->ipam : NULL,
	};
	int r;

	cni_plan_veth_name(&in.owner, attempt, x->host_name);
	cni_plan_alias(&in.owner, x->alias);
	if (x->conf.local_traffic == LOCAL_TRAFFIC_AUTO && x->conf.is_default_gateway) {
		in.bridged_filtered = is_filtered("iptables");
		in.bridged_filtered6 = is_filtered("ip6tables");
	}
	r = look_at_bridge(x, &in.bridge, err);
	if (r == 0)
		r = draw_macs(in.random, err);
	if (r == 0)
		r = cni_plan_attach(&in, x->c->arena, &x->plan, err);
	return r == 0 ? pod_run(x->pod, &x->plan, &names, err) : r;
}

/* A link of our name and mark that no pod of this call can have: what a killed ADD left whose
 * namespace somebody still holds. */
static int remove_stale(struct attaching *x, bool *ret_removed, struct err *err)
{
	struct nl_pod_link link;
	int r = pod_link(&x->pod->host, 0, x->host_name, &link, err);

	*ret_removed = false;
	if (r != 0 || link.kind != NL_POD_VETH || strcmp(link.alias, x->alias) != 0)
		return MIN(r, 0);
	*ret_removed = true;
	return pod_delete(&x->pod->host, link.ifindex, err);
}

static int attach(struct attaching *x, struct err *err)
{
	int r = POD_NAME_TAKEN;

	for (unsigned attempt = 0; r == POD_NAME_TAKEN && attempt < NAME_TRIES; attempt++) {
		bool removed;

		r = plan_and_run(x, attempt, err);
		if (r != POD_NAME_TAKEN)
			break;
		r = remove_stale(x, &removed, err);
		if (r < 0)
			break;
		r = removed ? plan_and_run(x, attempt, err) : POD_NAME_TAKEN;
	}
	if (r == POD_NAME_TAKEN)
		r = err_set(err, -EEXIST, "failed to find a unique veth name");
	return r;
}

/* Names and MACs of the links, as they are now. */
static int fill_ifaces(struct attaching *x, struct err *err)
{
	struct cni_iface *ifaces = x->plan.result.ifaces;
	struct nl_pod_link host = x->pod->made, bridge;
	char mac[MAC_STRLEN];
	int r = 0;

	if (!x->conf.disable_iface)
		r = pod_wait_up(x->pod, &host, err);
	if (r == 0)
		r = pod_link(&x->pod->host, x->pod->bridge, NULL, &bridge, err);
	if (r != 0)
		return r < 0 ? r : err_set(err, -ENODEV, "bridge %s went away", x->conf.name);
	ifaces[CNI_PLAN_BRIDGE].name = x->conf.name;
	ifaces[CNI_PLAN_BRIDGE].mac = arena_strdup(x->c->arena, mac_format(&bridge.mac, mac));
	ifaces[CNI_PLAN_HOST].name = x->host_name;
	ifaces[CNI_PLAN_HOST].mac = arena_strdup(x->c->arena, mac_format(&host.mac, mac));
	ifaces[CNI_PLAN_POD].name = x->c->env.ifname;
	for (size_t i = 0; i < x->plan.n; i++) {
		const struct mac *m = &x->plan.ops[i].peer_mac;

		if (x->plan.ops[i].type != CNI_OP_VETH)
			continue;
		mac_format(m, mac);
		if (x->reserved)
			pod_announce(x->pod, m);
	}
	ifaces[CNI_PLAN_POD].mac = arena_strdup(x->c->arena, mac);
	return 0;
}

static int masquerade(struct attaching *x, struct err *err)
{
	const struct cni_plan_owner owner = owner_of(x->c);
	int r = pod_leave(x->pod, err);

	return r == 0 ? masq_add(&owner, &x->plan.result, x->c->arena, err) : r;
}

/* In reverse order, and without touching the error that is to be told. */
static void take_back(struct attaching *x)
{
	const struct cni_plan_owner owner = owner_of(x->c);
	struct cni_error ignored;
	struct call c = *x->c;

	if (x->pod->created && x->pod->inside.fd >= 0)
		pod_delete(&x->pod->inside, x->pod->eth, NULL);
	else if (x->pod->created)
		pod_delete(&x->pod->host, x->pod->veth, NULL);
	pod_leave(x->pod, NULL);
	if (x->conf.ip_masq)
		masq_del(&owner, NULL);
	if (!x->reserved)
		return;
	c.error = &ignored;
	delegate_run(&c, CNI_DEL, c.conf.ipam_type);
}

static int add(struct attaching *x)
{
	struct call *c = x->c;
	struct err err = {0};
	int r;

	r = open_netns(c, &x->pod->netns_fd);
	if (r < 0)
		return r;
	if (*c->conf.ipam_type) {
		r = delegate_add(c, c->conf.ipam_type, &x->ipam);
		if (r < 0)
			return r;
		x->reserved = true;
	}
	r = attach(x, &err);
	if (r == 0)
		r = fill_ifaces(x, &err);
	if (r == 0 && x->conf.ip_masq)
		r = masquerade(x, &err);
	if (r == 0 && call_stopped())
		r = err_set(&err, -EINTR, "stopped by a signal");
	return r < 0 ? call_fail(c, &err) : 0;
}

int bridge_add(struct call *c, struct cni_result *ret)
{
	/* Not on the stack: the result points into it. */
	struct attaching *x = arena_new(c->arena, struct attaching);
	struct err err = {0};
	int r;

	x->c = c;
	x->pod = arena_new(c->arena, struct pod);
	if (cni_conf_bridge(c->root, c->env.args, c->arena, &x->conf, &err) < 0)
		return call_fail(c, &err);
	if (*c->conf.ipam_type && x->conf.disable_iface)
		return cni_fail(c->error, CNI_CODE_PLAIN,
				"cannot use IPAM when DisableContainerInterface flag is set");
	if (pod_open(x->pod, &err) < 0)
		return call_fail(c, &err);
	r = add(x);
	if (r < 0)
		take_back(x);
	else
		*ret = x->plan.result;
	pod_close(x->pod);
	return r;
}

/* ---- DEL ---- */

/* The host's end by its name and mark, if the pod's cannot be found: its namespace may be out of our
 * reach and alive nevertheless. A foreign link that has the name stays. */
static int delete_on_host(struct call *c, struct pod *p, struct err *err)
{
	const struct cni_plan_owner owner = owner_of(c);
	char name[LINK_NAME_SIZE], alias[CNI_PLAN_ALIAS_SIZE];
	struct nl_pod_link link;
	int r;

	cni_plan_alias(&owner, alias);
	for (unsigned attempt = 0; attempt < NAME_TRIES; attempt++) {
		cni_plan_veth_name(&owner, attempt, name);
		r = pod_link(&p->host, 0, name, &link, err);
		if (r != 0)
			return MIN(r, 0);
		/* Without an alias: killed between making the link and marking it. */
		if (link.kind == NL_POD_VETH && (!link.alias[0] || strcmp(link.alias, alias) == 0))
			return pod_delete(&p->host, link.ifindex, err);
	}
	return 0;
}

/* POD_NO_LINK if there is none of that name. */
static int delete_in_pod(struct call *c, struct pod *p, struct err *err)
{
	struct nl_pod_link link;
	int r, back;

	r = pod_enter(p, err);
	if (r == 0)
		r = pod_link(&p->inside, 0, c->env.ifname, &link, err);
	if (r == 0)
		r = pod_delete(&p->inside, link.ifindex, err);
	back = pod_leave(p, r < 0 ? NULL : err);
	return r < 0 || back == 0 ? r : back;
}

static int delete_link(struct call *c, struct pod *p, struct err *err)
{
	int r = POD_NO_LINK;

	if (*c->env.netns) {
		r = netns_open(c->env.netns, &p->netns_fd, err);
		if (r < 0)
			return err_wrap(err, r, "failed to open netns \"%s\"", c->env.netns);
		r = r == NETNS_NONE ? POD_NO_LINK : delete_in_pod(c, p, err);
	}
	if (r == POD_NO_LINK)
		r = delete_on_host(c, p, err);
	return r < 0 ? err_wrap(err, r, "failed to delete \"%s\"", c->env.ifname) : 0;
}

int bridge_del(struct call *c)
{
	const struct cni_plan_owner owner = owner_of(c);
	struct pod *p = arena_new(c->arena, struct pod);
	struct err err = {0};
	int r;

	if (cni_conf_bridge_masq(c->root) && masq_del(&owner, &err) < 0)
		return call_fail(c, &err);
	r = pod_open(p, &err);
	if (r == 0)
		r = delete_link(c, p, &err);
	pod_close(p);
	if (r < 0)
		return call_fail(c, &err);
	return *c->conf.ipam_type ? delegate_run(c, CNI_DEL, c->conf.ipam_type) : 0;
}

/* ---- STATUS ---- */

int bridge_status(struct call *c)
{
	return *c->conf.ipam_type ? delegate_run(c, CNI_STATUS, c->conf.ipam_type) : 0;
}
