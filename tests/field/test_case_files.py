"""A case that checks nothing is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.field.case_files import case_problems, read_cases

ABOUT = {"id": "X01", "source": "owner/repository#1", "situation": "What was tried.", "answer": "What is right."}
SYNTH: dict[str, Any] = {**ABOUT, "kind": "synth", "model": "owner/model", "instance": "ml.g5.2xlarge"}


def test_a_case_of_each_kind_is_accepted() -> None:
    config = {"model_type": "llama"}
    chat = {"kind": "door", "method": "POST", "path": "/v1/chat/completions", "body": {}, "expect": {"status": [200]}}
    assert case_problems({**SYNTH, "expect": {"error": "shard"}}) == []
    assert case_problems({**ABOUT, "kind": "facts", "model": "a/b", "config": config, "expect": {"error": "x.y"}}) == []
    assert (
        case_problems({**ABOUT, "kind": "plan", "model": "a/b", "instance": "ml.g5.2xlarge", "expect": {"fits": True}})
        == []
    )
    assert case_problems({**ABOUT, **chat}) == []
    gpu = {"name": "L4", "visible_gib": 22.03, "compute_capability": [8, 9], "count": 1}
    log = {"kind": "memory", "engine": "vllm", "version": "0.30.0", "class": "dense text", "model": "a/b", "gpu": gpu}
    assert case_problems({**ABOUT, **log, "expect": {"starts": True}}) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expect": {}}, "X01: expect: {} should be non-empty"),
        ({"expect": {"eror": "shard"}}, "'eror' was unexpected"),
        ({"expect": {"error": ""}}, "expect.error"),
        ({"expect": {"error": "("}}, "expect.error"),
        ({"optons": {}, "expect": {"error": "shard"}}, "'optons' was unexpected"),
        ({"kind": "synthesis", "expect": {"error": "shard"}}, "kind must be one of synth, facts, plan, memory, door"),
        ({}, "'expect' is a required property"),
    ],
)
def test_a_case_that_could_not_fail_is_refused(change: dict[str, Any], words: str) -> None:
    assert any(words in problem for problem in case_problems({**SYNTH, **change}))


def test_every_file_has_cases() -> None:
    fields = {case.field for case in read_cases()}
    assert {"config", "engine_memory", "formats", "front_door", "memory", "network", "options", "versions"} <= fields
