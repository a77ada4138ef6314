"""Deploys the stack into the emulated cloud, and sends it requests."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import aiohttp

from local.autoscaling.metrics import Metrics
from local.commands.progress import Progress
from local.session import deployed
from scripts.dashboard_picture.figures import Figures

if TYPE_CHECKING:
    from local.autoscaling.metrics import Key
    from local.cloud import Cloud

STACK = "LlamaTgiStack"
PERIOD = 10.0
CLIENTS = ((0.0, 2), (0.15, 5), (0.35, 10), (0.6, 4), (0.8, 7), (0.95, 1))
"""Clients that chat at the same time, from which part of the time on."""
FAULTS = ((0.45, "throttle", 25), (0.62, "stream-broken", 4), (0.7, "model-error", 3))
"""What goes wrong, from which part of the time on, and for how many calls of SageMaker."""
SAMPLE_SECONDS = 1.0
_WORDS = ("why", "does", "the", "sea", "taste", "of", "salt", "and", "is", "rain", "over", "hills", "so", "soft")


async def collect(seconds: float) -> tuple[dict[str, Any], Figures]:
    """The deployed dashboard's body, and the figures of so many seconds of load.

    Args:
        seconds: How long requests are sent.
    """
    figures, log = Figures(period=PERIOD, seconds=seconds), list[str]()
    recorded: list[tuple[float, Key, float]] = []
    record = Metrics.record

    def keep(metrics: Metrics, key: Key, moment: float, value: float) -> None:
        recorded.append((time.time(), key, value))
        record(metrics, key, moment, value)

    with patch.object(Metrics, "record", keep):
        async with deployed(STACK, Progress(sys.stderr), context=("monitoring=on",), log=log.append) as cloud:
            body = _deployed_body()
            started = time.time()
            async with asyncio.TaskGroup() as group:
                group.create_task(_send(cloud, seconds))
                group.create_task(_inject(cloud, seconds))
                group.create_task(_sample(cloud, figures, started, seconds))
            await asyncio.sleep(1)  # until the last lines are in the log
    for line in log:
        figures.record_line(line, started)
    for moment, (name, dimensions), value in recorded:
        if not name.startswith("Concurrent"):  # sampled here for every endpoint, and by scaling for those that scale
            figures.record(name, dimensions, moment - started, value)
    return body, figures


def _deployed_body() -> dict[str, Any]:
    """The body of the only dashboard, as CloudFormation has created it."""
    from moto.cloudwatch.models import cloudwatch_backends

    from local.deployment.control_plane import ACCOUNT, REGION

    (dashboard,) = cloudwatch_backends[ACCOUNT][REGION].dashboards.values()
    found: dict[str, Any] = json.loads(dashboard.body)
    return found


async def _sample(cloud: Cloud, figures: Figures, started: float, seconds: float) -> None:
    """Record the requests in progress on each instance, which SageMaker publishes of every endpoint."""
    while (second := time.time() - started) < seconds:
        for capacity in cloud.capacities:
            for count in capacity.in_flight:
                figures.record(capacity.concurrency_metric, capacity.dimensions.items(), second, count)
        await asyncio.sleep(SAMPLE_SECONDS)


async def _send(cloud: Cloud, seconds: float) -> None:
    """Let as many clients chat as `CLIENTS` says, each with its next request after a pause."""
    started, choice = time.monotonic(), random.Random(7)  # noqa: S311 - the same load each time
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
        for index in range(max(count for _, count in CLIENTS)):
            group.create_task(_chat(cloud, session, index, started, seconds, choice))


async def _chat(
    cloud: Cloud,
    session: aiohttp.ClientSession,
    index: int,
    started: float,
    seconds: float,
    choice: random.Random,
) -> None:
    (model,) = cloud.deployment.models()
    url = f"{cloud.url}/v1/chat/completions"
    while (part := (time.monotonic() - started) / seconds) < 1:
        if index >= next(count for begin, count in reversed(CLIENTS) if part >= begin):
            await asyncio.sleep(0.5)
            continue
        words = choice.choices(_WORDS, k=choice.randint(20, 300))
        request = {
            "model": model if choice.random() > 0.03 else "no-such-model",
            "messages": [{"role": "user", "content": " ".join(words)}],
            "max_tokens": choice.randint(20, 160),
            "stream": choice.random() > 0.3,
        }
        payload = json.dumps(request).encode()
        headers = cloud.client.headers("POST", url, payload, **{"Content-Type": "application/json"})
        try:
            async with session.post(url, data=payload, headers=headers) as response:
                await response.read()
        except aiohttp.ClientError:
            pass  # a broken stream is one of the faults
        await asyncio.sleep(choice.uniform(0.1, 1.0))


async def _inject(cloud: Cloud, seconds: float) -> None:
    started = time.monotonic()
    async with aiohttp.ClientSession() as session:
        for begin, fault, count in FAULTS:
            await asyncio.sleep(max(0.0, started + begin * seconds - time.monotonic()))
            async with session.put(f"{cloud.runtime_url}/faults", json={"fault": fault, "count": count}) as response:
                response.raise_for_status()
