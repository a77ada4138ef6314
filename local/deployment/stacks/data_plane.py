"""What the emulated CloudFormation needs of what runs: containers of endpoints, functions, the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from local.codebuild import BuildError
from local.deployment.stacks.state import ResourceFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class StoppedError(Exception):
    """The emulated cloud stops."""


class DataPlane(Protocol):
    """What runs. The methods are called from threads of the control plane, and block."""

    def follow(self, *, settled: bool, endpoint: str | None = None) -> None:
        """Brings what runs in line with what is deployed at this moment.

        Args:
            settled: Whether the resources of the stack fit together. If not, the gateway keeps its definition.
            endpoint: The name of the endpoint that the caller waits for. Another stack may change others meanwhile.

        Raises:
            ResourceFailure: That endpoint does not serve as it is to, for example because a container exits.
        """

    def answer_of(self, function: str, request: Callable[[str], Mapping[str, Any]], seconds: float) -> bytes | None:
        """The answer of a custom resource's function, or None if it has not answered in time.

        Args:
            function: The ARN of the function.
            request: Makes the request for the URL that takes the answer.
            seconds: How long CloudFormation waits for the answer.

        Raises:
            ResourceFailure: There is no such function.
        """

    def open_handle(self) -> str:
        """The URL of a new handle, which takes the signals of a wait condition."""

    def signals_of(
        self, handle: str, count: int, seconds: float, is_cancelled: Callable[[], bool]
    ) -> Mapping[str, str]:
        """Waits for signals; returns their data by UniqueId.

        Args:
            handle: The URL of the handle.
            count: How many of success are needed.
            seconds: How long the condition waits.
            is_cancelled: Whether the stack is being deleted.

        Raises:
            ResourceFailure: A signal says that it failed, there are too few in time, or the wait is cancelled.
        """

    def code_build(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to a request to CodeBuild.

        Raises:
            BuildError: CodeBuild refuses it.
        """


class NothingRuns:
    """The data plane of a control plane alone."""

    def follow(self, *, settled: bool, endpoint: str | None = None) -> None:
        """Does nothing."""

    def answer_of(self, function: str, request: Callable[[str], Mapping[str, Any]], seconds: float) -> bytes | None:
        """Refuses: nothing runs functions."""
        raise ResourceFailure(f"{function}: nothing runs functions in this emulated cloud.")

    def open_handle(self) -> str:
        """A URL that takes nothing."""
        return "http://127.0.0.1:9/"

    def signals_of(
        self, handle: str, count: int, seconds: float, is_cancelled: Callable[[], bool]
    ) -> Mapping[str, str]:
        """Refuses: nothing takes signals."""
        raise ResourceFailure(f"{handle}: nothing takes signals in this emulated cloud.")

    def code_build(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Refuses: nothing runs builds."""
        raise BuildError("InvalidInputException", f"{operation}: nothing runs builds in this emulated cloud.")
