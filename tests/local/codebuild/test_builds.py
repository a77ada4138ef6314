"""CodeBuild of the emulated cloud: builds that run, fail, are killed, stopped and refused, and their events."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.deployment.stacks.running_cloud import ROLE, RunningCloud, function, play

pytestmark = pytest.mark.xdist_group("control_plane")

# Writes each event to its log.
LISTENER = """
import json

def handler(event, context):
    print("event " + json.dumps(event), flush=True)
"""


def template(
    *commands: str,
    source: dict[str, Any] | None = None,
    statuses: tuple[str, ...] = ("SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT", "FAULT"),
    permission: bool = True,
    **variables: str,
) -> dict[str, Any]:
    """A project, and a function that gets the events of its builds."""
    buildspec = json.dumps({"version": "0.2", "phases": {"build": {"commands": list(commands)}}})
    pattern = {
        "source": ["aws.codebuild"],
        "detail-type": ["CodeBuild Build State Change"],
        "detail": {"project-name": [{"Ref": "Project"}], "build-status": list(statuses)},
    }
    allowed = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
    }
    resources: dict[str, Any] = {
        "Role": ROLE,
        "Function": function(LISTENER),
        "Project": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "Artifacts": {"Type": "NO_ARTIFACTS"},
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "Image": "aws/codebuild/amazonlinux-x86_64-standard:6.0",
                    "ComputeType": "BUILD_GENERAL1_LARGE",
                    "EnvironmentVariables": [{"Name": name, "Value": value} for name, value in variables.items()],
                },
                "ServiceRole": {"Fn::GetAtt": ["Role", "Arn"]},
                "Source": {"Type": "NO_SOURCE", "BuildSpec": buildspec, **(source or {})},
                "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": "/own/group"}},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": pattern,
                "State": "ENABLED",
                "Targets": [{"Id": "Target0", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
            },
        },
    }
    if permission:
        resources["Permission"] = {"Type": "AWS::Lambda::Permission", "Properties": allowed}
    return {"Resources": resources, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Project", "Arn"]}}}}


class Account:
    """An emulated account with the template's stack."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        self.client = cloud.plane.client("codebuild")

    async def project(self) -> str:
        """The name of the project."""
        (resource,) = self.cloud.plane.stacks.resources("AWS::CodeBuild::Project")
        return str(resource.physical_id)

    async def start(self, **options: Any) -> dict[str, Any]:
        """StartBuild."""
        name = await self.project()
        answer = await asyncio.to_thread(self.client.start_build, projectName=name, **options)
        build: dict[str, Any] = answer["build"]
        return build

    async def get(self, build: str) -> dict[str, Any]:
        """BatchGetBuilds of one build."""
        answer = await asyncio.to_thread(self.client.batch_get_builds, ids=[build])
        assert answer["buildsNotFound"] == []
        found: dict[str, Any] = answer["builds"][0]
        return found

    async def ended(self, build: str) -> dict[str, Any]:
        """The build, once it has ended and its event has arrived."""
        async with asyncio.timeout(60):
            while not (found := await self.get(build))["buildComplete"] or self.cloud.cloud.builds.is_busy():
                await asyncio.sleep(0.02)
        return found

    async def events(self, count: int = 1) -> list[dict[str, Any]]:
        """The events that the function has got, as soon as there are that many."""
        async with asyncio.timeout(30):
            while len(found := [line for line in self.cloud.log if line.startswith("event ")]) < count:
                await asyncio.sleep(0.02)
        return [json.loads(line.removeprefix("event ")) for line in found]


def play_with(folder: Path, body: dict[str, Any], script: Callable[[Account], Any]) -> None:
    """Runs a script with an account that has the stack."""

    async def run(cloud: RunningCloud) -> None:
        await cloud.create(body)
        await script(Account(cloud))

    play(folder, run)


