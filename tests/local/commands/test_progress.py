"""What people see of a run: plain lines in a pipe, a live display on a terminal."""

import contextlib
import io
import os
import re
import threading
import time

import pytest

from local.commands.progress import Progress


def test_a_pipe_gets_a_line_when_a_step_begins_and_one_when_it_ends() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    with progress.step("cdk deploy") as step:
        step.detail("creating [bold]things[/bold]")
        progress.write("to")
        progress.write("ken")
        progress.say()
    assert re.fullmatch(r"• cdk deploy\ntoken\n✓ cdk deploy \(\d+\.\d s\)\n", stream.getvalue())


def test_a_step_that_fails_is_marked() -> None:
    stream = io.StringIO()
    with pytest.raises(RuntimeError), Progress(stream).step("cdk deploy"):
        raise RuntimeError
    assert stream.getvalue() == "• cdk deploy\n✗ cdk deploy\n"


def test_text_is_written_as_it_is() -> None:
    stream = io.StringIO()
    Progress(stream).say("[red]not markup[/red] " + "x" * 300)
    assert stream.getvalue() == "[red]not markup[/red] " + "x" * 300 + "\n"


def test_a_terminal_shows_the_step_under_way_and_what_it_does() -> None:
    ours, theirs = os.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while piece := os.read(ours, 4096):
                shown.extend(piece)
        except OSError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        patch.delenv("NO_COLOR", raising=False)
        progress = Progress(stream)
        with progress.step("cdk synth") as step, progress.step("cdk bootstrap"):
            step.detail("[1/2] building")
            time.sleep(0.3)  # the display is drawn ten times a second
            assert progress.console.is_terminal
    reader.join(10)
    os.close(ours)
    told = shown.decode(errors="replace")
    assert "cdk synth" in told
    assert "[1/2] building" in told
    assert "✓ cdk bootstrap" in told
    assert "\x1b[" in told


def test_when_nobody_reads_on_the_command_is_told_once_and_its_cleanup_stays_silent() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    stream = os.fdopen(write_end, "w")
    progress = Progress(stream)
    with pytest.raises(BrokenPipeError):
        progress.say("x" * 100_000)
    progress.say("cleaned up")
    with contextlib.suppress(BrokenPipeError):
        stream.close()
