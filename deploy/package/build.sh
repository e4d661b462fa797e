#!/bin/sh
# Writes the deb and the rpm of one architecture: build.sh VERSION ARCH PROGRAM HOST_PROGRAM NFPM OUT
# HOST_PROGRAM is the same program for this machine, which writes the man page and the completions.
# SOURCE_DATE_EPOCH is the time that all files get.
set -eu
[ $# -eq 6 ] || { echo "build.sh VERSION ARCH PROGRAM HOST_PROGRAM NFPM OUT" >&2; exit 2; }
VERSION=$1 ARCH=$2 program=$3 host=$4 nfpm=$5 out=$6
STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
doc=$STAGE/usr/share/doc/fodc

install -D -m 755 "$program" "$STAGE/usr/bin/fodc"
for unit in agent proxy; do
  install -D -m 644 "deploy/systemd/fodc-$unit.service" "$STAGE/usr/lib/systemd/system/fodc-$unit.service"
done
install -D -m 644 deploy/systemd/kernel-telemetry.conf "$doc/systemd/kernel-telemetry.conf"
install -D -m 644 deploy/systemd/node-process.conf "$doc/systemd/node-process.conf"
install -D -m 644 LICENSE "$doc/copyright"
install -D -m 644 NOTICE "$doc/NOTICE"
gzip -9n < CHANGELOG.md > "$doc/changelog.gz"
deploy/package/manual.sh "$host" "$STAGE/usr/share"

find "$STAGE" -type d -exec chmod 755 {} +
find "$STAGE" -type f ! -perm -100 -exec chmod 644 {} +
find "$STAGE" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
export VERSION ARCH STAGE
mkdir -p "$out"
"$nfpm" package -f deploy/package/nfpm.yaml -p deb -t "$out/"
"$nfpm" package -f deploy/package/nfpm.yaml -p rpm -t "$out/"
