"""The limits of the function's size and of its cold start."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from bench import cold, size
from bench.template import DeployedFunction

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.figure import Samples


def test_the_code_may_take_150_kilobytes(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    with ZipFile(archive, "w", ZIP_DEFLATED) as opened:
        opened.writestr("front_door/__init__.py", b"x" * 5_000)
    packed, unpacked = size.measure(archive)
    assert (packed.key, packed.limit, packed.bound) == ("size.zip", 150.0, "at most")
    assert packed.value < 1
    assert (unpacked.key, unpacked.value, unpacked.limit) == ("size.unpacked", 5.0, None)


def test_every_route_may_take_three_quarters_of_the_managed_runtimes_cold_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = {cold.REFERENCE: 4.0}

    def start(name: str, _function: object, _route: object, peaks: Samples) -> Callable[[], float]:
        peaks[name] = [9.0, 2.0]
        return lambda: seconds.get(name, 3.0)

    monkeypatch.setattr(cold, "upstream", lambda: nullcontext(1))
    monkeypatch.setattr(cold, "_start", start)
    deployed = DeployedFunction(
        archive=tmp_path, task_root=tmp_path, handler="handler", wrapper="run", models_file=tmp_path / "models.json"
    )
    figures = cold.measure(deployed, 1, _ignore)
    assert {figure.key: (figure.value, figure.limit, figure.is_met) for figure in figures} == {
        "cold.start.buffered": (0.75, 0.75, True),
        "cold.memory.buffered": (1.0, 1.0, True),
        "cold.start.streamed": (0.75, 0.75, True),
        "cold.memory.streamed": (1.0, 1.0, True),
        "cold.start.chat": (0.75, 0.75, True),
        "cold.memory.chat": (1.0, 1.0, True),
        "cold.start.responses": (0.75, 0.75, True),
        "cold.memory.responses": (1.0, 1.0, True),
        "cold.start.messages": (0.75, 0.75, True),
        "cold.memory.messages": (1.0, 1.0, True),
    }


def _ignore(*_: Any) -> None:
    pass
