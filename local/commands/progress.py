"""Progress output: spinners on a terminal, plain lines in a pipe."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import Progress as LiveSteps
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID


class _Console(Console):
    """Raises BrokenPipeError so that the command cleans up; rich would exit from inside the event loop."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


class Step:
    """A step in progress."""

    def __init__(self, live: LiveSteps | None, task: TaskID | None) -> None:
        self._live = live
        self._task = task

    def detail(self, text: str) -> None:
        """Shows what the step is doing, on terminals only."""
        if self._live is not None and self._task is not None:
            self._live.update(self._task, detail=text[:60])


class Progress:
    """Shows steps and how long they took.

    Args:
        stream: Where to write, for example `sys.stderr`. Colours and spinners appear only if it is a terminal, colours
            only without the variable NO_COLOR.
        keeps_steps: Steps stay on a terminal when they have ended. Lines in a pipe always do.
    """

    def __init__(self, stream: TextIO, *, keeps_steps: bool = True) -> None:
        self.console: Console = _Console(file=stream, highlight=False)
        self._keeps_steps = keeps_steps or not self.console.is_terminal
        self._active = 0
        self._live: LiveSteps | None = None

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows the start of a step, and its end with the elapsed seconds. Steps may overlap."""
        started = time.monotonic()
        live = self._open()
        task = live.add_task(title, total=None, detail="") if live else None
        if live is None:
            self.print(f"• {title}")
        try:
            yield Step(live, task)
        except asyncio.CancelledError:
            self._close(task)
            raise
        except BaseException:
            self._close(task)
            self.print(f"✗ {title}", style="red")
            raise
        self._close(task)
        self.done(f"{title} ({time.monotonic() - started:.1f} s)")

    def done(self, text: str) -> None:
        """Writes what a step has done, unless the steps of this terminal disappear when they have ended."""
        if self._keeps_steps:
            self.print(f"✓ {text}", style="green")

    def print(self, text: str = "", *, style: str = "") -> None:
        """Writes a line without interpreting markup."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def write(self, text: str, *, style: str = "") -> None:
        """Writes text without a newline and flushes it, for tokens as they arrive."""
        self.console.print(Text(text, style=style), end="", soft_wrap=True)
        self.console.file.flush()

    def _open(self) -> LiveSteps | None:
        if not self.console.is_terminal:
            return None
        if self._live is None:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, min_width=28)),
                TimeElapsedColumn(),
                TextColumn("{task.fields[detail]}", style="dim", markup=False, table_column=Column(no_wrap=True)),
            )
            self._live = LiveSteps(*columns, console=self.console, transient=True)
            self._live.start()
        self._active += 1
        return self._live

    def _close(self, task: TaskID | None) -> None:
        if self._live is None or task is None:
            return
        self._live.remove_task(task)
        self._active -= 1
        if self._active == 0:
            self._live.stop()
            self._live = None