def test_the_commands_run_with_the_variables_of_project_request_and_codebuild(tmp_path: Path) -> None:
    names = "A B AWS_REGION CODEBUILD_BUILD_ID CODEBUILD_LOG_PATH AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_SECRETS_MANAGER"
    show = "; ".join(f"echo {name}=${name}" for name in names.split())

    async def script(account: Account) -> None:
        override = [{"name": "B", "value": "request", "type": "PLAINTEXT"}]
        build = await account.start(environmentVariablesOverride=override)
        assert build["buildStatus"] == "IN_PROGRESS"
        found = await account.ended(build["id"])
        assert found["buildStatus"] == "SUCCEEDED"
        assert [phase["phaseType"] for phase in found["phases"]] == [
            "SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD",
            "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED",
        ]  # fmt: skip
        assert found["environment"]["environmentVariables"] == [
            {"name": "A", "value": "project", "type": "PLAINTEXT"},
            {"name": "B", "value": "request", "type": "PLAINTEXT"},
        ]
        plane = account.cloud.plane
        lines = await output(account, found)
        uuid = build["id"].partition(":")[2]
        assert lines == [
            "A=project",
            "B=request",
            "AWS_REGION=us-east-1",
            f"CODEBUILD_BUILD_ID={build['id']}",
            f"CODEBUILD_LOG_PATH={uuid}",
            f"AWS_ENDPOINT_URL_S3={plane.address}",
            f"AWS_ENDPOINT_URL_SECRETS_MANAGER={plane.address}",
            "SUCCEEDED",
        ]
        assert build["arn"] == f"arn:aws:codebuild:us-east-1:123456789012:build/{build['id']}"
        assert (await account.get(build["arn"]))["id"] == build["id"]

    play_with(tmp_path, template(show, A="project", B="project"), script)


async def output(account: Account, build: dict[str, Any]) -> list[str]:
    """The log of a build in CloudWatch Logs."""
    logs = build["logs"]
    assert logs["groupName"] == "/own/group"
    client = account.cloud.plane.client("logs")
    names = {"logGroupName": logs["groupName"], "logStreamName": logs["streamName"]}
    events = await asyncio.to_thread(client.get_log_events, startFromHead=True, **names)
    return [event["message"] for event in events["events"]]


