/* SPDX-License-Identifier: Apache-2.0 */
/* loopback: the pod's `lo`, up at ADD and down at DEL, whatever CNI_IFNAME says. */
#include <errno.h>
#include <string.h>

#include "cni/applet.h"
#include "cni/pod.h"
#include "os/netns.h"
#include "wire/cni.h"

#define LO "lo"

/* Inside the pod. NETNS_NONE if there is no such namespace. */
static int enter(struct call *c, struct pod *p, struct err *err)
{
	int r = pod_open(p, err);

	if (r == 0)
		r = netns_open(c->env.netns, &p->netns_fd, err);
	return r == 0 ? pod_enter(p, err) : r;
}

static int look_up(struct pod *p, struct nl_pod_link *ret, struct err *err)
{
	int r = pod_link(&p->inside, 0, LO, ret, err);

	return r == POD_NO_LINK ? err_set(err, -ENODEV, LO " does not exist") : r;
}

static int set_up(struct pod *p, bool up, struct err *err)
{
	struct nl_pod_link lo;
	uint8_t bytes[256];
	struct nl_buf b = NL_BUF(bytes);
	struct nl_ack ack;
	int r;

	r = look_up(p, &lo, err);
	if (r < 0 || lo.up == up)
		return r;
	nl_pod_set_up(&b, lo.ifindex, up, nlsock_seq(&p->inside));
	r = nlsock_request(&p->inside, &b, NULL, NULL, &ack);
	return r < 0 ? err_set(err, r, "cannot set " LO " %s: %s", up ? "up" : "down", strerror(-r))
		     : 0;
}

/* The first address of each family goes into the result; all must be loopback's. */
static int add_ips(struct pod *p, struct arena *a, struct cni_result *result, struct err *err)
{
	struct nl_pod_link lo;
	char text[IP_STRLEN];
	int r;

	r = look_up(p, &lo, err);
	result->ips = arena_array(a, struct cni_ip, 2);
	for (int v6 = 0; r == 0 && v6 < 2; v6++) {
		struct pod_addrs addrs;

		r = pod_addrs(&p->inside, lo.ifindex, v6, a, &addrs, err);
		for (size_t i = 0; r == 0 && i < addrs.n; i++) {
			if (!ip_is_loopback(&addrs.v[i].ip))
				r = err_set(err, -EINVAL,
					    "loopback interface found with non-loopback address "
					    "\"%s\"",
					    ip_format(&addrs.v[i].ip, text));
		}
		if (r == 0 && addrs.n > 0)
			result->ips[result->n_ips++] = (struct cni_ip){.address = addrs.v[0]};
	}
	return r;
}

int loopback_add(struct call *c, struct cni_result *ret)
{
	struct pod *p = arena_new(c->arena, struct pod);
	struct cni_result result = {.n_ifaces = 1};
	struct err err = {0};
	int r;

	r = cni_decode_prev(c->root, c->arena, &c->conf, &err);
	if (r < 0) {
		err_wrap(&err, r, "failed to parse prevResult");
		return call_fail(c, &err);
	}
	r = enter(c, p, &err);
	if (r != 0)
		err_wrap(&err, r, "failed to open netns \"%s\"", c->env.netns);
	if (r == 0)
		r = set_up(p, true, &err);
	if (r == 0)
		r = add_ips(p, c->arena, &result, &err);
	pod_close(p);
	if (r != 0)
		return call_fail(c, &err);
	result.ifaces = arena_new(c->arena, struct cni_iface);
	result.ifaces[0] = (struct cni_iface){
		.name = LO,
		.mac = "00:00:00:00:00:00",
		.sandbox = c->env.netns,
	};
	*ret = c->conf.has_prev ? c->conf.prev : result;
	return 0;
}

int loopback_del(struct call *c)
{
	struct pod *p = arena_new(c->arena, struct pod);
	struct err err = {0};
	int r;

	if (!*c->env.netns)
		return 0;
	r = enter(c, p, &err);
	if (r == 0)
		r = set_up(p, false, &err);
	pod_close(p);
	return r < 0 ? call_fail(c, &err) : 0;
}

int loopback_check(struct call *c)
{
	struct pod *p = arena_new(c->arena, struct pod);
	struct nl_pod_link lo;
	struct err err = {0};
	int r;

	r = enter(c, p, &err);
	if (r == 0)
		r = look_up(p, &lo, &err);
	pod_close(p);
	if (r != 0)
		return call_fail(c, &err);
	return lo.up ? 0 : cni_fail(c->error, CNI_CODE_PLAIN, "loopback interface is down");
}
