from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from bench.scaling import compare
from bench.scaling.__main__ import DOCS, main
from bench.scaling.arrivals import sessions
from bench.scaling.case import CASES, case, highest_rate
from bench.scaling.compare import HOLD, VISITORS, Run
from bench.scaling.contenders import zero_contenders
from bench.scaling.measure import Summary
from bench.scaling.plots import SHOWN, draw, file_name
from bench.scaling.tables import FIGURES, Table, figures


@pytest.fixture(scope="module")
def from_zero() -> list[Run]:
    one = case(*CASES[0])
    load = sessions(random.Random(1), VISITORS * highest_rate(one, 1))
    runs = []
    for way in zero_contenders(one, HOLD):
        outcome = one.simulate(
            load, way.target(), begin=way.begin, seed=1, hold=way.hold, components=way.policies is not None
        )
        runs.append(Run(load, way, outcome, one.summary(outcome)))
    return runs


def test_the_table_in_the_docs_is_what_the_simulator_says(from_zero: list[Run]) -> None:
    (table,) = compare.tables(from_zero)
    assert table.markdown() in (DOCS / "scaling.md").read_text()


def test_a_row_has_times_shares_failures_and_money() -> None:
    failures = Counter({"429": 2, "504": 1})
    summary = Summary(
        requests=10, failures=failures, late=0.3, p50=0.251, p95=12.4, dollars=10.0, instances=1.55, changes=3
    )
    assert figures(summary, hours=12) == ("0.25 s", "12 s", "30.0 %", "2 × 429, 1 × 504", "20", "1.6", "3")


def test_a_table_is_plain_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Table("title", ("", "number"), [("one", "1"), ("eleven", "11")]).show()
    assert capsys.readouterr().out == "title\n        number\none          1\neleven      11\n\n"
    assert Table("", ("", "n"), [("one", "1")]).markdown() == "|  | n |\n|---|--:|\n| one | 1 |"


def test_a_plot_needs_the_loads(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "routing", "--plot"])
    assert "--plot draws the part loads" in capsys.readouterr().err


@pytest.mark.parametrize("load", SHOWN)
def test_the_plots_in_the_docs_are_small_have_no_date_and_keep_their_text(load: str) -> None:
    text = (DOCS / file_name(load)).read_text()
    assert len(text.encode()) < 150_000
    assert "<dc:date>" not in text
    assert f"({file_name(load)})" in (DOCS / "scaling.md").read_text()
    for name in SHOWN[load]:
        assert re.search(rf"<text[^>]*>{re.escape(name)}: \$\d+ a day</text>", text)


def test_the_same_runs_give_the_same_file(
    from_zero: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("bench.scaling.plots.SHOWN", {"from zero": SHOWN["from zero"]})
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        files += draw(from_zero, tmp_path / name)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes() == (DOCS / file_name("from zero")).read_bytes()
    assert len(FIGURES) == 7
