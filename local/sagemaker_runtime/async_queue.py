"""Asynchronous inference: requests that wait for an instance with room, and answers that go to S3."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.sagemaker_runtime.endpoints import Copy, Fleet

QUEUE_METRICS = frozenset(
    {
        "ApproximateAgeOfOldestRequest",
        "ApproximateBacklogSize",
        "ApproximateBacklogSizePerInstance",
        "HasBacklogWithoutCapacity",
    }
)
"""The metrics of the queue, by endpoint."""
VARIANT_METRICS = frozenset({"ExpiredRequests", "InvocationFailures", "InvocationsProcessed"})
"""The metrics of requests, by endpoint and variant."""
PUBLISH_SECONDS = 10.0
POLL_SECONDS = 0.02
MAX_INCLUDED_BYTES = 128 * 1024  # source: API reference of AsyncInferenceNotificationConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncSettings:
    """An AsyncInferenceConfig.

    Args:
        output: Where answers go to, as s3://<bucket>/<prefix>.
        failure: Where failures go to. Default: nowhere.
        topics: The ARN of the topic for `success` and `error`, as far as there is one.
        includes: For which of them a notification contains the answer.
        concurrency: Requests in progress at once on one instance.
    """

    output: str
    failure: str | None = None
    topics: Mapping[str, str] = field(default_factory=dict)
    includes: frozenset[str] = frozenset()
    concurrency: int


class Storage(Protocol):
    """S3 and SNS, called from threads."""

    def read(self, uri: str) -> bytes:
        """The content of an object."""

    def write(self, uri: str, body: bytes, content_type: str) -> None:
        """Writes an object."""

    def publish(self, topic: str, message: str) -> None:
        """Publishes to a topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncRequest:
    """A validated call of InvokeEndpointAsync.

    Args:
        inference_id: Its id.
        headers: The headers that the container gets.
        input_location: Where the request is; None if it is in the call.
        body: The request; None if it is in S3.
        ttl_seconds: How long it may be queued, in AWS's seconds.
        timeout_seconds: How long the container may take.
        path: What the caller appends to the path of answers, with its slash; empty without.
        name: The name of the answer's object.
    """

    inference_id: str
    headers: Mapping[str, str]
    input_location: str | None
    body: bytes | None
    ttl_seconds: float
    timeout_seconds: float
    path: str = ""
    name: str = field(default_factory=lambda: f"{uuid.uuid4()}.out")


@dataclass(frozen=True, slots=True)
class _Queued:
    """A request with the locations that its caller was told, whatever the endpoint's configuration is by then."""

    request: AsyncRequest
    arrived: float
    received: str
    output: str
    failure: str | None


class _FailedError(Exception):
    """A request failed.

    Args:
        reason: Why, for the notification.
        body: What the container answered, or the reason.
        content_type: Of the body.
    """

    def __init__(self, reason: str, body: bytes | None = None, content_type: str = "text/plain") -> None:
        super().__init__(reason)
        self.reason = reason
        self.body = reason.encode() if body is None else body
        self.content_type = content_type


