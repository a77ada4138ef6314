"""Lambda's Invoke operation, called by botocore."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from tests.local.deployment.stacks.running_cloud import ROLE, RunningCloud, function, play

pytestmark = pytest.mark.xdist_group("control_plane")

ECHO = """
import os

def handler(event, context):
    print("invoked", flush=True)
    if "error" in event:
        raise ValueError(event["error"])
    return {"event": event, "variable": os.environ["NAME"], "lambda": os.environ["AWS_ENDPOINT_URL_LAMBDA"]}
"""
STREAM = """
import http.client, os, sys

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def run():
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    response = api.getresponse()
    response.read()
    names = ("Lambda-Runtime-Aws-Request-Id", "Lambda-Runtime-Invocation-Id")
    request_id, invocation_id = (response.headers[name] for name in names)
    answer = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    headers = {
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
        "Content-Type": "application/vnd.awslambda.http-integration-response",
        "Lambda-Runtime-Invocation-Id": invocation_id,
    }
    body = [b'{"statusCode": 200}', bytes(8), b"data: 1", b"data: 2"]
    path = f"/2018-06-01/runtime/invocation/{request_id}/response"
    answer.request("POST", path, iter(body), headers, encode_chunked=True)
    answer.getresponse().read()
    answer.close()

while True:
    run()
