#!/bin/sh
# Everything that a fresh clone needs before anything runs: npm packages (Node 24 among them), system packages
# and the build. Asks nothing; does nothing twice.
#
#   setup.sh           for `npm run up`
#   setup.sh --test    for `npm test` too: what only tests need
#   setup.sh --check   npm packages and generated code only
set -eu
cd "$(dirname "$0")/.."
mode=${1:-}

say() { printf 'setup: %s\n' "$1" >&2; }

# npm packages, again whenever the lock file has changed since.
stamp=node_modules/.periplus-lock
if ! cmp -s package-lock.json "$stamp"; then
  say 'installing npm packages'
  # Not `npm ci`: it demands the binaries of every platform, and a registry may have those of this one only.
  npm install --no-save --loglevel=error
  cp package-lock.json "$stamp"
fi

PATH="$PWD/node_modules/.bin:$PATH"
export PATH
case "$(node --version)" in
  v24.* | v25.* | v26.*) ;;
  *)
    say "Node.js 24 is needed and this is $(node --version); there is no packaged Node 24 for $(uname -sm): install it from your system's packages"
    exit 1
    ;;
esac

node scripts/generate.ts
[ "$mode" = --check ] && exit 0

# System packages: command, Debian package. Containers need root; without them `up` simulates nodes and tests are skipped.
missing=
need() { command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || missing="$missing $2"; }
PATH="$PATH:/usr/sbin:/sbin"
need etcd etcd-server
[ "$mode" = --test ] && need openssl openssl
if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ]; then
  need containerd containerd
  need runc runc
  need /usr/lib/cni/bridge containernetworking-plugins
  need nft nftables
  need ip iproute2
  need busybox busybox-static
fi
if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    say "installing system packages:$missing"
    apt-get update -qq
    # RUNLEVEL: a package's service must not start behind our back; clusters run their own instances.
    # shellcheck disable=SC2086
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    say "please install:$missing (Debian's package names); without etcd nothing runs, without the others only simulated nodes do"
    command -v etcd >/dev/null 2>&1 || exit 1
  fi
fi

# Tests of the etcd client run against a second release too, where it can be had.
if [ "$mode" = --test ] && ! sh scripts/second-etcd.sh >/dev/null 2>&1; then
  say 'there is no second release of etcd here: tests against it are skipped'
fi

node scripts/build.ts
node scripts/sample-image.ts
