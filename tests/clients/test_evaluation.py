"""lm-evaluation-harness against a served front door, as docs/front-door.md says."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.installation import PythonEnvironments
from tests.clients.scripts import assert_passed, run_script
from tests.e2e.deployed_cloud import Cloud, Serve, wait_until_nothing_is_left
from tests.local.model_container.servers import Servers

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients"), pytest.mark.timeout(900)]

SCRIPT = Path(__file__).parent / "evaluation" / "lm_evaluation_harness.py"


@pytest.fixture
def evaluated(tmp_path: Path) -> Iterator[Cloud]:
    """A front door for an endpoint that exists, whose container computes the log probabilities of prompts."""
    with Servers() as servers:
        container = servers.container(enable_prefill_logprobs=True)
        options = ("--stack", "FrontDoorStack", "--context", "front_door=llama=evaluated", "--container-url", container)
        serve = Serve(tmp_path / "log", *options)
        try:
            yield Cloud.of(serve)
        finally:
            serve.end(signal.SIGKILL)
        wait_until_nothing_is_left(serve.process.pid)


def test_a_multiple_choice_task_is_evaluated(evaluated: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    environments = PythonEnvironments([SCRIPT])
    assert_passed(run_script(evaluated, SCRIPT, environments.interpreter(SCRIPT), SCRIPT))
    environments.close()
