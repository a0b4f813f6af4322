#!/bin/sh
# Builds a release of etcd from the Go module proxy, for tests against one that no package brings:
#
#   sh scripts/etcd-from-source.sh 3.6.11 .cache/etcd-3.6
#   PERIPLUS_SECOND_ETCD_BIN_DIR=$PWD/.cache/etcd-3.6 npx vitest run --project integration test/integration/etcd
#
# Takes a few minutes. Fails where there is no Go, or its proxy can't be reached.
set -eu

version=${1:?which release: 3.6.11} target=${2:?which folder}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$target"
target=$(cd "$target" && pwd)
cd "$work"
go mod init etcd-from-source
go get "go.etcd.io/etcd/server/v3@v$version"
GOFLAGS=-mod=mod go build -trimpath -o "$target/etcd" go.etcd.io/etcd/server/v3
"$target/etcd" --version | head -n 1
