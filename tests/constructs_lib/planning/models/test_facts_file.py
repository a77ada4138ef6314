"""The file of an app's own models."""

import json
from dataclasses import replace

import pytest

from constructs_lib.planning.models.facts import known_model
from constructs_lib.planning.models.facts_file import ModelFile, ModelFileError, read_model_file, write_model_file

LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")
MIXTRAL = known_model("mistralai/Mixtral-8x7B-Instruct-v0.1")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "models.json"


@pytest.fixture
def refusal(file):
    """The message of the error for a file with that content; a dict changes its only row."""

    def refusal(content):
        if isinstance(content, dict):
            write_model_file(file, ModelFile([LLAMA]))
            whole = json.loads(file.read_text())
            whole["models"][0] |= content
            content = json.dumps(whole)
        file.write_text(content)
        with pytest.raises(ModelFileError) as caught:
            read_model_file(file)
        return str(caught.value)

    return refusal


def test_a_written_file_can_be_read(file):
    write_model_file(file, ModelFile([MIXTRAL, LLAMA]))
    models = read_model_file(file)
    assert list(models.values()) == [LLAMA, MIXTRAL]
    assert models["META-llama/llama-3.1-8B-instruct"] == LLAMA
    assert "some/other" not in models


def test_every_field_survives_the_file(file):
    gptq = {"quantization": "gptq", "bits": 4, "group_size": -1, "act_order": True}
    facts = replace(LLAMA, **gptq, cache_width=192, trained_positions=8192, sliding_window=4096, auto_map=True)
    write_model_file(file, ModelFile([facts]))
    assert list(read_model_file(file).values()) == [facts]


def test_the_file_is_sorted_and_readable(file):
    write_model_file(file, ModelFile([LLAMA]))
    first = file.read_bytes()
    write_model_file(file, read_model_file(file))
    assert file.read_bytes() == first
    assert first.endswith(b"}\n")
    assert json.loads(first)["about"].startswith("Models that python -m constructs_lib models add has read.")
    assert b"experts" not in first, "what is as by default is left out"


def test_a_model_replaces_the_one_of_its_id_whatever_its_case():
    shorter = replace(LLAMA, hub_id=LLAMA.hub_id.lower(), max_positions=4096)
    models = ModelFile([LLAMA, MIXTRAL]).with_model(shorter)
    assert len(models) == 2
    assert models[LLAMA.hub_id] == shorter


def test_a_file_keeps_its_mode_and_no_temporary_file_remains(file, tmp_path):
    write_model_file(file, ModelFile([LLAMA]))
    assert file.stat().st_mode & 0o777 == 0o644
    file.chmod(0o600)
    write_model_file(file, ModelFile([LLAMA]))
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_missing_file_is_named(file):
    with pytest.raises(
        ModelFileError, match=r"models\.json cannot be used\n.*No such file or directory\. Write the file"
    ):
        read_model_file(file)


@pytest.mark.parametrize("content", ["{}", "[]", '{"format": 9, "models": []}', '{"format": 2, "models": {}}'])
def test_another_kind_of_file_is_rejected(refusal, content):
    assert "format=2: is the format that the file must have, with a list 'models'" in refusal(content)


def test_text_that_is_not_json_is_rejected(refusal):
    assert "is not JSON: Expecting value" in refusal("nonsense")


def test_everything_that_is_wrong_is_reported_together(refusal):
    words = refusal({"layers": 0, "heads": "32", "alibi": 1, "gating": "maybe", "experts": None, "licence": 7})
    for keyword in ("layers=0", "heads='32'", "alibi=1", "gating='maybe'", "experts=None", "licence=7"):
        assert f"models[0].{keyword}: must be" in words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weight_bytes": 0}, "models[0].weight_bytes=0: must be a whole number above 0, or null"),
        ({"vocabulary": "x"}, "models[0].vocabulary='x': must be a whole number above 0, or null"),
        ({"group_size": 0}, "models[0].group_size=0: must be from 1 to"),
        ({"bits": "4"}, "models[0].bits='4': must be a whole number above 0, or null"),
        ({"intermediate": 1.5}, "models[0].intermediate=1.5: must be a whole number above 0, or null"),
        ({"tied_embeddings": "no"}, "models[0].tied_embeddings='no': must be true or false"),
        ({"checkpoint_dtype": "int4"}, "models[0].checkpoint_dtype='int4': must be one of"),
        ({"wings": 2}, "models[0].wings=2: is unknown. Remove it."),
    ],
)
def test_a_wrong_field_is_reported_with_what_is_right(refusal, change, words):
    assert words in refusal(change)


def test_a_missing_field_is_reported(refusal):
    assert "models[0].layers=None: is missing" in refusal('{"format": 2, "models": [{"hub_id": "a/b"}]}')


def test_a_row_that_is_not_an_object_is_reported(refusal):
    assert "models[0]=3: must be an object" in refusal('{"format": 2, "models": [3]}')
