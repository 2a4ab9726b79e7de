#!/bin/sh
# Make a virtual environment with the project and all that its tests need: setup.sh FOLDER
# With further extras, named and separated by commas: setup.sh FOLDER bench
set -eu
venv=$1
extras=dev${2:+,$2}

recent='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c "$recent" 2>/dev/null; then
    found=
    for name in python3 python3.11 python3.12 python3.13 python3.14 python; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c "$recent" >/dev/null 2>&1; then
            found=$name
            break
        fi
    done
    if [ -z "$found" ]; then
        echo "setup: no Python >= 3.11 with venv on this machine; install one (on Debian: python3 and python3-venv)" >&2
        exit 1
    fi
    echo "setup: making $venv with $("$found" --version)"
    rm -rf "$venv"
    "$found" -m venv "$venv"
fi

echo "setup: installing creases with its extras [$extras] into $venv (some minutes the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$extras]"
echo "setup: done"
