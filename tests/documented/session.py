"""Runs the commands of a document in order, as a reader would."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.documented.blocks import Block
from tests.documented.clone import environment, free_port, make_clone
from tests.documented.rules import How, calls, how
from tests.documented.terminal import Terminal

READY = "Press Ctrl-C to stop."
DEFAULT_PORT = "8080"


@dataclass(frozen=True)
class Ran:
    """A block whose commands have run.

    Args:
        block: The block.
        printed: What they printed.
        status: The exit status of the last one.
    """

    block: Block
    printed: str
    status: int


class Session:
    """A reader with a clone, a terminal for commands, and one for `make serve`.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._clone = make_clone(folder)
        self._port = str(free_port())
        self._environment = environment(self._clone, int(self._port))
        self._terminal = Terminal(self._clone, self._environment)
        self._serving: Terminal | None = None
        self._keys: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._terminal.close()

    def run(self, block: Block) -> Ran | None:
        """Run what can be run of a block, and write its file; None if nothing runs."""
        if block.title:
            path = self._clone / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.code, encoding="utf-8")
            return None
        if calls(block):
            return self._call(block)
        shown: list[str] = []
        status = None
        for command in block.commands:
            match how(block, command.text):
                case How.SERVE:
                    shown.append(self._serve(command.text))
                    status = 0
                case How.RUN:
                    status, printed = self._terminal.run(self._with_values(command.text))
                    shown.append(printed)
        if status is None:
            return None
        return Ran(block, self._as_documented("".join(one.strip("\n") + "\n" for one in shown if one.strip())), status)

    def _serve(self, command: str) -> str:
        self._stop()
        self._serving = Terminal(self._clone, self._environment)
        shown = self._serving.start(command, READY)
        self._keys = {name or "": key for key, name in re.findall(r"^API key +(\S+)(?: \((.+)\))?$", shown, re.M)}
        return shown

    def _stop(self) -> None:
        if self._serving is not None:
            self._serving.close()
        self._serving = None

    def _call(self, block: Block) -> Ran:
        """Run code that calls a URL, with what it leaves out: the URL and the key."""
        if self._serving is None:
            self._serve("make serve")
        key = next(iter(self._keys.values()))
        url = f"http://127.0.0.1:{self._port}/prod"
        if block.language == "bash":
            status, printed = self._terminal.run(f"URL={url} KEY={key}\n{block.code.rstrip()}")
        else:
            script = self._clone.parent / "client.py"
            script.write_text(f"URL, KEY = {url!r}, {key!r}\n{block.code}", encoding="utf-8")
            status, printed = self._terminal.run(f"python {shlex.quote(str(script))}")
        return Ran(block, self._as_documented(printed), status)

    def _with_values(self, command: str) -> str:
        """A command with this run's port, and the keys in the places of `<the API key>` and `<the key of team-a>`."""
        command = command.replace(DEFAULT_PORT, self._port)
        for name, key in self._keys.items():
            command = command.replace(f"<the key of {name}>", key).replace("<the API key>", key)
        return command

    def _as_documented(self, printed: str) -> str:
        return printed.replace(self._port, DEFAULT_PORT).replace(str(self._clone.parent), "/home/you")
