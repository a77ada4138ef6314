"""Which stacks of the app copy their weights, by its context."""

from __future__ import annotations

import json

import pytest
from aws_cdk import Environment

from stacks.staged import Staged, read_staged
from tests.stacks.test_app import built

COMMIT, OTHER = "a" * 40, "b" * 40
EXAMPLE = "Write -c staged=LlamaTgiStack=<commit> -c staged_bucket=<bucket>."
NAMES = ("LlamaTgiStack", "PhiTgiStack")
KEY = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"


def test_no_stack_does_by_default() -> None:
    assert read_staged(None, None, None, names=NAMES) == {}


@pytest.mark.parametrize(
    "staged",
    [f"LlamaTgiStack={COMMIT}, PhiTgiStack={OTHER}", {"LlamaTgiStack": COMMIT, "PhiTgiStack": OTHER}],
)
def test_each_stack_has_a_commit_and_all_have_the_bucket(staged: object) -> None:
    assert read_staged(staged, "weights", KEY, names=NAMES) == {
        "LlamaTgiStack": Staged(revision=COMMIT, bucket="weights", bucket_key=KEY),
        "PhiTgiStack": Staged(revision=OTHER, bucket="weights", bucket_key=KEY),
    }


@pytest.mark.parametrize(
    ("staged", "bucket", "key", "words"),
    [
        (None, "weights", None, "staged: is required to copy weights."),
        (None, None, KEY, "staged: is required to copy weights."),
        ("LlamaTgiStack=a", None, None, "staged_bucket: is required to copy weights."),
        ("", "weights", None, "staged=: nothing is no stack with a model."),
        (
            f"LamaTgiStack={COMMIT},FrontDoorStack={COMMIT}",
            "weights",
            None,
            (
                f"staged=LamaTgiStack={COMMIT},FrontDoorStack={COMMIT}: LamaTgiStack, FrontDoorStack is no stack with a"
                " model."
            ),
        ),
    ],
)
def test_half_a_context_says_what_is_missing(staged: object, bucket: object, key: object, words: str) -> None:
    with pytest.raises(SystemExit) as raised:
        read_staged(staged, bucket, key, names=NAMES)
    assert str(raised.value) == f"{words} {EXAMPLE}"


@pytest.mark.parametrize(
    ("bucket", "key", "words"),
    [
        ("s3://weights", None, "staged_bucket=s3://weights: is not the name of a bucket. Write its name alone."),
        (
            "weights",
            "alias/weights",
            "staged_bucket_key=alias/weights: is not the ARN of a KMS key, arn:aws:kms:<Region>:<account>:key/<id>.",
        ),
    ],
)
def test_what_names_no_bucket_and_no_key_is_refused(bucket: str, key: str | None, words: str) -> None:
    with pytest.raises(SystemExit) as raised:
        read_staged(f"LlamaTgiStack={COMMIT}", bucket, key, names=NAMES)
    assert str(raised.value) == words


def test_the_app_passes_it_on_to_the_stack_that_is_named_alone() -> None:
    app = built(
        Environment(account="123456789012", region="eu-west-1"),
        nag="off",
        stacks="LlamaTgiStack LlamaVllmStack",
        staged=f"LlamaTgiStack={COMMIT}",
        staged_bucket="weights",
    )
    assembly = app.synth()
    copied = {
        name: json.dumps(assembly.get_stack_by_name(name).template) for name in ("LlamaTgiStack", "LlamaVllmStack")
    }
    assert {name: "Custom::StagedWeights" in text for name, text in copied.items()} == {
        "LlamaTgiStack": True,
        "LlamaVllmStack": False,
    }


def test_a_branch_is_refused_with_the_command_that_finds_its_commit() -> None:
    with pytest.raises(ValueError, match="tgi-endpoint models pin meta-llama/"):
        built(nag="off", staged="LlamaTgiStack=main", staged_bucket="weights")
