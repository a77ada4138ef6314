"""The known model that a hub id was probably meant to be, or is a variant of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

_ALIKE = 0.6
"""Least similarity of two names: a fine-tune's has a prefix or a suffix of its own."""

_SIZE = re.compile(r"(?<![a-z\d.])(?:\d+x)?\d+(?:\.\d+)?[bm](?![a-z\d])")
_FORMAT = re.compile(r"[-_.](?:awq|gptq|gguf|ggml|exl2|fp8|bnb|mlx|hf|int[48]|[48]-?bits?)(?=[-_.]|$)")


def nearest_model(hub_id: str, hub_ids: Iterable[str]) -> str | None:
    """The known hub id with the most similar name; None if no name is similar.

    A model of another size is never meant: its shape is another one.

    Args:
        hub_id: A repository on the hub, with or without its owner.
        hub_ids: The known ones.
    """
    wanted = _Name(hub_id)
    alike = [(wanted.likeness(_Name(known)), known) for known in hub_ids]
    (score, _), nearest = max(alike, default=((0.0, 0.0), None))
    return nearest if score >= _ALIKE else None


class _Name:
    def __init__(self, hub_id: str) -> None:
        owner, _, name = hub_id.lower().rpartition("/")
        self._owner = owner
        self._name = _FORMAT.sub("", name)
        self._sizes = set(_SIZE.findall(name))

    def likeness(self, other: _Name) -> tuple[float, float]:
        """How similar the names are, and the owners, each from 0 to 1."""
        if self._sizes and other._sizes and not self._sizes & other._sizes:
            return 0.0, 0.0
        ratio = SequenceMatcher(None, self._name, other._name, autojunk=False).ratio()
        return ratio, SequenceMatcher(None, self._owner, other._owner, autojunk=False).ratio()
