#!/bin/sh
# Makes the Python environment .venv: `deploy/setup.sh runtime` for running, `deploy/setup.sh dev` for tests and checks as well.
# Needs Python 3.11 or later and nothing else; asks nothing, changes nothing outside this folder; done in an instant when nothing has changed.
set -eu
cd "$(dirname "$0")/.."

case "${1:-runtime}" in
    runtime) lock=requirements.txt carriers= ;;
    dev) lock=requirements-dev.txt carriers=requirements-peppol.txt ;; # a superset: the same packages and more, and files to test with
    *) echo "usage: deploy/setup.sh [runtime|dev]" >&2; exit 2 ;;
esac
python=.venv/bin/python
stamp=.venv/.installed-$lock
unfinished=.venv/.unfinished # there from before the first change until everything is in place; holds the process id of who is at it

fail() {
    echo "setup: $1" >&2
    exit 1
}

# Without this a shell goes on when an installer answers Ctrl-C with an ordinary failure.
trap 'echo "setup: interrupted, the next start makes .venv again" >&2; exit 130' INT TERM HUP

# Moved away first: a removal that is interrupted must not leave half an environment where a whole one is looked for.
discard() {
    rm -rf .venv.old
    [ ! -e .venv ] || mv .venv .venv.old
    rm -rf .venv.old
}

at_work() {
    [ "$1" != "$$" ] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q 'setup\.sh'
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Installers trust what an interrupted installation left half written, so nothing of it may stay.
if [ -e "$unfinished" ]; then
    holder=$(cat "$unfinished")
    if [ -n "$holder" ] && at_work "$holder" 2>/dev/null; then
        fail "another setup is at work here (process $holder); try again when it is done"
    fi
    echo "setup: the last setup did not finish, making .venv again from scratch"
    discard
fi

# An environment can be there and dead: the Python it points to was upgraded away.
if ! { [ -x "$python" ] && new_enough "$python" && "$python" -c 'import pip' 2>/dev/null; }; then
    base=
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
            base=$candidate
            break
        fi
    done
    [ -n "$base" ] || fail "Python 3.11 or later is needed and was not found; name one with PYTHON=/path/to/python3"
    "$base" -c 'import ensurepip, venv' 2>/dev/null || fail "$base lacks the module venv; on Debian and Ubuntu: apt install python3-venv"
    echo "setup: making .venv with $("$base" --version)"
    discard
    mkdir .venv
    echo "$$" >"$unfinished"
    "$base" -m venv .venv || fail "could not make .venv, see above"
fi

# What is installed is known by content: file times change with every checkout.
wanted=$(cksum "$lock" $carriers requirements-uv.txt)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi

# An unusable home folder must not stop the installers: without a cache they only take longer.
if [ -z "${HOME:-}" ] || ! [ -w "$HOME" ]; then
    export UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
# uv brings its own root certificates; behind a company's registry only the system's are right (older releases know the other name).
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never

with_uv() {
    "$python" -m pip install --quiet --require-hashes --no-deps -r requirements-uv.txt &&
        "$python" -m uv --no-config pip install --quiet --python "$python" --require-hashes -r "$lock" &&
        { [ -z "$carriers" ] || "$python" -m uv --no-config pip install --quiet --python "$python" --require-hashes --no-deps -r "$carriers"; }
}

with_pip() {
    "$python" -m pip install --quiet --require-hashes -r "$lock" &&
        { [ -z "$carriers" ] || "$python" -m pip install --quiet --require-hashes --no-deps -r "$carriers"; }
}

echo "$$" >"$unfinished"
echo "setup: installing $lock"
log=.venv/setup.log
if ! with_uv >"$log" 2>&1; then
    # uv reads no pip configuration: where only that knows the way to a package index, pip has to do it.
    echo "setup: uv could not install (see $log), trying pip, which takes half a minute"
    with_pip || fail "the packages of $lock could not be installed, see above"
fi
printf '%s\n' "$wanted" >"$stamp"
rm -f "$unfinished"
