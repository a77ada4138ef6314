"""Archives of the functions' code, as Lambda unpacks them.

The CDK would copy a folder file by file into the assembly of each app, and the CDK CLI would pack it: that takes longer
than everything else about an asset.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib._compact_source import compact_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs_lib._compact_source import CopiedFile

_OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that archives can name."""
_UNIX = 3
_EXECUTABLE, _PLAIN = 0o100755, 0o100644


@dataclass(frozen=True, slots=True)
class CodeArchive:
    """An archive.

    Args:
        path: Where it is, as long as this process exists.
        digest: Of the files in it: the archive itself may differ with the release of zlib.
    """

    path: Path
    digest: str


@cache
def code_archive(*folders: Path) -> CodeArchive:
    """An archive of folders, each at its root, with compact source. It is made once.

    Args:
        folders: Folders of Python and other files.
    """
    files = [file for folder in folders for file in compact_files(folder)]
    place = tempfile.TemporaryDirectory()
    _PLACES.append(place)
    path = Path(place.name, f"{folders[0].name}.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.name, _OLDEST)
            entry.create_system, entry.compress_type = _UNIX, zipfile.ZIP_DEFLATED
            # Lambda runs the function as another user: whatever the umask of this one is.
            entry.external_attr = (_EXECUTABLE if file.is_executable else _PLAIN) << 16
            archive.writestr(entry, file.content)
    return CodeArchive(path, _digest(files))


def _digest(files: Iterable[CopiedFile]) -> str:
    digest = sha256()
    for file in files:
        digest.update(repr((file.name, file.is_executable, len(file.content))).encode())
        digest.update(file.content)
    return digest.hexdigest()


_PLACES: list[tempfile.TemporaryDirectory[str]] = []
"""Deleted when the process ends: the CDK has its own copies by then."""
