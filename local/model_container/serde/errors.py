"""The errors of request bodies: serde's and axum's."""

from __future__ import annotations

Path = tuple[str | int, ...]


class JsonError(ValueError):
    """A body that serde rejects.

    Args:
        message: serde's message, without the position.
        path: The path in the document, as reported by serde_path_to_error.
        syntax: True if the body is not JSON (400), false if it has the wrong shape (422).

    Attributes:
        position: Line and column, or None if it is not known yet.
    """

    def __init__(self, message: str, path: Path = (), *, syntax: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.syntax = syntax
        self.position: tuple[int, int] | None = None

    def __str__(self) -> str:
        prefix = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.path).lstrip(".")
        where = f" at line {self.position[0]} column {self.position[1]}" if self.position else ""
        return f"{prefix}: {self.message}{where}" if prefix else f"{self.message}{where}"


class RejectionError(Exception):
    """A request that axum rejects before it reaches a handler.

    Args:
        status: The HTTP status.
        text: The plain-text body.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
