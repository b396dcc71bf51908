#!/bin/bash
# install.sh: kylink on this host, or a newer one; what runs is not disturbed.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022

refuse() { echo "kylink: $*" >&2 && exit 1; }

[ "$(id -u)" = 0 ] || refuse "this takes root: sudo make install"
case $(realpath "${PYTHON:-/usr/bin/python3}") in
/home/* | /root/*) refuse "the jobs can't see $PYTHON, which is in a home: name another with PYTHON=, or none" ;;
esac

remove_old_releases() {
    local folder
    for folder in /opt/kylink/*/; do
        folder=${folder%/}
        if [ "$folder" = /opt/kylink/current ] || [ "$folder" = "$(realpath /opt/kylink/current)" ]; then continue; fi
        if grep -qsF "$folder/" /proc/[0-9]*/cmdline /proc/[0-9]*/maps; then
            echo "  $folder is in use still: the next 'make install' removes it"
        else
            rm -rf "$folder"
        fi
    done
}

release=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)-$(date -u +%Y%m%d%H%M%S)
WAY_OUT="sudo make install" packaging/tree.sh "$release"
packaging/host.sh
remove_old_releases
if ! visudo -cqf /etc/sudoers.d/kylink 2>/dev/null; then
    rm -f /etc/sudoers.d/kylink
    echo "  no sudo 1.9.10 or newer: the group kylink-consumers may do nothing (docs/consumers.md)"
fi
cat <<END
$(/usr/local/bin/kylink --version) is installed:
  program    /opt/kylink/$release ($(du -sm "/opt/kylink/$release" | cut -f 1) MB), /usr/local/bin/kylink, man page, completions
  settings   /etc/kylink/kylink.env, secrets in /etc/kylink/credentials
  data       /var/lib/kylink, of the user kylink
  consumers  members of the group kylink-consumers may 'sudo -u kylink kylink leases …'
next: sudo kylink setup
END
