#!/bin/sh
# Writes the man page and the completions of shells: manual.sh PROGRAM DIRECTORY
# The directory gets the parts of /usr/share.
set -eu
program=$1 dir=$2
text=$(mktemp)
trap 'rm -f "$text"' EXIT

# write FILE COMMAND...: what the command prints becomes the file.
write() {
  file=$1
  shift
  "$program" "$@" > "$text"
  mkdir -p "${file%/*}"
  case "$file" in
  *.gz) gzip -9n < "$text" > "$file" ;;
  *) cat "$text" > "$file" ;;
  esac
}

write "$dir/man/man1/fodc.1.gz" man
write "$dir/bash-completion/completions/fodc" completion bash
write "$dir/zsh/vendor-completions/_fodc" completion zsh
write "$dir/fish/vendor_completions.d/fodc.fish" completion fish
