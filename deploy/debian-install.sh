#!/bin/sh
# Installs a Debian package for the project's set-up if permitted; otherwise prints what to install.
set -eu
package=$1
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "copydesk: this needs the package $package. Install it: sudo apt-get install $package" >&2
    exit 1
fi
echo "copydesk: installing $package" >&2
apt-get update --quiet=2
# Run level 1 keeps the package from starting its service; the tests start private nodes.
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "$package" >/dev/null
