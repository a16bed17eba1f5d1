"""The hashes of how a prompt begins, for gateways in Python; README.md says why each step is there.

    python prefix.py vectors.json    checks every vector, exits 1 if one differs
"""

import hashlib
import json
import sys
from array import array
from pathlib import Path

import rfc8785

# Most hashes that a pick may name; those of later blocks are left out.
BLOCKS_MAX = 4096
# Bytes of text that stand for a token, for gateways without a tokenizer.
TOKEN_BYTES = 4


def of_tokens(tokens: list[int], scope: bytes, block_tokens: int = 256) -> list[int]:
    """The `prefix_blocks` of a prompt whose token ids are known."""
    content = array("I", tokens)
    if sys.byteorder == "big":
        content.byteswap()
    return chained(content.tobytes(), scope, 4 * block_tokens)


def of_text(prompt: str, scope: bytes, block_tokens: int = 256) -> list[int]:
    """The `prefix_blocks` of a prompt whose text alone is known. ValueError: it ends within a character."""
    return chained(prompt.encode(), scope, TOKEN_BYTES * block_tokens)


def scope_of(tenant: str, model: str, adapter: str = "") -> bytes:
    """What the first block is chained to: the names as the pick says them, the tenant `default` if it names none."""
    return hashlib.sha256("\0".join(["pointsman.prefix.v1", tenant, model, adapter]).encode()).digest()[:8]


def chained(content: bytes, scope: bytes, block_bytes: int) -> list[int]:
    """One hash for each whole block of the content."""
    hashes, before = [], scope
    for end in range(block_bytes, len(content) + 1, block_bytes)[:BLOCKS_MAX]:
        before = hashlib.sha256(before + content[end - block_bytes : end]).digest()[:8]
        hashes.append(int.from_bytes(before, "little"))
    return hashes


def canonical_prompt(request: dict) -> str:
    """The text of a request, such that what a model reads alike begins alike."""
    if "messages" not in request:
        return request["prompt"]
    parts = [request[name] for name in ("tools",) if request.get(name) is not None]
    return "".join(rfc8785.dumps(part).decode() + "\n" for part in parts + request["messages"])


def check(vector: dict) -> bool:
    scope = scope_of(vector["tenant"], vector["model"], vector["adapter"])
    prompt = canonical_prompt(vector["request"]) if "request" in vector else vector.get("text")
    if "tokens" in vector:
        found = of_tokens(vector["tokens"], scope, vector["block_tokens"])
    else:
        found = of_text(prompt, scope, vector["block_tokens"])
    if prompt != vector.get("text") or [str(block) for block in found] != vector["prefix_blocks"]:
        print(f"{vector['name']}: got {prompt!r}, {found}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    vectors = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    agreeing = sum(map(check, vectors))
    print(f"{agreeing} of {len(vectors)} vectors agree")
    sys.exit(0 if vectors and agreeing == len(vectors) else 1)
