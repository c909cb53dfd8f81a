#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The container image, as `./dev image` makes it: an OCI archive for amd64 and arm64, the same bytes each time.
#
#	deploy/image.sh ARCHIVE NAME:TAG AMD64 ARM64
#
# AMD64 and ARM64 are folders with loden and loden-cni for that machine. umoci makes layers, configurations and manifests;
# what unites them, an index by platform, it cannot make.
set -eu
archive=$1 name=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
layout=$work/layout
# Of no time: the programs say what they are.
created=1970-01-01T00:00:00Z

# image ARCHITECTURE FOLDER
image() {
	root=$work/$1
	mkdir -p "$root/opt/bin"
	cp "$2/loden" "$2/loden-cni" "$root"
	# By these names flannel's manifest calls what is in its image.
	ln -s /loden "$root/opt/bin/flanneld"
	ln -s /loden "$root/opt/bin/install-conf"
	find "$root" -type d -exec chmod 755 {} +
	chmod 755 "$root/loden" "$root/loden-cni"
	tar -c --sort=name --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$root" \
		-f "$root.tar" loden loden-cni opt
	umoci new --image "$layout:$1"
	umoci raw add-layer --image "$layout:$1" --history.created "$created" \
		--history.created_by deploy/image.sh "$root.tar"
	umoci config --image "$layout:$1" --no-history --created "$created" --os linux --architecture "$1" \
		--config.user 0:0 --config.workingdir / --config.entrypoint /loden \
		--config.label org.opencontainers.image.title=loden \
		--config.label "org.opencontainers.image.version=${name##*:}" \
		--config.label org.opencontainers.image.licenses=Apache-2.0
}

umoci init --layout "$layout"
image amd64 "$3"
image arm64 "$4"
umoci gc --layout "$layout"

jq -c '{schemaVersion, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [.manifests[]
	| {mediaType, digest, size, platform: {os: "linux", architecture: .annotations["org.opencontainers.image.ref.name"]}}]}' \
	<"$layout/index.json" >"$work/index"
digest=$(sha256sum "$work/index" | cut -d ' ' -f 1)
mv "$work/index" "$layout/blobs/sha256/$digest"
jq -nc --arg digest "sha256:$digest" --arg name "$name" --argjson size "$(stat -c %s "$layout/blobs/sha256/$digest")" '
	{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [
		{mediaType: "application/vnd.oci.image.index.v1+json", digest: $digest, size: $size, annotations:
			{"io.containerd.image.name": $name, "org.opencontainers.image.ref.name": ($name | sub(".*:"; ""))}}]}' \
	>"$layout/index.json"
tar -c --sort=name --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$layout" \
	-f "$archive.new" blobs index.json oci-layout
mv "$archive.new" "$archive"
