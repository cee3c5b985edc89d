#!/bin/sh
# Writes requirements*.txt from pyproject.toml: exact versions with hashes, valid for every platform, and without the address of any index.
set -eu
cd "$(dirname "$0")/.."
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1

compile() {
    .venv/bin/python -m uv --no-config pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-header --no-annotate "$@"
}

compile "$@" pyproject.toml -o requirements.txt
compile "$@" pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
compile "$@" uv.in -o requirements-uv.txt
compile "$@" schematron.in -c requirements-dev.txt -o requirements-schematron.txt
compile "$@" --no-deps peppol.in -o requirements-peppol.txt
if grep -n '://\|^--\(index-url\|extra-index-url\|find-links\)' requirements*.txt; then
    echo "lock: an address stands in a lock file" >&2
    exit 1
fi
