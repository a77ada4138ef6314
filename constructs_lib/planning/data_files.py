"""Reads the checked-in catalogues; on its own because hardware, images and models all do."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PLANNING = Path(__file__).parent


@cache
def read(name: str) -> dict[str, Any]:
    """The catalogue `<name>.json`, such as `hardware/instances`."""
    content: dict[str, Any] = json.loads((_PLANNING / f"{name}.json").read_text(encoding="utf-8"))
    return content
