"""Decoding of application/vnd.amazon.eventstream.

botocore's decoder (botocore.eventstream) takes about eight times as long for each token, which is most of the work
that this function does for one. The tests compare the two.
"""

from struct import Struct
from zlib import crc32

from front_door.errors import ApiError
from front_door.http.sse import MAX_EVENT_BYTES, event_too_large
from front_door.sagemaker.errors import from_event

_PRELUDE = Struct("!III").unpack_from  # length of the message, length of its headers, checksum of both
_CHECKSUM = Struct("!I").unpack_from
_PRELUDE_BYTES = 12
_MIN_BYTES = 16
_MAX_BYTES = MAX_EVENT_BYTES + 128 * 1024 + _MIN_BYTES  # headers take at most 128 KiB
_STRING = b"\x07"
_UNKNOWN = ""
BROKEN = "The model's response broke off before its end."


class Decoder:
    """Takes the bytes of a response stream in any slices and returns the payloads of its `PayloadPart` events.

    Attributes:
        error: What ended the stream early: an exception that SageMaker sent in it, or damage. Payloads decoded before
            it are returned first.
    """

    def __init__(self) -> None:
        self.error: ApiError | None = None
        # Slices of a message that is not complete, and how many bytes it lacks: joined once, when it is.
        self._slices: list[bytes] = []
        self._missing = 0
        # All events of a type have the same header bytes.
        self._payload_headers: bytes | None = None

    def feed(self, data: bytes) -> bytes:
        """The payloads that `data` completes, joined; empty if it completes none."""
        if self._slices:
            self._slices.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return b""
            data = b"".join(self._slices)
        position, end, payloads = 0, len(data), []
        needed = _MIN_BYTES
        while end - position >= needed:
            total, header_bytes, checksum = _PRELUDE(data, position)
            following = position + total
            if following > end or total < _MIN_BYTES + header_bytes:
                self.error = _prelude_error(data[position : position + 8], header_bytes, checksum)
                needed = total
                break
            # This checksum covers the prelude as well.
            if crc32(data[position : following - 4]) != _CHECKSUM(data, following - 4)[0]:
                self.error = _damaged_error()
                break
            headers_end = position + _PRELUDE_BYTES + header_bytes
            headers, payload = data[position + _PRELUDE_BYTES : headers_end], data[headers_end : following - 4]
            if headers == self._payload_headers:
                payloads.append(payload)
            elif (code := _error_code(parse_headers(headers))) is None:
                self._payload_headers = headers
                payloads.append(payload)
            elif code != _UNKNOWN:
                self.error = from_event(code, payload)
                break
            position = following
        self._missing = needed - (end - position)
        self._slices = [data[position:]] if position < end else []
        return payloads[0] if len(payloads) == 1 else b"".join(payloads)

    def finish(self) -> None:
        """Handle the end of the stream; sets `error` if it ended inside an event."""
        if self._slices and self.error is None:
            self.error = ApiError("incomplete_generation", BROKEN, log_detail="truncated event stream")


def parse_headers(data: bytes) -> dict[str, str]:
    """The headers of one event, up to the first that is not a string; SageMaker sends strings only."""
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


def _error_code(fields: dict[str, str]) -> str | None:
    """None for a PayloadPart, `_UNKNOWN` for an event of another type, which SDKs skip, or an exception's name."""
    if fields.get(":message-type") != "event":
        return fields.get(":exception-type") or fields.get(":error-code") or "InternalStreamApiError"
    return None if fields.get(":event-type") == "PayloadPart" else _UNKNOWN


def _prelude_error(prelude: bytes, header_bytes: int, checksum: int) -> ApiError | None:
    """What is wrong with the lengths of a message that is not complete; without it, more would be waited for."""
    total = int.from_bytes(prelude[:4], "big")
    if crc32(prelude) != checksum or total < _MIN_BYTES + header_bytes:
        return _damaged_error()
    return event_too_large() if total > _MAX_BYTES else None


def _damaged_error() -> ApiError:
    message = "The model's response was damaged in transit."
    return ApiError("incomplete_generation", message, log_detail="event stream checksum")
