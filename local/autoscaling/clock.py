"""A clock that runs faster than AWS's."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """The time of the emulated CloudWatch and Application Auto Scaling, in AWS's seconds since it was made.

    Args:
        speed: AWS's seconds in one second.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._started = time.monotonic()

    def now(self) -> float:
        """The current time."""
        return (time.monotonic() - self._started) * self._speed

    async def sleep_until(self, moment: float) -> None:
        """Waits until a time; other tasks always get a turn."""
        await asyncio.sleep(max(0.0, (moment - self.now()) / self._speed))