"""


def client(cloud: RunningCloud, secret: str = "emulated") -> Any:
    return botocore.session.get_session().create_client(
        "lambda",
        region_name="us-east-1",
        endpoint_url=cloud.cloud.lambda_url,
        aws_access_key_id="emulated",
        aws_secret_access_key=secret,
    )


def with_function(code: str = ECHO) -> dict[str, Any]:
    return {"Resources": {"Function": function(code, NAME="first"), "Role": ROLE}}


async def deploy(cloud: RunningCloud, template: dict[str, Any]) -> str:
    """Deploy a template; the name of its function."""
    await cloud.create(template)
    rows = cloud.plane.client("cloudformation").describe_stack_resources(StackName="S")["StackResources"]
    return next(str(row["PhysicalResourceId"]) for row in rows if row["LogicalResourceId"] == "Function")


def test_a_function_is_invoked_by_name_or_arn_and_follows_updates(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        template = with_function()
        name = await deploy(cloud, template)

        async def invoke(named: str) -> dict[str, Any]:
            response = await asyncio.to_thread(client(cloud).invoke, FunctionName=named, Payload=b'{"a": 1}')
            assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
            assert "FunctionError" not in response
            payload: dict[str, Any] = json.loads(await asyncio.to_thread(response["Payload"].read))
            return payload

        expected = {"event": {"a": 1}, "variable": "first", "lambda": cloud.cloud.lambda_url}
        assert await invoke(name) == expected
        assert await invoke(f"arn:aws:lambda:us-east-1:123456789012:function:{name}:live") == expected
        template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]["NAME"] = "second"
        await cloud.update(template)
        assert await invoke(name) == {**expected, "variable": "second"}
        template["Resources"]["Function"]["Properties"]["Code"]["ZipFile"] = "def handler(*_):\n    return {}\n"
        await cloud.update(template)
        assert await invoke(name) == {}
        await cloud.delete()
        with pytest.raises(ClientError, match=f"ResourceNotFoundException.*Function not found: {name}"):
            await invoke(name)

    play(tmp_path, script)


def test_an_error_of_the_function_is_in_the_payload(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        name = await deploy(cloud, with_function())
        response = await asyncio.to_thread(client(cloud).invoke, FunctionName=name, Payload=b'{"error": "no"}')
        assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
        payload = json.loads(await asyncio.to_thread(response["Payload"].read))
        assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no")

    play(tmp_path, script)


def test_an_event_is_invoked_later_and_twice_more_if_it_fails(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        name = await deploy(cloud, with_function())
        response = await asyncio.to_thread(
            client(cloud).invoke, FunctionName=name, Payload=b'{"error": "no"}', InvocationType="Event"
        )
        assert response["StatusCode"] == 202
        async with asyncio.timeout(30):
            while cloud.log.count("invoked") < 3:
                await asyncio.sleep(0.02)

    play(tmp_path, script)


def with_event_options(code: str = ECHO, *, concurrency: int | None = None, **options: int) -> dict[str, Any]:
    template = with_function(code)
    properties = {"FunctionName": {"Ref": "Function"}, "Qualifier": "$LATEST", **options}
    template["Resources"]["Options"] = {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": properties}
    if concurrency is not None:
        template["Resources"]["Function"]["Properties"]["ReservedConcurrentExecutions"] = concurrency
    return template


async def send_event(cloud: RunningCloud, name: str, payload: bytes = b"{}") -> None:
    send = partial(client(cloud).invoke, FunctionName=name, Payload=payload, InvocationType="Event")
    assert (await asyncio.to_thread(send))["StatusCode"] == 202


async def until(cloud: RunningCloud, text: str, count: int = 1) -> None:
    async with asyncio.timeout(30):
        while sum(text in line for line in cloud.log) < count:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("retries", [0, 1])
def test_an_event_is_repeated_as_often_as_the_function_has_it(tmp_path: Path, retries: int) -> None:
    async def script(cloud: RunningCloud) -> None:
        name = await deploy(cloud, with_event_options(MaximumRetryAttempts=retries))
        await send_event(cloud, name, b'{"error": "no"}')
        await until(cloud, "invoked", retries + 1)
        await asyncio.sleep(0.5)
        assert cloud.log.count("invoked") == retries + 1

    play(tmp_path, script)


def test_an_event_that_is_throttled_waits_in_the_queue_and_is_no_failure(tmp_path: Path) -> None:
    slow = "import time\n\ndef handler(event, context):\n    print('invoked', flush=True)\n    time.sleep(0.5)\n"

    async def script(cloud: RunningCloud) -> None:
        template = with_event_options(slow, concurrency=1, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=3600)
        name = await deploy(cloud, template)
        for _ in range(3):
            await send_event(cloud, name)
        await until(cloud, "invoked", 3)
        assert not any(line.startswith("asynchronous") for line in cloud.log)

    play(tmp_path, script, speed=20)


def test_an_event_that_is_throttled_for_longer_than_its_age_is_dropped(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        name = await deploy(cloud, with_event_options(concurrency=0, MaximumEventAgeInSeconds=60))
        await send_event(cloud, name)
        await until(cloud, f"asynchronous invocation of {name}: the event is too old")
        assert "invoked" not in cloud.log

    play(tmp_path, script)


def test_an_event_has_at_most_a_megabyte(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        name = await deploy(cloud, with_function())
        await send_event(cloud, name, b'"' + b"x" * 1_000_000 + b'"')
        with pytest.raises(ClientError, match="RequestTooLargeException"):
            await send_event(cloud, name, b'"' + b"x" * 1_048_575 + b'"')

    play(tmp_path, script)


def test_an_event_that_failed_gets_the_function_as_it_is_by_then(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        template = with_function()
        name = await deploy(cloud, template)
        invoke = partial(client(cloud).invoke, FunctionName=name, Payload=b'{"error": "no"}', InvocationType="Event")
        await asyncio.to_thread(invoke)
        async with asyncio.timeout(30):
            while not any("ValueError" in line for line in cloud.log if line.startswith("asynchronous")):
                await asyncio.sleep(0.02)
        changed = "def handler(event, context):\n    print('changed', flush=True)\n"
        template["Resources"]["Function"]["Properties"]["Code"]["ZipFile"] = changed
        await cloud.update(template)
        async with asyncio.timeout(30):
            while "changed" not in cloud.log:
                await asyncio.sleep(0.02)

    # A minute is three seconds: longer than a function that was changed waits for what has just found it.
    play(tmp_path, script, speed=20)


def test_a_streamed_response_is_returned_whole_with_its_prelude(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        name = await deploy(cloud, with_function(STREAM))
        response = await asyncio.to_thread(client(cloud).invoke, FunctionName=name, Payload=b"{}")
        payload = await asyncio.to_thread(response["Payload"].read)
        assert payload == b'{"statusCode": 200}' + bytes(8) + b"data: 1data: 2"

    play(tmp_path, script)


def test_what_is_no_invocation_is_refused(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        name = await deploy(cloud, with_function())
        for arguments, secret, message in (
            ({"Payload": b"{"}, "emulated", "InvalidRequestContentException.*Could not parse request body into json"),
            ({"Payload": b"1" * 6_291_557}, "emulated", "RequestTooLargeException"),
            ({}, "another", "InvalidSignatureException"),
        ):
            with pytest.raises(ClientError, match=message):
                await asyncio.to_thread(client(cloud, secret).invoke, FunctionName=name, **arguments)
        assert "invoked" not in cloud.log

    play(tmp_path, script)


def test_other_operations_are_the_control_planes(tmp_path: Path) -> None:
    async def script(cloud: RunningCloud) -> None:
        name = await deploy(cloud, with_function())
        described = await asyncio.to_thread(client(cloud).get_function_configuration, FunctionName=name)
        assert described["FunctionName"] == name

    play(tmp_path, script)
