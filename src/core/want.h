/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WANT_H
#define CORE_WANT_H
/* The whole wanted state: the backend's objects and what every node needs whatever the backend:
 * bridge, sysctls, blackhole route, masquerade and accepts, subnet.env. */

#include "core/backend.h"

/* Fills `ret` with sorted arrays from `a`. */
void want_build(const struct want_input *in, struct arena *a, struct netstate *ret);

/* The comment of flannel's accepts (flannel.md 12.5): people and tools grep for it. */
#define WANT_COMMENT_FORWARD "flanneld forward"

/* Makes an IPv6 router of the host, and so deaf to router advertisements but for guarded links
 * (sysctl_guards()). */
#define WANT_FORWARDING6 "net/ipv6/conf/all/forwarding"

/* Marks and names that carry the instance, so that several agents share a host. */
void want_link_alias(const struct brain_conf *conf,
		     char ret_alias[LINK_ALIAS_SIZE]);				  /* "loden[:x]" */
void want_table_name(const struct brain_conf *conf, char ret_name[FW_NAME_SIZE]); /* "loden[-x]" */
/* The guard's table: "loden[-x]_peers"; an instance's name has no "_" in it. */
void want_guard_name(const struct brain_conf *conf, char ret_name[FW_NAME_SIZE]);
/* Of our accepts in foreign chains, what tells them from others: "loden[-x]: flanneld forward". */
void want_comment(const struct brain_conf *conf, char ret_comment[FW_COMMENT_SIZE]);
/* "flannel.<VNI>", "flannel-v6.<VNI>", the bridge's name; "" for other roles. */
void want_link_name(const struct brain_conf *conf, const struct netconf *net, enum dev dev,
		    char ret_name[LINK_NAME_SIZE]);

/* MTU of the overlay: (config, but never more than the uplink, which the kernel refuses; else uplink) -
 * overhead. FLANNEL_MTU is IPv4's, as flannel writes it (docs/decisions/0021). */
uint32_t want_mtu(const struct netconf *net, const struct uplink *uplink, bool v6);

/* The UDP port of the overlay. */
uint16_t want_port(const struct netconf *net);

/* For backends: room for n more objects of `kind`, zeroed; what was there is moved. */
void *want_append(struct netstate *s, enum object_kind kind, size_t n, struct arena *a);

#endif
