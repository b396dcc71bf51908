#!/bin/bash
# deb.sh: a Debian package of kylink for this release of Debian and this Python, in dist/.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022

version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
python=$(/usr/bin/python3 -c 'import sys; print(sys.version_info.major, sys.version_info.minor)')
major=${python% *} minor=${python#* }
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

WAY_OUT="make deb" DESTDIR=$tree PREFIX=/usr packaging/tree.sh "$version"
mkdir -p "$tree/DEBIAN" dist
install -m 755 packaging/host.sh "$tree/DEBIAN/postinst"
install -m 755 packaging/leave.sh "$tree/DEBIAN/prerm"
echo /etc/sudoers.d/kylink >"$tree/DEBIAN/conffiles"
cat >"$tree/DEBIAN/control" <<END
Package: kylink
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: $(sed -n 's/^authors = .*name = "\([^"]*\)", email = "\([^"]*\)".*/\1 <\2>/p' pyproject.toml)
Depends: python3 (>= $major.$minor), python3 (<< $major.$((minor + 1))), passwd
Recommends: sudo (>= 1.9.10), systemd | cron
Section: admin
Priority: optional
Description: keeps every campaign's stock of single-use items filled
 Finds the campaigns that run low, orders what is missing from a supply service,
 and tells people what it could not obtain. 'sudo kylink setup' begins.
END
dpkg-deb -Zzstd --root-owner-group --build "$tree" "dist/kylink_${version}_$(dpkg --print-architecture).deb"
