"""The folders of a cloud assembly's assets, some of which are archives."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from local.lambda_service.files import unpack_archive


def asset_folder(assembly: Path | str, key: str) -> Path:
    """The folder of an asset, by its object key in S3."""
    folder = Path(assembly, f"asset.{key.removesuffix('.zip')}")
    return folder if folder.exists() else folder_of(folder.with_name(f"{folder.name}.zip"))


def folder_of(asset: Path) -> Path:
    """The folder of an asset, by its path."""
    return asset if asset.is_dir() else unpacked(asset)


@cache
def unpacked(archive: Path) -> Path:
    """A folder with the files of an archive and their modes, until this process ends."""
    place = tempfile.TemporaryDirectory()
    _PLACES.append(place)
    unpack_archive(archive, Path(place.name))
    return Path(place.name)


_PLACES: list[tempfile.TemporaryDirectory[str]] = []
