"""The head of an HTTP response."""

from front_door.http.chunks import BrokenAnswerError

_BODILESS = (204, 304)


def parsed(head: bytes) -> tuple[int, dict[str, str]]:
    """The status, and the headers by their names in lower case.

    Raises:
        BrokenAnswerError: It is no head of HTTP/1.
    """
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status, _, _ = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(status) != 3 or not status.isdecimal():
        raise BrokenAnswerError("not HTTP")
    pairs = (line.partition(":") for line in lines[1:])
    return int(status), {name.strip().lower(): value.strip() for name, _, value in pairs}


def length_of(status: int, headers: dict[str, str]) -> int | None:
    """How long the body is; None where it ends with the connection.

    Raises:
        BrokenAnswerError: Its length is no number.
    """
    if status in _BODILESS:
        return 0
    told = headers.get("content-length")
    if told is None:
        return None
    if not (told.isascii() and told.isdecimal() and len(told) < 19):
        raise BrokenAnswerError("not a length")
    return int(told)
