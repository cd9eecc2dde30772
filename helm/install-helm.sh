#!/bin/sh
# Builds the pinned Helm from its Go module when none is there, and prints the path to it.
# Order: HEADRACE_HELM, `helm` on PATH, the cache. Exit 3: there is no Go to build it with.
set -eu

version="v3.22.0"
# The Kubernetes it renders for when there is no cluster to ask; without it 1.20.
kubernetes_minor="37"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/headrace"
built="$cache/bin/helm"

if [ -n "${HEADRACE_HELM:-}" ]; then
    echo "$HEADRACE_HELM"
    exit 0
fi
if on_path="$(command -v helm)"; then
    echo "$on_path"
    exit 0
fi
if [ -x "$built" ]; then
    echo "$built"
    exit 0
fi
if ! command -v go >/dev/null 2>&1; then
    echo "helm: not on PATH, and there is no Go to build it with; install Helm 3 or Go, or set HEADRACE_HELM" >&2
    exit 3
fi

mkdir -p "$cache/bin"
# Built aside and moved into place: a second run side by side never sees half a binary.
building="$(mktemp -d "$cache/bin/building.XXXXXX")"
trap 'rm -rf "$building"' EXIT
echo "helm: building $version from its Go module, once; some minutes on a small machine" >&2
chartutil="helm.sh/helm/v3/pkg/chartutil"
flags="-s -w -X $chartutil.k8sVersionMajor=1 -X $chartutil.k8sVersionMinor=$kubernetes_minor"
flags="$flags -X helm.sh/helm/v3/internal/version.version=$version"
GOFLAGS="-mod=mod -buildvcs=false" GOBIN="$building" nice -n 10 \
    go install -ldflags "$flags" "helm.sh/helm/v3/cmd/helm@$version" >&2
mv "$building/helm" "$built"
echo "$built"
