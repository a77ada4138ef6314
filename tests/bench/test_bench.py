from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from botocore.eventstream import EventStreamBuffer

from bench.figure import Figure, median_ratio, missed
from bench.runtime_api import Answer
from bench.sandbox import Function, started
from bench.upstream import STAMP, payload_part, token_event
from bench.wire import Arrivals, without_chunking

_STREAMING_CLIENT = """
import http.client, os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
asks = http.client.HTTPConnection(host, int(port))
while True:
    asks.request("GET", "/2018-06-01/runtime/invocation/next")
    event = asks.getresponse()
    event.read()
    path = "/2018-06-01/runtime/invocation/" + event.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    answer = http.client.HTTPConnection(host, int(port))
    headers = {"Lambda-Runtime-Function-Response-Mode": "streaming", "Transfer-Encoding": "chunked"}
    parts = [b'{"statusCode": 200}' + bytes(8), b"data: one", b"data: two"]
    answer.request("POST", path, iter(parts), headers, encode_chunked=True)
    answer.getresponse().read()
    answer.close()
"""


def test_the_prepared_event_stream_is_what_botocore_reads() -> None:
    event = token_event(1, STAMP % 1_000, last=True)
    buffer = EventStreamBuffer()
    buffer.add_data(payload_part(event))
    message = next(iter(buffer))
    assert message.headers[":event-type"] == "PayloadPart"
    assert json.loads(message.payload.removeprefix(b"data: "))["token"]["text"] == "<0000000000000001000>"


def test_a_delay_is_the_time_from_the_stamp_to_the_piece_that_completes_the_token() -> None:
    first, second = (token_event(n, STAMP % sent, last=False) for n, sent in ((1, 1_000), (2, 2_000)))
    arrivals = Arrivals([(1_100, first[:10]), (1_200, first[10:] + second[:10]), (2_900, second[10:])])
    assert arrivals.delays() == [200, 900]


def test_chunks_keep_the_moment_at_which_they_were_whole() -> None:
    raw = Arrivals([(1, b"3\r\nab"), (2, b"c\r\n2\r\nde\r\n"), (3, b"0\r\n\r\n")])
    assert without_chunking(raw).pieces == [(2, b"abc"), (2, b"de")]
    with pytest.raises(ValueError, match="the chunk at byte 3 is not followed by a line end"):
        without_chunking(Arrivals([(1, b"3\r\nabcde0\r\n\r\n")]))


def test_a_limit_is_missed_on_its_own_side_only() -> None:
    slow = Figure(key="a", what="a", ours="", reference="", value=1.01, unit="x", limit=1.0)
    fast = Figure(key="b", what="b", ours="", reference="", value=0.3, unit="x", limit=0.28, bound="at least")
    weak = Figure(key="c", what="c", ours="", reference="", value=0.27, unit="x", limit=0.28, bound="at least")
    free = Figure(key="d", what="d", ours="", reference="", value=9.0, unit="KB")
    assert [figure.key for figure in missed([slow, fast, weak, free])] == ["a", "c"]
    assert median_ratio([1, 4, 9], [1, 2, 3]) == 2


def test_a_sandbox_is_invoked_again_and_again_and_its_answer_has_no_prelude(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(_STREAMING_CLIENT)
    with started(Function(command=[sys.executable, str(client)], task_root=tmp_path)) as sandbox:
        answers: list[Answer] = [sandbox.invoke({}) for _ in range(2)]
    assert [answer.body.body for answer in answers] == [b"data: onedata: two"] * 2
    assert answers[0].invoked < answers[0].body.moment_of(b"one") <= answers[0].done < answers[1].invoked


def test_a_sandbox_that_ends_is_reported_with_what_it_said(tmp_path: Path) -> None:
    function = Function(command=[sys.executable, "-c", "raise SystemExit('no such model')"], task_root=tmp_path)
    with started(function) as sandbox, pytest.raises(RuntimeError, match="ended with status 1:\nno such model"):
        sandbox.invoke({})
