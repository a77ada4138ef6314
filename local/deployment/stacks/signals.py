"""Takes the signals of wait conditions, each handle's at a URL of its own, like CloudFormation's presigned URLs of S3.

The URL takes what S3 takes with such a signature: a PUT with an empty Content-Type. What CloudFormation would not read
as a signal is refused here, so that its sender notices.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
"""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from local.deployment.stacks.state import ResourceFailure

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/wait-condition-handles"
MAX_SIGNAL_BYTES = 4096
_TEXTS = ("UniqueId", "Reason", "Data")
# Between two looks at whether anything runs that could still signal.
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal, as its sender has written it."""

    succeeded: bool
    unique_id: str
    reason: str
    data: str


@dataclass(slots=True)
class _Handle:
    """What a handle has taken: one signal for each UniqueId, as others with the same one are retransmissions."""

    signals: dict[str, Signal] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Signals:
    """The handles of an account.

    Args:
        is_busy: Whether anything runs that may signal. As long as it does, seconds are real.
        speed: How many times faster than AWS time passes otherwise.
        log: Receives why a signal is refused.
    """

    def __init__(self, *, is_busy: Callable[[], bool], speed: float, log: Callable[[str], None]) -> None:
        self._is_busy = is_busy
        self._speed = speed
        self._log = log
        self._handles: dict[str, _Handle] = {}

    def add_routes(self, app: web.Application) -> None:
        """Adds the URLs."""
        app.router.add_route("*", f"{PATH}/{{token}}", self._take)

    def open(self) -> str:
        """The path of the URL of a new handle."""
        token = secrets.token_urlsafe(24)
        self._handles[token] = _Handle()
        return f"{PATH}/{token}"

    async def wait(self, url: str, count: int, seconds: float, is_cancelled: Callable[[], bool]) -> dict[str, str]:
        """Waits for signals; returns their data by UniqueId.

        Args:
            url: The URL of the handle.
            count: How many of success are needed. Signals from before count too.
            seconds: How long the condition waits.
            is_cancelled: Whether the operation on the stack is to end.

        Raises:
            ResourceFailure: A signal says that it failed, there are too few in time, or the wait is cancelled.
        """
        handle = self._handles.get(url.rpartition("/")[2])
        if handle is None:
            raise ResourceFailure(f"Handle={url}: must be the Ref of an AWS::CloudFormation::WaitConditionHandle.")
        left = seconds
        while True:
            received = list(handle.signals.values())
            for signal in received:
                if not signal.succeeded:
                    raise ResourceFailure(
                        f"WaitCondition received failed message: '{signal.reason}' for uniqueId: {signal.unique_id}"
                    )
            if len(received) >= count:
                return {signal.unique_id: signal.data for signal in received}
            if left <= 0:
                raise ResourceFailure(
                    f"WaitCondition timed out. Received {len(received)} conditions when expecting {count}"
                )
            if is_cancelled():
                raise ResourceFailure("Resource creation cancelled")
            left -= await self._pass(handle)

    async def _pass(self, handle: _Handle) -> float:
        """Lets time pass until something may have changed; returns how many seconds that would be on AWS."""
        clock = asyncio.get_running_loop().time
        speed = 1.0 if self._is_busy() else self._speed
        handle.changed.clear()
        began = clock()
        with suppress(TimeoutError):
            await asyncio.wait_for(handle.changed.wait(), _LOOK_SECONDS)
        return (clock() - began) * speed

    async def _take(self, request: web.Request) -> web.Response:
        handle = self._handles.get(request.match_info["token"])
        if handle is None:
            return _refusal(403, "AccessDenied", "Request has expired")
        if request.method != "PUT" or request.headers.get("Content-Type"):
            message = "The signature is for PUT and an empty Content-Type: send the header without a value."
            return self._refuse(403, "SignatureDoesNotMatch", message)
        try:
            signal = read_signal(await request.read())
        except ValueError as problem:
            return self._refuse(400, "InvalidSignal", str(problem))
        handle.signals.setdefault(signal.unique_id, signal)
        handle.changed.set()
        return web.Response()

    def _refuse(self, status: int, code: str, message: str) -> web.Response:
        self._log(f"signal of a wait condition refused: {message}")
        return _refusal(status, code, message)


def read_signal(body: bytes) -> Signal:
    """The signal in the body of a request.

    Raises:
        ValueError: It is none; the message says why.
    """
    if len(body) > MAX_SIGNAL_BYTES:
        raise ValueError(f"{len(body)} bytes: a signal has at most {MAX_SIGNAL_BYTES}.")
    try:
        found = json.loads(body)
    except ValueError:
        raise ValueError("The signal is not JSON.") from None
    if not isinstance(found, dict):
        raise ValueError("The signal is not a JSON object.")
    if found.get("Status") not in ("SUCCESS", "FAILURE"):
        raise ValueError(f"Status={found.get('Status')!r}: must be SUCCESS or FAILURE.")
    texts: dict[str, Any] = {name: found.get(name, "") for name in _TEXTS}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise ValueError(f"{name}={value!r}: must be text.")
    if not texts["UniqueId"]:
        raise ValueError("UniqueId: must not be empty.")
    return Signal(found["Status"] == "SUCCESS", texts["UniqueId"], texts["Reason"], texts["Data"])


def _refusal(status: int, code: str, message: str) -> web.Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(status=status, text=body, content_type="application/xml")
