#!/usr/bin/env bash
# Do the functions for gateways make the same hashes of prompts? Needs python3 (3.11) with venv, node 20 and npm.
# Installs packages under target/prefix, once; runs there, since node looks for them beside the file.
set -euo pipefail
suite=$(cd "$(dirname "$0")" && pwd)
installed=$suite/../../target/prefix

mkdir -p "$installed"
if ! cmp -s "$suite/requirements.txt" "$installed/requirements.txt"; then
    python3 -m venv "$installed/python"
    "$installed/python/bin/pip" install --quiet --disable-pip-version-check -r "$suite/requirements.txt"
fi
if ! cmp -s "$suite/package.json" "$installed/package.json"; then
    cp "$suite/package.json" "$installed/"
    npm install --prefix "$installed" --silent --no-audit --no-fund --no-package-lock
fi
cp "$suite"/prefix.* "$suite/requirements.txt" "$installed/"
"$installed/python/bin/python" "$installed/prefix.py" "$suite/vectors.json"
node "$installed/prefix.mjs" "$suite/vectors.json"
