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


def test_a_further_stack_is_the_mean_difference_between_all_and_one_against_the_same_round() -> None:
    figure = synth.further_stack(SAMPLES, stacks=15)
    # (3.4 - 2.0) / 14 of 1.0 s, and (6.8 - 4.0) / 14 of 2.0 s; the outlier is not the median.
    assert figure.value == pytest.approx(0.1)
    assert (figure.limit, figure.bound, figure.is_met) == (0.1, "at most", True)
    assert not synth.further_stack(SAMPLES, stacks=14).is_met


def test_a_small_ratio_is_shown_with_three_decimals() -> None:
    assert report.row(synth.further_stack(SAMPLES, stacks=15))[3:] == ("0.100 ×", "≤ 0.100 ×", "ok")
    assert report.row(synth.further_stack(SAMPLES, stacks=14))[3:] == ("0.108 ×", "≤ 0.100 ×", "MISSED")


def test_an_app_with_one_stack_has_no_further_stack() -> None:
    with pytest.raises(RuntimeError, match="the app has 1 stacks; measuring a further stack requires two"):
        synth.further_stack(SAMPLES, stacks=1)


def test_each_figure_has_its_limit_and_all_stacks_are_synthesized_for_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[tuple[str, object]] = []

    def run(program: Path, out: Path, context: dict[str, object]) -> None:
        runs.append((program.name, context.get("stacks")))
        for number in range(15 if context.get("stacks") == "" else 1):
            (out / f"{number}.template.json").write_text("{}")

    monkeypatch.setattr(synth, "run", run)
    figures = synth.measure(1, lambda _text: None)
    limits = {figure.key: figure.limit for figure in figures}
    assert limits == {
        "synth.with_packs": 2.1,
        "synth.without_packs": 1.7,
        "synth.all": 3.0,  # 1.5 and 0.1 for each of 15
        "synth.further_stack": 0.1,
        "synth.everything": 2.2,
        "synth.watched": 2.4,
    }
    assert {stacks for program, stacks in runs if program == "app.py"} == {"LlamaTgiStack", ""}
    everything = next(figure for figure in figures if figure.key == "synth.everything")
    assert list(everything.samples) == [synth.EVERYTHING, synth.EMPTY_WITH_PACKS]
    assert {"everything_app.py", "empty_app_with_packs.py"} < {program for program, _ in runs}
    assert next(figure.description for figure in figures if figure.key == "synth.all") == (
        "synth of all 15 stacks with both rule packs"
    )


def test_the_context_is_that_of_cdk_json_with_the_selected_stacks() -> None:
    context = json.loads((synth.ROOT / "cdk.json").read_text())["context"]
    assert synth.project_context() == {**context, "stacks": "LlamaTgiStack"}
    assert synth.project_context(stacks="") == {**context, "stacks": ""}
