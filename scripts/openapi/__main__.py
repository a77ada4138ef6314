"""Write constructs_lib/front_door/openapi.json, which the front door serves."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lambda"))


def main() -> None:
    """Write the file and print its size."""
    from scripts.openapi.document import FILE, render

    content = render()
    FILE.write_text(content, encoding="utf-8")
    sys.stderr.write(f"{len(content.encode())} bytes → {FILE}\n")


if __name__ == "__main__":
    main()
