"""The side of AWS: boto3's clients against moto, and the CDK CLI as a stand-in that says what it was asked."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from acceptance.clouds import DeploymentFailedError, NoAccessError
from acceptance.clouds.aws import Aws
from acceptance.removal import check_rights, existing_stacks
from local.deployment.control_plane import ACCOUNT, CREDENTIALS, ControlPlane

CDK = """#!/bin/bash
echo "$* in $AWS_REGION" >>"$CALLS"
case "$1" in
  synth) ;;
  deploy)
    echo "AcceptanceStack: creating"
    [ -z "$SLEEPS" ] || { sleep 300 & echo $! >"$SLEEPS"; wait; }
    [ -z "$FAILS" ] || { echo "no room"; exit 1; } ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the calls of the CDK CLI."""
    tool = tmp_path / "bin" / "cdk"
    tool.parent.mkdir()
    tool.write_text(CDK)
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    with ControlPlane() as plane:
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", plane.url)
        cloud = Aws()
        try:
            yield cloud
        finally:
            cloud.close()


def test_it_knows_the_account_and_region_of_the_caller(aws: Aws) -> None:
    assert (aws.account, aws.region) == (ACCOUNT, "us-east-1")


def test_it_reads_api_keys_and_logs(aws: Aws) -> None:
    gateway, logs = aws.client("apigateway"), aws.client("logs")
    key = gateway.create_api_key(name="team", value="k" * 40, enabled=True)["id"]
    assert aws.api_key(key) == "k" * 40
    logs.create_log_group(logGroupName="access")
    logs.create_log_stream(logGroupName="access", logStreamName="one")
    now = int(time.time() * 1000)
    events = [{"timestamp": now - 60_000, "message": "old\n"}, {"timestamp": now, "message": "new\n"}]
    logs.put_log_events(logGroupName="access", logStreamName="one", logEvents=events)
    assert aws.log_lines("access", now / 1000 - 10) == ["new"]
    assert aws.log_lines("access", 0) == ["old", "new"]


def test_it_synthesizes_once_for_the_same_context_and_deploys_that(aws: Aws, calls: Path) -> None:
    lines: list[str] = []
    for context in ({"acceptance": "on"}, {"acceptance": "on"}, {"acceptance": "on", "acceptance_step": "updated"}):
        aws.deploy("AcceptanceStack", context, lines.append)
    verbs = [line.split()[0] for line in calls.read_text().splitlines()]
    assert verbs == ["synth", "deploy", "deploy", "synth", "deploy"]
    first, deploy = calls.read_text().splitlines()[:2]
    assert "--context acceptance=on" in first
    assert "deploy AcceptanceStack --exclusively --require-approval=never" in deploy
    assert deploy.endswith("in us-east-1")
    assert lines == ["AcceptanceStack: creating"] * 3


def test_a_deployment_that_fails_says_what_the_cli_said(aws: Aws, calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "yes")
    with pytest.raises(DeploymentFailedError, match="AcceptanceStack: creating\nno room"):
        aws.deploy("AcceptanceStack", {}, lambda _line: None)


def test_an_interrupted_deployment_ends_the_cli_and_what_it_has_started(
    aws: Aws, calls: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sleeper = tmp_path / "sleeper"
    monkeypatch.setenv("SLEEPS", str(sleeper))

    def interrupt(_line: str) -> None:
        while not (sleeper.exists() and sleeper.read_text()):
            time.sleep(0.02)
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        aws.deploy("AcceptanceStack", {}, interrupt)
    child = int(sleeper.read_text())
    deadline = time.monotonic() + 5
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while set(threading.enumerate()) - before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_deployment_that_hangs_is_ended(
    aws: Aws, calls: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sleeper = tmp_path / "sleeper"
    monkeypatch.setenv("SLEEPS", str(sleeper))
    aws.synth({})
    monkeypatch.setattr("acceptance.clouds.aws._LIMIT_SECONDS", 1.2)
    with pytest.raises(DeploymentFailedError, match="AcceptanceStack: creating\nnot done after 0 minutes"):
        aws.deploy("AcceptanceStack", {}, lambda _line: None)


def test_it_asks_whether_the_caller_may_delete_without_deleting_anything(aws: Aws) -> None:
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="AcceptanceStack", TemplateBody='{"Resources": {}}')
    check_rights(aws)
    assert existing_stacks(aws) == ["AcceptanceStack"]

    def refuse(**_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "DeleteStack")

    cloudformation.delete_stack = refuse
    with pytest.raises(
        NoAccessError, match=r"may not delete AcceptanceStack, so nothing is deployed: .*not authorized"
    ):
        check_rights(aws)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
