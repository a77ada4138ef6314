"""What the gateway wants of a Lambda function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class StreamedAnswer(Protocol):
    """The answer of a streaming invocation, while it comes."""

    @property
    def content_type(self) -> str:
        """The content type that the function declared to the Runtime API."""

    async def prelude(self) -> dict[str, Any]:
        """The metadata before the eight NULs; raises BadPrelude."""

    @property
    def body(self) -> AsyncIterator[bytes]:
        """The payload behind the prelude."""


class Function(Protocol):
    """A deployed function."""

    async def invoke(self, event: dict[str, Any]) -> bytes:
        """The payload of a buffered invocation; raises FunctionError or FunctionTimeout."""

    async def invoke_stream(self, event: dict[str, Any]) -> StreamedAnswer:
        """Starts a streaming invocation."""
