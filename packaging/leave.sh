#!/bin/sh
# leave.sh: end the jobs in good order and take their timers away, those of the report too; for a removal.
set -eu
[ "${1:-remove}" = remove ] || exit 0 # dpkg's upgrade

units=$(find /etc/systemd/system -maxdepth 1 -name 'kylink-*' -type f)
names=$(for unit in $units; do basename "$unit"; done)
if [ -n "$units" ] && [ -d /run/systemd/system ]; then
    # What starts others first.
    for kind in timer path service; do
        started=$(echo "$names" | grep "\.$kind$" | grep -v @ || true)
        # shellcheck disable=SC2086  # words are wanted
        [ -z "$started" ] || systemctl disable --quiet --now $started 2>/dev/null || true
    done
fi
# shellcheck disable=SC2086
rm -f $units /etc/cron.d/kylink /etc/sysusers.d/kylink.conf
if [ -n "$units" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl reset-failed 'kylink-*' 2>/dev/null || true
fi
