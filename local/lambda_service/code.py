"""A function's code, unpacked as Lambda unpacks it to /var/task."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path


def unpack(code_zip: bytes | Path, folder: Path) -> None:
    """Unpack an archive and give each file the mode that it has in there, which decides what may be started.

    Args:
        code_zip: The archive, or where it is.
        folder: Where its content goes.
    """
    with zipfile.ZipFile(io.BytesIO(code_zip) if isinstance(code_zip, bytes) else code_zip) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            mode = entry.external_attr >> 16 & 0o777
            if mode and not entry.is_dir():
                path.chmod(mode)
