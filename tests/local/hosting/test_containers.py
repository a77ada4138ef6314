"""The start of a model container."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.deployment.deployed_endpoint import DeployedContainer
from local.errors import UserError
from local.hosting import containers
from local.processes import ChildProcesses


class Children:
    """Starts processes that never write anything."""

    def __init__(self) -> None:
        self.running: list[Any] = []

    async def start_server(self, _command: object, **_where: object) -> Any:
        self.running.append(SimpleNamespace(stdout=asyncio.StreamReader()))
        return self.running[-1]

    async def stop(self, process: Any) -> int:
        self.running.remove(process)
        return -15


def test_a_container_that_does_not_start_in_time_is_stopped_and_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "START_SECONDS", 0.01)
    children = Children()
    container = DeployedContainer(model_name="Llama", image="tgi", environment={})
    launch = containers.launch_toy(cast("ChildProcesses", children), "the endpoint llama", container)

    async def start() -> None:
        await launch()

    with pytest.raises(UserError, match=r"The container of the endpoint llama did not start within 0\.01 seconds\."):
        asyncio.run(start())
    assert children.running == []


class Exits(Children):
    """Starts processes that end at once."""

    async def start_server(self, command: object, **where: object) -> Any:
        process = await super().start_server(command, **where)
        process.stdout.feed_eof()
        return process


@pytest.mark.parametrize(
    ("image", "fix"),
    [
        ("vllm:0.30.0", "vLLM rejects the environment of the model: change the options of the construct."),
        (
            "own:1",
            (
                "What stands in for own:1 is TGI: name another engine with TOY_ENGINE=…, or run the container itself "
                "and name it with CONTAINER_URL=http://…."
            ),
        ),
    ],
)
def test_a_container_that_exits_is_an_error_that_says_what_to_do(image: str, fix: str) -> None:
    container = DeployedContainer(model_name="Llama", image=image, environment={})
    launch = containers.launch_toy(cast("ChildProcesses", Exits()), "the endpoint llama", container)

    async def start() -> None:
        await launch()

    with pytest.raises(UserError) as caught:
        asyncio.run(start())
    assert caught.value.problem == "The container of the endpoint llama exited with code -15, see its output above."
    assert caught.value.fix == fix
