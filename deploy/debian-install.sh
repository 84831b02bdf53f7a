#!/bin/sh
# Installs a Debian package for the project's set-up where we may, else says what to install.
set -eu
package=$1
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "copydesk: this needs the package $package. Install it: sudo apt-get install $package" >&2
    exit 1
fi
echo "copydesk: installing $package" >&2
apt-get update --quiet=2
# Run level 1: the package does not start a service of its own; the tests start private nodes.
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "$package" >/dev/null
