#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CNI plugins read variables and configuration, and complain, as the protocol and the reference do.
# The suite is in the files 5N-cni-*.sh; cni.sh says how.
# timeout: 60
. "$(dirname "$0")/cni.sh"

pod a
CONF=$(conf 1.0.0 '"type":"bridge","ipam":{"type":"host-local","subnet":"10.1.2.0/24"}')

# P01: variables that are missing
while read -r verb vars wanted; do
	# shellcheck disable=SC2046 # several words
	call "$verb" bridge "$CONF" $(echo "$vars" | tr , ' ' | sed 's/\([A-Z_]*\)/\1=/g')
	is "P01 $verb without $vars" "1 4 required env variables [$wanted] missing" "$(error)"
done <<END
ADD CNI_CONTAINERID CNI_CONTAINERID
ADD CNI_NETNS CNI_NETNS
ADD CNI_IFNAME CNI_IFNAME
ADD CNI_PATH CNI_PATH
ADD CNI_PATH,CNI_IFNAME,CNI_NETNS,CNI_CONTAINERID CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH
CHECK CNI_NETNS CNI_NETNS
CHECK CNI_IFNAME,CNI_CONTAINERID CNI_CONTAINERID,CNI_IFNAME
DEL CNI_CONTAINERID,CNI_IFNAME CNI_CONTAINERID,CNI_IFNAME
DEL CNI_PATH,CNI_NETNS CNI_PATH
GC CNI_PATH,CNI_NETNS,CNI_IFNAME,CNI_CONTAINERID CNI_PATH
STATUS CNI_PATH,CNI_NETNS,CNI_IFNAME,CNI_CONTAINERID CNI_PATH
END
verdict
