"""Every cause of the catalogue is found by what names it, and by nothing of a healthy endpoint."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from constructs_lib.planning.diagnosis.catalogue import CAUSES
from constructs_lib.planning.diagnosis.cause import Weight
from constructs_lib.planning.diagnosis.diagnose import diagnose
from constructs_lib.planning.diagnosis.signals import Deployed, Line, Series, Signals, Source

EXAMPLES = json.loads((Path(__file__).parent / "examples.json").read_text())
ROOT = Path(__file__).resolve().parents[4]
NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
HEALTH_CHECK = EXAMPLES["health-check"][1]
# What only metrics, states or the plan speak for.
MEASURED = {
    "lambda-concurrency",
    "function-fails",
    "waits-for-instances",
    "slow-model",
    "wrong-requests",
    "gateway-errors",
    "scaled-to-zero",
    "plan-problem",
    "not-known",
}
HEALTHY_LOG = """
INFO text_generation_launcher: Args { model_id: "m", max_input_tokens: Some(4095), hf_token: None, quantize: None }
INFO text_generation_launcher: Successfully downloaded weights for meta-llama/Llama-3.1-8B-Instruct
INFO shard-manager: text_generation_launcher: Shard ready in 12.3s rank=0
WARN text_generation_router_v3::backend: Model supports prefill chunking. waiting_served_ratio and max_waiting_tokens
INFO text_generation_router_v3: Setting max batch total tokens to 131072
INFO text_generation_router::server: Connected
INFO 11-30 07:00:00 [core.py:64] Initializing a V1 LLM engine with config: model='m', trust_remote_code=True
server_args=ServerArgs(model_path='m', trust_remote_code=True, quantization=None)
WARN Unrecognized keys in `rope_scaling` for 'rope_type'='yarn': {'original_max'}
INFO generate{parameters=GenerateParameters { max_new_tokens: Some(20), top_p: None }}: Success
INFO 11-30 07:00:00 [gpu_worker.py:348] Available KV cache memory: 9.38 GiB
INFO 11-30 07:00:00 [kv_cache_utils.py:1087] GPU KV cache size: 68,320 tokens
INFO:     169.254.178.2:49732 - "GET /ping HTTP/1.1" 200 OK
INFO:     169.254.178.2:49732 - "POST /invocations HTTP/1.1" 200 OK
""".strip().splitlines()


def found(*lines: Line, status: str = "Failed", **others: object) -> list[str]:
    return [one.id for one in diagnose(Signals(status=status, lines=lines, **others)).findings]


@pytest.mark.parametrize("cause", EXAMPLES)
def test_a_cause_is_found_by_the_line_that_names_it(cause):
    source, text = EXAMPLES[cause]
    status = "InService" if CAUSES[cause].serving else "Failed"
    assert found(Line(Source(source), text, at=NOW), status=status)[0] == cause


def test_every_cause_that_lines_can_name_has_an_example():
    assert CAUSES.keys() - MEASURED == EXAMPLES.keys()


@pytest.mark.parametrize("source", [Source.LOG, Source.FUNCTION])
def test_an_ordinary_log_names_nothing(source):
    assert found(*(Line(source, text) for text in HEALTHY_LOG), status="InService") == []


def test_a_symptom_comes_after_its_cause_or_not_at_all():
    lines = [Line(Source.STATUS, HEALTH_CHECK), Line(Source.LOG, "Error: ShardCannotStart")]
    assert found(*lines) == ["engine-crashed", "health-check"]
    assert found(*lines, Line(Source.LOG, EXAMPLES["hub-token"][1])) == ["hub-token", "engine-crashed"]


def test_what_kept_an_endpoint_from_starting_is_less_likely_once_it_serves():
    line = Line(Source.LOG, EXAMPLES["hub-token"][1])
    (before,) = diagnose(Signals(status="Failed", lines=(line,))).findings
    (after,) = diagnose(Signals(status="InService", lines=(line,))).findings
    assert before.weight >= Weight.NAMED > Weight.PLANNED > after.weight


@pytest.mark.parametrize(
    ("lines", "causes"),
    [
        (["torch.cuda.OutOfMemoryError: CUDA out of memory."], ["out-of-memory"]),
        (["\x1b[31mERROR\x1b[0m: CUDA \x1b[1mout of memory\x1b[0m"], ["out-of-memory"]),
        (["HfHubHTTPError: 403 Forbidden: None. Cannot access https://huggingface.co/api/models"], ["hub-token"]),
    ],
)
def test_a_line_names_its_cause_and_no_other(lines, causes):
    assert found(*(Line(Source.LOG, text) for text in lines)) == causes


@pytest.mark.parametrize(
    ("last", "title"),
    [
        ("INFO download: text_generation_launcher: Download: [3/15] -- ETA: 0:10:00", "The weights were still being"),
        ("Loading safetensors checkpoint shards:  25% Completed | 1/4", "The weights were still being"),
        ("INFO: Application startup complete.", "The container did not answer its health check"),
    ],
)
def test_a_health_check_that_came_while_it_loaded_is_said_so(last, title):
    lines = (Line(Source.STATUS, HEALTH_CHECK), Line(Source.LOG, "x"), Line(Source.LOG, last))
    (finding,) = diagnose(Signals(status="Failed", lines=lines)).findings
    assert finding.title.startswith(title)


def test_the_same_line_is_shown_once_with_how_often_and_the_last_time():
    lines = [Line(Source.LOG, EXAMPLES["disk"][1], at=NOW + timedelta(minutes=minute)) for minute in range(5)]
    (finding,) = diagnose(Signals(status="Failed", lines=tuple(lines))).findings
    (evidence,) = finding.evidence
    assert (evidence.times, evidence.at) == (5, NOW + timedelta(minutes=4))


def test_a_failure_without_a_word_is_said_to_be_one():
    assert found() == ["not-known"]
    assert found(had_log=False) == ["container-cannot-start"]
    assert found(status="InService") == []


@pytest.mark.parametrize("cause", CAUSES.values(), ids=list(CAUSES))
def test_a_cause_says_what_to_do_and_links_to_the_runbook(cause):
    page, _, anchor = cause.runbook.partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert anchor in anchors
    assert not cause.title.endswith(".")
    assert cause.fix.endswith((".", "…"))
    assert 0 < cause.weight < 100


def series(name: str, *values: float) -> dict[str, Series]:
    points = tuple((NOW + timedelta(minutes=index), value) for index, value in enumerate(values))
    return {name: Series(name, "Sum", points)}


@pytest.mark.parametrize(
    ("metrics", "cause"),
    [
        (series("DiskUtilization", 40, 93), "disk"),
        (series("MemoryUtilization", 40, 99), "host-memory"),
        (series("Invocations", 10) | series("Invocation5XXErrors", 4), "container-fails"),
        (series("Invocations", 10) | series("Invocation4XXErrors", 9), "wrong-requests"),
        (series("NoCapacityInvocationFailures", 1), "no-capacity"),
        (series("ModelLatency", 25_000_000), "slow-model"),
        (series("ModelLatency", 59_500_000), "timeout"),
        (series("Throttles", 1), "lambda-concurrency"),
        (series("Errors", 1), "function-fails"),
        (series("5XXError", 5), "gateway-errors"),
    ],
)
def test_a_metric_speaks_for_a_cause(metrics, cause):
    assert found(status="InService", metrics=metrics) == [cause]


def test_metrics_of_a_healthy_endpoint_speak_for_nothing():
    values = {"GPUMemoryUtilization": 97, "DiskUtilization": 60, "MemoryUtilization": 50, "ModelLatency": 2_000_000}
    metrics = {name: series(name, value)[name] for name, value in values.items()}
    metrics |= series("Invocations", 1000) | series("Invocation5XXErrors", 3) | series("Invocation4XXErrors", 20)
    assert found(status="InService", metrics=metrics) == []


@pytest.mark.parametrize(
    ("deployed", "cause"),
    [
        (Deployed(name="v", current=1, desired=2), ["waits-for-instances"]),
        (Deployed(name="c", current=0, desired=0, is_component=True), ["scaled-to-zero"]),
        (Deployed(name="v", current=2, desired=2), []),
        (Deployed(name="v"), []),
    ],
)
def test_the_numbers_of_instances_speak(deployed, cause):
    assert found(status="InService", deployed=(deployed,)) == cause


def test_what_is_suspected_is_between_a_symptom_and_what_is_named():
    assert Weight.SYMPTOM < Weight.SUSPECTED < Weight.PLANNED < Weight.FAILED < Weight.NAMED
