"""HTTP's chunked transfer encoding, many chunks at a time."""

import re

# https://www.rfc-editor.org/rfc/rfc9112#section-7.1: digits, then extensions; Python's own `int` takes more.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
_LINE_BYTES = 4096


class BrokenAnswerError(ConnectionError):
    """A response that is not HTTP, or ended before its end."""


def dechunk(data: bytes) -> tuple[bytes, bytes, bool]:
    """Split off the whole chunks at the start of `data`.

    Returns:
        What they contain, the bytes that follow them, and whether the last chunk and its trailers were among them.

    Raises:
        BrokenAnswerError: `data` does not start with a chunk, or a chunk is of another size than it says.
    """
    position, end = 0, len(data)
    contents: list[bytes] = []
    is_over = False
    while position < end and (line := _size_line(data, position)):
        size, start = int(line[1], 16), line.end()
        if not size:
            rest = _behind_trailers(data, start)
            is_over = rest >= 0
            position = rest if is_over else position
            break
        following = start + size + 2
        if following > end:
            break
        if data[following - 2 : following] != b"\r\n":
            raise BrokenAnswerError("a chunk without its end")
        contents.append(data[start : start + size])
        position = following
    return contents[0] if len(contents) == 1 else b"".join(contents), data[position:], is_over


def _size_line(data: bytes, position: int) -> re.Match[bytes] | None:
    """The line before a chunk; None where it is not whole yet."""
    line = _SIZE_LINE.match(data, position)
    if line is None and (b"\n" in data[position:] or len(data) - position > _LINE_BYTES):
        raise BrokenAnswerError("not a chunk")
    return line


def _behind_trailers(data: bytes, start: int) -> int:
    """Where the trailers end that begin at `start`; -1 where they have not ended yet."""
    if data[start : start + 2] == b"\r\n":
        return start + 2
    end = data.find(b"\r\n\r\n", start)
    return end + 4 if end >= 0 else -1
