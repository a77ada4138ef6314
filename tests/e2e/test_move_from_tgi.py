"""The tutorial of docs/migrate.md: its app, step by step by the CDK CLI, while clients of TGI's API go on calling."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.cloud import Cloud
from local.deployment.cdk_cli import ROOT, Cdk
from local.deployment.control_plane import ControlPlane
from local.hosting import ScalingTimes
from local.listening import listen
from local.processes import ChildProcesses
from tests.e2e.own_app import ServedApi

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

APP = ROOT / "examples" / "move_from_tgi"
SPEED = ScalingTimes(speed=3600)
SESSIONS = [f"session-{number}" for number in range(60)]
TGI, VLLM = "Chat/Tgi", "Chat/TgiVllm"


class Move:
    """The app in an emulated account, one step a deployment."""

    def __init__(self, folder: Path, children: ChildProcesses, plane: ControlPlane) -> None:
        self._folder, self._children, self._plane = folder, children, plane
        self.log: list[str] = []

    def _cdk(self, **context: str) -> Cdk:
        values = [f"{name}={value}" for name, value in context.items()]
        return Cdk(self._children, self._folder, self._plane.url, app=APP, context=values)

    async def bootstrap(self) -> None:
        await self._cdk().bootstrap(lambda _line: None)

    async def deploy(self, step: str, *stacks: str, **context: str) -> None:
        cdk = self._cdk(step=step, **context)
        await cdk.synth(lambda _line: None)
        await cdk.deploy([*(stacks or ("Chat",))], lambda _line: None)

    async def destroy(self, stack: str, step: str) -> None:
        cdk = self._cdk(step=step)
        await cdk.synth(lambda _line: None)
        await cdk.destroy([stack], lambda _line: None)

    def endpoints(self) -> int:
        return len(self._plane.client("sagemaker").list_endpoints()["Endpoints"])

    @asynccontextmanager
    async def serving(self, *stacks: str) -> AsyncIterator[Client]:
        log = self.log
        async with (
            Cloud(self._plane, list(stacks), self._children, listen(0), times=SPEED, log=log.append) as cloud,
            aiohttp.ClientSession() as session,
        ):
            await cloud.serve()
            yield Client(ServedApi(cloud, session, log))


class Client:
    """A client of TGI's API, which knows a URL and a key."""

    def __init__(self, api: ServedApi) -> None:
        self.api = api

    @property
    def key(self) -> str:
        return str(self.api.cloud.client.api_key)

    async def generate(self, path: str = "/generate", session: str = "one") -> tuple[int, dict[str, str], Any]:
        body = {"inputs": "What is deep learning?", "parameters": {"max_new_tokens": 8, "details": True}}
        headers = {"Authorization": f"Bearer {self.key}", "x_session_id": session}
        return await self.api.request("POST", path, body, **headers)

    async def engines(self) -> dict[str, str]:
        """Which endpoint answers each session, by the log."""
        begin = len(self.api.log)
        answers = await asyncio.gather(*(self.generate(session=session) for session in SESSIONS))
        assert {status for status, _, _ in answers} == {200}
        ids = {headers["x-request-id"]: session for session, (_, headers, _) in zip(SESSIONS, answers, strict=True)}
        found = {line["request_id"]: line["target"] for line in requests(self.api.log[begin:]) if "target" in line}
        return {session: found[request_id] for request_id, session in ids.items()}

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[list[object]]:
        """Calls, streaming and not, as long as the block runs; what is no whole answer in TGI's form."""
        wrong: list[object] = []
        count = 0

        async def call() -> None:
            nonlocal count
            for number in range(1_000_000):
                streams = number % 2 == 1
                status, _, answer = await self.generate("/generate_stream" if streams else "/generate", f"s{number}")
                if status != 200 or not (is_stream(answer) if streams else is_answer(answer)):
                    wrong.append((status, answer))
                count += 1

        task = asyncio.create_task(call())
        try:
            yield wrong
            assert count > 3
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def is_answer(answer: Any) -> bool:
    details = answer["details"]
    return list(answer) == ["generated_text", "details"] and (
        list(details) == ["finish_reason", "generated_tokens", "seed", "prefill", "tokens"]
        and details["generated_tokens"] == len(details["tokens"]) == 8
        and all(list(token) == ["id", "text", "logprob", "special"] for token in details["tokens"])
    )


