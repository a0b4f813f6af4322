#!/bin/sh
# Makes the image localhost/etcd:<version> from this machine's etcd, for tests that start etcd in containers.
# Needs a Docker engine; etcd is linked to libc only, and the shell is there for testcontainers' own checks.
set -eu
etcd=$(command -v etcd)
version=$("$etcd" --version | sed -n 's/^etcd Version: //p')
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/usr/local/bin" "$root/bin" "$root/tmp"
cp "$etcd" "$root/usr/local/bin/"
ldd "$etcd" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
if command -v busybox >/dev/null 2>&1; then
  cp "$(command -v busybox)" "$root/bin/busybox"
  for command in sh cat awk grep nc; do ln -sf busybox "$root/bin/$command"; done
fi
tar -C "$root" -c . |
  docker import -c 'CMD ["etcd"]' -c 'ENV PATH=/usr/local/bin:/bin' -c 'EXPOSE 2379 2380' - "localhost/etcd:$version" >/dev/null
echo "made localhost/etcd:$version"
