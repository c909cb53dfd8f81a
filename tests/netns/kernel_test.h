/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NETNS_KERNEL_TEST_H
#define TESTS_NETNS_KERNEL_TEST_H
/* What kernel_ops.c and kernel_speed.c share: a node in a network namespace of its own, wants built
 * by hand, and the circle want → plan → apply → dump. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/kernel.h"

#define NEXTHOP_BASE 0x66000000u

#define LINK  OBJECT_BIT(OBJECT_LINK)
#define ROUTE OBJECT_BIT(OBJECT_ROUTE)
#define NEIGH OBJECT_BIT(OBJECT_NEIGH)
#define FDB   OBJECT_BIT(OBJECT_FDB)
#define ADDR  OBJECT_BIT(OBJECT_ADDR)
#define NH    OBJECT_BIT(OBJECT_NEXTHOP)
#define RT    (LINK | ROUTE | NEIGH | FDB | ADDR | NH)

/* A node: its kernel, names and two states. */
struct node {
	struct os *os;
	struct os_names names;
	struct arena arena;
	struct netstate want, have;
	size_t room[OBJECT__COUNT]; /* of have */
	const struct op_failure *failures;
	size_t n_failures;
	struct os_taken taken;
};

void sh(const char *command);
/* What a command prints; cut at size. */
void sh_out(const char *command, char *buf, size_t size);
struct ip ip(const char *text);
struct cidr cidr(const char *text);
/* A fresh namespace with an uplink eth0 192.168.77.1/24. */
void node_open(struct node *n);
void node_close(struct node *n);
/* Dumps into n->have, unsorted. */
void dump(struct node *n, unsigned kinds);
void apply(struct node *n, const struct plan *p);
/* Applies and shows what failed. */
void apply_ok(struct node *n, const struct plan *p);
void apply_one(struct node *n, enum op_verb verb, enum object_kind kind, const void *value,
	       const void *old);
/* One op per object of a state, forwards to make it, backwards to remove it. */
struct plan plan_of(struct node *n, const struct netstate *s, enum op_verb verb);
void add(struct node *n, enum object_kind kind, const void *value);
/* The links that the agent would want. */
struct link vxlan_link(void);
struct link bridge_link(void);
/* The objects of one peer: subnet 10.<1 + i / 256>.<i % 256>.0/24. */
void add_peer(struct node *n, uint32_t i);
void sort(struct netstate *s);
/* Wants the links; and with addresses, four peers; and made so, in a new node. */
void make_links(struct node *n);
void make_want(struct node *n);
void start(struct node *n);
/* Every object of want stands in have, and of these kinds nothing else does. */
void assert_have_is_want(struct node *n, unsigned kinds);

#endif
