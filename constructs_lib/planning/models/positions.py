"""The longest context that a config.json names.

Source: transformers 4.51.0 `modeling_rope_utils.py`: which kinds of rope_scaling stretch max_position_embeddings, and
which it counts already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_STRETCHING = ("linear", "dynamic", "yarn")
"""The others, such as llama3 and longrope, are counted in max_position_embeddings."""

_MAX = 10**9
"""Some configurations write a model_max_length of 10^30 for no limit."""


@dataclass(frozen=True, kw_only=True)
class Positions:
    """The contexts of a model, in tokens.

    Args:
        longest: The longest that its configuration names.
        trained: The longest without what stretches it; TGI's own limit.
    """

    longest: int
    trained: int


def read_positions(section: Mapping[str, Any], trained: int, *, stretch_included: bool = False) -> Positions:
    """The contexts of a model.

    Args:
        section: The fields of its text part.
        trained: What max_position_embeddings says, by whatever name.
        stretch_included: Whether that counts a linear stretch already.
    """
    longest = trained if stretch_included else max(trained, _stretched(section, trained))
    stated = section.get("model_max_length")
    if isinstance(stated, int) and not isinstance(stated, bool) and stated < _MAX:
        longest = max(longest, stated)
    return Positions(longest=longest, trained=trained)


def rope_type(section: Mapping[str, Any]) -> str | None:
    """How positions are stretched, by its name in rope_scaling; None if they are not."""
    scaling = _scaling(section)
    found = scaling.get("rope_type", scaling.get("type"))
    return found if isinstance(found, str) and found != "default" else None


def _scaling(section: Mapping[str, Any]) -> Mapping[str, Any]:
    """rope_scaling, which transformers 5 calls rope_parameters; of the full layers where there are two kinds."""
    scaling = section.get("rope_scaling") or section.get("rope_parameters")
    full = scaling.get("full_attention") if isinstance(scaling, Mapping) else None
    found = full if isinstance(full, Mapping) else scaling
    return found if isinstance(found, Mapping) else {}


def _stretched(section: Mapping[str, Any], trained: int) -> int:
    """Positions with rope_scaling."""
    scaling = _scaling(section)
    if rope_type(section) not in _STRETCHING:
        return trained
    factor, original = scaling.get("factor"), scaling.get("original_max_position_embeddings")
    if not isinstance(factor, int | float) or factor <= 1:
        return trained
    return int(factor * (original if isinstance(original, int) and original > 0 else trained))
