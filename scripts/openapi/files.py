"""The files that hold the document."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.openapi.document import generate

ROOT = Path(__file__).resolve().parents[2]


def files() -> dict[Path, str]:
    """What belongs into each file: one line for the front door to serve, an indented one for people to read."""
    document = generate()
    served = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    pretty = json.dumps(document, ensure_ascii=False, indent=2)
    return {
        ROOT / "lambda" / "front_door" / "openapi.json": served + "\n",
        ROOT / "docs" / "openapi.json": pretty + "\n",
    }
