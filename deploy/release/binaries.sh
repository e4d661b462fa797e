#!/bin/sh
# Builds the program for systems: binaries.sh VERSION OUT OS/ARCHITECTURE...
# Each becomes OUT/OS_ARCHITECTURE/fodc; that for this machine is always there, as OUT/host/fodc.
set -eu
[ $# -ge 2 ] || { echo "binaries.sh VERSION OUT OS/ARCHITECTURE..." >&2; exit 2; }
version=$1 out=$2
shift 2
go=${GO:-go}
if ! printf '%s' "$version" | grep -Eqx 'v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?'; then
  echo "VERSION=$version: it must be like v1.2.3 or v1.2.3-rc.1" >&2
  exit 2
fi
host=$("$go" env GOHOSTOS)/$("$go" env GOHOSTARCH)
for platform in "$@" host; do
  system=${platform%/*} suffix=
  case $platform in
  host) system=${host%/*} dir=$out/host architecture=${host#*/} ;;
  *) dir=$out/$system"_"${platform#*/} architecture=${platform#*/} ;;
  esac
  if [ "$system" = windows ]; then suffix=.exe; fi
  if [ "$platform" = host ] && [ -e "$out/${system}_$architecture/fodc$suffix" ]; then
    mkdir -p "$dir"
    cp "$out/${system}_$architecture/fodc$suffix" "$dir/fodc"
    continue
  fi
  echo "fodc $version for $system/$architecture"
  CGO_ENABLED=0 GOOS=$system GOARCH=$architecture "$go" build -trimpath -buildvcs=true \
    -ldflags "-s -w -X fodc/modes.release=$version" -o "$dir/fodc$suffix" .
done
