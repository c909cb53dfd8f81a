/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cni_keys.h"

const char *const cni_keys_plugin_names[CNI_KEYS__COUNT] = {
	[CNI_KEYS_FLANNEL] = "flannel",
	[CNI_KEYS_BRIDGE] = "bridge",
	[CNI_KEYS_HOST_LOCAL] = "host-local",
	[CNI_KEYS_LOOPBACK] = "loopback",
};

const char *const cni_keys_plugin_help[CNI_KEYS__COUNT] = {
	[CNI_KEYS_FLANNEL] =
		"Reads subnet.env, which the agent writes, makes a configuration out of it and has "
		"that done by another plugin, which is bridge unless the delegate says otherwise.",
	[CNI_KEYS_BRIDGE] = "Joins the pod to a bridge of this node by a pair of virtual Ethernet "
			    "links.",
	[CNI_KEYS_HOST_LOCAL] = "Gives out addresses of this node's ranges; each is a file in its "
				"directory.",
	[CNI_KEYS_LOOPBACK] = "Sets the pod's lo up. It has no keys of its own.",
};
static_assert(CNI_KEYS__COUNT == 4, "name and describe the new plugin");

#define FLANNEL	   .plugin = CNI_KEYS_FLANNEL, .key
#define BRIDGE	   .plugin = CNI_KEYS_BRIDGE, .key
#define HOST_LOCAL .plugin = CNI_KEYS_HOST_LOCAL, .key

const struct cni_key cni_keys[] = {
	{FLANNEL = "subnetFile", .value = "path", .fallback = "/run/flannel/subnet.env",
	 .help = "what the agent wrote"},
	{FLANNEL = "dataDir", .value = "path", .fallback = "/var/lib/cni/flannel",
	 .help = "where the configuration handed on is kept, for CHECK and DEL"},
	{FLANNEL = "delegate", .value = "object",
	 .help = "configuration of the plugin that does the work; ipMasq, mtu and isGateway are put "
		 "in unless given"},
	{FLANNEL = "ipam", .value = "object",
	 .help = "put into the delegate, with ranges and routes from subnet.env; type host-local "
		 "unless given"},
	{FLANNEL = "runtimeConfig", .value = "object", .help = "handed on to the delegate"},

	{BRIDGE = "bridge", .value = "name", .fallback = "cni0",
	 .help = "the bridge; made if it is not there"},
	{BRIDGE = "isGateway", .value = "boolean", .fallback = "false",
	 .help = "the bridge gets the gateway's address"},
	{BRIDGE = "isDefaultGateway", .value = "boolean", .fallback = "false",
	 .help = "as isGateway, and the pod's default route goes there"},
	{BRIDGE = "forceAddress", .value = "boolean", .fallback = "false",
	 .help = "take other addresses off the bridge instead of refusing"},
	{BRIDGE = "mtu", .value = "number", .fallback = "0",
	 .help = "of the pod's link; 0 leaves it to the kernel"},
	{BRIDGE = "hairpinMode", .value = "boolean", .fallback = "false",
	 .help = "what a pod sends may come back to it, by a service of its own"},
	{BRIDGE = "promiscMode", .value = "boolean", .fallback = "false",
	 .help = "the bridge hears all; not together with hairpinMode"},
	{BRIDGE = "portIsolation", .value = "boolean", .fallback = "false",
	 .help = "pods of this bridge do not hear each other directly"},
	{BRIDGE = "localTraffic", .value = "auto, bridged or routed", .fallback = "auto",
	 .help = "how pods of this node reach each other: by the bridge, or by the gateway, so that "
		 "services work without br_netfilter; auto: routed if br_netfilter is absent or off "
		 "and isDefaultGateway is set"},
	{BRIDGE = "disableContainerInterface", .value = "boolean", .fallback = "false",
	 .help = "the pod's link stays down; not together with ipam"},
	{BRIDGE = "ipMasq", .value = "boolean", .fallback = "false",
	 .help = "masquerade what the pod sends out of its network"},
	{BRIDGE = "ipMasqBackend", .value = "iptables or nftables",
	 .help = "both are understood; the rules are nf_tables' with either"},
	{BRIDGE = "runtimeConfig.mac", .value = "MAC address",
	 .help = "of the pod's link; goes before args.cni.mac, and that before MAC in CNI_ARGS"},
	{BRIDGE = "args.cni.mac", .value = "MAC address", .help = "as runtimeConfig.mac"},
	{BRIDGE = "dns", .value = "object", .help = "handed on in the result"},
	{BRIDGE = "ipam", .value = "object",
	 .help = "who gives out addresses; without it the pod gets none"},
	{BRIDGE = "vlan, vlanTrunk, macspoofchk, enabledad", .value = "any",
	 .help = "refused by name if they ask for something: not supported yet"},

	{HOST_LOCAL = "ipam.ranges", .value = "array of arrays of ranges",
	 .help = "each inner array is a set, of which a pod gets one address; a range has subnet, "
		 "rangeStart, rangeEnd and gateway"},
	{HOST_LOCAL = "ipam.subnet", .value = "network",
	 .help = "a single range, the form of old, with ipam.rangeStart, ipam.rangeEnd and "
		 "ipam.gateway beside it"},
	{HOST_LOCAL = "ipam.rangeStart", .value = "address", .help = "the first to give out"},
	{HOST_LOCAL = "ipam.rangeEnd", .value = "address", .help = "the last to give out"},
	{HOST_LOCAL = "ipam.gateway", .value = "address",
	 .help = "never given out; the first of the subnet unless given"},
	{HOST_LOCAL = "ipam.routes", .value = "array of routes",
	 .help = "for the pod; a route has dst, and may have gw, mtu, advmss, priority, table, "
		 "scope"},
	{HOST_LOCAL = "ipam.dataDir", .value = "path", .fallback = "/var/lib/cni/networks",
	 .help = "reservations lie in a directory there, named after the network"},
	{HOST_LOCAL = "ipam.resolvConf", .value = "path",
	 .help = "a resolv.conf, for the result's dns"},
	{HOST_LOCAL = "runtimeConfig.ipRanges", .value = "as ipam.ranges",
	 .help = "sets that go before those"},
	{HOST_LOCAL = "runtimeConfig.ips", .value = "array of addresses",
	 .help = "those the pod shall have; as args.cni.ips and IP in CNI_ARGS"},
	{HOST_LOCAL = "args.cni.ips", .value = "array of addresses",
	 .help = "as runtimeConfig.ips"},
};
const size_t cni_keys_n = ARRAY_SIZE(cni_keys);
