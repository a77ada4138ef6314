"""The files of a function: its code at /var/task, and the content of its layers, merged, at /opt.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html and
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (LAMBDA_TASK_ROOT).
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TASK_ROOT = "/var/task"
LAYERS_ROOT = "/opt"

Archive = bytes | Path


@dataclass(frozen=True, slots=True)
class FunctionFiles:
    """Where the folders that a function sees are on this machine.

    Args:
        task_root: /var/task.
        layers_root: /opt.
    """

    task_root: Path
    layers_root: Path

    def locate(self, value: str) -> str:
        """The path on this machine, if the value is one in a folder of the function; else the value as it is."""
        for root, folder in ((TASK_ROOT, self.task_root), (LAYERS_ROOT, self.layers_root)):
            if value == root or value.startswith(f"{root}/"):
                return f"{folder}{value[len(root) :]}"
        return value


def unpack(code: Archive, layers: Sequence[Archive], folder: Path) -> FunctionFiles:
    """Unpacks the code and the layers, each with the file modes in its archive, as Lambda does.

    Args:
        code: The code.
        layers: The layers, in the order of the function's `Layers`: a file of a later one replaces an earlier one's.
        folder: Receives one folder for each.
    """
    files = FunctionFiles(task_root=folder / "task", layers_root=folder / "opt")
    files.layers_root.mkdir()
    unpack_archive(code, files.task_root)
    for layer in layers:
        unpack_archive(layer, files.layers_root)
    return files


def unpack_archive(archive: Archive, folder: Path) -> None:
    """Unpacks an archive with the file modes in it.

    Args:
        archive: The archive.
        folder: Receives the files, beside those that it has.
    """
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(archive) if isinstance(archive, bytes) else archive) as zip_file:
        for entry in zip_file.infolist():
            path = Path(zip_file.extract(entry, folder))
            mode = entry.external_attr >> 16 & 0o777
            if mode and not entry.is_dir():
                path.chmod(mode)
