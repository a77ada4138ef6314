"""Writes lambda/front_door/openapi.json, which the front door serves, and docs/openapi.json, which people read."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lambda"))


def main() -> None:
    """Writes both files and says how large they are."""
    from scripts.openapi.files import files

    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
        sys.stderr.write(f"{len(content.encode())} bytes → {path}\n")


if __name__ == "__main__":
    main()
