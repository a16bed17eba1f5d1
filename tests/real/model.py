"""Writes a model that a real model server loads: random weights, half a megabyte, no download.

Llama architecture, two layers of width 64. The vocabulary is the 256 bytes and three control tokens, so any text
can be tokenized. What it answers is noise; when it answers, and with how many tokens, is real.
"""

import sys
from pathlib import Path

import gguf
import numpy

WIDTH, LAYERS, HEADS, FEED_FORWARD, CONTEXT = 64, 2, 4, 128, 2048
CONTROL_TOKENS = [b"<unk>", b"<s>", b"</s>"]
VOCABULARY = CONTROL_TOKENS + [b"<0x%02X>" % byte for byte in range(256)]
SEED = 20


def write(path: Path) -> None:
    """Writes the model to `path`, whole or not at all."""
    unfinished = path.with_suffix(".part")
    model = gguf.GGUFWriter(str(unfinished), "llama")
    model.add_name("tiny")
    model.add_context_length(CONTEXT)
    model.add_embedding_length(WIDTH)
    model.add_block_count(LAYERS)
    model.add_feed_forward_length(FEED_FORWARD)
    model.add_head_count(HEADS)
    model.add_head_count_kv(HEADS)
    model.add_rope_dimension_count(WIDTH // HEADS)
    model.add_layer_norm_rms_eps(1e-5)
    add_vocabulary(model)
    add_weights(model)
    model.write_header_to_file()
    model.write_kv_data_to_file()
    model.write_tensors_to_file()
    model.close()
    unfinished.rename(path)


def add_vocabulary(model: gguf.GGUFWriter) -> None:
    """Every byte is a token; nothing merges."""
    control, byte = gguf.TokenType.CONTROL, gguf.TokenType.BYTE
    model.add_tokenizer_model("llama")
    model.add_token_list(VOCABULARY)
    model.add_token_scores([0.0] * len(VOCABULARY))
    model.add_token_types([gguf.TokenType.UNKNOWN, control, control] + [byte] * 256)
    model.add_unk_token_id(0)
    model.add_bos_token_id(1)
    model.add_eos_token_id(2)
    model.add_vocab_size(len(VOCABULARY))
    model.add_chat_template("{% for message in messages %}{{ message['content'] }}\n{% endfor %}")


def add_weights(model: gguf.GGUFWriter) -> None:
    """The tensors that the architecture names, drawn from a fixed seed."""
    chance = numpy.random.default_rng(SEED)

    def matrix(rows: int, columns: int) -> numpy.ndarray:
        return (chance.standard_normal((rows, columns)) * 0.05).astype(numpy.float32)

    ones = numpy.ones(WIDTH, dtype=numpy.float32)
    model.add_tensor("token_embd.weight", matrix(len(VOCABULARY), WIDTH))
    model.add_tensor("output_norm.weight", ones)
    model.add_tensor("output.weight", matrix(len(VOCABULARY), WIDTH))
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        for norm in ("attn_norm", "ffn_norm"):
            model.add_tensor(f"{block}.{norm}.weight", ones)
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            model.add_tensor(f"{block}.{part}.weight", matrix(WIDTH, WIDTH))
        for part in ("ffn_gate", "ffn_up"):
            model.add_tensor(f"{block}.{part}.weight", matrix(FEED_FORWARD, WIDTH))
        model.add_tensor(f"{block}.ffn_down.weight", matrix(WIDTH, FEED_FORWARD))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
