#!/bin/sh
# Checks that a commit makes the same bytes each time: two clones in directories of other names make a release of it.
# check.sh TOOLS OS/ARCHITECTURE...
set -eu
[ $# -ge 2 ] || { echo "check.sh TOOLS OS/ARCHITECTURE..." >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in one the/other; do
  git clone -q --no-hardlinks . "$work/$name"
  umask 022
  if [ "$name" != one ]; then umask 077; fi
  (cd "$work/$name" && deploy/release/release.sh v0.0.0-check "$work/$name/dist" "$@" > /dev/null)
  cp "$work/$name/dist/SHA256SUMS" "$work/${name#*/}.sums"
done
if ! diff "$work/one.sums" "$work/other.sums"; then
  echo "two builds of the commit differ" >&2
  exit 1
fi
cat "$work/one.sums"
echo "two builds of the commit are the same"
