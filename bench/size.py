"""The size of the code that Lambda downloads and unpacks."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from bench.figure import Figure

KB = 1000
_MOST_KB = 150.0


def measure(asset: Path) -> list[Figure]:
    """Measure the function's asset, zipped as the CDK CLI does (deflate) and unpacked."""
    files = sorted(path for path in asset.rglob("*") if path.is_file())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(asset))
    unpacked = sum(path.stat().st_size for path in files)
    packed = len(buffer.getvalue())
    return [
        _figure("size.zip", "function asset, zipped", packed, _MOST_KB),
        _figure("size.unpacked", f"function asset, {len(files)} files unpacked", unpacked, None),
    ]


def _figure(key: str, description: str, size: int, limit: float | None) -> Figure:
    return Figure(
        key=key, description=description, ours=f"{size:,} B", reference="–", value=size / KB, unit="KB", limit=limit
    )
