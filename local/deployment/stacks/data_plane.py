"""What the emulated CloudFormation needs of what runs: containers of endpoints, functions, the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

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


class NothingRuns:
    """The data plane of a control plane alone."""

    def follow(self, *, settled: bool, endpoint: str | None = None) -> None:
        """Does nothing."""

    def answer_of(self, function: str, request: Callable[[str], Mapping[str, Any]], seconds: float) -> bytes | None:
        """Refuses: nothing runs functions."""
        raise ResourceFailure(f"{function}: nothing runs functions in this emulated cloud.")
