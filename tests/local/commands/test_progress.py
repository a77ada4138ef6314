"""Progress output: plain lines in a pipe, a live display on a terminal."""

import asyncio
import contextlib
import io
import os
import re
import threading
import time

import pytest

from local.commands.progress import Progress


def test_a_pipe_gets_a_line_at_the_start_and_the_end_of_a_step() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    with progress.step("cdk deploy") as step:
        step.detail("creating [bold]things[/bold]")
        progress.write("to")
        progress.write("ken")
        progress.print()
    assert re.fullmatch(r"• cdk deploy\ntoken\n✓ cdk deploy \(\d+\.\d s\)\n", stream.getvalue())


def test_a_step_that_fails_is_marked() -> None:
    stream = io.StringIO()
    with pytest.raises(RuntimeError), Progress(stream).step("cdk deploy"):
        raise RuntimeError
    assert stream.getvalue() == "• cdk deploy\n✗ cdk deploy\n"


def test_a_step_that_is_cancelled_is_not_called_a_failure() -> None:
    stream = io.StringIO()
    with pytest.raises(asyncio.CancelledError), Progress(stream).step("cdk deploy"):
        raise asyncio.CancelledError
    assert stream.getvalue() == "• cdk deploy\n"


def test_text_is_written_without_interpreting_markup() -> None:
    stream = io.StringIO()
    Progress(stream).print("[red]not markup[/red] " + "x" * 300)
    assert stream.getvalue() == "[red]not markup[/red] " + "x" * 300 + "\n"


@pytest.mark.parametrize("keeps_steps", [True, False])
def test_a_terminal_shows_running_steps_with_details(keeps_steps: bool) -> None:
    controller, terminal = os.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while data := os.read(controller, 4096):
                shown.extend(data)
        except OSError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(terminal, "w") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        patch.delenv("NO_COLOR", raising=False)
        progress = Progress(stream, keeps_steps=keeps_steps)
        with progress.step("cdk synth") as step, progress.step("cdk bootstrap"):
            step.detail("[1/2] building")
            time.sleep(0.3)  # the display is drawn ten times a second
            assert progress.console.is_terminal
    reader.join(10)
    os.close(controller)
    output = shown.decode(errors="replace")
    assert "cdk synth" in output
    assert "[1/2] building" in output
    assert ("✓ cdk bootstrap" in output) == keeps_steps
    assert "\x1b[" in output


def test_a_terminal_without_colours_gets_none() -> None:
    controller, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("NO_COLOR", "1")
        Progress(stream).print("✗ cdk synth", style="red")
    shown = os.read(controller, 4096).decode()
    os.close(controller)
    assert shown == "✗ cdk synth\r\n"


def test_a_pipe_keeps_the_steps_that_a_terminal_may_drop() -> None:
    stream = io.StringIO()
    Progress(stream, keeps_steps=False).done("cdk synth")
    assert stream.getvalue() == "✓ cdk synth\n"


def test_a_closed_pipe_raises_once_and_later_output_is_dropped() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    stream = os.fdopen(write_end, "w")
    progress = Progress(stream)
    with pytest.raises(BrokenPipeError):
        progress.print("x" * 100_000)
    progress.print("cleaned up")
    with contextlib.suppress(BrokenPipeError):
        stream.close()
