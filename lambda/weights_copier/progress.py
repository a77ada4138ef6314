"""What a copy tells whoever watches: plain lines, for a log. A terminal may show more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from weights_copier.tree import RemoteFile

_MB = 1e6
_GB = 1e9


@dataclass
class Totals:
    """How far a copy is.

    Args:
        files: Number of files.
        bytes: Their bytes.
        done_files: Files that are in the bucket.
        done_bytes: Bytes that are, or have been read.
        copied_bytes: Those of them that this process has read.
    """

    files: int = 0
    bytes: int = 0
    done_files: int = 0
    done_bytes: int = 0
    copied_bytes: int = 0


class Progress:
    """Follows a copy and shows nothing.

    Attributes:
        totals: How far it is.
    """

    def __init__(self) -> None:
        self.totals = Totals()

    def begin(self, files: Sequence[RemoteFile], kept: Sequence[RemoteFile]) -> None:
        """The files are known, and which of them are in the bucket already."""
        kept_bytes = sum(file.size for file in kept)
        self.totals = Totals(len(files), sum(file.size for file in files), len(kept), kept_bytes)

    def add_bytes(self, count: int) -> None:
        """So many bytes more have been read."""
        self.totals.done_bytes += count
        self.totals.copied_bytes += count

    def finish_file(self, file: RemoteFile) -> None:
        """A file is in the bucket."""
        self.totals.done_files += 1

    def note(self, line: str) -> None:
        """Something else that a person may want to know. It may be called by any thread."""


@dataclass
class LineProgress(Progress):
    """Writes a line for each file, and one from time to time within a large one.

    Args:
        write: Writes a line.
        seconds: Between two lines within a file.
        clock: Seconds that only go forward.
    """

    write: Callable[[str], object]
    seconds: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _began: float = field(default=0.0, init=False)
    _last: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        super().__init__()

    def begin(self, files: Sequence[RemoteFile], kept: Sequence[RemoteFile]) -> None:
        """Say how much there is."""
        super().begin(files, kept)
        self._began = self._last = self.clock()
        there = f", {len(kept)} are there already" if kept else ""
        self.note(f"{len(files)} files, {gb(self.totals.bytes)}{there}")

    def add_bytes(self, count: int) -> None:
        """Say how far it is, now and then."""
        super().add_bytes(count)
        if self.clock() - self._last >= self.seconds:
            self._last = self.clock()
            self.note(f"{gb(self.totals.done_bytes)} of {gb(self.totals.bytes)}{self._speed()}")

    def finish_file(self, file: RemoteFile) -> None:
        """Say that the file is verified."""
        super().finish_file(file)
        self._last = self.clock()
        done = f"{self.totals.done_files} of {self.totals.files} files"
        self.note(f"{file.path}: {gb(file.size)} verified; {done}{self._speed()}")

    def note(self, line: str) -> None:
        """Write the line."""
        with self._lock:
            self.write(line)

    def _speed(self) -> str:
        seconds = self.clock() - self._began
        return f", {self.totals.copied_bytes / _MB / seconds:.1f} MB/s" if seconds > 0 else ""


def gb(count: int) -> str:
    """A number of bytes in GB, or in MB if it is small."""
    return f"{count / _GB:.1f} GB" if count >= _GB / 10 else f"{count / _MB:.1f} MB"
