"""What transformers says about an architecture: the defaults of its configuration class, and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from constructs_lib.planning.data_files import read


def config_defaults(model_type: str) -> Mapping[str, Any]:
    """The defaults of the configuration class of an architecture; empty for one that transformers 4.51.0 does not have.

    Fields that the class works out from others are left out. `text_config` names the `model_type` of the text part of a
    model that has several, with what differs from the defaults of that type.
    """
    found: Mapping[str, Any] = read("models/config_defaults")["types"].get(model_type, {})
    return found


def other_purpose(model_type: str) -> str | None:
    """What an architecture works on if it writes no text: `sound`, `embeddings` or `images`."""
    others: Mapping[str, list[str]] = read("models/config_defaults")["others"]
    return {name: kind for kind, names in others.items() for name in names}.get(model_type)