def is_stream(answer: str) -> bool:
    events = [json.loads(line.removeprefix("data:")) for line in answer.splitlines() if line.startswith("data:")]
    ends = [event["generated_text"] is not None for event in events]
    return [event["index"] for event in events] == list(range(1, 9)) and ends == [False] * 7 + [True]


def requests(log: list[str]) -> list[dict[str, Any]]:
    """The lines of requests in the functions' logs."""
    found = [json.loads(line) for line in log if line.startswith("{")]
    return [line for line in found if "request_id" in line and "status" in line]


async def until(found: Any, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not found():
            await asyncio.sleep(0.1)


def test_the_steps_of_the_tutorial_move_the_model_and_back_without_a_failed_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_TOKENS_PER_SECOND", "250")

    async def run() -> None:
        with ControlPlane() as plane:
            async with ChildProcesses(tmp_path) as children:
                move = Move(tmp_path, children, plane)
                await move.bootstrap()
                await move.deploy("tgi")
                async with move.serving("Chat") as client:
                    await check_mirror(move, client)
                async with move.serving("Chat", "Compare") as testers:
                    await check_comparison(children, testers)
                async with move.serving("Chat") as client:
                    await check_split(move, client)

    asyncio.run(run())


async def check_mirror(move: Move, client: Client) -> None:
    async with client.calling() as wrong:
        await move.deploy("mirror", "Chat", "Compare", percent="100")
        begin = len(move.log)
        status, _, _ = await client.generate()
        assert status == 200
        await until(lambda: any("Mirror" in line for line in requests(move.log[begin:])))
    assert wrong == []
    lines = requests(move.log[begin:])
    assert {line["target"] for line in lines if "Model" in line} == {TGI}
    copies = [line for line in lines if "Mirror" in line]
    assert {(line["Mirror"], line["target"], line["engine"], line["status"]) for line in copies} == {
        ("qwen", VLLM, "vllm", 200)
    }
    assert all(line["GeneratedTokens"] == 8 for line in copies)


async def check_comparison(children: ChildProcesses, testers: Client) -> None:
    url = testers.api.cloud.url
    command = [sys.executable, str(APP / "compare.py"), "--url", url, "--key", testers.key]
    process = await asyncio.create_subprocess_exec(
        *command, "--max-new-tokens", "8", "What is deep learning?", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    shown = out.decode()
    assert re.search(r"^  tgi    8 tokens, length, \d+\.\d\d s$", shown, re.MULTILINE), shown
    assert re.search(r"^  vllm   8 tokens, length, \d+\.\d\d s$", shown, re.MULTILINE), shown
    assert process.returncode in (0, 1)


async def check_split(move: Move, client: Client) -> None:
    async with client.calling() as wrong:
        moved: dict[str, set[str]] = {}
        for step in ("split-5", "split-50", "split-100"):
            await move.deploy(step)
            engines = await client.engines()
            moved[step] = {session for session, target in engines.items() if target == VLLM}
        assert moved["split-5"] < moved["split-50"] < moved["split-100"] == set(SESSIONS)
        assert 15 < len(moved["split-50"]) < 45
        await move.deploy("split-5")
        back = await client.engines()
        assert {session for session, target in back.items() if target == VLLM} == moved["split-5"]
        await move.destroy("Compare", "split-5")
        assert move.endpoints() == 2
        await move.deploy("vllm")
        status, headers, answer = await client.generate()
        assert (status, is_answer(answer), "x-tgi-difference" in headers) == (200, True, False)
        assert move.endpoints() == 1
    assert wrong == []
