"""What the control plane asks of what runs, from its threads, which wait for the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from local.deployment.stacks.state import ResourceFailure
from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Set

    from local.calls import Calls
    from local.codebuild import Builds
    from local.lambda_endpoint import LambdaEndpoint


class Follow(Protocol):
    """Brings what runs in line with what is deployed; `awaited` are the endpoints whose failure is raised."""

    def __call__(self, *, settled: bool, awaited: Set[str] | None) -> Coroutine[None, None, None]:
        """Does that in the event loop."""


class RunningDataPlane:
    """A data plane that runs; see `local.deployment.stacks.data_plane.DataPlane`.

    Args:
        calls: Runs work in the event loop.
        follow: Brings what runs in line with what is deployed.
        lambda_endpoint: Invokes the functions of custom resources, and takes answers and signals.
        builds: Runs builds.
    """

    def __init__(self, calls: Calls, follow: Follow, lambda_endpoint: LambdaEndpoint, builds: Builds) -> None:
        self._calls = calls
        self._follow = follow
        self._lambda = lambda_endpoint
        self._builds = builds

    def follow(self, *, settled: bool, endpoint: str | None = None) -> None:
        """Brings what runs in line with what is deployed."""
        awaited = frozenset(() if endpoint is None else (endpoint,))
        try:
            self._calls.result_of(self._follow(settled=settled, awaited=awaited))
        except UserError as error:
            raise ResourceFailure(error.problem) from error

    def answer_of(self, function: str, request: Callable[[str], Mapping[str, Any]], seconds: float) -> bytes | None:
        """The answer of a custom resource's function."""
        self.follow(settled=False)
        return self._calls.result_of(self._lambda.answer_of(function, request, seconds))

    def open_handle(self) -> str:
        """The URL of a new handle of wait conditions."""
        return self._lambda.open_handle()

    def signals_of(
        self, handle: str, count: int, seconds: float, is_cancelled: Callable[[], bool]
    ) -> Mapping[str, str]:
        """The data of the signals of a wait condition."""
        return self._calls.result_of(self._lambda.signals_of(handle, count, seconds, is_cancelled))

    def code_build(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of CodeBuild."""
        return self._calls.result_of(self._builds.answer(operation, request))
