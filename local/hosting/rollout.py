"""How traffic moves to the containers of a new endpoint configuration.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html and botocore's DeploymentConfig.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from local.sagemaker_runtime import Copy, Fleet

# How often the alarms of an update are read.
WATCH_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Rollout:
    """A deployment of a new configuration.

    Args:
        steps: How many of the new containers serve after each step; after the last one all of them do.
        wait: AWS's seconds after each step.
        termination_wait: AWS's seconds after the last step, before the former containers stop.
        alarms: The names of the alarms that roll it back.
    """

    steps: tuple[int, ...]
    wait: float = 0.0
    termination_wait: float = 0.0
    alarms: tuple[str, ...] = ()


def read_rollout(deployment: Mapping[str, Any], count: int) -> Rollout:
    """What a DeploymentConfig means for so many instances. The default is all at once."""
    alarms = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    names = tuple(alarm["AlarmName"] for alarm in alarms)
    if "RollingUpdatePolicy" in deployment:
        policy = deployment["RollingUpdatePolicy"]
        size = _size(policy["MaximumBatchSize"], count)
        return Rollout(_multiples(size, count), float(policy["WaitIntervalInSeconds"]), alarms=names)
    policy = deployment.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {})
    steps: tuple[int, ...] = (count,)
    if routing.get("Type") == "CANARY":
        steps = (_size(routing["CanarySize"], count), count)
    elif routing.get("Type") == "LINEAR":
        steps = _multiples(_size(routing["LinearStepSize"], count), count)
    return Rollout(
        steps,
        float(routing.get("WaitIntervalInSeconds", 0)),
        float(policy.get("TerminationWaitInSeconds", 0)),
        names,
    )


def _size(capacity: Mapping[str, Any], count: int) -> int:
    value = int(capacity["Value"])
    return max(1, value if capacity["Type"] == "INSTANCE_COUNT" else count * value // 100)


def _multiples(size: int, count: int) -> tuple[int, ...]:
    return (*range(size, count, size), count)


class Rollouts:
    """Goes through rollouts, and ends them if an alarm goes off.

    Args:
        in_alarm: Tells which of the named alarms are in ALARM.
        speed: How many times faster than AWS it waits.
    """

    def __init__(self, in_alarm: Callable[[list[str]], Awaitable[list[str]]], speed: float) -> None:
        self._in_alarm = in_alarm
        self._speed = speed

    async def run(self, endpoint: str, deployment: Mapping[str, Any], count: int) -> AsyncIterator[Fraction]:
        """The share of the new containers, whenever more of them are to serve.

        Raises:
            UserError: An alarm is in ALARM.
        """
        rollout = read_rollout(deployment, count)
        await self._watch(endpoint, rollout, 0)
        for number in rollout.steps:
            yield Fraction(number, count)
            await self._watch(endpoint, rollout, rollout.wait)
        await self._watch(endpoint, rollout, rollout.termination_wait)

    async def _watch(self, endpoint: str, rollout: Rollout, seconds: float) -> None:
        """Waits for so many of AWS's seconds, and watches the alarms."""
        clock = asyncio.get_running_loop().time
        ends = clock() + seconds / self._speed
        while True:
            if rollout.alarms and (found := await self._in_alarm(list(rollout.alarms))):
                raise UserError(
                    f"The update of the endpoint {endpoint} was rolled back, as these alarms are in ALARM: "
                    f"{', '.join(found)}.",
                    "Find out why, and deploy again once they are OK.",
                )
            if clock() >= ends:
                return
            await asyncio.sleep(min(WATCH_SECONDS, max(0.0, ends - clock())))


def mixed(former: Fleet, new: Fleet, share: Fraction) -> list[Copy]:
    """What serves while new containers have a share of the traffic."""
    return [
        *new.copies[: round(len(new.copies) * share)],
        *former.copies[: round(len(former.copies) * (1 - share))],
    ]
