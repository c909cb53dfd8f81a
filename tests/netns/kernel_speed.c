/* SPDX-License-Identifier: Apache-2.0 */
/* How long the kernel side takes: all peers into an empty kernel, and a full dump. Prints only; what
 * must hold is judged by tests/bench. Usage: kernel_speed [RUNS], of which the best counts. */

#include <time.h>

#include "kernel_test.h"

#define PEER (NEIGH | FDB | ROUTE)

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void count(void *arg, const struct object *o)
{
	(void)o;
	++*(size_t *)arg;
}

static double dump_us(struct node *n, size_t *ret_objects)
{
	const struct os_dump what = {PEER, count, ret_objects};
	double t = now_us();

	*ret_objects = 0;
	assert_int_equal(os_ops_kernel.dump(n->os, &what, &n->taken, NULL), 0);
	return now_us() - t;
}

/* In slices, as the agent does. */
static double apply_us(struct node *n, const struct plan *p, size_t slice)
{
	double t = now_us();

	for (size_t i = 0; i < p->n; i += slice)
		apply_ok(n, &(struct plan){p->ops + i, MIN(slice, p->n - i)});
	return now_us() - t;
}

static void least(double *best, double us)
{
	*best = MIN(*best, us);
}

static void measure(struct node *n, int runs, uint32_t peers, size_t slice)
{
	double add_us = 1e12, del_us = 1e12, read_us = 1e12;
	size_t objects;

	memset(&n->want, 0, sizeof(n->want));
	for (uint32_t i = 0; i < peers; i++)
		add_peer(n, i);
	for (int run = 0; run < runs; run++) {
		struct plan make = plan_of(n, &n->want, OP_ADD);
		struct plan unmake = plan_of(n, &n->want, OP_DEL);

		least(&add_us, apply_us(n, &make, slice));
		for (int i = 0; i < runs; i++)
			least(&read_us, dump_us(n, &objects));
		assert_int_equal(objects, make.n);
		least(&del_us, apply_us(n, &unmake, slice));
	}
	printf("%5u peers slices of %5zu: program %6.2f us/peer, remove %5.2f us/peer, dump %6.2f ms "
	       "(%zu objects)\n",
	       peers, slice, add_us / peers, del_us / peers, read_us / 1e3, objects);
}

int main(int argc, char *argv[])
{
	static const uint32_t peers[] = {100, 1000, 5000};
	struct link link = vxlan_link();
	int runs = argc > 1 ? atoi(argv[1]) : 5;
	struct node n;

	node_open(&n);
	apply_one(&n, OP_ADD, OBJECT_LINK, &link, NULL);
	assert_int_equal(n.n_failures, 0);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		measure(&n, runs, peers[i], 256);
		measure(&n, runs, peers[i], 100000);
	}
	node_close(&n);
	return 0;
}
