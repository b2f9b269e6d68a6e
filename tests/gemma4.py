"""Writes tiny GGUFs of the architecture `gemma4` with random weights, as llama.cpp's own converter lays them out.

They say nothing sensible, but everything that depends on structure is real in them: local and global layers with
heads of different number and size, the sliding window, layers that share KV, per-layer embeddings, the tokenizer
and the turn format with its control tokens.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import gguf
import numpy
from gguf import TokenType

_WIDTH, _HEADS, _INNER, _SPREAD = 64, 4, 96, 0.3
_LOCAL_HEAD, _GLOBAL_HEAD = 32, 64  # multiples of 32, or a quantized KV cache cannot hold them

Array = numpy.ndarray[Any, Any]
Make = Callable[..., Array]

TEMPLATE = """\
{%- macro said(text) -%}
    {%- for part in text.split('<channel|>') -%}{{- part.split('<|channel>')[0] -}}{%- endfor -%}
{%- endmacro -%}
{{- bos_token -}}
{%- set system = messages[0].content | trim if messages[0].role == 'system' else '' -%}
{%- if system or enable_thinking -%}
    {{- '<|turn>system\\n' ~ ('<|think|>\\n' if enable_thinking else '') ~ system ~ '<turn|>\\n' -}}
{%- endif -%}
{%- for message in messages if message.role != 'system' -%}
    {%- set model = message.role == 'assistant' -%}
    {{- '<|turn>' ~ ('model' if model else message.role) ~ '\\n' -}}
    {{- (said(message.content) if model else message.content) | trim ~ '<turn|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|turn>model\\n' ~ ('' if enable_thinking else PRIMER) -}}
{%- endif -%}
"""
"""The documented turn format, in our words; `PRIMER` is put in when a file is written."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file looks like inside."""

    pattern: tuple[bool, ...]
    """For each layer whether it is local: sees the sliding window only."""
    local_kv_heads: int
    global_kv_heads: int
    shared: int = 0
    """How many of the last layers have no KV of their own; the last two before them must be local and global."""
    per_layer: int = 0
    """Width of the per-layer embeddings."""
    window: int = 64
    """Tokens that local layers see."""
    context: int = 8192
    primer: str = "<|channel>thought\n<channel|>"
    """What the template opens an answer without thinking with."""
    wide: int = 1
    """How often as wide a head is: llama.cpp moves quantized keys only where it is made of 64 numbers."""
    precise: bool = False
    """Weights of 32 bits: then logits do not depend on how tokens were put into batches, but for the last digits."""

    def kv_heads(self, layer: int) -> int:
        """Of one layer."""
        return self.local_kv_heads if self.pattern[layer] else self.global_kv_heads

    def head(self, layer: int) -> int:
        """Width of a head in one layer."""
        return self.local_head if self.pattern[layer] else self.global_head

    @property
    def local_head(self) -> int:
        """Width of a head in local layers."""
        return _LOCAL_HEAD * self.wide

    @property
    def global_head(self) -> int:
        """And in global ones."""
        return _GLOBAL_HEAD * self.wide


DENSE = Shape((*[True] * 5, False), local_kv_heads=2, global_kv_heads=1)
"""Like the larger models: five local layers to a global one."""
SHARED = Shape((*[True] * 4, False) * 2, 1, 1, shared=5, per_layer=16, primer="")
"""Like E2B: per-layer embeddings, and the second half of the layers uses the KV of the first."""


def write(path: Path, shape: Shape) -> Path:
    """Writes the file; the same shape gives the same bytes."""
    writer = gguf.GGUFWriter(path, "gemma4")
    _describe(writer, shape)
    tokens = _vocabulary(writer, shape)
    for name, tensor in _tensors(shape, tokens):
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _describe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    layers = range(len(shape.pattern))
    writer.add_name("Tiny Gemma 4")
    writer.add_license("apache-2.0")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(len(layers))
    writer.add_feed_forward_length([_INNER] * len(layers))
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv([shape.kv_heads(layer) for layer in layers])
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_final_logit_softcapping(30.0)
    writer.add_sliding_window(shape.window)
    writer.add_sliding_window_pattern(shape.pattern)
    writer.add_shared_kv_layers(shape.shared)
    writer.add_embedding_length_per_layer_input(shape.per_layer)
    for add in (writer.add_key_length, writer.add_value_length, writer.add_rope_dimension_count):
        add(shape.global_head)
    for add in (writer.add_key_length_swa, writer.add_value_length_swa, writer.add_rope_dimension_count_swa):
        add(shape.local_head)
    writer.add_rope_freq_base(1e6)
    writer.add_rope_freq_base_swa(1e4)


