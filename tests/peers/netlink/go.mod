module loden/netlink-peer

go 1.23

require github.com/vishvananda/netlink v1.3.1
