#!/usr/bin/env bash
# Runs the tests of the programs in the kernel on kernels of Debian, each in a virtual machine: run.sh SUITE/ARCHITECTURE...
# What is fetched stays in DIR (default: bin/kernels); apt checks the signatures. Neither root nor KVM is needed.
# TESTS and SKIP choose tests, as -run and -skip of go test.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
dir=${DIR:-bin/kernels}
mkdir -p "$dir"
dir=$(readlink -f "$dir")
chosen='Deaths|ManySignalsHideNoDeath|EventsAreToldAfterAWaitWasGivenUp|StatusSaysWhatIsMissing|Disk|DiskWithoutStatistics|PageCache|NothingStaysInTheKernel'
tests=${TESTS:-"^TestE2E($chosen)\$"} # those that need few programs of a system, and little time
skip=${SKIP:-none}
limit=600 # seconds that a machine may run
modules='virtio_pci virtio_mmio virtio_blk mq-deadline crc32c_generic ext4 xfs'

# fetch gets the kernel that the suite has now, unless one is there already.
fetch() {
  local suite=$1 arch=$2 to=$3 package deb
  [ ! -e "$to/vmlinuz" ] || return 0
  rm -rf "$to"
  mkdir -p "$to/apt/lists/partial" "$to/apt/cache/archives/partial"
  touch "$to/apt/status"
  echo "deb [arch=$arch signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" >"$to/apt/sources.list"
  local options=(-qq -o Dir::Etc::SourceList="$to/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State="$to/apt"
    -o Dir::State::Lists="$to/apt/lists" -o Dir::State::Status="$to/apt/status" -o Dir::Cache="$to/apt/cache"
    -o APT::Architecture="$arch" -o APT::Architectures::="$arch" -o APT::Sandbox::User=root
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
  apt-get "${options[@]}" update
  package=$(apt-cache "${options[@]}" depends "linux-image-cloud-$arch" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p')
  [ -n "$package" ] || { echo "$suite has no linux-image-cloud-$arch"; exit 1; }
  (cd "$to" && apt-get "${options[@]}" download "$package" busybox-static)
  for deb in "$to"/*.deb; do dpkg-deb -x "$deb" "$to/tree"; done
  (cd "$to" && ls linux-image-*.deb) >"$to/package"
  rm -rf "$to/apt" "$to"/*.deb
  cp "$to"/tree/boot/vmlinuz-* "$to/vmlinuz"
}

# pack makes the machine's first file system: busybox, the tests, and the modules that they need.
pack() {
  local arch=$1 from=$2 root=$3 name file
  mkdir -p "$root/bin" "$root/modules"
  cp "$(find "$from/tree" -path '*/bin/busybox')" "$root/bin/busybox"
  cp "$here/init.sh" "$root/init"
  CGO_ENABLED=0 GOOS=linux GOARCH="$arch" ${GO:-go} test -c -tags e2e -o "$root/kernel.test" "$here/.."
  needed=()
  for name in $modules; do need "$from/tree" "$name"; done
  for file in "${needed[@]}"; do
    case $file in
    *.xz) xz -dc "$file" >"$root/modules/$(basename "$file" .xz)" ;;
    *) cp "$file" "$root/modules/" ;;
    esac
  done
  for file in "${needed[@]}"; do basename "$file" .xz; done >"$root/modules/order"
  (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$root.gz"
}

# need adds a module after those that it needs itself. One that is not there is a part of the kernel.
need() {
  local root=$1 name=$2 file other
  file=$(find "$root" -name "${name//[_-]/[_-]}.ko*")
  [ -n "$file" ] || return 0
  for other in $(modinfo -F depends "$file" | tr , ' '); do need "$root" "$other"; done
  [[ " ${needed[*]-} " = *" $file "* ]] || needed+=("$file")
}

# boot runs a machine, and returns the status of its tests.
boot() {
  local arch=$1 vmlinuz=$2 work=$3 console machine
  case $arch in
  amd64) console=ttyS0 machine=(qemu-system-x86_64 -M q35 -cpu max) ;;
  arm64) console=ttyAMA0 machine=(qemu-system-aarch64 -M virt -cpu cortex-a72) ;;
  esac
  truncate -s 256M "$work/ext4"
  mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$work/ext4"
  truncate -s 320M "$work/xfs"
  mkfs.xfs -q "$work/xfs"
  # With more threads 6.12 panics in a patched instruction: a race of the emulator.
  timeout "$limit" "${machine[@]}" -accel tcg,thread=single -smp 2 -m 1024 -nodefaults -no-reboot -display none -serial stdio \
    -drive "file=$work/ext4,format=raw,if=virtio,cache=unsafe" -drive "file=$work/xfs,format=raw,if=virtio,cache=unsafe" \
    -kernel "$vmlinuz" -initrd "$work/root.gz" \
    -append "console=$console quiet panic=-1 TESTS=$tests SKIP=$skip" </dev/null | tr -d '\r' | tee "$work/log"
  grep -q '^the tests have passed$' "$work/log"
}

# check says which of the programs that are needed are not there.
check() {
  local missing='' pair kernel
  local needed='apt-get:apt dpkg-deb:dpkg cpio:cpio modinfo:kmod xz:xz-utils mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs'
  for kernel in "$@"; do
    case $kernel in
    */amd64) needed+=' qemu-system-x86_64:qemu-system-x86' ;;
    */arm64) needed+=' qemu-system-aarch64:qemu-system-arm' ;;
    *) echo "$kernel is none of Debian's suites with an architecture, such as bookworm/amd64 or bookworm/arm64"; exit 1 ;;
    esac
  done
  for pair in $needed; do
    command -v "${pair%:*}" >/dev/null || missing+=$'\n'"  ${pair%:*} (Debian: apt-get install ${pair#*:})"
  done
  [ -z "$missing" ] || { echo "make e2e-kernels needs on the PATH:$missing"; exit 1; }
}

export PATH=$PATH:/usr/sbin:/sbin
check "$@"
failed=0
for kernel in "$@"; do
  suite=${kernel%/*} arch=${kernel#*/}
  fetch "$suite" "$arch" "$dir/$suite-$arch"
  echo "== $kernel: $(cat "$dir/$suite-$arch/package")"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  pack "$arch" "$dir/$suite-$arch" "$work/root"
  from=$SECONDS
  boot "$arch" "$dir/$suite-$arch/vmlinuz" "$work" || { failed=1; echo "== $kernel: FAILED"; }
  echo "== $kernel: $((SECONDS - from)) s"
  rm -rf "$work"
done
exit $failed
