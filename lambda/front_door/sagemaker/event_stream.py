"""Decoding of application/vnd.amazon.eventstream.

botocore has a decoder too (botocore.eventstream); it takes about eight times as long for each token, which is most of
what this function does with one. The tests hold this one against it.
"""

from struct import Struct
from zlib import crc32

from front_door.errors import Failure
from front_door.sagemaker.errors import from_event

_PRELUDE = Struct("!III").unpack_from  # length of the message, length of its headers, checksum of both
_CHECKSUM = Struct("!I").unpack_from
_PRELUDE_BYTES = 12
_SMALLEST = 16
_LARGEST = 24 * 1024 * 1024 + 128 * 1024 + _SMALLEST
_STRING = b"\x07"
_UNKNOWN = ""
BROKEN = "The model's answer broke off before its end."


class Decoder:
    """Takes the bytes of a response stream in any slices and gives the payload of its `PayloadPart` events.

    Attributes:
        error: What ended the stream, once it did: SageMaker's own word inside it, or damage. What was decoded before
            it is given first.
    """

    def __init__(self) -> None:
        self.error: Failure | None = None
        self._rest = b""
        self._kinds: dict[bytes, str | None] = {}

    def feed(self, data: bytes) -> bytes:
        """The payloads that `data` completes, joined; empty where it completes none."""
        if self._rest:
            data = self._rest + data
        position, end, payloads = 0, len(data), []
        while end - position >= _SMALLEST:
            total, header_bytes, checksum = _PRELUDE(data, position)
            if crc32(data[position : position + 8]) != checksum or not _SMALLEST + header_bytes <= total <= _LARGEST:
                self.error = _damaged()
                break
            following = position + total
            if following > end:
                break
            if crc32(data[position : following - 4]) != _CHECKSUM(data, following - 4)[0]:
                self.error = _damaged()
                break
            headers_end = position + _PRELUDE_BYTES + header_bytes
            payload = data[headers_end : following - 4]
            code = self._error_code(data[position + _PRELUDE_BYTES : headers_end])
            if code is None:
                payloads.append(payload)
            elif code != _UNKNOWN:
                self.error = from_event(code, payload)
                break
            position = following
        self._rest = data[position:] if position else data
        return payloads[0] if len(payloads) == 1 else b"".join(payloads)

    def finish(self) -> None:
        """Say that the stream has ended; `error` is set where it ended inside an event."""
        if self._rest and self.error is None:
            self.error = Failure("incomplete_generation", BROKEN, cause="truncated event stream")

    def _error_code(self, headers: bytes) -> str | None:
        """None for a PayloadPart, `_UNKNOWN` for an event of another kind, which SDKs skip, or an exception's name.

        All events of a kind have the same header bytes.
        """
        try:
            return self._kinds[headers]
        except KeyError:
            fields = parse_headers(headers)
            code = None if fields.get(":event-type") == "PayloadPart" else _UNKNOWN
            if fields.get(":message-type") != "event":
                code = fields.get(":exception-type") or fields.get(":error-code") or "InternalStreamFailure"
            self._kinds[headers] = code
            return code


def parse_headers(data: bytes) -> dict[str, str]:
    """The headers of one event up to the first that is not a string; SageMaker sends strings only."""
    fields, position = {}, 0
    while position < len(data):
        name_end = position + 1 + data[position]
        value_at = name_end + 3
        if data[name_end : name_end + 1] != _STRING:
            break
        value_end = value_at + int.from_bytes(data[name_end + 1 : value_at], "big")
        fields[data[position + 1 : name_end].decode(errors="replace")] = data[value_at:value_end].decode(
            errors="replace"
        )
        position = value_end
    return fields


def _damaged() -> Failure:
    return Failure("incomplete_generation", "The model's answer was damaged on its way.", cause="event stream checksum")
