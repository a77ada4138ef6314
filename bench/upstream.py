"""A fake SageMaker Runtime with hardly any cost: `python -m bench.upstream` serves prepared event streams.

The endpoint's name selects the response: `burst-generate-N` sends N tokens as TGI's generate_stream, as fast as the
connection accepts them; `burst-chat-N` as TGI's chat, `burst-completion-N` as vLLM's completions. `paced-…-N` sends one
token every two milliseconds and writes the time of sending (CLOCK_MONOTONIC, nanoseconds) into its text. `large-…-N`
sends one token whose text has N bytes. It prints its port, and ends when its standard input is closed. With a file as
its argument, which has a certificate and its private key, it speaks TLS.
"""

from __future__ import annotations

import functools
import json
import math
import socket
import ssl
import struct
import sys
import threading
import time
import zlib

PACE_SECONDS = 0.002
_SLICE_BYTES = 65536
STAMP = "<%019d>"
"""The format of a time in a token's text."""

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n"
    b"x-amzn-sagemaker-content-type: text/event-stream\r\nx-amzn-requestid: bench\r\ntransfer-encoding: chunked\r\n\r\n"
)
_LAST_CHUNK = b"0\r\n\r\n"
_PART_HEADERS = b"".join(
    struct.pack("!B", len(name)) + name + struct.pack("!BH", 7, len(value)) + value
    for name, value in (
        (b":message-type", b"event"),
        (b":event-type", b"PayloadPart"),
        (b":content-type", b"application/octet-stream"),
    )
)


def payload_part(payload: bytes) -> bytes:
    """One PayloadPart of an event stream (`application/vnd.amazon.eventstream`)."""
    prelude = struct.pack("!II", 16 + len(_PART_HEADERS) + len(payload), len(_PART_HEADERS))
    head = prelude + struct.pack("!I", zlib.crc32(prelude)) + _PART_HEADERS + payload
    return head + struct.pack("!I", zlib.crc32(head))


def token_event(index: int, text: str, *, last: bool) -> bytes:
    """One event of TGI's `/generate_stream`."""
    token = {"id": index, "text": text, "logprob": -0.25, "special": False}
    text_and_details: dict[str, object] = {"generated_text": None, "details": None}
    if last:
        details = {"finish_reason": "length", "generated_tokens": index, "seed": None, "input_length": 6}
        text_and_details = {"generated_text": "the generated text", "details": details}
    event = {"index": index, "token": token, **text_and_details}
    return b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"


def chat_event(index: int, text: str, *, last: bool) -> bytes:
    """One token of TGI's streamed chat, and the events that follow the last one."""
    common = {"object": "chat.completion.chunk", "id": "", "created": 1, "model": "m", "system_fingerprint": "3.3.6"}
    choice = {
        "index": 0,
        "delta": {"role": "assistant", "content": text},
        "logprobs": None,
        "finish_reason": "length" if last else None,
    }
    chunks: list[object] = [{**common, "choices": [choice], "usage": None}]
    if last:
        usage = {"prompt_tokens": 6, "completion_tokens": index, "total_tokens": index + 6}
        chunks.append({**common, "choices": [], "usage": usage})
    events = b"".join(b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n" for chunk in chunks)
    return events + (b"data: [DONE]\n\n" if last else b"")


def completion_event(index: int, text: str, *, last: bool) -> bytes:
    """One token of vLLM's streamed completion with its id and log probability, and the events after the last one."""
    head = {"id": "cmpl-1f0c9a52d8b74e63", "object": "text_completion", "created": 1795917619, "model": "/opt/ml/model"}
    logprob = _logprob(index)
    logprobs = {
        "text_offset": [6 * (index - 1)],
        "token_logprobs": [logprob],
        "tokens": [text],
        "top_logprobs": [{text: logprob}],
    }
    choice = {
        "index": 0,
        "text": text,
        "logprobs": logprobs,
        "finish_reason": "length" if last else None,
        "stop_reason": None,
        "prompt_token_ids": [1, 2, 3, 4, 5, 6] if index == 1 else None,
        "token_ids": [index],
    }
    usage = {"prompt_tokens": 6, "total_tokens": 6 + index, "completion_tokens": index}
    chunks: list[object] = [{**head, "choices": [choice], "usage": usage}]
    if last:
        chunks.append({**head, "choices": [], "usage": usage})
    events = b"".join(b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n" for chunk in chunks)
    return events + (b"data: [DONE]\n\n" if last else b"")


def _logprob(index: int) -> float:
    """A number of 32 bits, as long as a model's are."""
    value: float = struct.unpack("f", struct.pack("f", -math.exp(-10 * math.modf(index * 0.6180339887)[0])))[0]
    return value


_FORMATS = {"generate": token_event, "chat": chat_event, "completion": completion_event}


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@functools.cache
def _burst(stream_format: str, count: int) -> bytes:
    event = _FORMATS[stream_format]
    parts = (payload_part(event(n, " token", last=n == count)) for n in range(1, count + 1))
    return _STREAM_HEAD + b"".join(map(_chunk, parts)) + _LAST_CHUNK


def _send_paced(connection: socket.socket, stream_format: str, count: int) -> None:
    connection.sendall(_STREAM_HEAD)
    for number in range(1, count + 1):
        time.sleep(PACE_SECONDS)
        event = _FORMATS[stream_format](number, f" token {STAMP % time.monotonic_ns()}", last=number == count)
        connection.sendall(_chunk(payload_part(event)))
    connection.sendall(_LAST_CHUNK)


def _send_large(connection: socket.socket, stream_format: str, size: int) -> None:
    event = _FORMATS[stream_format](1, "x" * size, last=True)
    slices = (event[start : start + _SLICE_BYTES] for start in range(0, len(event), _SLICE_BYTES))
    connection.sendall(_STREAM_HEAD + b"".join(_chunk(payload_part(each)) for each in slices) + _LAST_CHUNK)


def _send_buffered(connection: socket.socket, text: str) -> None:
    body = json.dumps([{"generated_text": text}]).encode()
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-amzn-requestid: bench\r\n"
    connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def _respond(connection: socket.socket, path: str) -> None:
    _, _, endpoint, operation = path.split("/")
    kind, stream_format, count = endpoint.split("-")
    if operation == "invocations":
        _send_buffered(connection, "x" * int(count) if kind == "large" else "the generated text")
    elif kind == "large":
        _send_large(connection, stream_format, int(count))
    elif kind == "paced":
        _send_paced(connection, stream_format, int(count))
    else:
        connection.sendall(_burst(stream_format, int(count)))


def _serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as requests:
        while request_line := requests.readline():
            length = 0
            while (line := requests.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            requests.read(length)
            _respond(connection, request_line.split()[1].decode())


def _accept(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except ssl.SSLError:  # a client that broke off its handshake
            continue
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _listen(certificate: str | None) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    if certificate is None:
        return listener
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context.wrap_socket(listener, server_side=True)


def main() -> None:
    """Serve until standard input ends."""
    listener = _listen(sys.argv[1] if len(sys.argv) > 1 else None)
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
