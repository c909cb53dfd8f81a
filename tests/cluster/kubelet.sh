# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Shell helpers of the tests with real kubelets. Read instead of kube.sh, which it reads in turn.
#
#	. "$(dirname "$0")/kubelet.sh"
#	cluster_up
#	machine_add a 1
#	kubectl apply -f -
#
# A machine is a node (tests/netns/lib.sh) with containerd, kubelet and kube-proxy, all at the paths that they have on
# a machine of their own: /etc, /opt, /var/lib and /var/log are $T/disk-NAME, which stays when the machine is killed. All its
# processes are in one cgroup, by which they are killed. There is no registry: images are $T/images/*.tar.
CLUSTER_PROGRAMS='kube-controller-manager kube-scheduler kubelet kube-proxy kubectl'
KUBE_PROGRAMS="$CLUSTER_PROGRAMS ${KUBE_PROGRAMS:-}"

# cgroups NAME: its folder in each hierarchy
cgroups() {
	if [ -e /sys/fs/cgroup/cgroup.procs ]; then
		echo "/sys/fs/cgroup/$1"
		return
	fi
	for hierarchy_ in /sys/fs/cgroup/*; do
		[ ! -e "$hierarchy_/cgroup.procs" ] || echo "$hierarchy_/$1"
	done
}

# cgroup_add NAME/NAME: each level below the first hands on what it has.
cgroup_add() {
	for dir_ in $(cgroups "$1"); do
		mkdir -p "$dir_"
		parent_=${dir_%/*}
		for file_ in cpuset.cpus cpuset.mems; do # version 1
			[ ! -e "$parent_/$file_" ] || cat "$parent_/$file_" >"$dir_/$file_"
		done
		[ ! -e "$parent_/cgroup.subtree_control" ] || for controller_ in cpuset cpu io memory hugetlb pids; do
			echo "+$controller_" 2>/dev/null >"$parent_/cgroup.subtree_control" || :
		done
	done
}

# cgroup_kill NAME: every process in it
cgroup_kill() {
	while processes_=$(for dir_ in $(cgroups "$1"); do
		[ ! -d "$dir_" ] || find "$dir_" -name cgroup.procs -exec cat {} + 2>/dev/null
	done | sort -u) && [ -n "$processes_" ]; do
		# shellcheck disable=SC2086 # a list
		kill -KILL $processes_ 2>/dev/null || :
		sleep 0.05
	done
}

cgroup_del() {
	for dir_ in $(cgroups "$1"); do
		[ ! -d "$dir_" ] || find "$dir_" -depth -type d -exec rmdir {} + 2>/dev/null || :
	done
}

if [ -z "${LODEN_SANDBOX:-}" ] && [ "$(id -u)" = 0 ]; then
	for program_ in containerd runc busybox umoci; do
		command -v $program_ >/dev/null || {
			echo "skip: no $program_: install containerd, runc, busybox-static, umoci"
			exit 77
		}
	done
	[ -e /usr/lib/cni/portmap ] || {
		echo 'skip: no /usr/lib/cni/portmap: install containernetworking-plugins'
		exit 77
	}
	# Those of tests that were killed before they could clear away.
	for dir_ in $(cgroups 'loden-test-*'); do
		[ ! -d "$dir_" ] || [ -e "/proc/${dir_##*-}" ] || cgroup_del "${dir_##*/}"
	done
	# The process id of the sandbox, seen from outside.
	export KUBELET_CGROUP=loden-test-$$
fi
. "$(dirname "$0")/kube.sh"

trap 'cluster_ended_ $?' EXIT

