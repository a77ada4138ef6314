"""A terminal with a shell that runs one command after the other and keeps its variables and folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path
from typing import Self

from tests.documented.screen import render

WIDTH = 130
_END = "\x1e"
SECONDS = 420.0


class Terminal:
    """A shell on a terminal of 130 columns.

    Args:
        folder: Where it starts.
        environment: Its variables.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._screen, terminal = os.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
        attributes = termios.tcgetattr(terminal)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        self._folder = tempfile.TemporaryDirectory()
        # The shell reads its commands from here, so that the keyboard is for what they start.
        script = Path(self._folder.name) / "commands"
        os.mkfifo(script)
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", str(script)],
            cwd=folder,
            # These two would count more than the size of the terminal.
            env={name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            # A test run in the background of a shell ignores SIGINT, and so would make.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread forks here
        )
        os.close(terminal)
        self._commands = script.open("w", buffering=1)
        self._pending = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, command: str) -> tuple[int, str]:
        """Run a command.

        Returns:
            Its exit status, and what it shows.

        Raises:
            TimeoutError: It has not ended after seven minutes.
        """
        self._commands.write(f"{command}\nprintf '{_END}%s{_END}' $?\n")
        shown = self._read(re.compile(f"{_END}(\\d+){_END}"))
        text, status, _ = re.split(f"{_END}(\\d+){_END}", shown)
        return int(status), render(text)

    def start(self, command: str, ready: str) -> str:
        """Start a command that does not end by itself.

        Returns:
            What it shows until and with the line that begins with `ready`.

        Raises:
            RuntimeError: It has ended.
            TimeoutError: There is no such line after seven minutes.
        """
        self._commands.write(f"{command}\nprintf '{_END}%s{_END}' $?\n")
        shown = self._read(re.compile(f"{re.escape(ready)}[^\\n]*\\n|{_END}\\d+{_END}"))
        if _END in shown:
            raise RuntimeError(f"{command} has ended:\n{render(shown.partition(_END)[0])}")
        return render(shown)

    def close(self) -> None:
        """Press Ctrl-C, and end the shell."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        with contextlib.suppress(OSError):
            self._commands.close()
        deadline = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if select.select([self._screen], [], [], 0.1)[0]:
                    os.read(self._screen, 65536)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._screen)
        self._folder.cleanup()

    def _read(self, end: re.Pattern[str]) -> str:
        shown, self._pending = self._pending, ""
        data = b""
        deadline = time.monotonic() + SECONDS
        while True:
            text = shown + data.decode(errors="ignore")
            if match := end.search(text):
                self._pending = text[match.end() :]
                return text[: match.end()]
            if not select.select([self._screen], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"no end after {SECONDS} s:\n{render(text)}")
            try:
                data += os.read(self._screen, 65536)
            except OSError:
                raise RuntimeError(f"the shell has ended:\n{render(text)}") from None
