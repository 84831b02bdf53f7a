#!/bin/sh
# Renders the manifests in this folder from the chart in deploy/helm, for kustomize: make manifests. Needs helm 3.
set -eu
cd "$(dirname "$0")/.."
chart=helm/copydesk
render() { # a folder, then arguments of helm
    folder=kubernetes/$1
    shift
    helm template copydesk $chart "$@" >"$folder/rendered"
    { echo "# Rendered from deploy/$chart: make manifests"; sed '/^# Source: /d' "$folder/rendered"; } >"$folder/copydesk.yaml"
    rm "$folder/rendered"
}
render base
render clusters --values $chart/values-operators.yaml --set start=false
render operators --values $chart/values-operators.yaml --set rabbitmq.enabled=false,postgres.enabled=false
# A test tells by these, without helm, that a file was changed and not rendered, or changed after it was rendered.
find -L $chart kubernetes -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum >kubernetes/SHA256SUMS
