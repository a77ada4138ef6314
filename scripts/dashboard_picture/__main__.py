"""Write docs/dashboard.svg."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from scripts.dashboard_picture.drawing import NO_DATA, draw
from scripts.dashboard_picture.load import collect

TARGET = Path(__file__).parent.parent.parent / "docs" / "dashboard.svg"
SECONDS = 240.0
MAX_BYTES = 250_000
TOY = {"TOY_TOKENS_PER_SECOND": "25"}


def main() -> None:
    """Collect the figures and draw them."""
    os.environ.update(TOY)
    body, figures = asyncio.run(collect(SECONDS))
    drawn = draw(body, figures, TARGET)
    if unexpected := {title for title, count in drawn.items() if (count == 0) != (title in NO_DATA)}:
        sys.exit(f"These widgets have data, or none, against what the caption says: {', '.join(sorted(unexpected))}.")
    if (size := TARGET.stat().st_size) > MAX_BYTES:
        sys.exit(f"The picture has {size:,} bytes, more than the {MAX_BYTES:,} that a page should load.")
    sys.stdout.write(f"{TARGET}: {size:,} bytes, {len(figures.lines)} requests\n")


if __name__ == "__main__":
    main()
