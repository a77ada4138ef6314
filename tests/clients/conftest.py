"""The deployed cloud that the clients call."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.deployed_cloud import Cloud, Serve, wait_until_nothing_is_left

APP = Path(__file__).with_name("app")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    serve = Serve(tmp_path_factory.mktemp("serve") / "log", "--app", str(APP))
    try:
        yield Cloud.of(serve)
        assert "Runtime API violation" not in serve.log()
    finally:
        serve.end(signal.SIGKILL)
    wait_until_nothing_is_left(serve.process.pid)
