"""Public deployments, written with this library: each gives the template it had, or the reason why it cannot run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ports.comparison import deviations
from tests.ports.ports import FOLDER, Port, read_ports, row_problems, table

if TYPE_CHECKING:
    from aws_cdk import App

PORTS = read_ports()


def _parameter(port: Port) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=port.pending)] if port.pending else []
    return pytest.param(port, id=port.app, marks=marks)


@pytest.mark.parametrize("port", [_parameter(port) for port in PORTS])
def test_an_app_gives_what_its_deployment_had(port: Port, app: App) -> None:
    assert not deviations(port, app)


def test_every_app_has_a_row() -> None:
    assert sorted(path.stem for path in (FOLDER / "apps").glob("[0-9]*.py")) == [port.app for port in PORTS]


@pytest.mark.parametrize(
    ("expect", "words"),
    [({}, "is not valid"), ({"eror": "GPU"}, "is not valid"), ({"model": "owner/model"}, "is not valid")],
)
def test_a_row_that_could_not_fail_is_refused(expect: dict[str, str], words: str) -> None:
    assert any(words in problem for problem in row_problems({"app": "99_x.py", "source": "owner/x", "expect": expect}))


def test_the_readme_lists_every_app() -> None:
    assert table(PORTS) in (FOLDER / "README.md").read_text(encoding="utf-8")
