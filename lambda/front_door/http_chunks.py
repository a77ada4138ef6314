"""HTTP's chunked transfer encoding, many chunks at a time."""


class BrokenAnswerError(ConnectionError):
    """A response that is not HTTP, or ended before its end."""


def dechunk(data: bytes) -> tuple[bytes, bytes, bool]:
    """Split off the whole chunks at the start of `data`.

    Returns:
        What they contain, the bytes that follow them, and whether the last chunk and its trailers were among them.

    Raises:
        BrokenAnswerError: `data` does not start with a chunk.
    """
    position = 0
    contents: list[bytes] = []
    while (line_end := data.find(b"\r\n", position)) >= 0:
        try:
            size = int(data[position:line_end].split(b";", 1)[0], 16)
        except ValueError:
            size = -1
        if size < 0:
            raise BrokenAnswerError("not a chunk")
        if not size:
            trailers_end = (
                line_end if data[line_end : line_end + 4] == b"\r\n\r\n" else data.find(b"\r\n\r\n", line_end)
            )
            return b"".join(contents), data[position:], trailers_end >= 0
        start = line_end + 2
        position_after = start + size + 2
        if position_after > len(data):
            break
        contents.append(data[start : start + size])
        position = position_after
    return contents[0] if len(contents) == 1 else b"".join(contents), data[position:], False
