#!/bin/bash
# environment.sh FOLDER LOCK…: a virtual environment with the packages of the locks, whole or not at all.
#
# PYTHON names another interpreter, PROJECT kylink itself as pip takes it, EXPECTED the time, WAY_OUT what to type after a
# failure. What is there already is brought up to date: it is kept beside as links until the new one is whole.
set -euo pipefail

folder=$1 old=$1.old log=$1.log
shift
again=${WAY_OUT:-make setup}
wanted=$(cat "$@" | grep '^[a-z].*==' | grep -v win32 | sort -u | wc -l)

say() { printf '%s\n' "$*" >&2; }

put_back() {
    rm -rf "$folder"
    if [ -e "$old" ]; then mv "$old" "$folder"; fi
}

fail() {
    trap - EXIT
    put_back
    say "kylink: $*; nothing is changed. Then: $again"
    exit 1
}

find_python() {
    local python fit='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$python" -c "$fit" 2>/dev/null; then echo "$python" && return; fi
    done
    return 1
}

# What pip's log comes down to, in one line.
reason() {
    if grep -q 'No space left on device' "$log"; then
        echo "the disk is full: free 1 GB"
    elif grep -q 'DO NOT MATCH THE HASHES' "$log"; then
        echo "a package is not the one that was pinned ($log names it): look at pip's index, and who changed it"
    elif grep -qE 'NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|NameResolution|Connection' "$log"; then
        echo "the package index can't be reached ($log): look at the network, or pip's settings (pip config list)"
    elif grep -qE 'No matching distribution|Could not find a version' "$log"; then
        echo "$(grep -m 1 -oE 'No matching distribution found for [^ ]+' "$log" || echo 'a package is missing') for this Python" \
            "and machine: name another with PYTHON=/path/to/python (3.11 to 3.14)"
    else
        echo "$(grep -m 1 '^ERROR' "$log" || tail -n 1 "$log") (all of it: $log)"
    fi
}

count() {
    local there
    there=$(find "$folder"/lib/python3.*/site-packages -maxdepth 1 -name '*.dist-info' 2>/dev/null | wc -l)
    if grep -q '^Installing collected' "$log"; then
        echo "installing $((there < wanted ? there : wanted)) of $wanted packages"
    else
        echo "fetching $(grep -cE '^(Collecting|Requirement already)' "$log" || true) of $wanted packages"
    fi
}

# While pip works: on a terminal one line that changes, else a line now and then.
show_progress() {
    local step=0
    while kill -0 "$1" 2>/dev/null; do
        if [ -t 2 ]; then printf '\r  %s\033[K' "$(count)" >&2; elif ((step % 20 == 10)); then say "  $(count)"; fi
        step=$((step + 1))
        sleep 0.5
    done
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

pip_install() {
    "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --retries 2 --progress-bar off "$@" >"$log" 2>&1 &
    show_progress $!
    wait $! || fail "$(reason)"
}

# An earlier one that was killed has left its links: what they hold was whole.
if [ -e "$old" ]; then put_back; fi
python=$(find_python) ||
    fail "it needs Python 3.11 or newer with its venv module: apt install python3-venv, or name one with PYTHON=/path/to/python"
say "kylink: $wanted packages into $folder with $("$python" --version); takes about ${EXPECTED:-a minute or two}"
if [ -e "$folder" ]; then cp -al "$folder" "$old"; fi
trap put_back EXIT
"$python" -m venv "$folder" >"$log" 2>&1 || fail "$(reason)"
# shellcheck disable=SC2046,SC2086  # words are wanted
pip_install --require-hashes $(printf -- '--requirement %s ' "$@")
pip_install --no-deps --no-build-isolation ${PROJECT:---editable .}
trap - EXIT
rm -rf "$old" "$log"
