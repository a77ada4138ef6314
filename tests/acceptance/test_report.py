"""The report: what it says of each row, in which order, and when a run is good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.ledger import read_rows
from acceptance.probe import Cloud, Result, Verdict, choose, contradicted, proven, undecided
from acceptance.removal import Removal
from acceptance.report import Outcome, Report


def report(tmp_path: Path, *verdicts: Verdict, cloud: Cloud = Cloud.AWS) -> Report:
    """A report of as many probes as there are verdicts."""
    found = Report(cloud=cloud, deployment="A model", rows=read_rows(), file=tmp_path / "build" / "acceptance.md")
    for each, verdict in zip(choose(("G26", "G3", "openai_chat", "S13"), ()), verdicts, strict=False):
        found.add(Outcome(each, verdict, 1.0))
    found.removal = Removal(deleted=["AcceptanceStack"])
    found.write()
    return found


def test_each_row_of_a_probe_has_a_line_contradictions_first(tmp_path: Path) -> None:
    done = report(tmp_path, proven("fine"), undecided("too\nfast | for us"), contradicted("status 200"))
    text = done.file.read_text()
    lines = [line for line in text.splitlines() if line.startswith(("| G", "| The openai"))]
    assert [line.split(" | ")[0] for line in lines] == [
        "| G3",
        "| G12",
        "| G26",
        "| The openai package chats, not streaming, and gets its usage",
    ]
    assert "**contradicted** | A key with a made-up value is refused by API Gateway itself: status 200 |" in lines[0]
    assert lines[2].endswith(
        "**not decided** | HEAD reaches the function, and the response has no body: too fast \\| for us |"
    )
    assert lines[3].endswith("| **proven** | fine (1.0 s) |")
    assert "3 probes: 1 proven, 1 not decided, 1 contradicted." in text
    assert all(line.count(" | ") == 3 for line in lines[:3])


def test_it_is_written_after_each_probe_and_says_that_nothing_is_deleted_yet(tmp_path: Path) -> None:
    done = report(tmp_path, proven("fine"))
    done.removal = None
    done.add(replace(done.outcomes[0]))
    assert "`make acceptance DESTROY=1` deletes it" in done.file.read_text()


@pytest.mark.parametrize(
    ("verdicts", "cloud", "is_good"),
    [
        ([proven("a"), undecided("b")], Cloud.AWS, True),
        ([proven("a"), contradicted("b")], Cloud.AWS, False),
        ([undecided("a"), undecided("b")], Cloud.AWS, False),
        ([proven("a"), undecided("b")], Cloud.EMULATED, False),
        ([proven("a"), proven("b"), proven("c"), contradicted("moto")], Cloud.EMULATED, True),
        ([proven("a"), proven("b"), proven("c"), proven("moto")], Cloud.EMULATED, False),
    ],
)
def test_a_run_is_good_by_what_its_cloud_should_answer(
    tmp_path: Path, verdicts: list[Verdict], cloud: Cloud, is_good: bool
) -> None:
    assert report(tmp_path, *verdicts, cloud=cloud).is_good() is is_good


def test_a_run_that_ended_early_or_left_something_is_not_good(tmp_path: Path) -> None:
    done = report(tmp_path, proven("a"))
    assert done.is_good()
    done.problem = "stopped by SIGINT"
    assert not done.is_good()
    assert "**The run ended early:** stopped by SIGINT" in done.render()
    done.problem, done.removal = None, Removal(failed=["AcceptanceStack: DELETE_FAILED."])
    assert not done.is_good()
    assert "- **Not deleted:** AcceptanceStack: DELETE_FAILED." in done.render()


def test_where_the_emulation_differs_the_report_says_so(tmp_path: Path) -> None:
    verdicts = [proven("a"), proven("b"), proven("c"), contradicted("capitals")]
    assert (
        "The emulated cloud differs: moto's ARNs have the name's own case"
        in report(tmp_path, *verdicts, cloud=Cloud.EMULATED).render()
    )
    assert "emulated cloud" not in report(tmp_path, *verdicts).render()
    assert Result.CONTRADICTED in report(tmp_path, *verdicts).render()
