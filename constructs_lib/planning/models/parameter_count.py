"""How many parameters a model has, by the shape that its config.json describes.

The layers are those of the model classes of transformers 4.51.0. Tests hold the sums against published counts.
"""

from __future__ import annotations

from collections.abc import Callable

from constructs_lib.planning.models.architecture import LayerKind, Layers
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.shape import Shape


def text_parameters(shape: Shape) -> int | None:
    """Parameters of the text part; None for an architecture whose layers are not known here."""
    layers = architecture(shape.model_type).layers
    return _COUNTS[layers.kind](shape) if layers else None


def _embeddings(shape: Shape) -> int:
    return shape.vocabulary * shape.hidden * (1 if shape.tied else 2)


def _attention(shape: Shape, *, qkv_bias: bool = False, bias: bool = False) -> int:
    """Queries, keys, values, output; `bias` is that of the output."""
    weights = shape.hidden * (2 * shape.queries + 2 * shape.keys)
    return weights + (shape.queries + 2 * shape.keys) * qkv_bias + shape.hidden * bias


def _mlp(shape: Shape, *, bias: bool) -> int:
    """Up and down."""
    return 2 * shape.hidden * shape.intermediate + (shape.intermediate + shape.hidden) * bias


def llama_parameters(shape: Shape, layers: int) -> int:
    """Llama, and what is built like it: gate, up, down, and norms without bias.

    Args:
        shape: The shape.
        layers: How many of its layers are such layers.
    """
    hidden, kind = shape.hidden, architecture(shape.model_type).layers or Layers(kind="llama")
    bias = shape.is_on("attention_bias")
    attention = _attention(shape, qkv_bias=bias or kind.qkv_bias, bias=bias)
    if kind.head_norms == "per_head_dim":
        attention += 2 * shape.head_dim
    elif kind.head_norms == "use_qk_norm" and shape.is_on("use_qk_norm"):
        attention += shape.queries + shape.keys
    expert = 3 * hidden * shape.intermediate + (2 * shape.intermediate + hidden) * shape.is_on("mlp_bias")
    router = hidden * shape.experts if shape.experts > 1 else 0
    norms = hidden * kind.norms
    return _embeddings(shape) + layers * (attention + shape.experts * expert + router + norms) + hidden


def cross_attention_parameters(shape: Shape) -> int:
    """A layer of Llama 3.2 Vision that looks at the image, with its two gates."""
    feed_forward = 3 * shape.hidden * shape.intermediate
    return _attention(shape) + 2 * shape.head_dim + feed_forward + 2 * shape.hidden + 2


def _deepseek(shape: Shape) -> int:
    """Attention over compressed keys and values; routed and shared experts after the first layers."""
    hidden, heads, expert = shape.hidden, shape.heads, 3 * shape.hidden * shape.intermediate
    latent, value = shape.number("kv_lora_rank", 512), shape.number("v_head_dim", 128)
    compressed, rope = shape.number("q_lora_rank", 0), shape.number("qk_rope_head_dim", 64)
    queries = compressed * (hidden + 1 + shape.queries) if compressed else hidden * shape.queries
    keys = hidden * (latent + rope) + latent + latent * heads * (shape.head_dim - rope + value)
    layer = queries + keys + heads * value * hidden + 2 * hidden
    dense = min(shape.layers, shape.number("first_k_dense_replace", 0))
    sparse = (shape.experts + shape.number("n_shared_experts", 0)) * expert + hidden * shape.experts
    feed_forward = dense * 3 * hidden * shape.number("intermediate_size", 0) + (shape.layers - dense) * sparse
    return _embeddings(shape) + shape.layers * layer + feed_forward + hidden


def _gated(shape: Shape) -> int:
    return llama_parameters(shape, shape.layers)


def _bloom(shape: Shape) -> int:
    hidden = shape.hidden
    layer = _attention(shape, qkv_bias=True, bias=True) + _mlp(shape, bias=True) + 4 * hidden
    return _embeddings(shape) + 2 * hidden + shape.layers * layer + 2 * hidden


