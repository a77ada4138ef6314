"""Deployed endpoints with model containers, scaled by what was deployed: from zero, under load, and several models."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_endpoint import read_endpoints
from local.deployment.deployed_scaling import read_scaling
from local.errors import UserError
from local.hosting import Hosting, ScalingTimes
from local.processes import ChildProcesses
from local.sagemaker_runtime import Faults, Listener, create_app
from tests.local.deployment.deployments import create
from tests.local.deployment.scaled_stack import (
    alarm,
    component,
    model,
    scaled_template,
    step_policy,
    target,
    tracking_policy,
)
from tests.local.model_container.servers import signed

pytestmark = [pytest.mark.xdist_group("control_plane"), pytest.mark.timeout(120)]

SECONDS = 20.0
TIMES = ScalingTimes(speed=300, start_seconds=0.2)
GENERATE = {"inputs": "Hi", "parameters": {"max_new_tokens": 4}}


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        yield running


class Served:
    """The SageMaker Runtime of deployed endpoints."""

    def __init__(self, hosting: Hosting, url: str, session: aiohttp.ClientSession, log: list[str]) -> None:
        self.hosting = hosting
        self.log = log
        self._url = url
        self._session = session

    async def invoke(self, component: str, body: dict[str, Any] = GENERATE, variant: str = "") -> tuple[int, str]:
        (endpoint,) = self.hosting.endpoints.names()
        data = json.dumps(body).encode()
        url = f"{self._url}/endpoints/{endpoint}/invocations"
        names = {"Inference-Component": component, "Target-Variant": variant}
        headers = {f"X-Amzn-SageMaker-{header}": name for header, name in names.items() if name}
        headers["Content-Type"] = "application/json"
        async with self._session.post(url, data=data, headers=signed(url, body=data, **headers)) as response:
            return response.status, await response.text()

    async def until(self, line: str) -> None:
        """Waits until the log has a line."""
        async with asyncio.timeout(SECONDS):
            while line not in self.log:
                await asyncio.sleep(0.02)


async def no_alarms(_names: list[str]) -> list[str]:
    return []


@asynccontextmanager
async def serving(plane: ControlPlane, folder: Path, template: dict[str, Any]) -> AsyncIterator[Served]:
    await asyncio.to_thread(create, plane, template)
    log: list[str] = []
    async with ChildProcesses(folder) as children, aiohttp.ClientSession() as session:
        hosting = Hosting(children, container_url=None, times=TIMES, in_alarm=no_alarms, log=log.append)
        try:
            endpoints = {endpoint.name: endpoint for endpoint in await asyncio.to_thread(read_endpoints, plane)}
            await hosting.follow(endpoints, await asyncio.to_thread(read_scaling, plane), {})
            listener = Listener(create_app(hosting.endpoints, Faults()), shutdown_timeout=0.1)
            await listener.start()
            try:
                yield Served(hosting, listener.url, session, log)
            finally:
                await listener.close()
        finally:
            await hosting.close()


def play(
    plane: ControlPlane, folder: Path, template: dict[str, Any], script: Callable[[Served], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with serving(plane, folder, template) as served:
            await script(served)

    asyncio.run(run())


def sleeping_template(*, with_alarm: bool = True) -> dict[str, Any]:
    """One component that falls asleep after five idle minutes, and wakes if it has the alarm."""
    template = scaled_template()
    resources = template["Resources"]
    resources["Sleep"] = step_policy(
        "Target",
        "Sleep",
        AdjustmentType="ExactCapacity",
        StepAdjustments=[{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0}],
    )
    resources["Idle"] = alarm(
        "Sleep",
        "Component",
        MetricName="ConcurrentRequestsPerCopy",
        Statistic="Maximum",
        EvaluationPeriods=5,
        Threshold=0,
        ComparisonOperator="LessThanOrEqualToThreshold",
    )
    if not with_alarm:
        del resources["NoCapacity"]
    return template


def test_a_component_falls_asleep_and_the_failure_of_a_request_wakes_it(plane: ControlPlane, tmp_path: Path) -> None:
    async def script(served: Served) -> None:
        assert (await served.invoke("Scaled-Component"))[0] == 200
        await served.until("scaling: Scaled-Component: 1 → 0 copies (Sleep, alarm Scaled-Idle)")
        status, text = await served.invoke("Scaled-Component")
        assert (status, "has no capacity" in text) == (400, True)
        await served.until("scaling: Scaled-Component: 1 copy serves")
        assert (await served.invoke("Scaled-Component"))[0] == 200

    play(plane, tmp_path, sleeping_template(), script)


def test_without_the_alarm_on_no_capacity_a_component_stays_asleep(plane: ControlPlane, tmp_path: Path) -> None:
    async def script(served: Served) -> None:
        await served.until("scaling: Scaled-Component: 1 → 0 copies (Sleep, alarm Scaled-Idle)")
        for _ in range(20):
            assert (await served.invoke("Scaled-Component"))[0] == 400
            await asyncio.sleep(0.05)  # altogether five minutes of AWS's clock
        assert len(served.log) == 1

    play(plane, tmp_path, sleeping_template(with_alarm=False), script)


def test_overload_is_rejected_by_the_container_until_target_tracking_adds_a_copy(
    plane: ControlPlane, tmp_path: Path
) -> None:
    template = scaled_template()
    template["Resources"]["Model"] = model(MAX_CONCURRENT_REQUESTS="3", TOY_TOKENS_PER_SECOND="20", TOY_MIN_WORDS="100")
    template["Resources"]["Track"] = tracking_policy("Target", "Track")
    body = {"inputs": "Hi", "parameters": {"max_new_tokens": 40}}

    async def script(served: Served) -> None:
        first = [asyncio.create_task(served.invoke("Scaled-Component", body)) for _ in range(4)]
        await served.until("scaling: Scaled-Component: 2 copies serve")
        second = await asyncio.gather(*(served.invoke("Scaled-Component") for _ in range(3)))
        answers = await asyncio.gather(*first)
        assert sorted(status for status, _ in answers) == [200, 200, 200, 424]
        rejected = next(text for status, text in answers if status == 424)
        assert "Received client error (429)" in rejected
        assert "Model is overloaded" in rejected
        assert [status for status, _ in second] == [200, 200, 200]
        assert served.log[0] == "scaling: Scaled-Component: 1 → 2 copies (Track)"

    play(plane, tmp_path, template, script)


def fleet_template(**environment: str) -> dict[str, Any]:
    """Two models on one instance with four GPUs; the second has an environment, and may grow to three copies."""
    template = scaled_template(instance_type="ml.g5.12xlarge", instances=1)
    template["Resources"] |= {
        "Second": model(**environment),
        "Falcon": component("Second", accelerators=1),
        "FalconTarget": target("Falcon", maximum=4),
        "FalconWake": step_policy("FalconTarget", "FalconWake"),
        "FalconTrack": tracking_policy("FalconTarget", "FalconTrack"),
        "FalconNoCapacity": alarm("FalconWake", "Falcon"),
    }
    template["Resources"]["Component"] = component(accelerators=2)
    return template


def test_components_share_an_instance_and_each_scales_by_itself_while_there_is_room(
    plane: ControlPlane, tmp_path: Path
) -> None:
    template = fleet_template(TOY_TOKENS_PER_SECOND="10", TOY_MIN_WORDS="100")
    body = {"inputs": "Hi", "parameters": {"max_new_tokens": 30}}

    async def script(served: Served) -> None:
        busy = [asyncio.create_task(served.invoke("Scaled-Falcon", body)) for _ in range(24)]
        await served.until("scaling: Scaled-Falcon: 2 copies serve")
        assert (await served.invoke("Scaled-Component"))[0] == 200
        assert {status for status, _ in await asyncio.gather(*busy)} == {200}
        assert served.log[:2] == [
            "scaling: Scaled-Falcon: no room for 4 copies (FalconTrack)",
            "scaling: Scaled-Falcon: 1 → 2 copies (FalconTrack)",
        ]

    play(plane, tmp_path, template, script)


def test_a_component_whose_container_exits_leaves_the_others_serving(plane: ControlPlane, tmp_path: Path) -> None:
    async def script(served: Served) -> None:
        assert (await served.invoke("Scaled-Component"))[0] == 200
        status, text = await served.invoke("Scaled-Falcon")
        assert (status, "has no capacity" in text) == (400, True)
        assert served.log[0] == (
            "The container of the inference component Scaled-Falcon exited with code 1, see its output above.\n"
            "TGI rejects the environment of the model: change the options of the construct."
        )

    play(plane, tmp_path, fleet_template(MAX_INPUT_TOKENS="9", MAX_TOTAL_TOKENS="8"), script)


def test_the_log_says_first_what_does_nothing_here(plane: ControlPlane, tmp_path: Path) -> None:
    template = scaled_template()
    action = {"ScheduledActionName": "Open", "Schedule": "cron(0 8 ? * MON-FRI *)"}
    template["Resources"]["Target"]["Properties"]["ScheduledActions"] = [action]

    async def script(served: Served) -> None:
        assert served.log == ["scaling: inference-component/Scaled-Component: its scheduled actions do nothing here"]

    play(plane, tmp_path, template, script)


def test_an_endpoint_none_of_whose_components_starts_is_an_error(plane: ControlPlane, tmp_path: Path) -> None:
    template = scaled_template()
    template["Resources"]["Model"] = model(MAX_INPUT_TOKENS="9", MAX_TOTAL_TOKENS="8")

    async def script(_served: Served) -> None:
        raise AssertionError("it must not serve")

    with pytest.raises(UserError, match="The container of the inference component Scaled-Component exited"):
        play(plane, tmp_path, template, script)
