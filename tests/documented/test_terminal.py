"""The terminal in which documented commands run."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.documented import terminal as module
from tests.documented.terminal import WIDTH, Terminal


def test_commands_share_variables_folder_and_functions(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    with Terminal(tmp_path, dict(os.environ)) as terminal:
        assert terminal.run("cd below; export NAME=value; f() { echo called; }") == (0, "\n")
        assert terminal.run('echo "$NAME ${PWD##*/}"; f; (exit 3)') == (3, "value below\ncalled\n")


def test_what_it_starts_is_on_a_terminal_of_a_fixed_width(tmp_path: Path) -> None:
    with Terminal(tmp_path, {**os.environ, "TERM": "xterm"}) as terminal:
        assert terminal.run("test -t 1 && tput cols") == (0, f"{WIDTH}\n")


def test_closing_it_ends_what_was_started_in_it(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, dict(os.environ))
    assert terminal.start("sleep 600 & echo $! >pid; echo ready; wait", "ready") == "ready\n"
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 0)
    terminal.close()
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_command_without_end_is_an_error_with_what_it_has_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.5)
    with (
        Terminal(tmp_path, dict(os.environ)) as terminal,
        pytest.raises(TimeoutError, match=r"no end after 0\.5 s:\nhi"),
    ):
        terminal.run("echo hi; sleep 600")


def test_a_server_that_ends_is_an_error_with_what_it_has_shown(tmp_path: Path) -> None:
    with Terminal(tmp_path, dict(os.environ)) as terminal, pytest.raises(RuntimeError, match="has ended:\nno port"):
        terminal.start("echo no port; false", "ready")


def test_a_shell_that_ends_is_an_error_with_what_it_has_shown(tmp_path: Path) -> None:
    with Terminal(tmp_path, dict(os.environ)) as terminal, pytest.raises(RuntimeError, match="has ended:\nbye"):
        terminal.run("echo bye; exit 4")
