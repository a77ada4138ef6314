"""The commands models, instances and images."""

import json
from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import known_model, known_models
from constructs_lib.planning.models.facts_file import ModelFile, write_model_file


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("models", sorted((facts.hub_id for facts in known_models()), key=str.lower)),
        ("instances", [one.name for one in InstanceType.all()]),
        ("images", list(reversed(TGI.images.versions))),
    ],
)
def test_every_row_of_the_catalogue_is_listed(run, command, names):
    outcome = run(command)
    assert outcome.status == 0
    assert [line.split()[0] for line in outcome.out.splitlines()[1:]] == names
    assert len(json.loads(run(command, "--json").out)) == len(names)


def row(run, command, name):
    return next(line for line in run(command).out.splitlines() if line.startswith(f"{name} "))


def test_a_model_is_shown_with_its_size_and_its_cache(run):
    cells = row(run, "models", "meta-llama/Llama-3.1-8B-Instruct").split()
    assert " ".join(cells[1:]) == "8.0 B 15.0 GiB bfloat16 131,072 128 KiB FlashLlama llama3.1 required"


def test_the_cache_is_as_wide_as_the_engine_makes_it(run, tmp_path):
    wide = replace(known_model("meta-llama/Llama-3.1-8B-Instruct"), hub_id="team/wide", cache_width=192)
    write_model_file(tmp_path / "models.json", ModelFile([wide]))
    cells = run("models", "--models", tmp_path / "models.json", "--search", "team/wide").out.splitlines()[1].split()
    assert "192 KiB" in " ".join(cells), "2 × 32 layers × 8 heads × 192 × 2 bytes"


@pytest.mark.parametrize("words", ["llama-3.1 instruct FP8 redhat", "RedHatAI/Meta-Llama-3.1-"])
def test_models_are_searched_by_the_words_of_their_ids(run, words):
    outcome = run("models", "--search", words)
    assert [line.split()[0] for line in outcome.out.splitlines()[1:]] == [
        "RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8",
        "RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8",
        "RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8",
    ]


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        ("zephyr 70b", "The command models add reads a model from the hub."),
        ("HuggingFaceH4/zephir-7b-beta", "Did you mean HuggingFaceH4/zephyr-7b-beta or HuggingFaceH4/zephyr-7b-alpha"),
    ],
)
def test_a_search_that_finds_nothing_is_an_error(run, words, fix):
    outcome = run("models", "--search", words)
    assert outcome.status == 2
    assert f"error: --search '{words}': is in no id of the catalogue. {fix}" in outcome.err


def test_an_instance_is_shown_with_its_gpus_and_price(run):
    cells = row(run, "instances", "ml.g5.12xlarge").split()
    assert " ".join(cells[1:]) == "4 × A10G 22 GiB 8.6 48 192 3800 7.090 5,176"
    assert row(run, "instances", "ml.g4dn.4xlarge").split()[-2:] == ["~1.505", "~1,099"]
    assert row(run, "instances", "ml.p5e.48xlarge").split()[-2:] == ["-", "-"]


def test_an_image_is_shown_with_its_cuda_and_regions(run):
    cells = row(run, "images", "3.3.6").split()
    tag = "2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
    assert cells[1:] == ["12.4", "45", f"huggingface-pytorch-tgi-inference:{tag}"]


def test_an_image_without_cuda_has_none(run):
    out = run("images", "--engine", "tgi-neuron").out
    newest = next(line.split() for line in out.splitlines() if line.startswith("0.3.0"))
    assert newest[1:3] == ["-", "45"]
    assert {one["cuda"] for one in json.loads(run("images", "--engine", "tgi-neuron", "--json").out)} == {None}


def test_json_rows_have_their_source_and_date(run):
    for command in ("models", "instances"):
        assert all(row["source"] and row["date"] for row in json.loads(run(command, "--json").out))


def test_titles_are_bold_on_a_terminal(run, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    assert run("images", is_terminal=True).out.startswith("\x1b[1mTGI ")
    assert run("images").out.startswith("TGI ")
