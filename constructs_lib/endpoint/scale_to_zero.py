"""An endpoint that costs nothing while nobody asks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import Duration


@dataclass(frozen=True, kw_only=True)
class ScaleToZero:
    """How an endpoint goes to zero copies, and comes back.

    Args:
        idle: Without a request before the last copy is removed, at least 15 minutes. Default: 30 minutes.
        max_copies: Most copies. Default: 1.
    """

    idle: Duration | None = None
    max_copies: int = 1
