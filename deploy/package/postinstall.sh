#!/bin/sh
# Debian calls this with "configure" and the version before, rpm with 1 for the first installation and 2 for an upgrade.
# Neither service is started by an installation: a machine needs one of them, with settings. Those that run get the new program.
# DPKG_ROOT is set where a package is installed into the tree of another machine.
set -e
if [ -n "$DPKG_ROOT" ] || [ ! -d /run/systemd/system ]; then exit 0; fi
systemctl daemon-reload || true
systemctl try-restart fodc-agent.service fodc-proxy.service || true
