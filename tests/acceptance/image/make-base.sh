#!/bin/sh
# A base image from Debian's packages, for machines that reach no image registry. Prints its name.
# Needs root, debootstrap and podman (apt-get install buildah podman debootstrap runc); some minutes, once.
set -eu

name="${1:-localhost/headrace-base:bookworm}"
if ! podman image exists "$name"; then
    root="$(mktemp -d)"
    trap 'rm -rf "$root"' EXIT
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" >&2
    tar -C "$root" -c . | podman import --quiet - "$name" >&2
fi
echo "$name"
