"""Runs the command line in the test's own process."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from constructs_lib.cli.main import main
from tests.constructs_lib.cli.text_stream import TextStream


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the machine's own settings for colours, width, the hub and S3."""
    for name in (
        "NO_COLOR",
        "FORCE_COLOR",
        "COLORTERM",
        "COLUMNS",
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "HF_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run() -> Callable[..., Outcome]:
    """Runs a command; its output is a pipe unless the keyword arguments say otherwise."""

    def run(*arguments: object, **stream: object) -> Outcome:
        out, err = TextStream(**stream), TextStream()
        status = main([str(argument) for argument in arguments], out, err)
        assert "Traceback" not in err.getvalue()
        return Outcome(status, out.getvalue(), err.getvalue())

    return run
