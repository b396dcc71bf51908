#!/bin/sh
# host.sh: what kylink's files need of the host: users, folders, settings to begin with. Changes nothing that is there.
set -eu

share=/opt/kylink/current
sysusers=$(echo $share/lib/python3.*/site-packages/kylink_cli/scheduling/unit_files/kylink.sysusers.conf)

if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers "$sysusers"
else
    getent group kylink-consumers >/dev/null || groupadd --system kylink-consumers
    getent passwd kylink >/dev/null ||
        useradd --system --user-group --home-dir /var/lib/kylink --shell /usr/sbin/nologin kylink
fi
install -d -o kylink -g kylink -m 700 /var/lib/kylink
install -d -g kylink -m 750 /etc/kylink /etc/kylink/credentials
if [ ! -e /etc/kylink/kylink.env ]; then
    install -g kylink -m 640 $share/share/kylink/kylink.env /etc/kylink/kylink.env
    sed -i 's|^#DATABASE_URL=$|DATABASE_URL=sqlite:////var/lib/kylink/kylink.db|' /etc/kylink/kylink.env
    chgrp kylink /etc/kylink/kylink.env
fi
