/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cni/applet.h"
#include "core/ipam.h"
#include "os/file.h"
#include "os/reserve.h"
#include "wire/cni_conf.h"

#define RESOLV_SIZE 65536

static int load(struct call *c, struct ipam_conf *ret)
{
	struct err err = {0};

	if (cni_conf_ipam(c->root, c->env.args, c->arena, ret, &err) < 0 ||
	    ipam_check(ret, c->conf.version, &err) < 0)
		return call_fail(c, &err);
	return 0;
}

static struct reserve_owner owner_of(const struct call *c)
{
	return (struct reserve_owner){.container_id = c->env.container_id, .ifname = c->env.ifname};
}

/* ---- ADD ---- */

static int read_dns(struct call *c, const char *path, struct cni_dns *ret)
{
	struct err err = {0};
	char *text;
	int r;

	if (!*path)
		return 0;
	text = arena_calloc(c->arena, 1, RESOLV_SIZE);
	r = file_read(path, text, RESOLV_SIZE, &err);
	if (r < 0)
		return call_fail(c, &err);
	cni_conf_resolv(text, strlen(text), c->arena, ret);
	return 0;
}

struct adding {
	struct call *c;
	const struct ipam_conf *conf;
	struct reserve store;
	struct reserve_view view;
	struct cni_result result;
};

/* The owner must not have an address of this set already: one attachment, one address. */
static int refuse_second(const struct adding *x, const struct ipam_set *set, struct err *err)
{
	const struct reserve_view *v = &x->view;

	for (size_t i = 0; i < v->n_own + v->n_own_old; i++) {
		const char *name = i < v->n_own ? v->own[i] : v->own_old[i - v->n_own];
		struct ip ip;

		if (ip_parse(name, &ip) && ipam_set_contains(set, &ip))
			return err_set(err, -EEXIST,
				       "%s has been allocated to %s, duplicate allocation is not "
				       "allowed",
				       name, x->c->env.container_id);
	}
	return 0;
}

/* However often it was asked for. No set contains it any more. */
static void strike_off(const struct ipam_conf *conf, struct ip given)
{
	for (size_t i = 0; i < conf->n_requested; i++) {
		if (ip_eq(&conf->requested[i], &given))
			conf->requested[i] = (struct ip){{0}};
	}
}

static int add_from_set(struct adding *x, size_t i, struct err *err)
{
	const struct reserve_owner owner = owner_of(x->c);
	const struct ipam_set *set = &x->conf->sets[i];
	const struct ip *wanted = ipam_requested(x->conf, set);
	struct ipam_facts facts = {
		.last = reserve_last(&x->store, i),
		.taken = x->view.taken,
		.n_taken = x->view.n_taken,
		.wanted = wanted,
	};
	struct cni_ip got;
	char text[IP_STRLEN];
	int r;

	if (!wanted && (r = refuse_second(x, set, err)) < 0)
		return r;
	r = ipam_choose(set, &facts, x->c->arena, &got, err);
	if (r != 0)
		return -EINVAL;
	r = reserve_take(&x->store, &got.address.ip, &owner, err);
	if (r == RESERVE_TAKEN)
		return err_set(err, -EEXIST, "%s was taken by somebody without the lock",
			       ip_format(&got.address.ip, text));
	if (r < 0)
		return r;
	/* From here on ours: released by whoever sees us fail. */
	x->result.ips[x->result.n_ips++] = got;
	if (wanted)
		strike_off(x->conf, got.address.ip);
	return reserve_set_last(&x->store, i, &got.address.ip, err);
}

static int refuse_left_over(const struct ipam_conf *conf, struct err *err)
{
	char buf[200] = "", ip[IP_STRLEN];
	struct text left = TEXT(buf);

	for (size_t i = 0; i < conf->n_requested; i++) {
		if (ip_is_set(&conf->requested[i]))
			text_add(&left, " %s", ip_format(&conf->requested[i], ip));
	}
	if (left.len == 0)
		return 0;
	return err_set(err, -EINVAL, "failed to allocate all requested IPs:%s", buf);
}

