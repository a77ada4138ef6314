"""Reads the shape of a model from its config.json, whatever names that uses.

What a config.json leaves out has the default of its configuration class in transformers 4.51.0, with which TGI 3.3
loads models (`server/uv.lock` at v3.3.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.planning.models.architecture import Architecture
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.config_defaults import config_defaults
from constructs_lib.planning.models.config_fields import (
    EXPERT_INTERMEDIATE,
    EXPERTS,
    EXPERTS_PER_TOKEN,
    HEAD_DIM,
    HEADS,
    HIDDEN,
    INTERMEDIATE,
    KV_HEADS,
    LAYERS,
    LONGEST,
    MLA_KEYS,
    NESTED,
    POSITIONS,
    TEXT_SECTIONS,
    VOCABULARY,
)
from constructs_lib.planning.models.positions import Positions, read_positions
from constructs_lib.planning.validation.problem import Problem, shown

_STATED = frozenset((*LAYERS, *HIDDEN, *HEADS, *VOCABULARY))
"""Sizes that every published config.json states; one without them, as GGUF repositories have, is no description."""

_NULL_IS_NONE = ("sliding_window", "q_lora_rank")
"""Fields whose null is not the default of the class: there is no such thing in the model."""


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
        positions: Its longest contexts.
        vocabulary: Size of the vocabulary.
        intermediate: Size of the feed-forward layers; of one expert if there are several.
        experts: Experts of each feed-forward layer.
        experts_per_token: How many of them work on a token.
        sliding_window: Tokens that a token looks back at, at most, as TGI reads it; None for all of them.
        tied: Whether the output layer is the embedding of the input.
        config: The section that it was read from.
    """

    model_type: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    positions: Positions
    vocabulary: int
    intermediate: int
    experts: int
    experts_per_token: int
    sliding_window: int | None
    tied: bool
    config: Mapping[str, Any]

    def number(self, name: str, default: int) -> int:
        """A whole number of the config.json."""
        value = self.config.get(name)
        return value if isinstance(value, int) else default

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
    outer, text = config.get("model_type"), text_section(config)
    inner = config_defaults(str(outer)).get(TEXT_SECTIONS[0], {}) if text is not None else {}
    section = config if text is None else text
    model_type = section.get("model_type") or inner.get("model_type") or outer
    if not isinstance(model_type, str):
        fix = "Use the config.json of a transformers model."
        raise ConfigJsonError([Problem("model_type", model_type, "must be the name of an architecture", fix)])
    row = architecture(model_type)
    assumed = dict(config_defaults(model_type) or config_defaults(str(outer)))
    if text is None:
        assumed = {name: value for name, value in assumed.items() if name not in _STATED}
    elif inner.get("model_type") == model_type:
        assumed |= inner
    reader = _Reader(given=_flat(section), assumed={**assumed, **row.config.defaults})
    shape = _shape(reader, row, tied=_tied(config, reader))
    if reader.problems:
        raise ConfigJsonError(reader.problems)
    return shape


def text_section(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The description of the text part of a model that has several parts; None for a model of text alone."""
    found = (config.get(name) for name in TEXT_SECTIONS)
    return next((section for section in found if isinstance(section, Mapping)), None)


def _flat(section: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, those of nested sections included. Null is left out where it means the default of the class."""
    nested = (section.get(name) for name in NESTED)
    inner = {name: value for one in nested if isinstance(one, Mapping) for name, value in one.items()}
    fields = {**inner, **section}
    return {name: value for name, value in fields.items() if value is not None or name in _NULL_IS_NONE}


def _shape(reader: _Reader, row: Architecture, *, tied: bool) -> Shape:
    hidden, heads = reader.integer(HIDDEN), reader.integer(HEADS)
    experts = reader.integer(EXPERTS, default=1)
    wide = (*EXPERT_INTERMEDIATE, *INTERMEDIATE) if experts > 1 else INTERMEDIATE
    return Shape(
        model_type=row.model_type,
        layers=reader.integer((*row.config.layers, *LAYERS)),
        hidden=hidden,
        heads=heads,
        kv_heads=_kv_heads(reader, row, heads),
        head_dim=_head_dim(reader, max(1, hidden // heads)),
        positions=_positions(reader, row),
        vocabulary=reader.integer(VOCABULARY),
        intermediate=reader.integer(wide, default=4 * hidden),
        experts=experts,
        experts_per_token=reader.integer(EXPERTS_PER_TOKEN, default=1),
        sliding_window=_sliding_window(reader.section),
        tied=tied,
        config=reader.section,
    )


def _head_dim(reader: _Reader, default: int) -> int:
    if all(name in reader.section for name in MLA_KEYS):
        return sum(reader.integer((name,)) for name in MLA_KEYS)
    return reader.integer(HEAD_DIM, default=default)


def _positions(reader: _Reader, row: Architecture) -> Positions:
    """Some remote code names a model_max_length and nothing else."""
    trained = reader.integer((*POSITIONS, *LONGEST))
    return read_positions(reader.section, trained, stretch_included=row.config.stretch_included)


def _sliding_window(section: Mapping[str, Any]) -> int | None:
    """TGI does not read use_sliding_window (`get_model` and `flash_qwen2_modeling.py` at v3.3.6)."""
    window = section.get("sliding_window")
    return window if isinstance(window, int) and window > 0 else None


def _tied(config: Mapping[str, Any], reader: _Reader) -> bool:
    said = config.get("tie_word_embeddings")
    return bool(reader.section.get("tie_word_embeddings") if said is None else said)


def _kv_heads(reader: _Reader, row: Architecture, heads: int) -> int:
    section, described = reader.section, row.config.kv_heads
    # Falcon's num_kv_heads counts only in the new decoder; older configurations have it and ignore it.
    if described == "falcon" and not section.get("new_decoder_architecture"):
        return 1 if section.get("multi_query", True) else heads
    if described == "bigcode" and section.get("multi_query", True):
        return 1
    if section.get("attention_head_type") == "multiquery":
        return 1
    return reader.integer(KV_HEADS, default=heads)


class _Reader:
    """Reads whole numbers and collects what is wrong with them.

    Args:
        given: The fields of the config.json.
        assumed: What holds for fields that it leaves out. A field may have several names, so one that is given by any
            of them is not assumed by another.
    """

    def __init__(self, *, given: Mapping[str, Any], assumed: Mapping[str, Any]) -> None:
        self._given = given
        self._assumed = assumed
        self.section = {**assumed, **given}
        self.problems: list[Problem] = []

    def integer(self, names: tuple[str, ...], default: int | None = None) -> int:
        places = ((name, place) for place in (self._given, self._assumed) for name in names)
        name = next((name for name, place in places if name in place), None)
        if name is None and default is not None:
            return default
        value = self.section.get(name) if name else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**12:
            return value
        also = f" (or {', '.join(names[1:])})" if len(names) > 1 and name is None else ""
        said = "is missing" if name is None else f"must be a whole number above 0, not {shown(value)}"
        self.problems.append(Problem(name or names[0], value, f"{said}{also}", "Use the config.json of a text model."))
        return 1
