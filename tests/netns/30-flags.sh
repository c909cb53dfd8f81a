#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Flags and variables: a bad one ends with its complaint and exit 2; what has no effect is
# accepted and said; nothing that is secret reaches the log.
. "$(dirname "$0")/lib.sh"

node_add a
ln -s "$BUILD/loden" "$T/flanneld"

want_exit 'no command is a question' 2 loden
want_match 'and gets the list' '^  status ' "$out"
want_exit 'help is no error' 0 loden help
want_exit 'an unknown command is' 2 loden frobnicate
want_match 'and is named' 'there is no command "frobnicate"' "$out"

want_exit 'a bad flag ends with 2' 2 loden agent --bad
want_match 'and is named' '^loden agent: --bad: there is no such flag$' "$out"
want_exit 'as flanneld, too' 2 "$T/flanneld" -bad
want_exit 'a bad value ends with 2' 2 loden agent --subnet-lease-renew-margin=0
want_match 'and is named' 'renew-margin: must be 1..1439: "0"' "$out"
want_exit 'a bad regex ends with 2' 2 on a loden agent '--iface-regex=eth('
want_match 'and is named' 'iface-regex: missing closing parenthesis' "$out"
want_exit 'an endpoint of another kind ends with 2' 2 on a loden agent --etcd-endpoints=unix:///run/etcd
want_match 'and is named' 'unix:///run/etcd: the scheme must be http or https' "$out"
want_exit 'Kubernetes, and nothing says which Node this is' 2 on a loden agent --kube-subnet-mgr
want_match 'what would say it is named' 'NODE_NAME, or by POD_NAME and POD_NAMESPACE' "$out"
want_exit 'nor where the API server is' 2 on a env NODE_NAME=a loden agent --kube-subnet-mgr
want_match 'what would say it is named' 'KUBERNETES_SERVICE_HOST' "$out"
want_exit '--help is no error' 0 "$T/flanneld" --help
want_match 'and lists the flags' '^  --etcd-endpoints URLS$' "$out"
want_exit '--version is no error' 0 "$T/flanneld" --version
want_eq 'and says nothing on standard output' '' "$("$T/flanneld" --version 2>/dev/null)"

agent_start a --etcd-password=hunter2 --vmodule=x=1
wait_for 5 'the agent answers' agent_says 1 a
want_match 'a flag without effect is named' 'flag.no_effect flag=--vmodule' "$(agent_log a)"
want_no_match 'the password is not logged' hunter2 "$(agent_log a)"
agent_stop a
want_eq 'SIGTERM is an orderly end' 0 "$code"

FLANNELD_V=much FLANNELD_IP_MASQ=true FLANNELD_ETCD_PASSWORD=hunter3
export FLANNELD_V FLANNELD_IP_MASQ FLANNELD_ETCD_PASSWORD
agent_start a
wait_for 5 'a bad variable does not keep it from starting' agent_says 1 a
want_match 'but is named' 'flag.bad_variable why="FLANNELD_V: not a number: ' "$(agent_log a)"
want_match 'the good ones count' 'flags=" .*--ip-masq=true' "$(agent_log a)"
want_no_match 'the password is not logged' hunter3 "$(agent_log a)"
