"""Runs the command line inside of the test."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from constructs_lib.cli.main import main
from tests.constructs_lib.cli.text_stream import Stream


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine says about colours and the hub has no say here."""
    for name in ("NO_COLOR", "FORCE_COLOR", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run() -> Callable[..., Outcome]:
    """Runs a command, as in a pipe unless it is told otherwise."""

    def run(*arguments: object, **stream: object) -> Outcome:
        out, err = Stream(**stream), Stream()
        status = main([str(argument) for argument in arguments], out, err)
        assert "Traceback" not in err.getvalue()
        return Outcome(status, out.getvalue(), err.getvalue())

    return run