def _t5(shape: Shape) -> int:
    hidden = shape.hidden
    gated = str(shape.config.get("feed_forward_proj", "relu")).startswith("gated")
    feed_forward = (3 if gated else 2) * hidden * shape.intermediate
    attention = _attention(shape)
    encoder_layers = shape.config.get("num_layers")
    encoders = encoder_layers if isinstance(encoder_layers, int) else shape.layers
    buckets = shape.config.get("relative_attention_num_buckets")
    positions = 2 * (buckets if isinstance(buckets, int) else 32) * shape.heads
    encoder = encoders * (attention + feed_forward + 2 * hidden) + hidden
    decoder = shape.layers * (2 * attention + feed_forward + 3 * hidden) + hidden
    return _embeddings(shape) + positions + encoder + decoder


def _opt(shape: Shape) -> int:
    hidden, bias = shape.hidden, shape.is_on("enable_bias", default=True)
    projected = shape.config.get("word_embed_proj_dim")
    width = projected if isinstance(projected, int) else hidden
    norm = 2 * hidden * shape.is_on("layer_norm_elementwise_affine", default=True)
    words = shape.vocabulary * width * (1 if shape.tied else 2)
    projections = 2 * width * hidden if width != hidden else 0
    positions = (shape.positions.trained + 2) * hidden
    layer = _attention(shape, qkv_bias=bias, bias=bias) + _mlp(shape, bias=bias) + 2 * norm
    last = norm if shape.is_on("do_layer_norm_before", default=True) else 0
    return words + projections + positions + shape.layers * layer + last


def _biased(shape: Shape) -> int:
    """GPT-NeoX, StarCoder2: biases and two norms, positions that are not learned."""
    hidden, bias = shape.hidden, shape.is_on("use_bias", default=True)
    layer = _attention(shape, qkv_bias=bias, bias=bias) + _mlp(shape, bias=bias) + 4 * hidden
    return _embeddings(shape) + shape.layers * layer + 2 * hidden


def _gpt2(shape: Shape) -> int:
    """GPT-2 and BigCode's: as above with learned positions."""
    return _biased(shape) + shape.positions.trained * shape.hidden


def _gptj(shape: Shape) -> int:
    layer = _attention(shape) + _mlp(shape, bias=True) + 2 * shape.hidden
    output_bias = 0 if shape.tied else shape.vocabulary
    return _embeddings(shape) + output_bias + shape.layers * layer + 2 * shape.hidden


def _phi(shape: Shape) -> int:
    layer = _attention(shape, qkv_bias=True, bias=True) + _mlp(shape, bias=True) + 2 * shape.hidden
    output_bias = 0 if shape.tied else shape.vocabulary
    return _embeddings(shape) + output_bias + shape.layers * layer + 2 * shape.hidden


def _mpt(shape: Shape) -> int:
    layer = _attention(shape) + _mlp(shape, bias=False) + 2 * shape.hidden
    return _embeddings(shape) + shape.layers * layer + shape.hidden


def _falcon(shape: Shape) -> int:
    hidden, bias = shape.hidden, shape.is_on("bias")
    two_norms = shape.is_on("new_decoder_architecture") or not shape.is_on("parallel_attn", default=True)
    layer = _attention(shape, qkv_bias=bias, bias=bias) + _mlp(shape, bias=bias) + (4 if two_norms else 2) * hidden
    return _embeddings(shape) + shape.layers * layer + 2 * hidden


_COUNTS: dict[LayerKind, Callable[[Shape], int]] = {
    "bloom": _bloom,
    "deepseek": _deepseek,
    "falcon": _falcon,
    "gpt2": _gpt2,
    "gptj": _gptj,
    "llama": _gated,
    "mpt": _mpt,
    "neox": _biased,
    "opt": _opt,
    "phi": _phi,
    "t5": _t5,
}
