"""The fingerprint of a request to a model server, for gateways in Python; README.md says why each step is there.

    python fingerprint.py vectors.json    checks every vector, exits 1 if one differs
"""

import hashlib
import json
import sys
from pathlib import Path

import rfc8785

# Members at the top of a request that do not shape its answer.
WITHOUT_EFFECT = frozenset("""metadata model prompt_cache_key prompt_cache_retention safety_identifier service_tier store
stream stream_options user""".split())


def fingerprint(request: dict) -> bytes:
    """The 16 bytes that stand for the request. ValueError: it has none, so neither ask for its answer nor store it."""
    return hashlib.sha256(canonical(request)).digest()[:16]


def canonical(request: dict) -> bytes:
    """The request in the one form that all gateways agree on."""
    shaping = {name: value for name, value in request.items() if name not in WITHOUT_EFFECT and value is not None}
    refuse_rounded(shaping)
    return rfc8785.dumps(shaping)


def of_binary(content: bytes) -> str:
    """What stands in the request in place of an image or a recording."""
    return hashlib.sha256(content).hexdigest()


def refuse_rounded(value) -> None:
    """A whole number that a double cannot hold may have been another one before it was parsed."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            refuse_rounded(part)
    elif isinstance(value, float) and value.is_integer() and 2**53 <= abs(value) < 1e21:
        raise ValueError(f"{value} is too large to be exact")


def check(vector: dict) -> bool:
    try:
        found = (canonical(vector["request"]).decode(), fingerprint(vector["request"]).hex())
    except ValueError:
        found = (None, None)
    if found != (vector["canonical"], vector["fingerprint"]):
        print(f"{vector['name']}: got {found}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    vectors = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    agreeing = sum(map(check, vectors))
    print(f"{agreeing} of {len(vectors)} vectors agree")
    sys.exit(0 if vectors and agreeing == len(vectors) else 1)
