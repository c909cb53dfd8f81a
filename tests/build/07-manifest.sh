#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deploy/kube-loden.yml is what it is made of, and has the image that `./dev image` makes, and flags that exist.
set -eu

failed=0
deploy/flat.sh | diff -u deploy/kube-loden.yml - || {
	echo 'deploy/kube-loden.yml is old; renew it: deploy/flat.sh >deploy/kube-loden.yml'
	failed=1
}
image=localhost/loden:$("$BUILD/loden" version | sed 's/loden //')
grep -qx " *image: $image" deploy/kube-loden.yml || {
	echo "deploy/kustomize/base/daemonset.yml: wanted image: $image"
	failed=1
}
sed -n 's/^ *- \(--.*\)/\1/p' deploy/kube-loden.yml >"$TMPDIR/flags"
[ -s "$TMPDIR/flags" ]
# The help comes after all flags are understood.
# shellcheck disable=SC2046 # a list
"$BUILD/loden" agent $(cat "$TMPDIR/flags") --help >"$TMPDIR/help" || failed=1
exit "$failed"
