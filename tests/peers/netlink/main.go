// SPDX-License-Identifier: Apache-2.0

// netlink-peer programs N peers into the kernel with the calls that flannel's vxlan backend makes, in its
// order and through its netlink library, and prints the microseconds per peer. It runs in the network
// namespace it is given, on a link named flannel.1 that is there already.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "netlink-peer:", err)
		os.Exit(1)
	}
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	check(err)
	link, err := netlink.LinkByName("flannel.1")
	check(err)
	index := link.Attrs().Index
	start := time.Now()
	for i := 1; i <= n; i++ {
		gw := net.IPv4(10, byte(64+i>>8), byte(i), 0)
		mac := net.HardwareAddr{2, 0, 0, 0, byte(i >> 8), byte(i)}
		pub := net.IPv4(192, 168, byte(i>>8), byte(i))
		check(netlink.NeighSet(&netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT,
			Type: syscall.RTN_UNICAST, IP: gw, HardwareAddr: mac}))
		check(netlink.NeighSet(&netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT,
			Family: syscall.AF_BRIDGE, Flags: netlink.NTF_SELF, IP: pub, HardwareAddr: mac}))
		check(netlink.RouteReplace(&netlink.Route{LinkIndex: index, Scope: netlink.SCOPE_UNIVERSE,
			Dst: &net.IPNet{IP: gw, Mask: net.CIDRMask(24, 32)}, Gw: gw, Flags: syscall.RTNH_F_ONLINK}))
	}
	fmt.Printf("%.2f\n", float64(time.Since(start).Microseconds())/float64(n))
}
