"""The decoder of the event stream, compared with botocore's."""

import struct
import time
import zlib

import botocore.eventstream
import pytest
from front_door.sagemaker.event_stream import Decoder
from hypothesis import given
from hypothesis import strategies as st

from tests.lambda_.sagemaker_double import event, exception, part, slices


def decode(*pieces: bytes) -> tuple[bytes, Decoder]:
    decoder = Decoder()
    decoded = b"".join(decoder.feed(piece) for piece in pieces)
    decoder.finish()
    return decoded, decoder


def test_the_payload_is_the_same_wherever_the_stream_is_cut() -> None:
    stream = part(b"data: 1\n\n") + part("data: é🧸\n\n".encode()) + part(b"")
    for cut in range(len(stream)):
        decoded, decoder = decode(stream[:cut], stream[cut:])
        assert decoded.decode() == "data: 1\n\ndata: é🧸\n\n"
        assert decoder.error is None


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 400))
def test_payloads_equal_those_that_botocore_decodes(payloads: list[bytes], size: int) -> None:
    stream = b"".join(part(payload) for payload in payloads)
    theirs = botocore.eventstream.EventStreamBuffer()
    theirs.add_data(stream)
    expected = b"".join(message.payload for message in theirs)
    assert expected == b"".join(payloads)
    decoded, decoder = decode(*slices(stream, size))
    assert (decoded, decoder.error) == (expected, None)


def test_a_payload_larger_than_one_read_is_decoded() -> None:
    payload = bytes(range(256)) * 12288
    decoded, decoder = decode(*slices(part(payload), 65536))
    assert decoded == payload
    assert decoder.error is None


def test_every_flipped_byte_is_detected() -> None:
    stream = part(b"data: 1\n\n")
    for at in range(len(stream)):
        damaged = bytearray(stream)
        damaged[at] ^= 0x01
        decoded, decoder = decode(bytes(damaged))
        assert decoded == b""
        assert decoder.error is not None
        assert decoder.error.kind == "incomplete_generation"


def test_every_truncation_is_detected() -> None:
    stream = part(b"data: 1\n\n") + part(b"data: 2\n\n")
    first = len(part(b"data: 1\n\n"))
    for end in range(1, len(stream)):
        decoded, decoder = decode(stream[:end])
        assert decoded == (b"" if end < first else b"data: 1\n\n")
        assert (decoder.error is None) == (end == first)


def test_payloads_before_an_error_are_returned_first() -> None:
    stream = part(b"data: 1\n\n") + exception("ModelStreamError", Message="m", ErrorCode="StreamBroken")
    decoded, decoder = decode(stream)
    assert decoded == b"data: 1\n\n"
    assert decoder.error is not None
    assert decoder.error.kind == "incomplete_generation"
    assert decoder.error.log_detail == "ModelStreamError StreamBroken"


def test_sagemakers_60_second_limit_in_a_stream_is_a_timeout() -> None:
    _, decoder = decode(exception("ModelStreamError", Message="m", ErrorCode="ModelInvocationTimeExceeded"))
    assert decoder.error is not None
    assert (decoder.error.kind, decoder.error.status) == ("timeout", 504)


def test_an_error_message_without_a_modelled_exception_ends_the_stream_too() -> None:
    _, decoder = decode(event(b"", error_code="InternalStreamFailure", error_message="x", message_type="error"))
    assert decoder.error is not None
    assert decoder.error.log_detail == "InternalStreamFailure"


LARGEST = 8 * 1024 * 1024 + 128 * 1024 + 16
"""A message with a payload of 8 MiB and the longest headers."""


@pytest.mark.parametrize(
    ("length", "kind"),
    [
        (0, "incomplete_generation"),
        (15, "incomplete_generation"),
        (LARGEST + 1, "upstream_event_too_large"),
        (2**31, "upstream_event_too_large"),
    ],
)
def test_an_impossible_length_ends_the_stream_at_once(length: int, kind: str) -> None:
    prelude = struct.pack("!II", length, 0)
    _, decoder = decode(prelude + struct.pack("!I", zlib.crc32(prelude)) + b"....")
    assert decoder.error is not None
    assert decoder.error.kind == kind


def test_a_message_in_many_slices_is_copied_once() -> None:
    payload = bytes(8 * 1024 * 1024)
    pieces = slices(part(payload), 1000)
    started = time.process_time()
    decoded, decoder = decode(*pieces)
    assert (decoded == payload, decoder.error) == (True, None)
    # Copied with each slice it would be 35 GB, which takes several seconds.
    assert time.process_time() - started < 1
