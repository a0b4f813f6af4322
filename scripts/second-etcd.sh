#!/bin/sh
# Fetches the newest etcd from Debian's package pool into .cache/second-etcd, for tests against a second release. Neither
# the system's packages nor its apt sources are touched. Prints the folder; fails where apt or the pool can't be had.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
target="$root/.cache/second-etcd"

if [ -x "$target/etcd" ]; then
  echo "$target"
  exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "second etcd: this is not Debian or Ubuntu; put its etcd into $target by hand" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/sources"
cat >"$work/sources/sid.sources" <<EOF
Types: deb
URIs: http://deb.debian.org/debian
Suites: sid
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF

apt() {
  apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::Retries=0 -o Acquire::http::Timeout=10 "$@" >&2
}
apt update
(cd "$work" && apt download etcd-server)
dpkg-deb -x "$work"/etcd-server_*.deb "$work/package"

mkdir -p "$target.new"
cp "$work/package/usr/bin/etcd" "$target.new/etcd"
"$target.new/etcd" --version | grep -q '^etcd Version: 3\.[5-9]\.'
rm -rf "$target"
mv "$target.new" "$target"
echo "$target"
