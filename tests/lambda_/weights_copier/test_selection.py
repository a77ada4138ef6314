"""Which files are copied, and which trees are refused before anything is."""

import json

import pytest
from weights_copier.patterns import DEFAULT_INCLUDE

from tests.lambda_.weights_copier.conftest import Cloud

NOTHING = f"no file of team/other matches {', '.join(DEFAULT_INCLUDE)}"
SINGLE = {"model.safetensors": b"weights"}


def index_of(*shards: str) -> bytes:
    return json.dumps({"weight_map": {f"tensor.{number}": shard for number, shard in enumerate(shards)}}).encode()


SHARDED = {
    "model.safetensors.index.json": index_of("model-1.safetensors", "model-2.safetensors", "model-1.safetensors"),
    "model-1.safetensors": b"one",
    "model-2.safetensors": b"two",
    "consolidated.safetensors": b"one and two",
    "consolidated.safetensors.index.json": b"{}",
    "fp16/model.safetensors": b"one and two in another type",
    "config.json": b"{}",
}


def staged(copier, **request: object) -> list[str]:
    copier.run(**request)
    folder = copier.request(**request).places.folder
    return [key.removeprefix(folder) for key in copier.cloud.keys if key.startswith(folder)]


def test_of_the_safetensors_exactly_those_of_the_index_are_copied(hub_with) -> None:
    assert staged(hub_with(SHARDED)) == [
        "config.json",
        "model-1.safetensors",
        "model-2.safetensors",
        "model.safetensors.index.json",
    ]


def test_mistrals_own_format_is_left_out_beside_transformers(hub_with) -> None:
    files = SINGLE | {"consolidated.safetensors": b"the same", "params.json": b"{}"}
    assert staged(hub_with(files)) == ["model.safetensors", "params.json"]


def test_mistrals_own_format_is_copied_where_there_is_no_other(hub_with) -> None:
    assert staged(hub_with({"consolidated.safetensors": b"weights"})) == ["consolidated.safetensors"]


def test_neither_pickles_nor_code_nor_pictures_are_copied(hub_with) -> None:
    files = SINGLE | dict.fromkeys(
        ["pytorch_model.bin", "a.pt", "b.pth", "training_args.bin", "tokenizer.pkl", "modeling.py", "a.gguf", "c.onnx",
         "original/consolidated.00.pth", "original/params.json", "picture.png", ".gitattributes"],
        b"x",
    )  # fmt: skip
    wanted = dict.fromkeys(
        ["LICENSE", "chat_template.jinja", "merges.txt", "qwen.tiktoken", "spiece.model", "tokenizer.model.v3"], b"x"
    )
    assert staged(hub_with(files | wanted)) == sorted([*wanted, *SINGLE])


def test_pickles_are_copied_if_they_are_asked_for(hub_with) -> None:
    copier = hub_with({"pytorch_model.bin": b"weights", "config.json": b"{}", "other.bin": b""})
    patterns = {"include": ("pytorch_model*.bin", "*.json"), "exclude": ("other/",)}
    assert staged(copier, **patterns) == ["config.json", "pytorch_model.bin"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"pytorch_model.bin": b"weights", "config.json": b"{}"},
            "no safetensors in team/other; to copy its other weights, name them among the files to include",
        ),
        (
            {"pytorch_model.bin": b"weights"},
            NOTHING,
        ),
        ({}, NOTHING),
        (
            SINGLE | {"model.safetensors.index.json": b'{"weight_map": []}'},
            "model.safetensors.index.json has no weight_map, so it does not say which files belong to the model",
        ),
        (SINGLE | {"../evil.json": b""}, "SageMaker refuses the file name '../evil.json': a part of it is . or .."),
        (SINGLE | {"a/./b.json": b""}, "SageMaker refuses the file name 'a/./b.json': a part of it is . or .."),
        (SINGLE | {"/etc/x.json": b""}, "SageMaker refuses the file name '/etc/x.json': a part of it is blank"),
        (SINGLE | {"a/ /x.json": b""}, "SageMaker refuses the file name 'a/ /x.json': a part of it is blank"),
        (SINGLE | {"a\0.json": b""}, "SageMaker refuses the file name 'a\\x00.json': it has a control character"),
        (SINGLE | {"a.json": b"", "a.json/b.json": b""}, "SageMaker refuses 'a.json': it is a file and a folder"),
        (
            SINGLE | {"é" * 126 + ".json": b""},
            f"SageMaker refuses the file name '{'é' * 126}.json': a part of it has more than 255 bytes",
        ),
    ],
)  # fmt: skip
def test_a_tree_that_nothing_can_serve_is_refused_before_anything_is_written(
    hub_with, cloud: Cloud, files: dict[str, bytes], words: str
) -> None:
    assert hub_with(files).fail() == words
    assert cloud.keys == []


def test_a_key_that_s3_refuses_is_named(hub_with) -> None:
    long = "/".join(["a" * 250] * 4) + ".json"
    words = hub_with(SINGLE | {long: b""}).fail()
    assert words.startswith("S3 refuses the key 'aaaa")


def test_an_index_that_names_a_missing_file_is_refused(hub_with) -> None:
    files = {name: content for name, content in SHARDED.items() if name != "model-2.safetensors"}
    copier = hub_with(files)
    assert copier.fail() == (
        "team/other: model.safetensors.index.json names model-2.safetensors, which commit"
        f" {copier.repository.commit} lacks"
    )


def test_an_index_that_names_a_file_which_the_patterns_leave_out_is_refused(hub_with) -> None:
    assert hub_with(SHARDED).fail(exclude=("model-2*",)) == (
        "team/other: model.safetensors.index.json names model-2.safetensors, which the patterns leave out"
    )
