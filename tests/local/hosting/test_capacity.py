"""Containers that start, serve, drain and stop as capacity changes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from local.errors import UserError
from local.hosting.capacity import Capacity
from local.hosting.containers import Running
from local.sagemaker_runtime.errors import ServiceError


class Launcher:
    """Starts containers that are only URLs."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.stopped: list[str] = []
        self.failure: Exception | None = None

    async def __call__(self) -> Running:
        if self.failure is not None:
            raise self.failure
        url = f"http://{len(self.started)}"
        self.started.append(url)

        async def stop() -> None:
            self.stopped.append(url)

        return Running(url, stop)


EXITED = UserError("The container exited.", "Change its options.")


class Scene:
    """A capacity with its launcher, log and metrics."""

    def __init__(self, unit: str = "copy", start_seconds: float = 0.05) -> None:
        self.launcher = Launcher()
        self.lines: list[str] = []
        self.recorded: list[tuple[str, float]] = []
        self.capacity = Capacity(
            "llama",
            unit,
            "inference-component/llama",
            {"InferenceComponentName": "llama"},
            self.launcher,
            start_seconds=start_seconds,
            record=lambda name, value: self.recorded.append((name, value)),
            log=self.lines.append,
        )

    def play(self, script: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            try:
                await script()
            finally:
                await self.capacity.close()

        asyncio.run(run())


def test_a_new_copy_serves_after_the_start_and_each_change_is_logged() -> None:
    scene = Scene()

    async def script() -> None:
        scene.capacity.scale(1, "Wake, alarm NoCapacity")
        assert (scene.capacity.is_changing, scene.capacity.fleet.copies) == (False, [])
        await asyncio.sleep(0.01)
        assert (scene.capacity.is_changing, scene.capacity.fleet.copies) == (True, [])
        await asyncio.sleep(0.2)
        assert (scene.capacity.is_changing, len(scene.capacity.fleet.copies)) == (False, 1)
        scene.capacity.scale(3, "Track")
        await asyncio.sleep(0.2)
        scene.capacity.scale(0, "Sleep")
        await asyncio.sleep(0.2)

    scene.play(script)
    assert scene.lines == [
        "scaling: llama: 0 → 1 copy (Wake, alarm NoCapacity)",
        "scaling: llama: 1 copy serves",
        "scaling: llama: 1 → 3 copies (Track)",
        "scaling: llama: 2 copies serve",
        "scaling: llama: 3 copies serve",
        "scaling: llama: 3 → 0 copies (Sleep)",
    ]
    assert sorted(scene.launcher.stopped) == scene.launcher.started


def test_the_copy_with_the_fewest_requests_is_chosen_and_removed_when_it_is_idle() -> None:
    scene = Scene()

    async def script() -> None:
        await scene.capacity.start(2)
        fleet = scene.capacity.fleet
        with fleet.route() as first, fleet.route() as second:
            assert {first.url, second.url} == {"http://0", "http://1"}
            assert scene.capacity.in_flight == [1, 1]
            scene.capacity.scale(0, "Sleep")
            await asyncio.sleep(0.15)
            assert scene.launcher.stopped == []
        await asyncio.sleep(0.15)
        assert sorted(scene.launcher.stopped) == ["http://0", "http://1"]
        with pytest.raises(ServiceError, match="has no capacity"), fleet.route():
            pass

    scene.play(script)
    assert scene.recorded == [
        ("Invocations", 1),
        ("InvocationsPerInstance", 0.5),
        ("InvocationsPerCopy", 0.5),
        ("Invocations", 1),
        ("InvocationsPerInstance", 0.5),
        ("InvocationsPerCopy", 0.5),
        ("NoCapacityInvocationFailures", 1),
    ]


def test_copies_for_which_there_is_no_room_are_not_started() -> None:
    scene = Scene()
    scene.capacity.room = lambda wanted: min(wanted, 2)

    async def script() -> None:
        await scene.capacity.start(1)
        scene.capacity.scale(3, "Track")
        await asyncio.sleep(0.2)

    scene.play(script)
    assert scene.lines == [
        "scaling: llama: no room for 3 copies (Track)",
        "scaling: llama: 1 → 2 copies (Track)",
        "scaling: llama: 2 copies serve",
    ]


@pytest.mark.parametrize(
    ("failure", "line"),
    [(EXITED, "The container exited."), (OSError(24, "Too many"), "failed with OSError(24, 'Too many')")],
)
def test_a_container_that_does_not_start_leaves_the_others_serving(failure: Exception, line: str) -> None:
    scene = Scene("instance")

    async def script() -> None:
        await scene.capacity.start(1)
        scene.launcher.failure = failure
        scene.capacity.scale(2, "Track")
        await asyncio.sleep(0.2)
        assert (scene.capacity.desired, len(scene.capacity.fleet.copies)) == (1, 1)

    scene.play(script)
    assert scene.lines == [
        "scaling: llama: 1 → 2 instances (Track)",
        f"scaling: llama: {line}",
    ]


def test_first_containers_that_do_not_start_are_an_error() -> None:
    scene = Scene()
    scene.launcher.failure = EXITED

    async def script() -> None:
        with pytest.raises(UserError, match="The container exited"):
            await scene.capacity.start(1)
        assert scene.capacity.desired == 0

    scene.play(script)


def test_each_unit_has_its_metric_of_concurrent_requests() -> None:
    assert Scene("copy").capacity.concurrency_metric == "ConcurrentRequestsPerCopy"
    assert Scene("instance").capacity.concurrency_metric == "ConcurrentRequestsPerModel"
