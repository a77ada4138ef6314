"""A program in a terminal of its own, with a keyboard."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 60.0
CHAT = (sys.executable, "-m", "constructs_lib", "chat")
CTRL_C, CTRL_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"

_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])")


class Terminal:
    """A program in a pseudo terminal.

    Args:
        command: The program and its arguments.
        folder: Where it runs. Default: the checkout.
        environment: Further variables.
    """

    def __init__(self, *command: object, folder: Path = ROOT, **environment: str) -> None:
        self._keyboard, terminal = os.openpty()
        inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        self.process = subprocess.Popen(
            [*map(str, command)],
            cwd=folder,
            env={**inherited, "TERM": "xterm-256color", "COLUMNS": "200", "INPUTRC": "/dev/null", **environment},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=self._own_terminal,  # noqa: PLW1509 - no thread forks here
        )
        os.close(terminal)
        self._seen = ""

    @staticmethod
    def _own_terminal() -> None:
        import fcntl
        import termios

        # Ctrl-C then is a signal, as for a person; a test run in the background of a shell would ignore it.
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(SECONDS)
        os.close(self._keyboard)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._keyboard, text.encode())

    def read_until(self, text: str) -> str:
        """What is shown from now on, up to and with a text, without colours."""
        deadline = time.monotonic() + SECONDS
        shown = self._seen
        with selectors.DefaultSelector() as selector:
            selector.register(self._keyboard, selectors.EVENT_READ)
            raw = b""
            while text not in shown:
                assert selector.select(max(0.0, deadline - time.monotonic())), f"{text!r} is not in {shown!r}"
                try:
                    raw += os.read(self._keyboard, 65536)
                except OSError as error:
                    raise AssertionError(f"{text!r} is not in {shown!r}, and the program has ended") from error
                shown = self._seen + _ESCAPE.sub("", raw.decode(errors="replace")).replace("\r\n", "\n")
        end = shown.index(text) + len(text)
        self._seen = shown[end:]
        return shown[:end]

    def shown(self) -> str:
        """What is shown and not read yet."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._keyboard, selectors.EVENT_READ)
            while selector.select(0):
                self._seen += os.read(self._keyboard, 65536).decode(errors="replace")
        return self._seen

    def end(self) -> int:
        """Wait for the end of the program; returns its exit status."""
        shown = b""
        try:
            while data := os.read(self._keyboard, 65536):
                shown += data
        except OSError:
            pass  # the terminal is closed with its last process
        self._seen += shown.decode(errors="replace")
        return self.process.wait(SECONDS)
