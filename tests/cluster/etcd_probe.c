/* SPDX-License-Identifier: Apache-2.0 */
/* A node without a kernel: source_etcd with whoever listens to it replaced by printf.
 *
 *	etcd_probe ENDPOINTS PREFIX PUBLIC_IP TTL_S [PREVIOUS_SUBNET]
 *
 * Prints each event as a line. Publishes its lease once there is a list, as the agent does. USR1: asks
 * for the list again; USR2: publishes another MAC; HUP: gives the lease back and ends; TERM: ends.
 */

#include "agent/source.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "wire/etcd_lease.h"

struct probe {
	struct loop *loop;
	struct source *source;
	struct lease wanted;
	bool published;
	struct lease held; /* last */
	bool give_back;
};

static void say_leases(const struct event *ev)
{
	char text[LEASE_STRLEN];

	printf("leases n=%zu malformed=%zu\n", ev->leases.n, ev->leases.n_malformed);
	for (size_t i = 0; i < ev->leases.n && ev->leases.n <= 20; i++)
		printf("  %s\n", lease_format(&ev->leases.leases[i], text));
}

static void say_own(const struct event *ev)
{
	static const char *const states[] = {"held", "taken", "lost"};
	char text[LEASE_STRLEN] = "";

	if (ev->own.lease)
		lease_format(ev->own.lease, text);
	printf("own %s %s expires=%lld %s\n", states[ev->own.state], text,
	       (long long)ev->own.expires_s, ev->own.problem ? ev->own.problem : "");
}

static void on_event(void *arg, const struct event *ev)
{
	struct probe *p = arg;
	char text[LEASE_STRLEN];

	switch (ev->type) {
	case EVENT_CONFIG:
		if (ev->config.conf)
			printf("config network %s vni %u\n",
			       cidr_format(&ev->config.conf->network, text),
			       ev->config.conf->vxlan.vni);
		else
			printf("config problem: %s\n", ev->config.problem);
		break;
	case EVENT_LEASES:
		say_leases(ev);
		if (!p->published && ip_is_set(&p->wanted.public_ip))
			source_etcd.publish(p->source, &p->wanted);
		p->published = true;
		break;
	case EVENT_LEASE_PUT:
		printf("put %s\n", lease_format(ev->put.lease, text));
		break;
	case EVENT_LEASE_GONE:
		printf("gone %s\n", cidr_format(&ev->gone.lease->subnet, text));
		break;
	case EVENT_OWN:
		say_own(ev);
		if (ev->own.lease)
			p->held = *ev->own.lease;
		break;
	case EVENT_STORE:
		break;
	case EVENT_SOURCE:
		printf("source %s %s: %s\n", ev->source.up ? "up" : "down", ev->source.name,
		       ev->source.problem ? ev->source.problem : "fine");
		break;
	default:
		abort();
	}
}

static void on_signal(void *arg, int fd)
{
	struct signalfd_siginfo info;
	struct probe *p = arg;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		abort();
	switch (info.ssi_signo) {
	case SIGUSR1:
		source_etcd.relist(p->source);
		break;
	case SIGUSR2:
		p->wanted.vtep_mac.b[5]++;
		source_etcd.publish(p->source, &p->wanted);
		break;
	default: /* HUP, TERM */
		p->give_back = info.ssi_signo == SIGHUP;
		loop_stop(p->loop);
		break;
	}
}

static void give_back(const struct probe *p, const struct source_conf *conf)
{
	char key[ETCD_LEASE_KEY_SIZE];
	struct text t = TEXT(key);
	const struct source_withdrawal w = {
		.opts = conf->opts,
		.key = key,
		.public_ip = p->held.public_ip,
		.seed = conf->seed,
	};
	struct err err = {0};

	etcd_lease_key_format(&p->held, &t);
	printf("withdraw %d %s\n", source_etcd.withdraw(&w, &err), err.text);
}

static void say_log(enum log_level level, const char *event, const char *line)
{
	fprintf(stderr, "%d %s %s\n", level, event, line);
}

int main(int argc, char **argv)
{
	struct probe p = {.wanted = {.type = BACKEND_VXLAN}};
	struct source_conf conf = {.fn = on_event, .arg = &p, .renew_margin_min = 60};
	struct loop_watch *watch;
	sigset_t signals;
	int fd;
	struct opts opts;
	struct err err;

	if (argc < 5)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_init(say_log, LOG_LEVEL_DEBUG);
	p.loop = loop_new();
	conf.loop = p.loop;
	opts_parse(1, argv, &opts, NULL);
	opts.etcd_endpoints = argv[1];
	opts.etcd_prefix = argv[2];
	conf.opts = &opts;
	conf.seed = (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
	conf.lease_ttl_s = (uint32_t)atoi(argv[4]);
	if (argc > 5 && !cidr_parse(argv[5], &conf.previous))
		return 2;
	if (ip_parse(argv[3], &p.wanted.public_ip))
		p.wanted.vtep_mac =
			(struct mac){{2, 0, 0, 0, 0, (uint8_t)p.wanted.public_ip.b[15]}};
	if (source_etcd.open(&conf, &p.source, &err) < 0) {
		printf("cannot open: %s\n", err.text);
		return 1;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	watch = loop_readable(p.loop, fd, on_signal, &p);
	loop_run(p.loop);
	source_etcd.close(p.source);
	if (p.give_back)
		give_back(&p, &conf);
	loop_watch_free(watch);
	close(fd);
	loop_free(p.loop);
	return 0;
}
