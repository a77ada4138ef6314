"""The wish for the cheapest instance, instead of an instance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CheapestFor:
    """Stands for the cheapest instance type that serves a load; the plan resolves it (`fit.candidates`).

    Args:
        tokens: Longest prompt and answer of a request together, in tokens.
        concurrency: Requests of that length to serve at the same time.
    """

    tokens: int
    concurrency: int = 1
