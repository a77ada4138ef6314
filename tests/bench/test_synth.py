from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import report, synth

SAMPLES = {
    synth.EMPTY: [1.0, 2.0, 1.0],
    synth.WITH_PACKS: [2.0, 4.0, 2.0],
    synth.WITHOUT_PACKS: [1.5, 3.0, 1.5],
    synth.ALL: [3.4, 6.8, 30.0],
}


def test_one_more_stack_is_the_difference_of_all_and_one_shared_out_and_measured_by_its_own_round() -> None:
    figure = synth.one_more(SAMPLES, stacks=15)
    # (3.4 - 2.0) / 14 of 1.0 s, and (6.8 - 4.0) / 14 of 2.0 s; the outlier is not the median.
    assert figure.value == pytest.approx(0.1)
    assert (figure.limit, figure.bound, figure.kept) == (0.1, "at most", True)
    assert not synth.one_more(SAMPLES, stacks=14).kept


def test_a_small_ratio_is_shown_with_the_digits_that_decide() -> None:
    assert report.row(synth.one_more(SAMPLES, stacks=15))[3:] == ("0.100 ×", "≤ 0.100 ×", "ok")
    assert report.row(synth.one_more(SAMPLES, stacks=14))[3:] == ("0.108 ×", "≤ 0.100 ×", "MISSED")


def test_nothing_is_said_of_one_more_where_there_is_one() -> None:
    with pytest.raises(RuntimeError, match="the app has 1 stacks, so nothing can be said of one more"):
        synth.one_more(SAMPLES, stacks=1)


def test_each_figure_has_its_limit_and_the_app_of_all_stacks_is_asked_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, object]] = []

    def run(program: Path, out: Path, context: dict[str, object]) -> None:
        asked.append((program.name, context.get("stacks")))
        for number in range(15 if context.get("stacks") == "" else 1):
            (out / f"{number}.template.json").write_text("{}")

    monkeypatch.setattr(synth, "run", run)
    figures = synth.measure(1, lambda _text: None)
    limits = {figure.key: figure.limit for figure in figures}
    assert limits == {
        "synth.with_packs": 2.1,
        "synth.without_packs": 1.7,
        "synth.all": 3.2,
        "synth.one_more": 0.1,
    }
    assert {stacks for program, stacks in asked if program == "app.py"} == {"LlamaTgiStack", ""}
    assert next(figure.what for figure in figures if figure.key == "synth.all") == (
        "synth of all 15 stacks with both rule packs"
    )


def test_the_context_is_that_of_cdk_json_with_the_stack_that_is_asked_for() -> None:
    stated = json.loads((synth.ROOT / "cdk.json").read_text())["context"]
    assert synth.project_context() == {**stated, "stacks": "LlamaTgiStack"}
    assert synth.project_context(stacks="") == {**stated, "stacks": ""}
