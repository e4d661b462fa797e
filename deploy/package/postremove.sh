#!/bin/sh
# Debian calls this with "remove", "purge" or "upgrade", rpm with 0 for a removal and 1 for an upgrade.
# Only a purge removes what was recorded; rpm has none, and keeps it.
set -e
if [ "$1" = purge ]; then
  for name in fodc-agent fodc-proxy; do
    # With DynamicUser the directory is in private, and a link leads there.
    rm -rf "$DPKG_ROOT/var/lib/private/$name" "$DPKG_ROOT/var/lib/$name"
  done
fi
if [ -n "$DPKG_ROOT" ] || [ ! -d /run/systemd/system ]; then exit 0; fi
systemctl daemon-reload || true
