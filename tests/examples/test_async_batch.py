"""The example of asynchronous inference: deployed by the CDK CLI, woken, worked through by its client, idle again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Cloud
from local.deployment.cdk_cli import ROOT
from local.deployment.control_plane import REGION
from local.deployment.scalable_targets import POLICY
from local.hosting import ScalingTimes
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from local.listening import listen
from tests.e2e.deployed_cloud import Serve, wait_until_nothing_is_left
from tests.e2e.own_app import OwnApp

pytestmark = [pytest.mark.xdist_group("example-async_batch"), pytest.mark.slow, pytest.mark.timeout(300)]

EXAMPLE = ROOT / "examples" / "async_batch"
STACK = "NightlyBatch"


class Batch:
    """The served endpoint, and its client as users start it."""

    def __init__(self, app: OwnApp, runtime_url: str, folder: Path, log: list[str]) -> None:
        self._app = app
        self._folder = folder
        self.log = log
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION,
            # An IP address, with which SDKs address buckets by path.
            "AWS_ENDPOINT_URL": app.plane.url.replace("localhost", "127.0.0.1"),
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime_url,
        }

    async def client(self, prompts: list[dict[str, Any]], *arguments: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, answers by id, and what it showed on the way."""
        given, answers = self._folder / "prompts.jsonl", self._folder / "answers.jsonl"
        given.write_text("".join(json.dumps(each) + "\n" for each in prompts))
        answers.unlink(missing_ok=True)
        command = [sys.executable, "client.py", str(given), str(answers), *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=EXAMPLE, env=self._environment, stderr=asyncio.subprocess.PIPE
        )
        _, shown = await process.communicate()
        assert answers.exists(), shown.decode()
        lines = [json.loads(line) for line in answers.read_text().splitlines()]
        return process.returncode or 0, {line["id"]: line for line in lines}, shown.decode()

    async def until(self, change: str, *, after: int = 0, seconds: float = 60) -> None:
        """Waits for a change of the number of instances, after some lines of the log."""
        async with asyncio.timeout(seconds):
            while not any(line.startswith(change) for line in changes(self.log[after:])):
                await asyncio.sleep(0.02)

    def objects(self, folder: str) -> list[str]:
        s3 = self._app.plane.client("s3")
        (bucket,) = (each["Name"] for each in s3.list_buckets()["Buckets"] if "cdk" not in each["Name"])
        return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents", [])]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("TOY_TOKENS_PER_SECOND", "10")
        with OwnApp(EXAMPLE, tmp_path_factory.mktemp("async"), runner) as deployed:
            yield deployed


def serve(cloud: OwnApp, folder: Path, test: Callable[[Batch], Awaitable[None]], *, speed: float = 100) -> list[str]:
    """Serves the endpoint while `test` runs; returns the log."""
    log: list[str] = []

    async def run() -> None:
        times = ScalingTimes(speed=speed, start_seconds=0.5)
        served = Cloud(cloud.plane, [STACK], cloud.children, listen(0), times=times, log=log.append)
        async with served:
            await asyncio.to_thread(cloud.plane.stacks.data_plane.follow, settled=False)
            await test(Batch(cloud, served.runtime_url, folder, log))

    cloud.runner.run(run())
    return log


def changes(log: list[str]) -> list[str]:
    """The changes of the number of instances in a log, such as `0 → 1 instance (Wake, alarm …)`."""
    lines = [line.removeprefix("scaling: ") for line in log if line.startswith("scaling: ") and " → " in line]
    return [line.partition(": ")[2] for line in lines]


def prompts(count: int, **parameters: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"p{number}",
            "inputs": f"Prompt number {number} asks.",
            "parameters": {"max_new_tokens": 8, **parameters},
        }
        for number in range(count)
    ]


