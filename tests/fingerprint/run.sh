#!/usr/bin/env bash
# Do the functions for gateways make the same fingerprints? Needs python3 (3.11) with venv, node 20 and npm.
# Installs packages under target/fingerprint, once; runs there, since node looks for them beside the file.
set -euo pipefail
suite=$(cd "$(dirname "$0")" && pwd)
installed=$suite/../../target/fingerprint

mkdir -p "$installed"
if ! cmp -s "$suite/requirements.txt" "$installed/requirements.txt"; then
    python3 -m venv "$installed/python"
    "$installed/python/bin/pip" install --quiet --disable-pip-version-check -r "$suite/requirements.txt"
fi
if ! cmp -s "$suite/package.json" "$installed/package.json"; then
    cp "$suite/package.json" "$installed/"
    npm install --prefix "$installed" --silent --no-audit --no-fund --no-package-lock
fi
cp "$suite"/fingerprint.* "$suite/requirements.txt" "$installed/"
"$installed/python/bin/python" "$installed/fingerprint.py" "$suite/vectors.json"
node "$installed/fingerprint.mjs" "$suite/vectors.json"