def test_the_event_of_the_end_invokes_the_function_of_the_rule(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        override = [{"name": "WAIT_HANDLE_URL", "value": "http://x/y", "type": "PLAINTEXT"}]
        build = await account.start(environmentVariablesOverride=override)
        await account.ended(build["id"])
        (event,) = await account.events()
        detail = event["detail"]
        assert (event["source"], event["detail-type"]) == ("aws.codebuild", "CodeBuild Build State Change")
        assert event["resources"] == [build["arn"]] == [detail["build-id"]]
        assert (detail["build-status"], detail["project-name"]) == ("FAILED", await account.project())
        about = detail["additional-information"]
        assert about["environment"]["environment-variables"] == override
        assert about["logs"]["group-name"] == "/own/group"
        assert about["logs"]["stream-name"] == build["id"].partition(":")[2]
        failed = next(phase for phase in about["phases"] if phase.get("phase-status") == "FAILED")
        message = "Error while executing command: exit 7. Reason: exit status 7"
        assert failed["phase-type"] == "BUILD"
        assert failed["phase-context"] == [f"COMMAND_EXECUTION_ERROR: {message}"]
        described = await account.get(build["id"])
        contexts = [phase["contexts"] for phase in described["phases"] if phase.get("phaseStatus") == "FAILED"]
        assert contexts == [[{"statusCode": "COMMAND_EXECUTION_ERROR", "message": message}]]

    play_with(tmp_path, template("exit 7"), script)


def test_the_event_of_the_start_is_sent_to_a_rule_that_wants_it(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        build = await account.start()
        await account.ended(build["id"])
        (event,) = await account.events()
        assert event["detail"]["build-status"] == "IN_PROGRESS"

    play_with(tmp_path, template("true", statuses=("IN_PROGRESS",)), script)


def test_without_the_functions_permission_the_event_is_lost_as_on_aws(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        build = await account.start()
        await account.ended(build["id"])
        assert any("gets no event: no AWS::Lambda::Permission" in line for line in account.cloud.log)
        assert await account.events(0) == []

    play_with(tmp_path, template("true", permission=False), script)


def test_a_job_that_is_killed_has_failed(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        build = await account.start()
        os.kill(await process_of(account, build["id"]), signal.SIGKILL)
        found = await account.ended(build["id"])
        assert found["buildStatus"] == "FAILED"
        (event,) = await account.events()
        assert event["detail"]["build-status"] == "FAILED"
        assert "Reason: exit status 137" in json.dumps(event)

    play_with(tmp_path, template("sleep 60"), script)


async def process_of(account: Account, build: str, name: str = "sleep") -> int:
    """The process of a command of a build."""
    async with asyncio.timeout(30):
        while True:
            for entry in Path("/proc").glob("[0-9]*"):
                try:
                    own = f"CODEBUILD_BUILD_ID={build}\0".encode() in (entry / "environ").read_bytes()
                    if own and (entry / "comm").read_text().strip() == name:
                        return int(entry.name)
                except OSError:
                    continue
            await asyncio.sleep(0.05)


def ends(process: int) -> bool:
    """Whether a process ends within a few seconds: it was killed, and a busy machine may let it wait for its end."""
    deadline = time.monotonic() + 10
    while _is_running(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _is_running(process: int) -> bool:
    """Whether a process runs; one that has ended and that nothing has waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_build_that_is_stopped_ends_with_everything_that_it_started(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        build = await account.start()
        process = await process_of(account, build["id"])
        answer = await asyncio.to_thread(account.client.stop_build, id=build["id"])
        assert answer["build"]["buildStatus"] == "STOPPED"
        assert ends(process)
        (event,) = await account.events()
        assert event["detail"]["build-status"] == "STOPPED"
        again = await asyncio.to_thread(account.client.stop_build, id=build["id"])
        assert again["build"]["buildStatus"] == "STOPPED"

    play_with(tmp_path, template("sleep 60 & wait"), script)


def test_a_build_has_no_more_time_than_its_limit(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        account.cloud.cloud.builds.seconds_per_minute = 0.1
        build = await account.start(timeoutInMinutesOverride=5)
        assert build["timeoutInMinutes"] == 5
        found = await account.ended(build["id"])
        assert found["buildStatus"] == "TIMED_OUT"
        assert "Build has timed out." in json.dumps(found, default=str)

    play_with(tmp_path, template("sleep 60"), script)


def test_the_source_is_unpacked_and_may_have_the_buildspec(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("pkg/__main__.py", "print('from the asset')")
        opened.writestr("own.yml", "version: 0.2\nphases:\n  build:\n    commands:\n      - python3 -m pkg\n")

    async def script(cloud: RunningCloud) -> None:
        s3 = cloud.plane.client("s3")
        s3.create_bucket(Bucket="assets")
        s3.put_object(Bucket="assets", Key="a/code.zip", Body=archive.getvalue())
        source = {"Type": "S3", "Location": "assets/a/code.zip", "BuildSpec": "own.yml"}
        await cloud.create(template(source=source))
        account = Account(cloud)
        found = await account.ended((await account.start())["id"])
        assert await output(account, found) == ["from the asset", "SUCCEEDED"]

    play(tmp_path, script)


def test_a_source_that_there_is_not_fails_the_build(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        found = await account.ended((await account.start())["id"])
        assert found["buildStatus"] == "FAILED"
        (failed,) = [phase for phase in found["phases"] if phase.get("phaseStatus") == "FAILED"]
        assert failed["phaseType"] == "DOWNLOAD_SOURCE"
        assert failed["contexts"][0]["message"] == "error while downloading key gone.zip, error: NoSuchBucket"

    play_with(tmp_path, template("true", source={"Type": "S3", "Location": "nowhere/gone.zip"}), script)


def test_an_account_without_a_quota_refuses_the_compute_type_and_takes_another(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        account.cloud.cloud.builds.quotas["BUILD_GENERAL1_LARGE"] = 0
        with pytest.raises(ClientError) as caught:
            await account.start()
        assert caught.value.response["Error"] == {
            "Code": "AccountLimitExceededException",
            "Message": "Cannot have more than 0 builds in queue for the account",
        }
        build = await account.start(computeTypeOverride="BUILD_GENERAL1_SMALL")
        assert (await account.ended(build["id"]))["environment"]["computeType"] == "BUILD_GENERAL1_SMALL"

    play_with(tmp_path, template("true"), script)


def test_builds_beyond_the_quota_wait_for_their_turn(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        account.cloud.cloud.builds.quotas["BUILD_GENERAL1_LARGE"] = 1
        first, second = await account.start(), await account.start()
        await process_of(account, first["id"])
        assert (await account.get(second["id"]))["currentPhase"] == "QUEUED"
        for _ in range(4):
            await account.start()
        with pytest.raises(ClientError, match="Cannot have more than 5 builds in queue for the account"):
            await account.start()
        await asyncio.to_thread(account.client.stop_build, id=first["id"])
        await process_of(account, second["id"])

    play_with(tmp_path, template("sleep 60"), script)


def test_the_same_token_gives_the_same_build(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        first, again = await account.start(idempotencyToken="a"), await account.start(idempotencyToken="a")
        assert again["id"] == first["id"]
        assert (await account.start(idempotencyToken="b"))["id"] != first["id"]
        with pytest.raises(ClientError, match="idempotency token"):
            await account.start(idempotencyToken="a", timeoutInMinutesOverride=7)

    play_with(tmp_path, template("true"), script)


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({"projectName": "gone"}, "ResourceNotFoundException", "Project cannot be found: gone"),
        ({"imageOverride": "other"}, "InvalidInputException", "The emulated CodeBuild has no imageOverride."),
        (
            {"environmentVariablesOverride": [{"name": "T", "value": "s", "type": "SECRETS_MANAGER"}]},
            "InvalidInputException",
            "The variable T has the type SECRETS_MANAGER: the emulated CodeBuild has PLAINTEXT alone.",
        ),
    ],
)
def test_what_there_is_not_is_refused(tmp_path: Path, request_: dict[str, Any], code: str, message: str) -> None:
    async def script(account: Account) -> None:
        request = {"projectName": await account.project(), **request_}
        with pytest.raises(ClientError) as caught:
            await asyncio.to_thread(account.client.start_build, **request)
        assert caught.value.response["Error"] == {"Code": code, "Message": message}

    play_with(tmp_path, template("true"), script)


def test_an_unknown_build_is_named(tmp_path: Path) -> None:
    async def script(account: Account) -> None:
        answer = await asyncio.to_thread(account.client.batch_get_builds, ids=["p:gone"])
        assert (answer["builds"], answer["buildsNotFound"]) == ([], ["p:gone"])
        with pytest.raises(ClientError, match="Build p:gone does not exist"):
            await asyncio.to_thread(account.client.stop_build, id="p:gone")

    play_with(tmp_path, template("true"), script)


def test_the_hub_of_a_staging_request_can_be_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_HUB", "http://127.0.0.1:1")
    request = json.dumps({"repository": "a/b", "hub": "https://huggingface.co"})

    async def script(account: Account) -> None:
        found = await account.ended((await account.start())["id"])
        first, _ = await output(account, found)
        assert json.loads(first) == {"repository": "a/b", "hub": "http://127.0.0.1:1"}
        assert found["environment"]["environmentVariables"][0]["value"] == request

    play_with(tmp_path, template('echo "$STAGING_REQUEST"', STAGING_REQUEST=request), script)


def test_nothing_is_left_when_the_cloud_ends_while_a_build_runs(tmp_path: Path) -> None:
    processes: list[int] = []

    async def script(account: Account) -> None:
        processes.append(await process_of(account, (await account.start())["id"]))

    began = time.monotonic()
    play_with(tmp_path, template("sleep 60"), script)
    assert time.monotonic() - began < 60
    assert ends(processes[0])
