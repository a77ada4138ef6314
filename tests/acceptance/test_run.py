"""A run as a whole in the emulated cloud: to its end, with a failure in the middle, and stopped in the middle."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.clouds.emulated import Emulated
from acceptance.ledger import read_rows
from acceptance.probe import SAME, Cloud, Probe, Verdict, choose, proven
from acceptance.removal import existing_stacks
from acceptance.report import Report
from acceptance.run import Plan, run
from acceptance.site import Site
from acceptance.stopping import stop_on_signals
from local.commands.progress import Progress
from local.sagemaker_runtime import Faults
from tests.acceptance.test_probes import CONTEXT
from tests.e2e.deployed_cloud import ROOT, processes_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("acceptance run")]


class Run:
    """A run in the emulated cloud, with chosen probes and any of a test's own."""

    def __init__(self, folder: Path, *more: Probe, faults: Faults | None = None) -> None:
        self.file = folder / "build" / "acceptance.md"
        self.screen = io.StringIO()
        self.cloud = Emulated(faults)
        chosen = [*choose(("openai_chat", "G3"), ()), *more, *choose(("L11",), ())]
        self.report = Report(cloud=Cloud.EMULATED, deployment="A model", rows=read_rows(), file=self.file)
        try:
            plan = Plan(context=CONTEXT, chosen=chosen)
            progress = Progress(self.screen)
            with stop_on_signals(progress) as stopping:
                self.code = run(self.cloud, plan, self.report, progress, stopping)
            self.left = existing_stacks(self.cloud)
            endpoints = self.cloud.client("sagemaker").list_endpoints()["Endpoints"]
            self.endpoints = [one["EndpointName"] for one in endpoints]
        finally:
            self.cloud.close()

    @property
    def text(self) -> str:
        return self.file.read_text(encoding="utf-8")

    @property
    def found(self) -> list[str]:
        return [one.probe.name for one in self.report.outcomes]


def own(name: str, attempt: object) -> Probe:
    """A probe of a test."""
    (model,) = choose(("L11",), ())
    return replace(model, name=name, rows=(), title=name, emulation=SAME, attempt=attempt)  # type: ignore[arg-type]


def test_it_deploys_probes_reports_and_deletes(tmp_path: Path) -> None:
    done = Run(tmp_path)
    assert done.code == 0, done.screen.getvalue()
    assert done.found == ["openai_chat", "made_up_key", "layers"]
    assert (done.left, done.endpoints) == ([], [])
    assert "| G3 | With the key source AUTHORIZER" in done.text
    assert "| **proven** | A key with a made-up value is refused by API Gateway itself: status 401" in done.text
    assert re.search(r"aws logs delete-log-group --log-group-name AcceptanceStack-\S*AccessLogs", done.text)
    assert "the account's role for API Gateway logs" in done.text
    assert "- Deleted: AcceptanceStack." in done.text
    assert "ended early" not in done.text


def test_a_probe_that_fails_decides_nothing_and_the_others_run(tmp_path: Path) -> None:
    def fail(_site: Site) -> Verdict:
        raise ZeroDivisionError("nothing | to divide\nby")

    done = Run(tmp_path, own("failing", fail))
    assert done.code == 1, "in the emulated cloud it should have found what it says"
    assert done.found == ["openai_chat", "made_up_key", "failing", "layers"]
    assert "the probe failed: ZeroDivisionError: nothing \\| to divide by" in done.text
    assert (done.left, done.endpoints) == ([], [])


def test_a_deployment_that_fails_is_deleted_too(tmp_path: Path) -> None:
    faults = Faults()
    faults.inject("model-error")
    done = Run(tmp_path, faults=faults)
    assert done.code == 1
    assert done.found == []
    assert "**The run ended early:** the deployment failed: " in done.text
    assert "Smoke test: small returned no token" in done.text
    assert (done.left, done.endpoints) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_probe_runs_stops_it_and_deletes_everything(tmp_path: Path, number: signal.Signals) -> None:
    def interrupt(_site: Site) -> Verdict:
        os.kill(os.getpid(), number)
        time.sleep(30)
        return proven("never")

    done = Run(tmp_path, own("interrupted", interrupt))
    assert done.code == 128 + number
    assert done.found == ["openai_chat", "made_up_key"]
    assert f"**The run ended early:** stopped by {number.name}" in done.text
    assert "- Deleted: AcceptanceStack." in done.text
    assert (done.left, done.endpoints) == ([], [])


def test_an_update_that_is_interrupted_is_deleted_when_it_has_ended(tmp_path: Path) -> None:
    def interrupt(site: Site) -> Verdict:
        def say(line: str) -> None:
            if "UPDATE_IN_PROGRESS" in line:
                os.kill(os.getpid(), signal.SIGTERM)

        site.say = say
        site.deploy("updated")
        return proven("never")

    done = Run(tmp_path, own("interrupted", interrupt))
    assert done.code == 128 + signal.SIGTERM, done.screen.getvalue()
    assert (done.left, done.endpoints) == ([], [])


def test_ctrl_c_during_the_deployment_deletes_what_there_is_and_leaves_no_process(tmp_path: Path) -> None:
    file, log = tmp_path / "acceptance.md", tmp_path / "log"
    command = [sys.executable, "-m", "acceptance", "--emulated", "--only", "L11", "--report", str(file)]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True)
        try:
            _until(lambda: "• cdk deploy AcceptanceStack" in log.read_text())
            _until(lambda: _deploys(process.pid))
            # As a terminal does, to the whole group, of somebody who is in a hurry.
            _until(lambda: _interrupt(process), 120)
            code = process.wait(120)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    assert code == 130, log.read_text()
    assert "stopped by SIGINT" in file.read_text()
    assert "Not deleted" not in file.read_text()
    assert "Traceback" not in log.read_text()
    assert processes_of(process.pid) == []


def _interrupt(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has ended; otherwise its group gets another Ctrl-C."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    return process.poll() is not None


def _deploys(command: int) -> bool:
    """Whether the CDK CLI of a command runs."""
    lines = [Path(f"/proc/{one}/cmdline") for one in processes_of(command)]
    return any(b"\0deploy\0" in line.read_bytes() for line in lines if line.exists())


def _until(holds: object, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.1)
