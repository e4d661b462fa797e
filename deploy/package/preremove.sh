#!/bin/sh
# Debian calls this with "remove" or "upgrade", rpm with 0 for a removal and 1 for an upgrade.
set -e
case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
if [ -n "$DPKG_ROOT" ] || [ ! -d /run/systemd/system ]; then exit 0; fi
systemctl disable --now fodc-agent.service fodc-proxy.service || true
