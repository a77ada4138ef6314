"""The files with the public API: of this commit, and of the last release."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[2] / "tests" / "public_api"

PINNED = _FOLDER / "pinned.pyi"
RELEASED = _FOLDER / "released.pyi"