def test_requests_wake_the_endpoint_are_answered_and_leave_it_idle(cloud: OwnApp, tmp_path: Path) -> None:
    async def test(batch: Batch) -> None:
        await batch.until("1 → 0 instances (Backlog)")
        asleep = len(batch.log)
        code, answers, shown = await batch.client(prompts(40))
        assert code == 0, shown
        assert len(answers) == 40
        for number in range(40):
            assert f"number {number}" in answers[f"p{number}"]["answer"][0]["generated_text"]
        assert "40 requests sent" in shown
        assert "40 of 40 done, 0 failed" in shown
        await batch.until("1 → 0 instances (Backlog)", after=asleep)

    found = changes(serve(cloud, tmp_path, test))
    assert found[0] == found[-1] == "1 → 0 instances (Backlog)"
    assert found[1].startswith("0 → 1 instance (Wake, alarm ")


def test_what_fails_is_told_with_the_container_s_words_and_does_not_stop_the_rest(
    cloud: OwnApp, tmp_path: Path
) -> None:
    wrong = {"id": "wrong", "inputs": "Too cold.", "parameters": {"temperature": -1}}
    streamed = {"id": "streamed", "inputs": "In parts.", "stream": True}

    async def test(batch: Batch) -> None:
        code, answers, shown = await batch.client([wrong, *prompts(2), streamed], "--queue")
        assert code == 1
        assert "4 of 4 done, 2 failed" in shown, answers
        assert answers["wrong"]["error"]["error_type"] == "validation"
        assert "Content-Length" in answers["streamed"]["error"]
        assert {"answer", "id"} == answers["p0"].keys() == answers["p1"].keys()
        assert len(batch.objects("async/failures/")) >= 2

    serve(cloud, tmp_path, test, speed=10)


def test_a_second_instance_comes_for_a_long_queue(cloud: OwnApp, tmp_path: Path) -> None:
    async def test(batch: Batch) -> None:
        code, answers, shown = await batch.client(prompts(60, max_new_tokens=40))
        assert (code, len(answers)) == (0, 60), shown

    (policy,) = (each for each in cloud.plane.recorded(POLICY) if each.properties["PolicyName"] == "Backlog")
    tracked = policy.properties["TargetTrackingScalingPolicyConfiguration"]
    # Of a toy model that takes a hundred requests at once, no queue is long.
    deployed, tracked["TargetValue"] = tracked["TargetValue"], 8
    try:
        found = changes(serve(cloud, tmp_path, test, speed=200))
    finally:
        tracked["TargetValue"] = deployed
    assert "1 → 2 instances (Backlog)" in found


def test_a_client_that_does_not_wait_long_enough_says_so(cloud: OwnApp, tmp_path: Path) -> None:
    async def test(batch: Batch) -> None:
        await batch.until("1 → 0 instances (Backlog)")
        code, answers, shown = await batch.client(prompts(1), "--timeout", "0.5")
        assert (code, answers) == (1, {})
        assert "1 requests have no answer yet: their answers will still go to S3" in shown

    serve(cloud, tmp_path, test)


def test_serve_says_how_to_call_an_endpoint_without_an_api(tmp_path: Path) -> None:
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(each) + "\n" for each in prompts(2)))
    arguments = ("--app", str(EXAMPLE), "--speed", "100", "--start-seconds", "0.5")
    with Serve(tmp_path / "log", *arguments) as served:
        line = json.loads(served.line())
        assert list(line) == ["endpoints", "environment"]
        assert len(line["endpoints"]) == 1
        hint = f"AWS_ENDPOINT_URL={line['environment']['AWS_ENDPOINT_URL'].replace('127.0.0.1', 'localhost')} "
        assert f"{hint}cdk deploy NightlyBatch " in served.log()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        command = [sys.executable, EXAMPLE / "client.py", tmp_path / "prompts.jsonl", tmp_path / "answers.jsonl"]
        environment = {**inherited, **line["environment"]}
        client = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert client.returncode == 0, client.stderr
        answers = [json.loads(answer) for answer in (tmp_path / "answers.jsonl").read_text().splitlines()]
        assert sorted(answer["id"] for answer in answers) == ["p0", "p1"]
        assert served.end(signal.SIGTERM) == (0, "")
        wait_until_nothing_is_left(served.process.pid)
