"""What the layers of a model keep of a request, where that is not keys and values of every token.

Engines that have one pool of blocks for all layers need the layers by kind. What a config.json says by names of layers
(`layer_types`) is in `ModelFacts.layer_groups`; for architectures whose pattern is fixed it is here.

Sources: transformers 4.51.0 and later, `configuration_*.py` of each model type (`layer_types`,
`sliding_window_pattern`, `no_rope_layers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from constructs_lib.planning.models.facts import ModelFacts


@dataclass(frozen=True, kw_only=True)
class LayerGroup:
    """Layers that keep the same of a request.

    Args:
        layers: How many they are.
        window: Tokens that they look back at, at most. Default: all of them.
        state_bytes: Size of the state that one of them keeps instead of keys and values, however long the request is;
            of the whole model, so GPUs share it. Default: it keeps keys and values.
        kv_heads: Key-value heads. Default: the model's.
        head_dim: Size of one head. Default: the model's.
    """

    layers: int
    window: int | None = None
    state_bytes: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None


_FULL_EVERY = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2}
"""One layer of that many looks at all tokens, the others at a window."""

_WINDOWED = ("mistral", "mixtral", "phi3", "phimoe", "starcoder2")
"""Types all of whose layers look at a window if config.json names one; Qwen2 names one and does not use it."""

_CHUNKED = {"llama4": (4, 8192)}
"""One layer of that many looks at all tokens, the others at the chunk of that many in which the token is."""


def layer_groups(facts: ModelFacts) -> tuple[LayerGroup, ...]:
    """The layers by what they keep; those that use the keys of other layers are left out."""
    if facts.layer_groups:
        return facts.layer_groups
    kind, window = facts.model_type, facts.sliding_window
    if kind in _CHUNKED:
        every, chunk = _CHUNKED[kind]
        return _mixed(facts.layers, every, chunk)
    if window is None or window >= facts.max_positions:
        return (LayerGroup(layers=facts.layers),)
    if kind in _FULL_EVERY:
        return _mixed(facts.layers, _FULL_EVERY[kind], window)
    return (LayerGroup(layers=facts.layers, window=window if kind in _WINDOWED else None),)


def _mixed(layers: int, every: int, window: int) -> tuple[LayerGroup, ...]:
    full = layers // every
    return LayerGroup(layers=full), LayerGroup(layers=layers - full, window=window)


def latent_width_from_config(config: Mapping[str, Any]) -> int | None:
    """The two parts of the latent, by a config.json; None without multi-head latent attention."""
    rank = _optional(config, "kv_lora_rank")
    return None if rank is None else rank + _number(config, "qk_rope_head_dim", 64)


def groups_from_config(config: Mapping[str, Any], layers: int) -> tuple[LayerGroup, ...]:
    """The layers by kind, where a config.json names the kind of each; empty if it does not.

    Args:
        config: The section of the text part.
        layers: Its layers.
    """
    kinds = _kinds(config, layers)
    kept = kinds[: layers - _number(config, "num_kv_shared_layers", 0)]
    if not kept or set(kept) <= {"full_attention", "attention"}:
        return ()
    groups = (
        LayerGroup(
            layers=sum(kind in ("full_attention", "attention") for kind in kept),
            kv_heads=_optional(config, "num_global_key_value_heads"),
            head_dim=_optional(config, "global_head_dim"),
        ),
        LayerGroup(layers=kept.count("sliding_attention"), window=_number(config, "sliding_window", 4096)),
        LayerGroup(layers=kept.count("chunked_attention"), window=_number(config, "attention_chunk_size", 8192)),
        LayerGroup(layers=kept.count("linear_attention"), state_bytes=_linear_state(config)),
        LayerGroup(layers=kept.count("mamba"), state_bytes=_mamba_state(config)),
    )
    return tuple(group for group in groups if group.layers)


def _kinds(config: Mapping[str, Any], layers: int) -> list[str]:
    named = config.get("layer_types")
    if isinstance(named, list) and len(named) == layers:
        return [str(kind) for kind in named]
    every = config.get("full_attention_interval")
    if isinstance(every, int) and every > 1 and "linear_num_value_heads" in config:
        return ["linear_attention" if place % every else "full_attention" for place in range(1, layers + 1)]
    return []


def _linear_state(config: Mapping[str, Any]) -> int:
    """The state of a gated delta rule in float32, and the inputs of its convolution in 16 bits."""
    key = _number(config, "linear_num_key_heads", 1) * _number(config, "linear_key_head_dim", 128)
    heads, dim = _number(config, "linear_num_value_heads", 1), _number(config, "linear_value_head_dim", 128)
    inputs = (2 * key + heads * dim) * (_number(config, "linear_conv_kernel_dim", 4) - 1)
    return heads * _number(config, "linear_key_head_dim", 128) * dim * 4 + inputs * 2


def _mamba_state(config: Mapping[str, Any]) -> int:
    """The state of a Mamba 2 layer and the inputs of its convolution, in 16 bits."""
    heads, dim = _number(config, "mamba_n_heads", 1), _number(config, "mamba_d_head", 64)
    state = _number(config, "mamba_d_state", 128)
    inputs = heads * dim + 2 * _number(config, "mamba_n_groups", 1) * state
    return (heads * dim * state + inputs * (_number(config, "mamba_d_conv", 4) - 1)) * 2


def _number(config: Mapping[str, Any], name: str, default: int) -> int:
    value = config.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _optional(config: Mapping[str, Any], name: str) -> int | None:
    return _number(config, name, 0) or None
