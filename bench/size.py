"""What Lambda has to fetch and unpack."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from bench.figure import Figure

KB = 1000


def measure(asset: Path) -> list[Figure]:
    """Weigh the function's asset, packed as the CDK CLI packs it (zip, deflated) and unpacked."""
    files = sorted(path for path in asset.rglob("*") if path.is_file())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(asset))
    unpacked = sum(path.stat().st_size for path in files)
    packed = len(buffer.getvalue())
    return [
        _figure("size.zip", "asset of the function, zip", packed, 100.0),
        _figure("size.unpacked", f"asset of the function, {len(files)} files unpacked", unpacked, None),
    ]


def _figure(key: str, what: str, size: int, limit: float | None) -> Figure:
    return Figure(key=key, what=what, ours=f"{size:,} B", reference="–", value=size / KB, unit="KB", limit=limit)