# The kernel clears away everything but cgroups.
cluster_ended_() {
	for log_ in "$T"/disk-*/log/pods/*/*/*.log; do
		[ ! -s "$log_" ] || cat "$log_" >>"$T/pod-$(echo "${log_#"$T"/disk-}" | sed 's,/log/pods/[^_]*_,-,; s,_.*/\(.*\)/.*,-\1,').log"
	done
	status_=0
	(ended_ "$1") || status_=$?
	cgroup_kill "$KUBELET_CGROUP"
	cgroup_del "$KUBELET_CGROUP"
	exit "$status_"
}

# --- the cluster ----------------------------------------------------------------------------------

# kubectl: as administrator
kubectl() {
	HOME=$T KUBECONFIG=$KUBE_CONF/admin.conf "$LODEN_PEERS/kubectl" "$@"
}

# cluster_up: a control plane that gives nodes their subnets and pods their nodes; no machine yet
cluster_up() {
	[ -d /sys/fs/cgroup ] || mount -t sysfs sysfs /sys
	[ -n "$(cgroups x)" ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup ||
		skip 'no cgroups: neither at /sys/fs/cgroup, nor can they be mounted there'
	[ -e /dev/kmsg ] || skip 'kubelet refuses to run without /dev/kmsg'
	kube_up
	kube_controllers_start --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16
	kube_user scheduler /CN=system:kube-scheduler
	on_bg api kube-scheduler "$LODEN_PEERS/kube-scheduler" --kubeconfig="$KUBE_CONF/scheduler.conf" \
		--secure-port=0 --leader-elect=false
	kube_user proxy /CN=system:kube-proxy
	mkdir "$T/images"
	cat >"$T/containerd.toml" <<-'END'
		version = 2
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/test:1"
		  restrict_oom_score_adj = true
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "/opt/cni/bin"
		    conf_dir = "/etc/cni/net.d"
	END
	cgroup_add "$KUBELET_CGROUP"
	[ ! -e /sys/fs/cgroup/cgroup.procs ] || grep -qw memory "/sys/fs/cgroup/$KUBELET_CGROUP/cgroup.controllers" ||
		skip 'kubelet needs the memory controller, which /sys/fs/cgroup does not hand on: version 1 has it, or processes are in the way'
	wait_for 60 'service accounts are made' kubectl get serviceaccount default
}

# image_make NAME FOLDER COMMAND…: $T/images/NAME.tar is the image localhost/NAME:1, what is in the folder
image_make() {
	image_=$1 work_=$T/image.work
	mkdir "$work_"
	tar -c --owner=0 --group=0 -C "$2" -f "$work_/layer.tar" .
	shift 2
	jq -nc --arg layer "sha256:$(sha256sum "$work_/layer.tar" | cut -d ' ' -f 1)" '{architecture: $architecture, os: "linux",
		config: {Entrypoint: $ARGS.positional, Env: ["PATH=/bin:/opt/bin"]}, rootfs: {type: "layers", diff_ids: [$layer]}}' \
		--arg architecture "$(dpkg --print-architecture)" --args "$@" >"$work_/config.json"
	jq -nc --arg tag "localhost/$image_:1" '[{Config: "config.json", RepoTags: [$tag], Layers: ["layer.tar"]}]' >"$work_/manifest.json"
	tar -c -C "$work_" -f "$T/images/$image_.tar" manifest.json config.json layer.tar
	rm -rf "$work_"
}

# image_test: localhost/test:1, busybox (of whose applets wget crashes, linked statically); also what holds the namespaces of pods
image_test() {
	mkdir -p "$T/test/bin" "$T/test/tmp"
	cp "$(command -v busybox)" "$T/test/bin"
	for applet_ in sh sleep ping nc httpd hostname tail; do ln -s busybox "$T/test/bin/$applet_"; done
	image_make test "$T/test" sleep 1000000
}

# image_loden: as ./dev image makes it. That has it for arm64, too; who is not that does not mind what is in it.
image_loden() {
	quiet "$ROOT/deploy/image.sh" "$T/images/loden.tar" \
		"$(sed -n 's/^ *image: *\(localhost\/loden:\)/\1/p' "$ROOT/deploy/kube-loden.yml")" "$BUILD" "$BUILD"
}

# --- machines -------------------------------------------------------------------------------------

# machine_add NAME LAST_BYTE: also one that was killed, or cut off; then with what is on its disk.
machine_add() {
	[ -d "$T/cgroup" ] || mkdir "$T/cgroup"
	# A new /sys has none.
	mount --rbind /sys/fs/cgroup "$T/cgroup"
	node_add "$1" "$2"
	disk_=$T/disk-$1
	mkdir -p "$disk_/etc" "$disk_/etc.work" "$disk_/lib" "$disk_/log" "$disk_/opt/cni/bin"
	# shellcheck disable=SC2016 # expanded by the inner shell
	on "$1" sh -ec 'mount --move "$2" /sys/fs/cgroup
		mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/etc.work" overlay /etc
		mount --bind "$1/lib" /var/lib
		mount --bind "$1/log" /var/log
		mount --bind "$1/opt" /opt
		# kubelet sets these to its liking; they are the whole kernel'"'"'s.
		for i in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
			kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
			cat "/proc/sys/$i" >"/run/sysctl-${i##*/}"
			mount --bind "/run/sysctl-${i##*/}" "/proc/sys/$i"
		done
		[ -e /opt/cni/bin/portmap ] || cp /usr/lib/cni/* /opt/cni/bin' machine "$disk_" "$T/cgroup"
	umount -R "$T/cgroup"
	cgroup_add "$KUBELET_CGROUP/$1"
	cgroup_add "$KUBELET_CGROUP/$1/system"
	machine_bg_ "$1" containerd containerd --config "$T/containerd.toml"
	wait_for 60 "$1: containerd answers" on "$1" ctr version
	[ -e "$disk_/images" ] || for archive_ in "$T/images"/*.tar; do machine_image "$1" "$archive_"; done
	touch "$disk_/images"
	[ -e "$KUBE_CONF/kubelet-$1.conf" ] || machine_account_ "$1"
	machine_bg_ "$1" kubelet "$LODEN_PEERS/kubelet" --config="$KUBE_CONF/kubelet-$1" \
		--kubeconfig="$KUBE_CONF/kubelet-$1.conf" --hostname-override="$1" --node-ip="192.168.77.$2"
	# Without bridge-nf-call-iptables, which a host may lack, only what is masqueraded finds back from the same bridge.
	machine_bg_ "$1" kube-proxy "$LODEN_PEERS/kube-proxy" --kubeconfig="$KUBE_CONF/proxy.conf" --hostname-override="$1" \
		--proxy-mode=nftables --cluster-cidr=10.244.0.0/16 --masquerade-all --conntrack-max-per-core=0 \
		--conntrack-tcp-timeout-established=0s --conntrack-tcp-timeout-close-wait=0s
}

# machine_image NAME ARCHIVE: it has that image from now on.
machine_image() {
	on "$1" ctr -n k8s.io images import "$2" >"$T/image.out" 2>&1 ||
		fail "$1: the image $2 was not taken: $(cat "$T/image.out")"
}

machine_account_() {
	cert "kubelet-$1" ca "/O=system:nodes/CN=system:node:$1" \
		"subjectAltName=$(on "$1" ip -j -4 addr show dev eth0 | jq -r '"IP:\(.[0].addr_info[0].local)"'),DNS:$1;extendedKeyUsage=serverAuth,clientAuth"
	kube_config "kubelet-$1" "{client-certificate: $C/kubelet-$1.pem, client-key: $C/kubelet-$1.key}"
	cat >"$KUBE_CONF/kubelet-$1" <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $C/ca.pem}}
		authorization: {mode: Webhook}
		tlsCertFile: $C/kubelet-$1.pem
		tlsPrivateKeyFile: $C/kubelet-$1.key
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		cgroupDriver: cgroupfs
		cgroupRoot: /$KUBELET_CGROUP/$1
		enforceNodeAllocatable: []
		failCgroupV1: false
		failSwapOn: false
		makeIPTablesUtilChains: false
		volumePluginDir: /var/lib/kubelet/volume-plugins
		evictionHard: {nodefs.available: "1%", imagefs.available: "1%", memory.available: 10Mi}
		imageGCHighThresholdPercent: 100
		resolvConf: ""
	END
}

# machine_bg_ NAME WHAT COMMAND…: one of its daemons
machine_bg_() {
	machine_=$1 daemon_=$2-$1
	shift 2
	# shellcheck disable=SC2016 # expanded by the inner shell
	on_bg "$machine_" "$daemon_" sh -c 'for dir in $1; do echo 0 >"$dir/cgroup.procs"; done; shift; exec "$@"' \
		machine "$(cgroups "$KUBELET_CGROUP/$machine_/system")" "$@"
}

# machine_kill NAME: as when the power fails: no process is left, nor what was in memory.
machine_kill() {
	for daemon_ in kube-proxy kubelet containerd; do stop "$daemon_-$1" KILL; done
	cgroup_kill "$KUBELET_CGROUP/$1"
	cgroup_del "$KUBELET_CGROUP/$1"
	node_del "$1"
}