class AsyncQueue:
    """The queue of an asynchronous endpoint.

    Args:
        endpoint: Name of the endpoint.
        region: Its Region.
        settings: Its configuration.
        fleet: The containers.
        storage: S3 and SNS.
        now: The time in AWS's seconds, which may run faster.
        record: Receives the names and values of `QUEUE_METRICS` and `VARIANT_METRICS`.
        log: Receives a line for what a caller is not told.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        settings: AsyncSettings,
        fleet: Fleet,
        storage: Storage,
        *,
        now: Callable[[], float],
        record: Callable[[str, float], None],
        log: Callable[[str], None],
    ) -> None:
        self._endpoint = endpoint
        self._region = region
        self._settings = settings
        self._fleet = fleet
        self._storage = storage
        self._now = now
        self._record = record
        self._log = log
        self._waiting: deque[_Queued] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._published = float("-inf")

    def move(self, settings: AsyncSettings, fleet: Fleet) -> None:
        """Goes on with a new configuration of the endpoint and its containers."""
        self._settings, self._fleet = settings, fleet

    def submit(self, request: AsyncRequest) -> tuple[str, str | None]:
        """Queues a request; where its answer or its failure will be."""
        queued = _Queued(request, self._now(), _timestamp(), *self._locations(request))
        self._waiting.append(queued)
        return queued.output, queued.failure

    async def run(self) -> None:
        """Gives requests to instances that have room, until it is cancelled."""
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        await self._test_topics()
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
            try:
                while True:
                    self._publish()
                    self._expire()
                    self._dispatch(session)
                    await asyncio.sleep(POLL_SECONDS)
            finally:
                for task in self._running:
                    task.cancel()
                await asyncio.gather(*self._running, return_exceptions=True)

    def _publish(self) -> None:
        now = self._now()
        if now - self._published < PUBLISH_SECONDS:
            return
        self._published = now
        backlog, instances = len(self._waiting) + len(self._running), len(self._fleet.copies)
        self._record("ApproximateBacklogSize", backlog)
        self._record("ApproximateBacklogSizePerInstance", backlog / max(1, instances))
        self._record("ApproximateAgeOfOldestRequest", now - self._waiting[0].arrived if self._waiting else 0)
        self._record("HasBacklogWithoutCapacity", int(bool(self._waiting) and not instances))

    def _expire(self) -> None:
        now = self._now()
        # Not only the oldest ones: each has a time of its own.
        expired = [queued for queued in self._waiting if now - queued.arrived > queued.request.ttl_seconds]
        for queued in expired:
            self._waiting.remove(queued)
            self._record("ExpiredRequests", 1)
            reason = "Request expired: it was in the queue for longer than its RequestTTLSeconds."
            self._start(self._fail(queued, _FailedError(reason), status="Expired"))

    def _dispatch(self, session: aiohttp.ClientSession) -> None:
        while self._waiting:
            free = [copy for copy in self._fleet.copies if copy.in_flight < self._settings.concurrency]
            if not free:
                return
            copy = min(free, key=lambda each: each.in_flight)
            copy.in_flight += 1
            self._start(self._process(session, copy, self._waiting.popleft()))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._log(f"async: {self._endpoint}: failed with {error!r}")

    async def _process(self, session: aiohttp.ClientSession, copy: Copy, queued: _Queued) -> None:
        try:
            body, content_type = await self._invoke(session, copy.url, queued.request)
        except _FailedError as failure:
            await self._fail(queued, failure)
            return
        finally:
            copy.in_flight -= 1
        await asyncio.to_thread(self._storage.write, queued.output, body, content_type)
        self._record("InvocationsProcessed", 1)
        told = {"contentType": content_type, "outputLocation": queued.output}
        await self._notify("success", queued, {"invocationStatus": "Completed", "responseParameters": told}, body)

    async def _invoke(self, session: aiohttp.ClientSession, url: str, request: AsyncRequest) -> tuple[bytes, str]:
        """The answer of the container and its content type."""
        try:
            async with (
                asyncio.timeout(request.timeout_seconds),
                session.post(f"{url}/invocations", data=await self._read(request), headers=request.headers) as answer,
            ):
                body = await answer.read()
        except TimeoutError:
            raise _FailedError("ClientError: Model invocation timed out, see InvocationTimeoutSeconds.") from None
        except aiohttp.ClientError as error:
            raise _FailedError("InternalServerError: The container did not answer.") from error
        content_type = answer.headers.get("Content-Type", "application/octet-stream")
        if answer.status // 100 != 2:
            kind = "client" if answer.status < 500 else "server"
            reason = (
                f"ClientError: Received {kind} error ({answer.status}) from model. See the SageMaker Endpoint logs in "
                "your account for more information."
            )
            raise _FailedError(reason, body, content_type)
        if "Content-Length" not in answer.headers:
            # aws-deep-learning's djl-serving issue 2567: a streamed answer is none here.
            raise _FailedError("The response from container primary did not specify the required Content-Length header")
        return body, content_type

    async def _read(self, request: AsyncRequest) -> bytes:
        if request.input_location is None:
            return request.body or b""
        try:
            return await asyncio.to_thread(self._storage.read, request.input_location)
        except OSError as error:
            raise _FailedError(f"ClientError: Cannot read {request.input_location}: {error}") from error

    async def _fail(self, queued: _Queued, failure: _FailedError, *, status: str = "Failed") -> None:
        self._record("InvocationFailures", 1)
        told: dict[str, Any] = {"invocationStatus": status, "failureReason": failure.reason}
        if queued.failure is not None:
            await asyncio.to_thread(self._storage.write, queued.failure, failure.body, failure.content_type)
            told["responseParameters"] = {"contentType": failure.content_type, "failureLocation": queued.failure}
        await self._notify("error", queued, told, failure.body)

    async def _notify(self, outcome: str, queued: _Queued, told: Mapping[str, Any], body: bytes) -> None:
        topic = self._settings.topics.get(outcome)
        if topic is None:
            return
        message = {
            "awsRegion": self._region,
            "eventTime": _timestamp(),
            "receivedTime": queued.received,
            "requestParameters": {
                "endpointName": self._endpoint,
                "inputLocation": queued.request.input_location,
            },
            **told,
            "inferenceId": queued.request.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        if outcome in self._settings.includes and len(body) <= MAX_INCLUDED_BYTES:
            message["responseBody"] = {"content": body.decode(errors="replace"), "encoding": "UTF-8"}
        await asyncio.to_thread(self._storage.publish, topic, json.dumps(message))

    async def _test_topics(self) -> None:
        """SageMaker tries each topic once, while it creates the endpoint."""
        test = {"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "TestNotification"}
        for topic in dict.fromkeys(self._settings.topics.values()):
            await asyncio.to_thread(self._storage.publish, topic, json.dumps(test))

    def _locations(self, request: AsyncRequest) -> tuple[str, str | None]:
        output = f"{self._settings.output.rstrip('/')}/{request.path}{request.name}"
        if self._settings.failure is None:
            return output, None
        name = request.name.removesuffix(".out")
        return output, f"{self._settings.failure.rstrip('/')}/{request.path}{name}-error.out"


def _timestamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
