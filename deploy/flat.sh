#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints deploy/kube-loden.yml: the files of kustomize's base, in its order.
#
#	deploy/flat.sh >deploy/kube-loden.yml
set -eu
cd "$(dirname "$0")/kustomize/base"
echo '# SPDX-License-Identifier: Apache-2.0'
echo '# Loden for a Kubernetes cluster. Made of deploy/kustomize/base by deploy/flat.sh; do not edit.'
sed -n 's/^- //p' kustomization.yaml | while read -r file; do
	echo ---
	cat "$file"
done
