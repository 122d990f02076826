#!/bin/sh
# Prints the interpreter to work with: the one asked for, else that of the template's runtime, else any from 3.11 on.
set -u

runtime=3.13

usable() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${1:-}" ]; then
    usable "$1" && echo "$1" && exit
    echo "$1 is not a Python 3.11 or newer with venv and ensurepip" >&2
    exit 1
fi

# pyenv keeps interpreters that are not on PATH until they are selected.
pyenv_root=$(pyenv root 2>/dev/null) && pyenv_runtime="$pyenv_root/versions/$(pyenv latest $runtime 2>/dev/null)/bin/python"

for python in python$runtime "${pyenv_runtime:-}" python3 python3.14 python3.12 python3.11; do
    [ -n "$python" ] && usable "$python" && echo "$python" && exit
done
echo "Python 3.11 or newer is needed, with venv and ensurepip; name one with: make PYTHON=/path/to/python3" >&2
exit 1
