"""A run whose terminal is closed, or whose pipe ends, goes on: it has stacks to delete."""

from __future__ import annotations

import contextlib
import os
from typing import TextIO, cast

import pytest

from acceptance.lasting import LastingStream
from local.commands.progress import Progress


@pytest.mark.parametrize("kind", ["terminal", "pipe"])
def test_what_nobody_reads_any_more_is_dropped(kind: str) -> None:
    reader, writer = os.openpty() if kind == "terminal" else os.pipe()
    stream = os.fdopen(writer, "w", encoding="utf-8", buffering=1)
    try:
        progress = Progress(cast("TextIO", LastingStream(stream)))
        assert progress.console.is_terminal is (kind == "terminal")
        with progress.step("Delete everything") as step:
            os.close(reader)
            step.detail("one")
            progress.print("The run ended early", style="bold red")
        progress.print("NOT DELETED")
    finally:
        with contextlib.suppress(OSError):
            stream.close()


def test_what_is_read_arrives() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        Progress(cast("TextIO", LastingStream(stream))).print("NOT DELETED: é")
    with os.fdopen(reader, encoding="utf-8") as read:
        assert read.read() == "NOT DELETED: é\n"
