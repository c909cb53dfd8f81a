#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# All that 75-kube-source.sh shows, behind the other etcd: 3.6 reports progress, and Debian's 3.4 does not. Of the tests beside
# it some have this one and some that one.
KUBE_ETCD=3.6
export KUBE_ETCD
exec "$(dirname "$0")/75-kube-source.sh"
