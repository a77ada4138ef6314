"""Every ready-made stack in the emulated cloud: deployed together, then served one after another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.cloud import Cloud
from local.deployment.cdk_cli import Cdk
from local.deployment.control_plane import ControlPlane
from local.deployment.prerequisites import create_secrets
from local.listening import listen
from local.processes import ChildProcesses
from stacks.preset import PresetStack
from stacks.presets import PRESETS

pytestmark = [pytest.mark.xdist_group("families"), pytest.mark.slow, pytest.mark.timeout(600)]

PROMPT = "Why is the sky blue"
NAMES = [preset.__name__ for preset in PRESETS]


class DeployedPresets:
    """An emulated account with every stack."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self._folder = folder
        self._runner = runner
        self._exits = AsyncExitStack()

    def __enter__(self) -> DeployedPresets:
        try:
            self._runner.run(self._deploy())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._exits.aclose())

    def serve(self, stack: str, test: Callable[[Cloud, aiohttp.ClientSession], Awaitable[Any]]) -> Any:
        """Serves a stack while `test` runs; returns its result."""

        async def run() -> Any:
            log: list[str] = []
            async with Cloud(self._plane, [stack], self._children, listen(0), log=log.append) as cloud:
                await cloud.serve()
                headers = {"Authorization": f"Bearer {cloud.client.api_key}"}
                async with aiohttp.ClientSession(headers=headers) as session:
                    return await test(cloud, session)

        return self._runner.run(run())

    async def _deploy(self) -> None:
        self._children = await self._exits.enter_async_context(ChildProcesses(self._folder))
        self._plane = self._exits.enter_context(ControlPlane())
        cdk = Cdk(self._children, self._folder, self._plane.url, context=["nag=off"])
        lines: list[str] = []
        await asyncio.gather(cdk.bootstrap(lines.append), cdk.synth(lines.append))
        assert set(cdk.stacks()) == set(NAMES)
        create_secrets(self._plane, {name: cdk.template(name) for name in NAMES})
        async with Cloud(self._plane, NAMES, self._children, listen(0), log=lines.append):
            await cdk.deploy(["*"], lines.append)


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedPresets]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("TOY_TOKENS_PER_SECOND", "1000")
        with DeployedPresets(tmp_path_factory.mktemp("families"), runner) as deployed:
            yield deployed


ON_TGI = [preset for preset in PRESETS if preset.preset.endpoint == "TgiEndpoint"]
ON_OTHERS = [preset for preset in PRESETS if preset not in ON_TGI]


@pytest.mark.parametrize("preset", ON_OTHERS, ids=lambda preset: preset.__name__)
def test_every_stack_on_another_engine_chats_and_streams(presets: DeployedPresets, preset: type[PresetStack]) -> None:
    async def test(cloud: Cloud, session: aiohttp.ClientSession) -> tuple[int, dict[str, Any], list[Any]]:
        body = {
            "model": preset.preset.name,
            "messages": [{"role": "user", "content": PROMPT}],
            "max_tokens": 60,
            "temperature": 0,
        }
        async with session.post(f"{cloud.url}/v1/chat/completions", json=body) as response:
            generated = await response.json()
        async with session.post(f"{cloud.url}/v1/chat/completions", json={**body, "stream": True}) as streamed:
            frames = [line[5:].strip() for line in (await streamed.text()).splitlines() if line.startswith("data:")]
        assert frames.pop() == "[DONE]"
        return response.status, generated, [json.loads(frame) for frame in frames]

    status, generated, frames = presets.serve(preset.__name__, test)
    assert status == 200, generated
    text = generated["choices"][0]["message"]["content"]
    assert PROMPT in text
    assert "".join(frame["choices"][0]["delta"].get("content") or "" for frame in frames) == text
    assert {frame["model"] for frame in frames} == {preset.preset.name}


@pytest.mark.parametrize("preset", ON_TGI, ids=lambda preset: preset.__name__)
def test_every_stack_on_tgi_generates_and_streams(presets: DeployedPresets, preset: type[PresetStack]) -> None:
    async def test(cloud: Cloud, session: aiohttp.ClientSession) -> tuple[int, dict[str, Any], list[Any]]:
        body = {"inputs": PROMPT, "parameters": {"max_new_tokens": 60}}
        async with session.post(f"{cloud.url}/generate", json=body) as response:
            generated = await response.json()
        async with session.post(f"{cloud.url}/generate_stream", json=body) as streamed:
            frames = [line[5:] for line in (await streamed.text()).splitlines() if line.startswith("data:")]
        assert await cloud.models() == [preset.preset.name]
        return response.status, generated, [json.loads(frame) for frame in frames]

    status, generated, frames = presets.serve(preset.__name__, test)
    assert status == 200, generated
    assert PROMPT in generated["generated_text"]
    assert frames[-1]["generated_text"] == generated["generated_text"]
    tokens = [frame["token"] for frame in frames]
    assert "".join(token["text"] for token in tokens if not token["special"]) == generated["generated_text"]


def test_the_container_has_the_limits_of_its_preset(presets: DeployedPresets) -> None:
    async def test(cloud: Cloud, session: aiohttp.ClientSession) -> tuple[int, str]:
        body = {"inputs": "word " * 1100, "parameters": {"max_new_tokens": 1}}
        async with session.post(f"{cloud.url}/generate", json=body) as response:
            return response.status, await response.text()

    status, error = presets.serve("BloomTgiStack", test)
    assert status == 422
    assert "`inputs` must have less than 1024 tokens. Given: 1102" in error
