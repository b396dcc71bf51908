#!/bin/bash
# tree.sh: kylink's files as a host has them, under $DESTDIR; nothing that needs a user or changes a setting.
#
# Every installation is a release of its own, and /opt/kylink/current the one that counts: what runs keeps its files.
# PREFIX is where commands, man page and completions are found; WITH names packages to install beside (suppliers).
set -euo pipefail
cd "$(dirname "$0")/.."

destination=${DESTDIR:-} prefix=${PREFIX:-/usr/local} release=/opt/kylink/$1
home=$destination$release source=$(mktemp -d)
trap 'rm -rf "$source" "$home"' EXIT

place() { install -D -m "$1" "$2" "$destination$3"; }
link() { mkdir -p "$destination$(dirname "$2")" && ln -sfn "$1" "$destination$2"; }

# A build leaves files beside what it builds: not in the clone.
cp -rL kylink_cli docs pyproject.toml README.md LICENSE "$source"
mkdir -p "$(dirname "$home")"
PROJECT="$source ${WITH:-}" EXPECTED="half a minute" PYTHON=${PYTHON:-/usr/bin/python3} \
    packaging/environment.sh "$home" requirements.txt

# What has built it is of no use to what runs; of the commands of its libraries, neither.
"$home/bin/python" -m pip uninstall --quiet --yes setuptools pip 2>/dev/null
find "$home/bin" -mindepth 1 ! -name 'python*' ! -name kylink -delete
# The names of countries in a hundred languages, a seventh of the whole: English and Chinese are read.
find "$home"/lib/python3*/site-packages/pycountry/locales -mindepth 1 -maxdepth 1 ! -name 'zh*' -exec rm -rf {} +
mkdir -p "$source/completions"
for shell in bash zsh fish; do "$home/bin/kylink" completion $shell >"$source/completions/$shell"; done
sed -i "1s|.*|#!$release/bin/python|" "$home/bin/kylink"
"$home/bin/python" -m compileall -q -j 0 -s "$destination" ${destination:+-f -p /} "$home/lib"

place 644 .env.example "$release/share/kylink/kylink.env"
link /opt/kylink/current/bin/kylink "$prefix/bin/kylink"
link /opt/kylink/current/share/man/man1/kylink.1 "$prefix/share/man/man1/kylink.1"
place 644 "$source/completions/bash" "$prefix/share/bash-completion/completions/kylink"
place 644 "$source/completions/zsh" "$prefix/share/zsh/$([ "$prefix" = /usr ] && echo vendor-completions || echo site-functions)/_kylink"
place 644 "$source/completions/fish" "$prefix/share/fish/vendor_completions.d/kylink.fish"
sed "s|@KYLINK@|$prefix/bin/kylink|" packaging/sudoers >"$source/sudoers"
place 440 "$source/sudoers" /etc/sudoers.d/kylink
link "$(basename "$release")" /opt/kylink/current
trap 'rm -rf "$source"' EXIT
