/* SPDX-License-Identifier: Apache-2.0 */
#include "assume.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>

static uint8_t rx[NLSOCK_RX_BYTES];
struct nlsock request;

void check(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	va_start(ap, fmt);
	printf("not so: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	exit(1);
}

void skip(const char *why)
{
	printf("skip: %s\n", why);
	exit(77);
}

int sh(const char *command)
{
	fflush(stdout);
	return system(command);
}

unsigned lines(const char *command)
{
	FILE *f = popen(command, "r");
	unsigned n = 0;
	int c;

	check(f, "popen %s", command);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	pclose(f);
	return n;
}

uint32_t ifindex(const char *name)
{
	return if_nametoindex(name);
}

void watch(struct watcher *w, const unsigned *groups, size_t n_groups)
{
	struct err err = {0};

	memset(w, 0, sizeof(*w));
	check(nlsock_open(&w->s, NETLINK_ROUTE, rx, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < n_groups; i++)
		check(nlsock_join(&w->s, groups[i], &err) == 0, "%s", err.text);
}

static int on_message(void *arg, const struct nl_msg *m)
{
	struct watcher *w = arg;
	struct heard *h = &w->heard[w->n];
	struct rtmsg r = {0};

	check(w->n < HEARD_MAX, "too much was announced");
	memcpy(&r, m->body.p, MIN(m->body.n, sizeof(r)));
	*h = (struct heard){m->type, m->flags, m->port, r.rtm_family, r.rtm_table};
	w->n++;
	return 0;
}

void hear(struct watcher *w)
{
	w->n = 0;
	check(nlsock_drain(&w->s, on_message, w) == 0, "notifications were lost");
}

unsigned heard(const struct watcher *w, uint16_t type, uint8_t family)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->heard[i].type == type && (!family || w->heard[i].family == family);
	return n;
}

int main(void)
{
	struct err err = {0};

	if (geteuid() != 0)
		skip("needs root (network namespaces)");
	if (unshare(CLONE_NEWNET) < 0)
		skip("no network namespaces here");
	printf("%s\n", sentence);
	if (sh("ip link set lo up && ip link add eth0 type veth peer name eth0p && "
	       "ip link set eth0 up && ip link set eth0p up && "
	       "ip addr add 192.168.77.1/24 dev eth0"))
		skip("no veth here");
	if (sh("ip link add flannel.1 mtu 1450 type vxlan id 1 dstport 8472 dev eth0 "
	       "local 192.168.77.1 nolearning && ip link set flannel.1 up && "
	       "ip addr add 10.1.0.0/32 dev flannel.1"))
		skip("no vxlan here");
	check(nlsock_open(&request, NETLINK_ROUTE, rx, &err) == 0, "%s", err.text);
	prove();
	return 0;
}
