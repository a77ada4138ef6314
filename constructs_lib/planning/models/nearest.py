"""The known model that a hub id was probably meant to be, or is a variant of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

_ALIKE = 0.6
"""Least similarity of two names: a fine-tune's has a prefix or a suffix of its own."""

_SIZE = re.compile(r"(?<![a-z\d.])(?:\d+x)?\d+(?:\.\d+)?[bm](?![a-z\d])")
_FORMAT = re.compile(r"[-_.](awq|gptq|gguf|ggml|exl2|fp8|bnb|mlx|marlin|w\d+a\d+|int[48]|[48]-?bits?)(?=[-_.]|$)")
_TUNING = re.compile(r"[-_.](?:instruct|chat|it|base|hf)(?=[-_.]|$)")


def nearest_model(hub_id: str, hub_ids: Iterable[str]) -> str | None:
    """The known hub id with the most similar name; None if no name is similar.

    A model of another size is never meant, as its shape is another one, and a compressed one only if the name says so.

    Args:
        hub_id: A repository on the hub, with or without its owner.
        hub_ids: The known ones.
    """
    wanted = _Name(hub_id)
    alike = [(wanted.likeness(_Name(known)), known) for known in hub_ids]
    (score, *_), nearest = max(alike, default=((0.0,), None))
    return nearest if score >= _ALIKE else None


class _Name:
    def __init__(self, hub_id: str) -> None:
        self._owner, _, self._name = hub_id.lower().rpartition("/")
        self._sizes = set(_SIZE.findall(self._name))
        self._formats = set(_FORMAT.findall(self._name))
        # What all models of a family have in common.
        self._family = _TUNING.sub("", _SIZE.sub("", _FORMAT.sub("", self._name))).strip("-_.")

    def likeness(self, other: _Name) -> tuple[float, float, float]:
        """How similar the families are, the names and the owners, each from 0 to 1."""
        if self._sizes and other._sizes and not self._sizes & other._sizes:
            return 0.0, 0.0, 0.0
        if other._formats - self._formats:
            return 0.0, 0.0, 0.0
        return (
            max(self._kinship(other), _ratio(self._family, other._family)),
            _ratio(self._name, other._name),
            _ratio(self._owner, other._owner),
        )

    def _kinship(self, other: _Name) -> float:
        """Near 1 if the name has the other family's in it, as a fine-tune's has: the more of it, the nearer."""
        family = re.escape(other._family)
        if not family or not re.search(rf"(?<![a-z\d]){family}(?![a-z\d])", self._family):
            return 0.0
        return 0.9 + 0.1 * len(other._family) / len(self._family)


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
