"""The size of the front door's function, from measured processor time and memory."""

from __future__ import annotations

import http.client
import ssl
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bench.functions import upstream
from bench.memory import sizes
from bench.memory.__main__ import tables
from bench.memory.cases import MAX_EVENT_BYTES, cold_starts, event_bytes, largest_answers, largest_requests
from bench.memory.measure import Measured, Warm
from bench.memory.tls import create_certificate
from bench.sandbox import Function, Sandbox
from constructs_lib.planning.cost import DEFAULT_MEMORY_MIB
from tests.bench.test_bench import _STREAMING_CLIENT

COLD = [
    Measured(name="one", start_seconds=0.07, request_seconds=0.03, peak_mib=23),
    Measured(name="two", start_seconds=0.07, request_seconds=0.05, peak_mib=22),
]
LARGE = [Measured(name="large", start_seconds=0.09, request_seconds=0.9, peak_mib=150)]
WARM = Warm(request_seconds=0.0005, token_seconds=0.0001)


def test_the_slowest_cold_start_is_projected_to_the_share_of_a_processor() -> None:
    projected = {size.mib: size for size in sizes.project(COLD, LARGE, WARM)}
    assert projected[192].cold_start_seconds == pytest.approx(0.12 * 1769 / 192)
    assert projected[256].cold_start_seconds == pytest.approx(0.12 * 1769 / 256)
    assert projected[256].free_mib == 106
    assert projected[256].request_seconds == pytest.approx(0.0005 * 1769 / 256)
    assert projected[256].tokens_per_second == pytest.approx(256 / 1769 / 0.0001)


def test_the_smallest_size_starts_within_a_second_and_has_room_for_the_largest_case() -> None:
    chosen = sizes.smallest(sizes.project(COLD, LARGE, WARM))
    assert chosen is not None
    assert chosen.mib == 256


@pytest.mark.parametrize(("peak", "expected"), [(224, 256), (225, 320), (400, 512), (600, None)])
def test_lambdas_own_processes_need_room_beside_the_largest_case(peak: float, expected: int | None) -> None:
    chosen = sizes.smallest(sizes.project(COLD, [replace(LARGE[0], peak_mib=peak)], WARM))
    assert (chosen and chosen.mib) == expected


def test_the_table_marks_the_smallest_size_that_suffices() -> None:
    lines = list(tables("CPython 3.13.0", COLD, LARGE, [], WARM))
    assert lines[:3] == [
        "| cold start, CPython 3.13.0 | start | first request | peak memory |",
        "|---|--:|--:|--:|",
        "| one | 70 ms | 30 ms | 23 MiB |",
    ]
    assert "Warm: 0.5 ms a request, 100 µs a token." in lines
    assert "| **256** | 0.83 s | 106 MiB | 3 ms | 1,447 | $0.85 an hour |" in lines
    assert sum("**" in line for line in lines) == 1


def test_the_largest_requests_fill_the_event_that_lambda_accepts() -> None:
    for case in largest_requests():
        size = event_bytes(case.route)
        assert MAX_EVENT_BYTES - 1024 < size <= MAX_EVENT_BYTES, (case.name, size)


def test_each_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in (*cold_starts(), *largest_requests(), *largest_answers())]
    assert len(names) == len(set(names)) == 18


def test_the_upstream_speaks_tls_with_a_certificate_that_the_bundle_contains(tmp_path: Path) -> None:
    files = create_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(files.bundle))
    assert len(context.get_ca_certs()) > 1
    with upstream(files.certificate) as port:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
        connection.request("POST", "/endpoints/large-generate-100000/invocations-response-stream", b"{}")
        streamed = connection.getresponse().read()
        connection.request("POST", "/endpoints/large-generate-100000/invocations", b"{}")
        whole = connection.getresponse().read()
        connection.close()
    assert streamed.count(b"x") > 99_000
    assert whole.count(b"x" * 100_000) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="another process's clock is Linux's")
def test_the_processor_time_of_a_sandbox_is_its_own(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text(_STREAMING_CLIENT)
    sandbox = Sandbox(Function(command=[sys.executable, "-IS", str(client)], task_root=tmp_path))
    try:
        sandbox.wait_until_started()
        started = sandbox.cpu_seconds()
        time.sleep(0.2)
        assert 0.005 < started < 2
        assert sandbox.cpu_seconds() - started < 0.05
        sandbox.invoke({})
        assert sandbox.cpu_seconds() > started
    finally:
        sandbox.stop()


def test_the_default_is_among_the_sizes_that_are_compared() -> None:
    assert DEFAULT_MEMORY_MIB in sizes.SIZES
