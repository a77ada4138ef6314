"""Both functions of a front door with a mirror in the emulated Lambda, each in sandboxes of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from local.lambda_endpoint import LambdaEndpoint
from local.lambda_service import Function, FunctionConfig
from local.lambda_service.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from tests.lambda_.lambda_runtime.runtime_function import WRAPPER, function_files, proxy_event, zip_files
from tests.lambda_.routing.answers import CHAT, chat
from tests.lambda_.routing.conftest import Targets
from tests.lambda_.routing.entries import mirror

MAIN, OTHER = "door", "door-mirror"


class Functions:
    """The functions, with Lambda's API in front of them."""

    def __init__(self, targets: Targets, *, is_streamed: bool, lambda_url: str | None, seconds: float) -> None:
        self.log: dict[str, list[str]] = {MAIN: [], OTHER: [], "Lambda": []}
        self._functions: dict[str, Function] = {}
        self._endpoint = LambdaEndpoint(
            self._functions.__getitem__,
            secrets={ACCESS_KEY_ID: SECRET_ACCESS_KEY},
            control_plane_url="http://127.0.0.1:1",
            is_building=lambda: False,
            speed=3600,
            log=self.log["Lambda"].append,
        )
        self._entry = mirror(targets.entry("tgi"), targets.entry("copy"))
        self._is_streamed, self._lambda_url, self._seconds = is_streamed, lambda_url, seconds

    async def __aenter__(self) -> Functions:
        await self._endpoint.start()
        url = self._lambda_url or self._endpoint.url
        wrapper = WRAPPER if self._is_streamed else {}
        self._add(MAIN, {"MIRROR_FUNCTION": OTHER, "AWS_ENDPOINT_URL_LAMBDA": url, **wrapper})
        self._add(OTHER, {"MIRROR": "on"}, timeout_seconds=self._seconds, event_retries=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._endpoint.close()
        for function in self._functions.values():
            await function.close()

    async def send(self, body: dict[str, Any]) -> tuple[str, float]:
        """The answer to a client, and the seconds until its end."""
        began = time.monotonic()
        event = proxy_event("POST", "/v1/chat/completions", body)
        function = self._functions[MAIN]
        if not self._is_streamed:
            return json.loads(await function.invoke(event))["body"], time.monotonic() - began
        response = await function.invoke_stream(event)
        assert (await response.prelude())["statusCode"] == 200
        content = b"".join([data async for data in response.body])
        return content.decode(), time.monotonic() - began

    async def lines(self, name: str, count: int) -> list[dict[str, Any]]:
        """The log of a function, once it has so many lines."""
        async with asyncio.timeout(20):
            while len(self.log[name]) < count:
                await asyncio.sleep(0.02)
        return [json.loads(line) for line in self.log[name] if line.startswith("{")]

    def _add(
        self, name: str, environment: dict[str, str], *, timeout_seconds: float = 30, event_retries: int = 2
    ) -> None:
        config = FunctionConfig(
            name=name,
            arn=f"arn:aws:lambda:eu-west-1:123456789012:function:{name}",
            handler="front_door.lambda_runtime.managed.handler",
            environment={
                "MODELS_FILE": "/opt/front_door/models.json",
                "SAGEMAKER_RUNTIME_URL": "http://127.0.0.1:1",
                "SAGEMAKER_URL": "http://127.0.0.1:1",
                "FRONT_DOOR": "a-door",
                **environment,
            },
            timeout_seconds=timeout_seconds,
            memory_mb=512,
            code_zip=zip_files(function_files("front_door")),
            layers=[zip_files({"front_door/models.json": json.dumps({"llama": self._entry})})],
            event_retries=event_retries,
        )
        self._functions[name] = Function(config, log=self.log[name].append)


def play(
    targets: Targets,
    script: Callable[[Functions], Awaitable[None]],
    *,
    is_streamed: bool = True,
    lambda_url: str | None = None,
    seconds: float = 30,
) -> None:
    async def main() -> None:
        async with Functions(targets, is_streamed=is_streamed, lambda_url=lambda_url, seconds=seconds) as functions:
            await script(functions)

    asyncio.run(main())


@pytest.mark.parametrize("is_streamed", [True, False], ids=["streaming", "buffered"])
@pytest.mark.parametrize("body", [CHAT, {**CHAT, "stream": True}], ids=["JSON", "events"])
def test_a_request_is_answered_by_one_endpoint_and_copied_to_the_other(
    targets: Targets, is_streamed: bool, body: dict[str, Any]
) -> None:
    targets.reply("tgi", chat())
    targets.reply("copy", chat())

    async def script(functions: Functions) -> None:
        content, _ = await functions.send(body)
        assert "Un été" in content
        (request,) = await functions.lines(MAIN, 1)
        (copied,) = await functions.lines(OTHER, 1)
        assert (request["mirrored"], request["target"]) == (True, "tgi")
        assert (copied["target"], copied["Mirror"], copied["status"]) == ("copy", "llama", 200)
        assert copied["request_id"] == request["request_id"]
        assert (copied["PromptTokens"], copied["GeneratedTokens"]) == (9, 2)

    play(targets, script, is_streamed=is_streamed)
    assert targets.received("tgi")[0].json() == targets.received("copy")[0].json()


def test_a_copy_that_hangs_ends_with_its_function_and_is_not_repeated(targets: Targets) -> None:
    from tests.lambda_.sagemaker_double import Reply

    targets.reply("tgi", chat(), chat())
    targets.reply("copy", *[Reply([lambda: time.sleep(30)]) for _ in range(2)])

    async def script(functions: Functions) -> None:
        await functions.send(CHAT)  # starts the sandbox
        _, seconds = await functions.send(CHAT)
        assert seconds < 1
        lines = await functions.lines(OTHER, 2)
        assert [(line["error"], line["error_status"]) for line in lines] == [("timeout", 504)] * 2
        await asyncio.sleep(0.3)
        assert targets.counts() == {"tgi": 2, "copy": 2}
        assert functions.log["Lambda"] == []

    play(targets, script, seconds=3)


def test_a_lambda_that_cannot_be_reached_is_a_line_and_the_answer_is_there(targets: Targets) -> None:
    targets.reply("tgi", chat(), chat())

    async def script(functions: Functions) -> None:
        for _ in range(2):
            content, _ = await functions.send(CHAT)
            assert "Un été" in content
        lines = await functions.lines(MAIN, 4)
        assert [line.get("message") for line in lines].count("The request was not mirrored.") == 2

    play(targets, script, lambda_url="http://127.0.0.1:1")
