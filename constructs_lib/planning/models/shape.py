"""Reads the shape of a model from its config.json, whatever names that uses.

Names and defaults are those of the configuration classes of transformers 4.51.0, which TGI 3.3 loads models with: what
a published config.json leaves out has the default of its class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.planning.models.architecture import Architecture
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.validation.problem import Problem, shown

_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HIDDEN = ("hidden_size", "n_embd", "n_embed", "d_model")
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv")
_HEAD_DIM = ("head_dim", "d_kv")
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length")
_INTERMEDIATE = ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "d_ff")
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
_EXPERTS_PER_TOKEN = ("num_experts_per_tok",)


class ConfigJsonError(ValueError):
    """A config.json from which nothing can be worked out.

    Args:
        problems: Everything that is wrong with it.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The shape of the text part of a model.

    Args:
        model_type: `model_type` of the text part.
        layers: Hidden layers (those of the decoder if there is an encoder as well).
        hidden: Hidden size.
        heads: Attention heads.
        kv_heads: Key-value heads.
        head_dim: Size of one head.
        max_positions: Longest context.
        vocabulary: Size of the vocabulary.
        intermediate: Size of the feed-forward layers; of one expert if there are several.
        experts: Experts of each feed-forward layer.
        experts_per_token: How many of them work on a token.
        tied: Whether the output layer is the embedding of the input.
        config: The section that it was read from.
    """

    model_type: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    max_positions: int
    vocabulary: int
    intermediate: int
    experts: int
    experts_per_token: int
    tied: bool
    config: Mapping[str, Any]

    @property
    def queries(self) -> int:
        """Width of all query heads."""
        return self.heads * self.head_dim

    @property
    def keys(self) -> int:
        """Width of all key heads, which is that of the values."""
        return self.kv_heads * self.head_dim

    def is_on(self, name: str, *, default: bool = False) -> bool:
        """Whether a switch of the config.json is on."""
        value = self.config.get(name)
        return default if value is None else bool(value)


def read_shape(config: Mapping[str, Any]) -> Shape:
    """The shape of the text part.

    Args:
        config: The full config.json.

    Raises:
        ConfigJsonError: A figure of the shape is missing or wrong.
    """
    text = config.get("text_config")
    section: Mapping[str, Any] = text if isinstance(text, Mapping) else config
    model_type = section.get("model_type") or config.get("model_type")
    if not isinstance(model_type, str):
        fix = "Use the config.json of a transformers model."
        raise ConfigJsonError([Problem("model_type", model_type, "must be the name of an architecture", fix)])
    row = architecture(model_type)
    reader = _Reader({**row.config.defaults, **{k: v for k, v in section.items() if v is not None}})
    shape = _shape(reader, row, tied=_tied(config, section, row))
    if reader.problems:
        raise ConfigJsonError(reader.problems)
    return shape


def _shape(reader: _Reader, row: Architecture, *, tied: bool) -> Shape:
    hidden, heads = reader.integer(_HIDDEN), reader.integer(_HEADS)
    experts = reader.integer(_EXPERTS, default=1)
    wide = ("moe_intermediate_size", *_INTERMEDIATE) if experts > 1 else _INTERMEDIATE
    return Shape(
        model_type=row.model_type,
        layers=reader.integer((*row.config.layers, *_LAYERS)),
        hidden=hidden,
        heads=heads,
        kv_heads=_kv_heads(reader, row, heads),
        head_dim=reader.integer(_HEAD_DIM, default=max(1, hidden // heads)),
        max_positions=reader.integer(_POSITIONS),
        vocabulary=reader.integer(("vocab_size",)),
        intermediate=reader.integer(wide, default=4 * hidden),
        experts=experts,
        experts_per_token=reader.integer(_EXPERTS_PER_TOKEN, default=1),
        tied=tied,
        config=reader.section,
    )


def _tied(config: Mapping[str, Any], section: Mapping[str, Any], row: Architecture) -> bool:
    for place in (config, section):
        if place.get("tie_word_embeddings") is not None:
            return bool(place["tie_word_embeddings"])
    return row.config.tied


def _kv_heads(reader: _Reader, row: Architecture, heads: int) -> int:
    section, described = reader.section, row.config.kv_heads
    # Falcon's num_kv_heads counts only in the new decoder; older configurations have it and ignore it.
    if described == "falcon" and not section.get("new_decoder_architecture"):
        return 1 if section.get("multi_query", True) else heads
    if described == "bigcode" and section.get("multi_query", True):
        return 1
    if section.get("attention_head_type") == "multiquery":
        return 1
    attention = section.get("attn_config")
    if isinstance(attention, Mapping) and isinstance(attention.get("kv_n_heads"), int):
        return int(attention["kv_n_heads"])
    return reader.integer(_KV_HEADS, default=heads)


class _Reader:
    """Reads whole numbers and collects what is wrong with them."""

    def __init__(self, section: Mapping[str, Any]) -> None:
        self.section = section
        self.problems: list[Problem] = []

    def integer(self, names: tuple[str, ...], default: int | None = None) -> int:
        name = next((name for name in names if name in self.section), None)
        if name is None and default is not None:
            return default
        value = self.section.get(name) if name else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**12:
            return value
        also = f" (or {', '.join(names[1:])})" if len(names) > 1 and name is None else ""
        said = "is missing" if name is None else f"must be a whole number above 0, not {shown(value)}"
        self.problems.append(Problem(name or names[0], value, f"{said}{also}", "Use the config.json of a text model."))
        return 1
