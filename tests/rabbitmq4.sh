#!/usr/bin/env bash
# rabbitmq4.sh FOLDER COMMAND...: runs COMMAND (of the tests) with RabbitMQ 4, from Debian 13, in place of the machine's
# own. It lives in a chroot under FOLDER that is made on the first call: a minute, 370 MB. Needs root. What the chroot
# shares with the machine is mounted in a namespace of its own, gone with COMMAND: FOLDER may be deleted like any other.
set -euo pipefail
folder=$(realpath -m "$1")
shift
if [ "${IN_NAMESPACE:-}" != yes ]; then
  [ -x /usr/sbin/debootstrap ] || "$(dirname "$0")/../deploy/debian-install.sh" debootstrap
  [ -x "$folder/usr/lib/rabbitmq/bin/rabbitmq-server" ] ||
    debootstrap --variant=minbase --include=rabbitmq-server trixie "$folder" >&2
  IN_NAMESPACE=yes exec unshare --mount "$0" "$folder" "$@"
fi
for shared in /proc /dev "${TMPDIR:-/tmp}"; do
  mkdir -p "$folder$shared"
  mount --bind "$shared" "$folder$shared"
done
mkdir -p "$folder/outside"
for program in rabbitmq-server rabbitmqctl rabbitmq-upgrade; do
  printf '#!/bin/sh\nexec chroot %s /usr/lib/rabbitmq/bin/%s "$@"\n' "$folder" "$program" >"$folder/outside/$program"
  chmod +x "$folder/outside/$program"
done
TEST_RABBITMQ_SERVER="$folder/outside/rabbitmq-server" exec "$@"
