"""How SageMaker chooses the instance of a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """A routing strategy.

    Args:
        strategy: As SageMaker names it.
        shared_bytes: First bytes of a request's body that decide, for the strategy PREFIX_AWARE.
        threshold: Concurrent requests up to which the instance that had them is preferred.
    """

    strategy: str = "LEAST_OUTSTANDING_REQUESTS"
    shared_bytes: int | None = None
    threshold: int | None = None
