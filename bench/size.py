"""The size of the code that Lambda downloads and unpacks."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from bench.figure import Figure

KB = 1000
_MOST_KB = 150.0


def measure(archive: Path) -> list[Figure]:
    """Measure the archive with the function's code, and what is in it."""
    with ZipFile(archive) as opened:
        sizes = [entry.file_size for entry in opened.infolist()]
    return [
        _figure("size.zip", "function asset, zipped", archive.stat().st_size, _MOST_KB),
        _figure("size.unpacked", f"function asset, {len(sizes)} files unpacked", sum(sizes), None),
    ]


def _figure(key: str, description: str, size: int, limit: float | None) -> Figure:
    return Figure(
        key=key, description=description, ours=f"{size:,} B", reference="–", value=size / KB, unit="KB", limit=limit
    )
