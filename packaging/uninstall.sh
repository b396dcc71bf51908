#!/bin/sh
# uninstall.sh: undo install.sh and the timers; settings, data and users stay.
set -eu
[ "$(id -u)" = 0 ] || { echo "kylink: this takes root: sudo make uninstall" >&2 && exit 1; }

"$(dirname "$0")/leave.sh"
cd /usr/local
rm -rf /opt/kylink /etc/sudoers.d/kylink bin/kylink share/man/man1/kylink.1 share/bash-completion/completions/kylink \
    share/zsh/site-functions/_kylink share/fish/vendor_completions.d/kylink.fish
echo "kylink is removed; /etc/kylink, /var/lib/kylink and the user kylink are left to you"