_CONTROL = ("<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "<|think|>", "<|image|>")
_VISIBLE = ("<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>')
_WORDS = ("thought", "user", "model", "system", "the", "▁the", "▁of", "▁and", "▁in", "▁tower", "▁lit", "▁was")


def _vocabulary(writer: gguf.GGUFWriter, shape: Shape) -> int:
    """Writes the tokenizer; gives the number of tokens."""
    typed = [(text, TokenType.CONTROL) for text in _CONTROL]
    # The real converter marks these so that they are shown: they come out of the model as text.
    typed += [(text, TokenType.USER_DEFINED) for text in _VISIBLE]
    typed += [(f"<0x{byte:02X}>", TokenType.BYTE) for byte in range(256)]
    merges = [(left, letter) for word in _WORDS for left, letter in zip(accumulate(word), word[1:], strict=False)]
    texts = [*map(chr, range(33, 127)), "▁", "\t", *("\n" * count for count in range(1, 9))]
    texts += [left + letter for left, letter in merges]
    typed += [(text, TokenType.NORMAL) for text in dict.fromkeys(texts)]
    writer.add_tokenizer_model("gemma4")
    writer.add_token_list([text for text, _ in typed])
    writer.add_token_scores([0.0] * len(typed))
    writer.add_token_types([kind for _, kind in typed])
    writer.add_token_merges(list(dict.fromkeys(f"{left} {letter}" for left, letter in merges)))
    writer.add_bos_token_id(_CONTROL.index("<bos>"))
    writer.add_eos_token_id(_CONTROL.index("<eos>"))
    writer.add_unk_token_id(_CONTROL.index("<unk>"))
    writer.add_pad_token_id(_CONTROL.index("<pad>"))
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE.replace("PRIMER", repr(shape.primer)))
    return len(typed)


def _tensors(shape: Shape, tokens: int) -> Iterator[tuple[str, Array]]:
    random = numpy.random.default_rng(4)

    def matrix(*size: int) -> Array:
        # Wide enough that every position's logits depend on all it sees: small weights would hide a wrong cache.
        return (random.standard_normal(size) * _SPREAD).astype(numpy.float32 if shape.precise else numpy.float16)

    def norm(size: int) -> Array:
        return random.uniform(0.5, 1.5, size).astype(numpy.float32)

    layers = len(shape.pattern)
    # Small, because it is the output's matrix too: otherwise every token would be followed by itself.
    yield "token_embd", matrix(tokens, _WIDTH) / numpy.float16(4)
    yield "output_norm", norm(_WIDTH)
    # A quarter of a global head's dimensions turn with the position.
    turning, still = shape.global_head // 8, shape.global_head // 2 - shape.global_head // 8
    yield "rope_freqs", numpy.array([1.0] * turning + [1e30] * still, numpy.float32)
    if shape.per_layer:
        yield "per_layer_token_embd", matrix(tokens, shape.per_layer * layers)
        yield "per_layer_model_proj", matrix(shape.per_layer * layers, _WIDTH)
        yield "per_layer_proj_norm", norm(shape.per_layer)
    for layer in range(layers):
        for name, tensor in _layer(shape, layer, matrix, norm):
            yield f"blk.{layer}.{name}", tensor


def _layer(shape: Shape, layer: int, matrix: Make, norm: Make) -> Iterator[tuple[str, Array]]:
    head, all_heads = shape.head(layer), _HEADS * shape.head(layer)
    yield "attn_norm", norm(_WIDTH)
    yield "attn_q", matrix(all_heads, _WIDTH)
    yield "attn_q_norm", norm(head)
    if layer < len(shape.pattern) - shape.shared:
        yield "attn_k", matrix(shape.kv_heads(layer) * head, _WIDTH)
        yield "attn_v", matrix(shape.kv_heads(layer) * head, _WIDTH)
        yield "attn_k_norm", norm(head)
    yield "attn_output", matrix(_WIDTH, all_heads)
    yield "post_attention_norm", norm(_WIDTH)
    yield "ffn_norm", norm(_WIDTH)
    yield "ffn_gate", matrix(_INNER, _WIDTH)
    yield "ffn_up", matrix(_INNER, _WIDTH)
    yield "ffn_down", matrix(_WIDTH, _INNER)
    yield "post_ffw_norm", norm(_WIDTH)
    yield "layer_output_scale", numpy.ones(1, numpy.float32)
    if shape.per_layer:
        yield "inp_gate", matrix(shape.per_layer, _WIDTH)
        yield "proj", matrix(_WIDTH, shape.per_layer)
        yield "post_norm", norm(_WIDTH)
