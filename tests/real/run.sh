#!/usr/bin/env bash
# Runs the service among real parts: llama.cpp servers, agents, and gateways in two languages.
#
#   tests/real/run.sh           everything, about 2 minutes
#   tests/real/run.sh silent    only the tests whose name contains `silent`
#   tests/real/run.sh --validate   no tests: the simulator beside real servers, on a machine that does nothing else
#
# Needs python3 (3.11) with venv, node 20 and npm. Installs packages by name under target/real, once.
# POINTSMAN_BIN names a binary to test; without it the release binary is built.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly suite=tests/real installed=$PWD/target/real
readonly python=$installed/venv/bin/python
readonly deadline=480 # seconds for the tests, all processes that they start included

# Makes a folder again only when the list of what is in it has changed.
if ! cmp -s "$suite/requirements.txt" "$installed/venv/requirements.txt"; then
    rm -rf "$installed/venv"
    python3 -m venv "$installed/venv"
    "$python" -m pip install --quiet --disable-pip-version-check -r "$suite/requirements.txt"
    cp "$suite/requirements.txt" "$installed/venv/"
fi
if ! cmp -s "$suite/package.json" "$installed/node_modules/installed.json"; then
    rm -rf "$installed/node_modules"
    cp "$suite/package.json" "$installed/"
    npm install --prefix "$installed" --silent --no-audit --no-fund --no-package-lock
    cp "$suite/package.json" "$installed/node_modules/installed.json"
fi
mkdir -p "$installed/stubs"
"$python" -m grpc_tools.protoc --proto_path=proto --python_out="$installed/stubs" \
    --grpc_python_out="$installed/stubs" proto/pointsman/v1/*.proto
[[ -e $installed/tiny.gguf ]] || "$python" "$suite/model.py" "$installed/tiny.gguf"

if [[ -z ${POINTSMAN_BIN:-} ]]; then
    cargo build --release --locked
    export POINTSMAN_BIN=$PWD/target/release/pointsman
fi

# `timeout` leads a process group of its own, and ends all of it.
cp tests/fingerprint/fingerprint.mjs "$installed/" # Node looks for packages beside the file.
export PYTHONPATH=$installed/stubs:$PWD/tests/fingerprint:$PWD/tests/prefix PYTHONDONTWRITEBYTECODE=1
if [[ ${1:-} == --validate ]]; then
    exec timeout --kill-after=20 1200 "$python" "$suite/validate.py"
fi
exec timeout --kill-after=20 "$deadline" "$python" "$suite/suite.py" "$@"
