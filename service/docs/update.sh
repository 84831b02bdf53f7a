#!/bin/sh
# Brings Swagger UI into this folder: update.sh VERSION. Needs npm. Then write the version and the hashes into README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent "swagger-ui-dist@$1" >/dev/null
tar xzf "swagger-ui-dist-$1.tgz"
for file in swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css LICENSE NOTICE; do
    cp "package/$file" "$here/$file"
    chmod 644 "$here/$file"
done
cd "$here"
sha256sum swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css LICENSE NOTICE