static void release_all(const struct adding *x)
{
	char name[IP_STRLEN];

	for (size_t i = 0; i < x->result.n_ips; i++)
		reserve_release(&x->store, ip_format(&x->result.ips[i].address.ip, name), NULL);
}

static int add_all(struct adding *x, struct err *err)
{
	const struct reserve_owner owner = owner_of(x->c);
	int r;

	r = reserve_open(x->conf->data_dir, x->c->conf.name, true, &x->store, err);
	if (r < 0)
		return r;
	r = reserve_read(&x->store, &owner, x->c->arena, &x->view, err);
	for (size_t i = 0; r == 0 && i < x->conf->n_sets; i++) {
		r = add_from_set(x, i, err);
		if (r < 0)
			err_wrap(err, r, "failed to allocate for range %zu", i);
	}
	if (r == 0)
		r = refuse_left_over(x->conf, err);
	if (r < 0)
		release_all(x);
	return r;
}

int host_local_add(struct call *c, struct cni_result *ret)
{
	struct adding x = {.c = c, .store = RESERVE_CLOSED};
	struct ipam_conf conf;
	struct err err = {0};
	int r;

	r = load(c, &conf);
	if (r == 0)
		r = read_dns(c, conf.resolv_conf, &x.result.dns);
	if (r < 0)
		return r;
	x.conf = &conf;
	x.result.ips = arena_array(c->arena, struct cni_ip, conf.n_sets);
	x.result.routes = conf.routes;
	x.result.n_routes = conf.n_routes;
	r = add_all(&x, &err);
	reserve_close(&x.store);
	if (r < 0)
		return call_fail(c, &err);
	*ret = x.result;
	return 0;
}

/* ---- the rest: needs neither ranges nor addresses ---- */

/* The owner's files. *ret_store is closed if there is no directory. */
static int look_up(struct call *c, struct reserve *ret_store, struct reserve_view *ret,
		   struct err *err)
{
	const struct reserve_owner owner = owner_of(c);
	const char *dir;
	int r;

	r = cni_conf_ipam_dir(c->root, &dir, err);
	if (r == 0)
		r = reserve_open(dir, c->conf.name, false, ret_store, err);
	if (r == 0)
		r = reserve_read(ret_store, &owner, c->arena, ret, err);
	return MIN(r, 0);
}

int host_local_del(struct call *c)
{
	_cleanup_(reserve_close) struct reserve store = RESERVE_CLOSED;
	struct reserve_view view = {0};
	struct err err = {0};
	const char **names;
	size_t n;
	int r, worst;

	r = worst = look_up(c, &store, &view, &err);
	/* Files of old are anybody's of that container: only if there is none of this interface. */
	names = view.n_own ? view.own : view.own_old;
	n = view.n_own ? view.n_own : view.n_own_old;
	for (size_t i = 0; r == 0 && i < n; i++)
		worst = MIN(worst, reserve_release(&store, names[i], &err));
	return worst < 0 ? call_fail(c, &err) : 0;
}

int host_local_holds(struct call *c, bool *ret)
{
	_cleanup_(reserve_close) struct reserve store = RESERVE_CLOSED;
	struct reserve_view view = {0};
	struct err err = {0};

	if (look_up(c, &store, &view, &err) < 0)
		return call_fail(c, &err);
	*ret = view.n_own + view.n_own_old > 0;
	return 0;
}

int host_local_check(struct call *c)
{
	bool holds;
	int r;

	r = host_local_holds(c, &holds);
	if (r == 0 && !holds)
		r = cni_fail(c->error, CNI_CODE_PLAIN,
			     "host-local: Failed to find address added by container %s",
			     c->env.container_id);
	return r;
}
