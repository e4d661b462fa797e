#!/bin/sh
# Makes all files of a release: release.sh VERSION OUT TOOLS OS/ARCHITECTURE...
# TOOLS is the directory with the programs pack, image, nfpm and cyclonedx-gomod. The same commit makes the same bytes.
set -eu
[ $# -ge 4 ] || { echo "release.sh VERSION OUT TOOLS OS/ARCHITECTURE..." >&2; exit 2; }
version=$1 out=$2 tools=$3
shift 3
if [ -n "$(git status --porcelain)" ]; then
  echo "the tree has changes that are not committed: a release is made of a commit" >&2
  exit 1
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
number=${version#v}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
deploy/release/binaries.sh "$version" "$work" "$@"
if ! "$work/host/fodc" --version | grep -q "$(git rev-parse HEAD)"; then
  echo "the program does not know its commit: make a release in a clone, as go finds none from a linked worktree" >&2
  exit 1
fi
mkdir -p "$out" "$work/share"
rm -f "$out"/fodc[-_]* "$out/SHA256SUMS"
deploy/package/manual.sh "$work/host/fodc" "$work/share"

images=
for platform in "$@"; do
  system=${platform%/*} architecture=${platform#*/}
  dir=$work/${system}_$architecture name=fodc_${number}_${system}_$architecture
  program=fodc ending=.tar.gz
  if [ "$system" = windows ]; then program=fodc.exe ending=.zip; fi
  set --
  for file in LICENSE NOTICE README.md CHANGELOG.md SECURITY.md; do
    set -- "$@" "$name/$file=$file"
  done
  for file in $(cd "$work" && find share -type f); do
    set -- "$@" "$name/$file=$work/$file"
  done
  "$tools/pack" -time "$SOURCE_DATE_EPOCH" -out "$out/$name$ending" "$name/$program=$dir/$program" "$@"
  "$tools/cyclonedx-gomod" bin -json -std -noserial -notimestamp -version "$version" -output "$out/$name.cdx.json" "$dir/$program"
  if [ "$system" = linux ]; then
    deploy/package/build.sh "$version" "$architecture" "$dir/fodc" "$work/host/fodc" "$tools/nfpm" "$out"
    images="$images $platform=$dir/fodc"
  fi
done
if [ -n "$images" ]; then
  # shellcheck disable=SC2086 # One argument for each image.
  "$tools/image" -time "$SOURCE_DATE_EPOCH" -version "$version" -revision "$(git rev-parse HEAD)" -out "$out/fodc_${number}_oci.tar" $images
fi
cd "$out"
sha256sum fodc[-_]* > SHA256SUMS
