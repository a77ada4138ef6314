"""An in-memory stream with an encoding, which may claim to be a terminal."""

import io


class TextStream(io.StringIO):
    """An in-memory text stream.

    Args:
        is_terminal: What `isatty` returns.
        encoding: Its encoding.
    """

    def __init__(self, *, is_terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__()
        self._is_terminal = is_terminal
        self._encoding = encoding

    @property
    def encoding(self) -> str:
        return self._encoding

    def isatty(self) -> bool:
        return self._is_terminal
