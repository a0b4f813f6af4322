#!/bin/sh
# Makes a container image of programs of this machine, with the libraries that they are linked to: for tests, on
# machines without a registry. Needs a Docker engine. The shell is there for testcontainers' own checks.
#
#   program-image.sh IMAGE PROGRAM...     the image runs the first of them
set -eu
image=$1
shift
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/usr/local/bin" "$root/bin" "$root/tmp"
for program; do
  cp -L "$program" "$root/usr/local/bin/"
  ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
done
if command -v busybox >/dev/null 2>&1; then
  cp "$(command -v busybox)" "$root/bin/busybox"
  for command in sh cat awk grep nc; do ln -sf busybox "$root/bin/$command"; done
fi
tar -C "$root" -c . |
  docker import -c "CMD [\"$(basename "$1")\"]" -c 'ENV PATH=/usr/local/bin:/bin' - "$image" >/dev/null
echo "made $image"
