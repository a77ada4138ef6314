"""Compares the memory plans of vLLM and SGLang with the reports in tests/field/cases/engine_memory.json.

`python -m pytest -s` with the path of this file prints the table and the shares that docs/memory.md shows.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from constructs_lib.planning.engine import OptionNames
from constructs_lib.planning.hardware.gpu_memory import GIB
from constructs_lib.planning.memory_plan import MemoryPlan
from tests.constructs_lib.planning.engines.sized_engine import SGLANG, VLLM
from tests.field.case_files import read_cases
from tests.field.memory import TOLERANCE, error_of, plan_of

DOCUMENT = Path(__file__).parents[4] / "docs/memory.md"
CASES = [case for case in read_cases() if case.field == "engine_memory"]
DENSE, RIGHT = 0.80, 0.95
"""Shares that have to be right: caches of dense text models within the tolerance, and whether it starts."""

CURRENT = (0, 9, 0)
"""First version of vLLM that is in images of SageMaker with the present engine alone."""


@dataclass(frozen=True)
class Estimate:
    """The plan of a report beside what was logged."""

    row: dict[str, Any]
    plan: MemoryPlan

    @property
    def label(self) -> str:
        row = self.row
        names = _option_names(row)
        options = row.get("options", {})
        length = options.get(names.limits[0])
        gpu = row["gpu"]
        parts = [
            row["model"].split("/")[-1],
            f"{gpu['count']} x {gpu['name']}",
            f"{ {'vllm': 'vLLM', 'sglang': 'SGLang'}[row['engine']] } {row['version']}",
            f"{length:,} tokens" if length else "",
        ]
        return ", ".join(part for part in parts if part)

    @property
    def link(self) -> str:
        """The label, linked to the report if it is an issue; its id, with a star if it was held out."""
        source = str(self.row["source"])
        issue = re.fullmatch(r"([\w.-]+/[\w.-]+)#(\d+)", source)
        star = "*" if self.row.get("held_out") else ""
        where = (
            f"[{self.label}](https://github.com/{issue[1]}/issues/{issue[2]})" if issue else f"{self.label} ({source})"
        )
        return f"{self.row['id']}{star} {where}"

    @property
    def error(self) -> float | None:
        return error_of(self.row, self.plan)

    @property
    def reported(self) -> str:
        expect = self.row["expect"]
        if "max_tokens" in expect:
            return f"{expect['max_tokens']:,}"
        return f"{expect['available_gib']:.2f} GiB" if "available_gib" in expect else ""

    @property
    def estimated(self) -> str:
        """The estimate with its range."""
        plan, expect = self.plan, self.row["expect"]
        if "max_tokens" in expect:
            return f"{plan.max_tokens:,} ({plan.low_tokens:,} to {plan.high_tokens:,})"
        if "available_gib" not in expect:
            return ""
        low, high = (max(0.0, (plan.free_for_tokens + off) / GIB) for off in (-plan.uncertainty, plan.uncertainty))
        return f"{plan.free_for_tokens / GIB:.2f} GiB ({low:.2f} to {high:.2f})"

    @property
    def verdict(self) -> str:
        if self.plan.is_tight:
            return "may not start"
        return "does not start" if self.plan.is_too_large else "starts"

    @property
    def is_right(self) -> bool:
        """Whether what started is not refused, and what did not start is refused or warned of."""
        return not self.plan.is_too_large if self.row["expect"]["starts"] else self.verdict != "starts"


def _option_names(row: dict[str, Any]) -> OptionNames:
    return (SGLANG if row["engine"] == "sglang" else VLLM).memory_model.option_names


@cache
def _estimates() -> tuple[Estimate, ...]:
    return tuple(Estimate(case.row, plan_of(case.row)) for case in CASES)


def _table() -> list[str]:
    """The rows of the document's table, and the shares in sentences."""
    rows = []
    for one in _estimates():
        error = "" if one.error is None else f"{one.error:+.0%}"
        outcome = "started" if one.row["expect"]["starts"] else "did not start"
        rows.append(f"| {one.link} | {one.reported} | {one.estimated} | {error} | {outcome} | {one.verdict} |")
    return [*rows, *_shares()]


def _shares() -> list[str]:
    right = sum(one.is_right for one in _estimates())
    return [
        f"- Starts or does not start: {right} of {len(_estimates())} reports are on the right side.",
        *(_share(kind, lambda row, kind=kind: row["class"] == kind) for kind in _kinds()),
        _share("dense text, held out", lambda row: row["class"] == "dense text" and "held_out" in row),
        _share("dense text, vLLM 0.9 and later", _is_current),
    ]


def _kinds() -> list[str]:
    return list(dict.fromkeys(case.row["class"] for case in CASES))


def _is_current(row: dict[str, Any]) -> bool:
    version = tuple(map(int, row["version"].split(".")))
    return row["class"] == "dense text" and row["engine"] == "vllm" and version >= CURRENT


def _share(name: str, wanted: Callable[[dict[str, Any]], bool]) -> str:
    errors = [one.error for one in _estimates() if one.error is not None and wanted(one.row)]
    within = sum(abs(error) <= TOLERANCE for error in errors)
    worst = max(errors, key=abs)
    return (
        f"- {name[0].upper()}{name[1:]}: {within} of {len(errors)} caches within {TOLERANCE:.0%}; median error"
        f" {median(map(abs, errors)):.1%}, worst {worst:+.0%}."
    )


def _dense(*, held_out: bool) -> list[float]:
    rows = [one for one in _estimates() if one.row["class"] == "dense text" and one.error is not None]
    return [one.error or 0.0 for one in rows if not held_out or "held_out" in one.row]


def test_four_fifths_of_the_dense_text_models_are_within_the_tolerance() -> None:
    for errors in (_dense(held_out=False), _dense(held_out=True)):
        assert len(errors) >= 11
        assert sum(abs(error) <= TOLERANCE for error in errors) >= DENSE * len(errors)


def test_what_starts_and_what_does_not_is_told_apart() -> None:
    assert len(_estimates()) >= 60
    wrong = [one.label for one in _estimates() if not one.is_right]
    assert len(wrong) <= (1 - RIGHT) * len(_estimates()), wrong


def test_nothing_that_started_is_refused() -> None:
    assert not [one.label for one in _estimates() if one.row["expect"]["starts"] and one.plan.is_too_large]


def test_the_document_shows_the_current_estimates() -> None:
    rows = _table()
    sys.stdout.write("\n" + "\n".join(rows) + "\n")
    missing = [row for row in rows if row not in DOCUMENT.read_text(encoding="utf-8")]
    assert not missing, "docs/memory.md lacks\n" + "\n".join(missing)


def test_the_document_explains_every_outlier() -> None:
    document = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    for case in CASES:
        assert case.row.get("outlier", "") in document
