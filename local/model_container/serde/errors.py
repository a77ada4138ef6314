"""The error of a body that serde refuses."""

from __future__ import annotations

Path = tuple[str | int, ...]


class JsonError(ValueError):
    """A body that serde refuses.

    Args:
        message: serde's words, without the position.
        path: where in the document, as serde_path_to_error reports it.
        syntax: whether the text is no JSON (400) or JSON of the wrong shape (422).
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
    """A request that never reaches its handler.

    Args:
        status: the HTTP status.
        text: the whole body, as plain text.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
