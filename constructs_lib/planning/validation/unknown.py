"""Values that are known only at deployment, which no rule can check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """Takes the place of a CDK token: a value that only the deployment knows.

    Rules treat it as "cannot be checked".

    Args:
        text: What the template has for the value, if it ends up in one. Default: nothing.
    """

    text: str = ""

    def __repr__(self) -> str:
        return "(known at deployment)"


UNKNOWN = Unknown()
"""An unknown value that does not end up in a template."""
