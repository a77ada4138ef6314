"""Calls of AWS in bounded time, of which one that is refused does not stop the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from constructs_lib.cli.aws_session import (
    AwsSession,
    NoAccountError,
    account_problem,
    call_problem,
    error_code,
    error_message,
)
from constructs_lib.cli.formatting import printable

SECONDS = 60
"""How long all calls together may take."""

_CALL_SECONDS, _TRIES, _THREADS = 10, 2, 8
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
_MOST_WORDS = 160
# What services answer for what is not there; some have no code of its own for it.
_MISSING = ("ResourceNotFoundException", "ResourceNotFound", "NoSuchBucket", "NotFoundException", "NotFound", "404")
_MISSING_WORDS = ("does not exist", "could not find", "not found", "cannot find")
_SERVICES = {"service-quotas": "servicequotas"}
_ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket"}


class Missing(Exception):  # noqa: N818 - callers expect it
    """What a call asked for is not there."""


@dataclass
class Reader:
    """Calls AWS, and notes what it did and what it could not read.

    Args:
        session: The account and the Region.
        say: Is told what is read.

    Attributes:
        actions: The IAM actions of all calls.
        unread: What could not be read, and why, as sentences.
        checked: What was read.
    """

    session: AwsSession
    say: Callable[[str], None]
    actions: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._ends = time.monotonic() + SECONDS

    @property
    def is_late(self) -> bool:
        """Whether the time for all calls is over."""
        return time.monotonic() > self._ends

    def call(self, what: str, service: str, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """The answer of one call; None if it could not be made, which is noted.

        Args:
            what: What is read, such as `the stack's events`.
            service: The service, as boto3 names it.
            operation: The operation, such as `describe_stacks`.
            parameters: Its parameters.

        Raises:
            Missing: It is not there.
            NoAccountError: AWS does not accept the credentials.
        """
        client = self._client(service)
        api = client.meta.method_to_api_mapping[operation]
        action = _action(service, api)
        with self._lock:
            self.actions.add(action)
        if self.is_late:
            self._note(what, f"{SECONDS} s were over")
            return None
        try:
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except self.session.errors as error:
            if problem := account_problem(error):
                raise NoAccountError(problem) from error
            if _is_missing(error):
                raise Missing(what) from error
            self._note(what, _why(error, action))
            return None
        self._check(what)
        return answer

    def find(self, what: str, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """As `call`; empty if it is not there or could not be read."""
        try:
            return self.call(what, service, operation, **parameters) or {}
        except Missing:
            return {}

    def pages(
        self, what: str, service: str, operation: str, key: str, *, most: int = 5, **parameters: Any
    ) -> Iterator[Any]:
        """The entries of a list, of the first pages; none if it is not there or could not be read.

        Args:
            what: What is read.
            service: The service.
            operation: The operation.
            key: Key of the list in the answer.
            most: Pages at most.
            parameters: Its parameters.
        """
        token: dict[str, str] = {}
        for _ in range(most):
            answer = self.find(what, service, operation, **parameters, **token)
            yield from answer.get(key, ())
            name = next((name for name in ("NextToken", "nextToken") if answer.get(name)), None)
            if name is None or self.is_late:
                return
            token = {name: answer[name]}

    def together(self, tasks: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """The results of tasks that run at the same time; None for one that has not ended in time.

        Args:
            tasks: By name.

        Raises:
            NoAccountError: AWS does not accept the credentials.
        """
        futures: dict[str, Future[Any]] = {name: Future() for name in tasks}
        jobs: SimpleQueue[_Job] = SimpleQueue()
        for name, task in tasks.items():
            jobs.put((futures[name], task))
        # The threads of an executor would keep the process after Ctrl-C until their calls end.
        for _ in range(min(_THREADS, len(tasks))):
            threading.Thread(target=_work, args=(jobs,), name="doctor", daemon=True).start()
        try:
            done, _ = wait(futures.values(), timeout=max(0.0, self._ends - time.monotonic()))
        finally:
            for future in futures.values():
                future.cancel()
        for name, future in futures.items():
            if future not in done:
                self._note(name, f"{SECONDS} s were over")
        return {name: future.result() if future in done else None for name, future in futures.items()}

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session.client(service, read_seconds=_CALL_SECONDS, tries=_TRIES)
            return self._clients[service]

    def _check(self, what: str) -> None:
        with self._lock:
            if what not in self.checked:
                self.checked.append(what)
                self.say(what)

    def _note(self, what: str, why: str) -> None:
        note = printable(f"could not read {what}: {why}")
        with self._lock:
            if note not in self.unread:
                self.unread.append(note)


_Job = tuple["Future[Any]", Callable[[], Any]]


def _work(jobs: SimpleQueue[_Job]) -> None:
    """Does what is in the queue until it is empty."""
    while True:
        try:
            future, task = jobs.get_nowait()
        except Empty:
            return
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(task())
        except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
            future.set_exception(error)


def _why(error: Any, action: str) -> str:
    """Why a call failed, in a few words."""
    code = error_code(error)
    if not code:
        return call_problem("read it", error).message[:_MOST_WORDS]
    return f"needs {action}" if code in _DENIED else f"AWS answers {code}: {error_message(error)}"[:_MOST_WORDS]


def _action(service: str, api: str) -> str:
    """The IAM action of an operation."""
    if service == "apigateway":  # its actions are the methods of HTTP
        return "apigateway:GET"
    action = f"{_SERVICES.get(service, service)}:{api}"
    return _ACTIONS.get(action, action)


def _is_missing(error: Any) -> bool:
    code, said = error_code(error), error_message(error).lower()
    return code in _MISSING or (code.startswith("Validation") and any(words in said for words in _MISSING_WORDS))
