from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import pytest
from botocore.eventstream import EventStreamBuffer

from bench.figure import Figure, median_ratio, missed
from bench.functions import of_engine
from bench.runtime_api import FunctionResponse
from bench.sandbox import Function, Sandbox, started
from bench.template import DeployedFunction
from bench.upstream import STAMP, completion_event, payload_part, token_event
from bench.wire import Arrivals, without_chunking

_STREAMING_CLIENT = """
import http.client, os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
polling = http.client.HTTPConnection(host, int(port))
while True:
    polling.request("GET", "/2018-06-01/runtime/invocation/next")
    event = polling.getresponse()
    event.read()
    path = "/2018-06-01/runtime/invocation/" + event.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    posting = http.client.HTTPConnection(host, int(port))
    headers = {"Lambda-Runtime-Function-Response-Mode": "streaming", "Transfer-Encoding": "chunked"}
    parts = [b'{"statusCode": 200}' + bytes(8), b"data: one", b"data: two"]
    posting.request("POST", path, iter(parts), headers, encode_chunked=True)
    posting.getresponse().read()
    posting.close()
"""


def test_botocore_reads_the_prepared_event_stream() -> None:
    event = token_event(1, STAMP % 1_000, last=True)
    buffer = EventStreamBuffer()
    buffer.add_data(payload_part(event))
    message = next(iter(buffer))
    assert message.headers[":event-type"] == "PayloadPart"
    assert json.loads(message.payload.removeprefix(b"data: "))["token"]["text"] == "<0000000000000001000>"


def test_a_delay_is_the_time_from_sending_to_the_part_that_completes_the_token() -> None:
    first, second = (token_event(n, STAMP % sent, last=False) for n, sent in ((1, 1_000), (2, 2_000)))
    arrivals = Arrivals([(1_100, first[:10]), (1_200, first[10:] + second[:10]), (2_900, second[10:])])
    assert arrivals.delays() == [200, 900]


def test_a_time_that_the_whole_text_repeats_counts_once() -> None:
    first, last = (token_event(n, STAMP % sent, last=n == 2) for n, sent in ((1, 1_000), (2, 2_000)))
    whole = last.replace(b"the generated text", (STAMP % 1_000 + STAMP % 2_000).encode())
    assert Arrivals([(1_100, first), (2_900, whole)]).delays() == [100, 900]


def test_the_prepared_completion_has_the_members_of_vllms_in_their_order() -> None:
    pairs = json.loads((Path(__file__).parents[1] / "conformance/vllm/recorded/tgi_same_weights.json").read_text())
    recorded = next(pair for pair in pairs if pair["name"] == "stop")["vllm"]["body"].split("\n\n")
    prepared = (completion_event(1, " T", last=False) + completion_event(2, "h", last=False)).decode().split("\n\n")
    for ours, theirs in zip(prepared[:2], recorded[:2], strict=True):
        assert names(ours) == names(theirs)
    assert completion_event(9, "h", last=True).endswith(b"data: [DONE]\n\n")


def names(event: str) -> list[str]:
    """The names of all members, from the inner to the outer ones; what is not written without spaces is an error."""
    found: list[str] = []
    data = event.removeprefix("data: ")
    value = json.loads(data, object_pairs_hook=lambda members: found.extend(name for name, _ in members))
    assert value is None
    assert '": ' not in data
    return [name for name in found if name not in (" T", "h")]


def test_the_function_may_serve_another_engine(tmp_path: Path) -> None:
    models_file = tmp_path / "models.json"
    models_file.write_text('{"llama": {"endpoint_name": "x", "engine": "tgi"}}')
    function = DeployedFunction(
        archive=tmp_path, task_root=tmp_path, handler="handler", wrapper="run", models_file=models_file
    )
    other = of_engine(function, "vllm", tmp_path)
    assert json.loads(other.models_file.read_text()) == {"llama": {"endpoint_name": "x", "engine": "vllm"}}
    assert other.task_root == function.task_root


def test_a_chunk_has_the_time_at_which_it_was_complete() -> None:
    raw = Arrivals([(1, b"3\r\nab"), (2, b"c\r\n2\r\nde\r\n"), (3, b"0\r\n\r\n")])
    assert without_chunking(raw).parts == [(2, b"abc"), (2, b"de")]
    with pytest.raises(ValueError, match="the chunk at byte 3 is not followed by CRLF"):
        without_chunking(Arrivals([(1, b"3\r\nabcde0\r\n\r\n")]))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells only on Linux")
def test_the_peak_memory_of_a_sandbox_is_its_own_and_not_that_of_the_process_that_forked_it(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(_STREAMING_CLIENT)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sandbox = Sandbox(Function(command=[sys.executable, "-IS", str(client)], task_root=tmp_path))
    sandbox.invoke({})
    peak = sandbox.stop()
    assert 2**20 < peak < 32 * 2**20 < own


def test_a_limit_is_an_upper_or_a_lower_bound() -> None:
    slow = Figure(key="a", description="a", ours="", reference="", value=1.01, unit="x", limit=1.0)
    fast = Figure(key="b", description="b", ours="", reference="", value=0.3, unit="x", limit=0.28, bound="at least")
    weak = Figure(key="c", description="c", ours="", reference="", value=0.27, unit="x", limit=0.28, bound="at least")
    free = Figure(key="d", description="d", ours="", reference="", value=9.0, unit="KB")
    assert [figure.key for figure in missed([slow, fast, weak, free])] == ["a", "c"]
    assert median_ratio([1, 4, 9], [1, 2, 3]) == 2


def test_a_sandbox_can_be_invoked_repeatedly_and_its_response_has_no_prelude(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(_STREAMING_CLIENT)
    with started(Function(command=[sys.executable, str(client)], task_root=tmp_path)) as sandbox:
        responses: list[FunctionResponse] = [sandbox.invoke({}) for _ in range(2)]
    assert [response.body.body for response in responses] == [b"data: onedata: two"] * 2
    assert responses[0].invoked < responses[0].body.time_of(b"one") <= responses[0].done < responses[1].invoked


def test_a_sandbox_that_ends_is_reported_with_its_output(tmp_path: Path) -> None:
    function = Function(command=[sys.executable, "-c", "raise SystemExit('no such model')"], task_root=tmp_path)
    with started(function) as sandbox, pytest.raises(RuntimeError, match="ended with status 1:\nno such model"):
        sandbox.invoke({})
