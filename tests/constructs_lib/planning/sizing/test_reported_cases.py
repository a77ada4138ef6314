"""Compares the memory plan with the public reports in tests/field/cases/memory.json.

`python -m pytest -s` with the path of this file prints the tables and the error that docs/memory.md shows.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.warm_up import UNCERTAINTY
from constructs_lib.planning.images.catalogue import Version, parse_version
from constructs_lib.planning.memory_plan import MemoryPlan
from tests.field.case_files import read_cases
from tests.field.plan import TOLERANCE, plan_of

DOCUMENT = Path(__file__).parents[4] / "docs/memory.md"
CASES = [case for case in read_cases() if case.field == "memory" and "fits" in case.row["expect"]]
MEDIAN_OF_TOKENS = 0.10
BIAS_OF_MEMORY = 0.02
RIGHT_SIDE = 0.90


@dataclass(frozen=True)
class Estimate:
    """The plan of a report beside what TGI reported."""

    row: dict[str, Any]
    plan: MemoryPlan

    @property
    def label(self) -> str:
        """Model, GPUs and version, and the length of requests if it is said."""
        row, options = self.row, self.row.get("options", {})
        gpus, length = options.get("num_shard"), options.get("max_total_tokens")
        where = row["instance"].removeprefix("ml.") if "instance" in row else row["gpu"]["name"]
        model, kind = row["model"].split("/")[-1], options.get("quantize", "")
        parts = [
            model if not kind or kind in model.lower() else f"{model} in {kind}",
            f"{gpus} GPU{'s' * (gpus > 1)} of {where}" if gpus else where,
            row.get("image", TGI.images.newest),
            f"{length:,} tokens" if length else "",
        ]
        return ", ".join(part for part in parts if part)

    @property
    def link(self) -> str:
        """The label, linked to the report if it has an address."""
        source = str(self.row["source"])
        issue = re.match(r"([\w.-]+/[\w.-]+)#(\d+)", source)
        address = f"https://github.com/{issue[1]}/issues/{issue[2]}" if issue else source
        return f"[{self.label}]({address})" if address.startswith("https://") else f"{self.label} ({source})"

    @property
    def version(self) -> Version:
        return parse_version(self.row.get("image", TGI.images.newest)) or (0, 0, 0)

    @property
    def reported(self) -> int | None:
        tokens = self.row["expect"].get("max_tokens")
        return None if tokens is None else int(tokens)

    @property
    def tokens(self) -> float:
        """Error of the token budget, as a share of the reported one."""
        return self.plan.max_tokens / (self.reported or 0) - 1

    @property
    def memory(self) -> float:
        """The same error in bytes, as a share of the GPU's memory."""
        return (self.plan.max_tokens - (self.reported or 0)) * self.plan.kv_bytes_per_token / self.plan.gpu_memory

    @property
    def room(self) -> float:
        """What is left where memory is scarcest, as a share of the GPU's memory."""
        return self.plan.slack / self.plan.gpu_memory

    @property
    def verdict(self) -> str:
        if self.plan.is_tight:
            return "may not start"
        return "does not start" if self.plan.is_too_large else "starts"

    @property
    def is_right(self) -> bool:
        """Whether what started is not refused, and what ran out of memory is refused or warned of."""
        return not self.plan.is_too_large if self.row["expect"]["fits"] else self.verdict != "starts"


@cache
def _estimates() -> tuple[Estimate, ...]:
    plans = [(case, plan_of(case.row).memory) for case in CASES]
    return tuple(Estimate(case.row, memory) for case, memory in plans if memory)


def _budgets(*, outliers: bool = True) -> list[Estimate]:
    return [one for one in _estimates() if one.reported and (outliers or "outlier" not in one.row)]


def _table() -> list[str]:
    """The rows of the document's tables, and the error in sentences."""
    budgets = [
        f"| {one.link} | {one.reported:,} | {one.plan.max_tokens:,} | {one.tokens:+.0%} | {one.memory:+.1%} |"
        for one in _budgets()
    ]
    starts = [
        f"| {one.link} | {'started' if one.row['expect']['fits'] else 'out of memory'} | {one.verdict}"
        f" | {one.room:+.1%} |"
        for one in _estimates()
        if not one.reported
    ]
    return [*budgets, *starts, *_errors()]


def _errors() -> list[str]:
    right, every = sum(one.is_right for one in _estimates()), len(_estimates())
    within = sum(abs(one.tokens) <= TOLERANCE for one in _budgets())
    shares = f"{right} of {every} reports are on the right side; {within} of {len(_budgets())} budgets within"
    return [
        f"- {shares} {TOLERANCE:.0%}.",
        _error("All", _budgets()),
        _error("TGI 3", [one for one in _budgets() if one.version >= (3, 0, 0)]),
    ]


def _error(name: str, found: list[Estimate]) -> str:
    worst = max(found, key=lambda one: abs(one.tokens))
    memory = [one.memory for one in found]
    return (
        f"- {name} ({len(found)} budgets): median error of the tokens {median(abs(one.tokens) for one in found):.0%}, "
        f"worst {worst.tokens:+.0%} ({worst.label}); of the GPU's memory: median "
        f"{median(map(abs, memory)):.1%}, worst {max(memory, key=abs):+.1%}, bias {sum(memory) / len(memory):+.1%}."
    )


def test_at_least_nine_tenths_of_the_reports_are_on_the_right_side() -> None:
    assert len(_estimates()) == len(CASES) >= 59
    wrong = [one.label for one in _estimates() if not one.is_right]
    assert len(wrong) <= (1 - RIGHT_SIDE) * len(CASES), wrong


def test_no_budget_is_farther_off_than_the_estimates_uncertainty() -> None:
    for since, share in UNCERTAINTY:
        newer = [newer for newer, _ in UNCERTAINTY if newer > since]
        found = [
            one for one in _budgets(outliers=False) if since <= one.version and not any(one.version >= n for n in newer)
        ]
        worst = max(abs(one.memory) for one in found)
        lacking = max(-one.room for one in _estimates() if one.row["expect"]["fits"] and "outlier" not in one.row)
        assert 0.6 * share <= max(worst, lacking) <= share, (since, worst, lacking)


@pytest.mark.parametrize("since", [(0, 0, 0), (3, 0, 0)])
def test_the_estimates_have_a_small_median_error_and_no_bias(since: Version) -> None:
    found = [one for one in _budgets(outliers=False) if one.version >= since]
    assert median(abs(one.tokens) for one in found) <= MEDIAN_OF_TOKENS
    assert abs(sum(one.memory for one in found) / len(found)) <= BIAS_OF_MEMORY


def test_the_document_shows_the_current_estimates() -> None:
    rows = _table()
    sys.stdout.write("\n" + "\n".join(rows) + "\n")
    missing = [row for row in rows if row not in DOCUMENT.read_text(encoding="utf-8")]
    assert not missing, "docs/memory.md lacks\n" + "\n".join(missing)


def test_the_document_explains_every_outlier() -> None:
    document = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    for case in CASES:
        assert case.row.get("outlier", "") in document
