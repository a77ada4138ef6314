"""A parser of HTTP/1.1 responses without I/O, for the clients of SageMaker and of the Lambda Runtime API.

`http.client` is of no use to either: it cannot read on after a timeout, and it cannot send trailers.
"""

import re

_BODILESS = (204, 304)
_MAX_HEAD_BYTES = 65536
_MAX_SIZE_LINE_BYTES = 4096
# https://www.rfc-editor.org/rfc/rfc9112#section-7.1: digits, then extensions; Python's own `int` accepts more.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")


class BrokenResponseError(ConnectionError):
    """A response that is not HTTP/1, or ended before its end."""


class ResponseParser:
    """Parses one response from slices that may be cut anywhere.

    Args:
        default_length: The length of a body without Content-Length. Default: it ends with the connection.

    Attributes:
        status: 0 before the head is complete.
        headers: By their names in lower case.
        is_complete: Whether the body has ended.
        rest: Bytes that are not parsed yet; after the end, bytes that follow the response.
    """

    def __init__(self, default_length: int | None = None) -> None:
        self._default_length = default_length
        self._left: int | None = None
        self._left_of_chunk = 0
        self._is_chunked = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_complete = False
        self.rest = b""

    @property
    def closes_connection(self) -> bool:
        """Whether the server closes the connection after the response."""
        return self.headers.get("connection", "").lower() == "close"

    def feed_head(self, data: bytes) -> None:
        """Take some bytes until `status` is set, possibly with some of the body; skips interim (1xx) responses.

        Raises:
            BrokenResponseError: It is not the head of an HTTP/1 response.
        """
        data = self.rest + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            status, headers = _parse_head(data[:end])
            data = data[end + 4 :]
            if status // 100 != 1:
                self.status, self.headers, self.rest = status, headers, data
                self._is_chunked = headers.get("transfer-encoding", "").lower() == "chunked"
                if not self._is_chunked:
                    self._left = _length(status, headers, self._default_length)
                return
        if len(data) > _MAX_HEAD_BYTES:
            raise BrokenResponseError("a head without an end")
        self.rest = data

    def feed(self, data: bytes) -> bytes:
        """Take some bytes of the body; first nothing, for those that came with the head.

        Returns:
            The content of the chunks that they complete, joined; of a large chunk, what there is of it.

        Raises:
            BrokenResponseError: The chunks are malformed.
        """
        data = self.rest + data if self.rest else data
        if self._is_chunked:
            content = self._feed_chunks(data)
        elif self._left is None:
            content, self.rest = data, b""
        else:
            content, self.rest = data[: self._left], data[self._left :]
            self._left -= len(content)
            self.is_complete = not self._left
        return content

    def _feed_chunks(self, data: bytes) -> bytes:
        """A chunk that is not complete is kept while it is small; of a large one, each slice's part is content."""
        begun = b""
        if self._left_of_chunk:
            begun, data = self._continue_chunk(data)
        content, self.rest, self.is_complete = dechunk(data)
        if (
            len(self.rest) > _MAX_SIZE_LINE_BYTES
            and (line := _SIZE_LINE.match(self.rest))
            and (size := int(line[1], 16))
        ):
            self._left_of_chunk = size + 2
            more, self.rest = self._continue_chunk(self.rest[line.end() :])
            content += more
        return begun + content if begun else content

    def _continue_chunk(self, data: bytes) -> tuple[bytes, bytes]:
        """Split `data` into content of the chunk that has begun, and what follows the chunk and the CRLF at its end."""
        size = max(self._left_of_chunk - 2, 0)
        end = data[size : self._left_of_chunk]
        if not b"\r\n"[size + 2 - self._left_of_chunk :].startswith(end):
            raise BrokenResponseError("a chunk without its end")
        rest = data[self._left_of_chunk :]
        self._left_of_chunk -= len(data) - len(rest)
        return data[:size], rest

    def end(self) -> None:
        """Handle the end of the connection, which ends a body of unknown length if the server announced it.

        Raises:
            BrokenResponseError: The connection ended before the response did.
        """
        if not self.status or self._is_chunked or self._left is not None or not self.closes_connection:
            raise BrokenResponseError("the connection ended")
        self.is_complete = True


def dechunk(data: bytes) -> tuple[bytes, bytes, bool]:
    """Split off the complete chunks at the start of `data`.

    Returns:
        Their content, the bytes that follow them, and whether the last chunk and its trailers were among them.

    Raises:
        BrokenResponseError: `data` does not start with a chunk, or a chunk's size is wrong.
    """
    position, end = 0, len(data)
    contents: list[bytes] = []
    # Most chunks of a stream have one of a few sizes.
    sizes: dict[bytes, int] = {}
    is_complete = False
    while position < end:
        start = data.find(b"\r\n", position) + 2
        size = sizes.get(data[position:start])
        if size is None:
            line = _size_line(data, position)
            if line is None:
                break
            start = line.end()
            size = sizes[line[0]] = int(line[1], 16)
        if not size:
            rest = _trailers_end(data, start)
            is_complete = rest >= 0
            position = rest if is_complete else position
            break
        following = start + size + 2
        if following > end:
            break
        if data[following - 2 : following] != b"\r\n":
            raise BrokenResponseError("a chunk without its end")
        contents.append(data[start : start + size])
        position = following
    return contents[0] if len(contents) == 1 else b"".join(contents), data[position:], is_complete


def _size_line(data: bytes, position: int) -> re.Match[bytes] | None:
    """The line before a chunk; None if it is not complete yet."""
    line = _SIZE_LINE.match(data, position)
    if line is None and (b"\n" in data[position:] or len(data) - position > _MAX_SIZE_LINE_BYTES):
        raise BrokenResponseError("not a chunk")
    return line


def _trailers_end(data: bytes, start: int) -> int:
    """Where the trailers that begin at `start` end; -1 if they have not ended yet."""
    if data[start : start + 2] == b"\r\n":
        return start + 2
    end = data.find(b"\r\n\r\n", start)
    return end + 4 if end >= 0 else -1


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status, _, _ = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(status) != 3 or not status.isdecimal():
        raise BrokenResponseError("not HTTP")
    pairs = (line.partition(":") for line in lines[1:])
    return int(status), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _length(status: int, headers: dict[str, str], default: int | None) -> int | None:
    """The length of the body; None if it ends with the connection."""
    if status in _BODILESS:
        return 0
    length = headers.get("content-length")
    if length is None:
        return default
    if not (length.isascii() and length.isdecimal() and len(length) < 19):
        raise BrokenResponseError("not a length")
    return int(length)
