#!/bin/sh
# Makes the image localhost/etcd:<version> from this machine's etcd, for tests that start etcd in containers.
set -eu
etcd=$(command -v etcd)
version=$("$etcd" --version | sed -n 's/^etcd Version: //p')
# shellcheck disable=SC2046
exec sh "$(dirname "$0")/program-image.sh" "localhost/etcd:$version" "$etcd" $(command -v etcdctl)
