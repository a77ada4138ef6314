"""The progress of a copy on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

if TYPE_CHECKING:
    from constructs_lib.cli.output import Output


@contextmanager
def bar(base: type[Any], out: Output) -> Iterator[Any]:
    """A bar with files, bytes, speed and the time that is left; notes are lines above it.

    Args:
        base: The copier's class of what follows a copy, `weights_copier.progress.Progress`.
        out: The terminal.
    """
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=out.console,
    )

    class Bar(base):  # type: ignore[misc]
        """Draws the bar."""

        def begin(self, files: Sequence[Any], kept: Sequence[Any]) -> None:
            super().begin(files, kept)
            for task in shown.task_ids:
                shown.remove_task(task)
            task = shown.add_task(self._files(), total=self.totals.bytes)
            shown.update(task, completed=self.totals.done_bytes)

        def add_bytes(self, count: int) -> None:
            super().add_bytes(count)
            shown.advance(shown.task_ids[0], count)

        def finish_file(self, file: Any) -> None:
            super().finish_file(file)
            shown.update(shown.task_ids[0], description=self._files())

        def note(self, line: str) -> None:
            shown.console.print(line, markup=False, highlight=False)

        def _files(self) -> str:
            return f"{self.totals.done_files} of {self.totals.files} files"

    with shown:
        yield Bar()
