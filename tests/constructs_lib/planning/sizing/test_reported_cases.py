"""Compares the memory plan with public reports of what TGI logged about its memory: `tgi_cases.json`.

`python -m pytest -s` with the path of this file prints the tables and the error that docs/memory.md shows.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.sizing.memory import memory_plan

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "tgi_cases.json").read_text())["cases"]
BUDGETS = [case for case in CASES if "max_batch_total_tokens" in case["reported"]]
STARTS = [case for case in CASES if "outcome" in case["reported"]]
PREFILLS = [case for case in CASES if "max_batch_prefill_tokens" in case["reported"]]
DOCUMENT = Path(__file__).parents[4] / "docs/memory.md"

# The cache is the difference of two large numbers, so its error is measured as a share of the GPU's memory. Before 3.0
# a prefill computed the probabilities of all its tokens, whose temporary tensors are known less well.
TOLERANCE = {"3": 0.05, "before": 0.075}
MEDIAN_OF_TOKENS = 0.15
BIAS_OF_MEMORY = 0.03


@dataclass(frozen=True)
class Estimate:
    """The plan of a case beside what TGI reported."""

    case: dict[str, Any]
    plan: MemoryPlan

    @property
    def tokens(self) -> float:
        """Error of the token budget, as a share of the reported one."""
        return self.plan.max_tokens / self._reported - 1

    @property
    def memory(self) -> float:
        """The same error in bytes, as a share of the GPU's memory."""
        return (self.plan.max_tokens - self._reported) * self.plan.kv_bytes_per_token / self.plan.gpu_memory

    @property
    def _reported(self) -> int:
        return int(self.case["reported"]["max_batch_total_tokens"])

    @property
    def outcome(self) -> str:
        return "starts" if self.plan.fits else "out of memory"

    @property
    def misses(self) -> bool:
        """Whether the estimate is farther from the report than is tolerated."""
        if "outcome" in self.case["reported"]:
            return bool(self.outcome != self.case["reported"]["outcome"])
        return abs(self.memory) > TOLERANCE["3" if self.case["version"] >= "3" else "before"]


@cache
def _estimates() -> dict[str, Estimate]:
    return {case["id"]: Estimate(case, _plan(case)) for case in CASES}


def _plan(case: dict[str, Any]) -> MemoryPlan:
    options = TgiOptions(**case["options"])
    return memory_plan(TGI, _facts(case["model"]), _instance(case), options, case["version"], case["shards"])


def _facts(model: str | dict[str, Any]) -> ModelFacts:
    alike = known_model(model if isinstance(model, str) else model["like"])
    assert alike, f"the catalogue does not have {model}"
    if isinstance(model, str):
        return alike
    return replace(alike, weight_bytes=None, **{key: value for key, value in model.items() if key != "like"})


def _instance(case: dict[str, Any]) -> InstanceType:
    if "instance" in case:
        return InstanceType.named(case["instance"])
    gpu = case["gpu"]
    return InstanceType.of(
        "ml.other.xlarge",
        accelerator=gpu["name"],
        accelerator_count=case["shards"],
        memory_gib=gpu["memory_gib"],
        compute_capability=tuple(gpu["compute_capability"]),
    )


def _table() -> list[str]:
    """The rows of the document's tables."""
    found = _estimates()
    budgets = [
        f"| [{case['id']}]({case['link']}) | {case['reported']['max_batch_total_tokens']:,} "
        f"| {found[case['id']].plan.max_tokens:,} | {found[case['id']].tokens:+.0%} | {found[case['id']].memory:+.1%} |"
        for case in BUDGETS
    ]
    starts = [
        f"| [{case['id']}]({case['link']}) | {case['reported']['outcome']} | {found[case['id']].outcome} |"
        for case in STARTS
    ]
    return [*budgets, *starts, *_errors()]


def _errors() -> list[str]:
    """The error in sentences, over all budgets and over those that the formula is meant for."""
    return [_error("All", BUDGETS), _error("TGI 3", [case for case in BUDGETS if case["version"] >= "3"])]


def _error(name: str, cases: list[dict[str, Any]]) -> str:
    found = [_estimates()[case["id"]] for case in cases]
    worst = max(found, key=lambda estimate: abs(estimate.tokens))
    memory = [estimate.memory for estimate in found]
    return (
        f"- {name} ({len(found)} budgets): median error of the tokens {median(abs(one.tokens) for one in found):.0%}, "
        f"worst {worst.tokens:+.0%} ({worst.case['id']}); of the GPU's memory: median "
        f"{median(map(abs, memory)):.1%}, worst {max(memory, key=abs):+.1%}, bias {sum(memory) / len(memory):+.1%}."
    )


@pytest.mark.parametrize("case", BUDGETS, ids=lambda case: case["id"])
def test_the_estimate_comes_near_the_budget_that_tgi_measured(case: dict[str, Any]) -> None:
    estimate = _estimates()[case["id"]]
    assert estimate.misses == ("outlier" in case), f"{estimate.tokens:+.0%} of the tokens, {estimate.memory:+.1%}"


@pytest.mark.parametrize("case", STARTS, ids=lambda case: case["id"])
def test_the_estimate_agrees_on_whether_tgi_started(case: dict[str, Any]) -> None:
    estimate = _estimates()[case["id"]]
    assert estimate.misses == ("outlier" in case), f"short of {estimate.plan.shortfall / 2**30:.1f} GiB"


@pytest.mark.parametrize("case", PREFILLS, ids=lambda case: case["id"])
def test_the_prefill_is_as_large_as_tgi_chose_it(case: dict[str, Any]) -> None:
    assert _estimates()[case["id"]].plan.prefill_tokens == case["reported"]["max_batch_prefill_tokens"]


@pytest.mark.parametrize("since", ["0", "3"])
def test_the_estimates_have_a_small_median_error_and_no_bias(since: str) -> None:
    found = [_estimates()[case["id"]] for case in BUDGETS if case["version"] >= since]
    memory = [estimate.memory for estimate in found]
    assert median(abs(estimate.tokens) for estimate in found) <= MEDIAN_OF_TOKENS
    assert abs(sum(memory) / len(memory)) <= BIAS_OF_MEMORY


def test_every_case_has_an_id_a_link_and_a_reason_if_it_is_an_outlier() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES) >= 12
    assert all(case["link"].startswith("https://") for case in CASES)
    assert all(len(case.get("outlier", "a reason of some length")) > 20 for case in CASES)


def test_the_document_shows_the_current_estimates() -> None:
    rows = _table()
    sys.stdout.write("\n" + "\n".join(rows) + "\n")
    missing = [row for row in rows if row not in DOCUMENT.read_text(encoding="utf-8")]
    assert not missing, "docs/memory.md lacks\n" + "\n".join(missing)
