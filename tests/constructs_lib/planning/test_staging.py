"""What may be copied at a deployment, and the job that does it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from constructs_lib._weights_copier import DEFAULT_EXCLUDE, DEFAULT_INCLUDE, read_request
from constructs_lib.planning.staging import (
    StagedFiles,
    bucket_warning,
    plan_staging,
    staging_problems,
    staging_warnings,
)
from constructs_lib.planning.validation.unknown import UNKNOWN

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
FILES = StagedFiles(repository=LLAMA, revision=COMMIT)
GB = 10**9


def problems(**changes: Any) -> list[str]:
    return [str(found) for found in staging_problems(replace(FILES, **changes))]


@pytest.mark.parametrize(
    ("size", "compute_type", "minutes"),
    [
        (None, "BUILD_GENERAL1_SMALL", 240),
        (1 * GB, "BUILD_GENERAL1_SMALL", 30),
        (29 * GB, "BUILD_GENERAL1_SMALL", 30),
        (30 * GB, "BUILD_GENERAL1_MEDIUM", 30),
        (141 * GB, "BUILD_GENERAL1_MEDIUM", 118),
        (800 * GB, "BUILD_GENERAL1_MEDIUM", 667),
        (2000 * GB, "BUILD_GENERAL1_MEDIUM", 690),
    ],
)
def test_the_job_is_as_large_and_as_long_as_the_weights(size: int | None, compute_type: str, minutes: int) -> None:
    plan = plan_staging(size)
    assert (plan.compute_type, plan.build_minutes) == (compute_type, minutes)
    assert plan.wait_seconds == 60 * (minutes + 20 + 10)


def test_cloudformation_never_waits_longer_than_it_can_and_never_less_than_the_job() -> None:
    for gigabytes in (1, 50, 500, 900, 5000):
        plan = plan_staging(gigabytes * GB)
        assert 60 * (plan.build_minutes + plan.queue_minutes) < plan.wait_seconds <= 43_200


def test_the_request_is_one_that_the_copier_reads() -> None:
    files = replace(FILES, prefix="/weights/", trust_remote_code=True, pickles=True)
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub"
    request = read_request(files.request("team-weights", arn))
    assert request.repository == LLAMA
    assert request.revision == COMMIT
    assert request.bucket == "team-weights"
    assert request.prefix == "weights/"
    assert request.token_secret == arn
    assert request.hub == "https://huggingface.co"
    assert request.include == (*DEFAULT_INCLUDE, "*.py", "*.bin", "*.pt", "*.pth")
    assert request.exclude == DEFAULT_EXCLUDE
    assert request.places == files.places


def test_the_request_names_no_token_where_there_is_none() -> None:
    assert json.loads(FILES.request("team-weights", None))["token_secret"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"revision": "1" * 40},
        {"repository": "meta-llama/Llama-3.1-70B-Instruct"},
        {"prefix": "a"},
        {"include": ["*.safetensors"]},
        {"exclude": []},
        {"trust_remote_code": True},
        {"pickles": True},
    ],
)
def test_what_is_copied_and_where_to_changes_the_digest(changes: dict[str, Any]) -> None:
    assert replace(FILES, **changes).digest("team-weights") != FILES.digest("team-weights")


def test_another_bucket_changes_the_digest_but_a_mirror_of_the_hub_does_not() -> None:
    # What a mirror has of a commit is the same, and its removal must not delete what the new one reads.
    assert FILES.digest("other") != FILES.digest("team-weights")
    assert replace(FILES, hub="https://hub.example.com").digest("team-weights") == FILES.digest("team-weights")
    assert replace(FILES, include=DEFAULT_INCLUDE[::-1]).digest("team-weights") == FILES.digest("team-weights")


def test_other_default_patterns_change_the_digest_although_they_keep_the_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = FILES.digest("team-weights")
    monkeypatch.setattr(StagedFiles, "places", FILES.places)
    monkeypatch.setattr("constructs_lib.planning.staging.DEFAULT_INCLUDE", (*DEFAULT_INCLUDE, "*.yaml"))
    assert FILES.digest("team-weights") != before


@pytest.mark.parametrize("revision", ["main", "v1.0", "refs/pr/7", COMMIT[:7], COMMIT + "0", 7, None])
def test_a_branch_or_tag_is_refused_with_the_command_that_finds_its_commit(revision: object) -> None:
    assert problems(revision=revision) == [
        (
            f"model.revision={revision!r}: must be a commit, 40 hexadecimal digits: a branch or a tag may be another"
            f" commit at the next deployment. Find the commit with `tgi-endpoint models pin {LLAMA}`."
        )
    ]


def test_a_commit_in_upper_case_is_refused_with_the_right_one() -> None:
    assert problems(revision=COMMIT.upper()) == [
        f"model.revision={COMMIT.upper()!r}: must be in lower case. Write {COMMIT!r}."
    ]


def test_all_mistakes_are_told_together() -> None:
    found = problems(
        repository="https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct",
        revision="main",
        prefix="a//b",
        hub="http://hub.example.com",
        include="*.safetensors",
        exclude=["", 7],
        trust_remote_code="yes",
        pickles=1,
    )
    assert [one.partition("=")[0] for one in found] == [
        "model",
        "model.revision",
        "model.prefix",
        "model.hub",
        "model.include",
        "model.exclude",
        "model.exclude",
        "model.trust_remote_code",
        "model.pickles",
    ]
    assert found[2] == (
        "model.prefix='a//b': must be a folder: names of letters, digits and !_.'()=+@,- with slashes between them, up"
        " to 511 characters. Write 'weights/llama', or leave it out."
    )
    assert found[4] == (
        "model.include='*.safetensors': must be a list of patterns, not str. Write patterns as ['*.safetensors',"
        " '*.json'], or leave it out."
    )


def test_nothing_to_include_is_refused_and_nothing_to_exclude_is_not() -> None:
    assert problems(include=[]) == [
        "model.include=[]: must have a pattern. Write patterns as ['*.safetensors', '*.json'], or leave it out."
    ]
    assert problems(exclude=[]) == []


@pytest.mark.parametrize("name", ["repository", "revision", "prefix", "hub"])
def test_what_only_the_deployment_knows_is_refused(name: str) -> None:
    keyword = "model" if name == "repository" else f"model.{name}"
    assert problems(**{name: UNKNOWN}) == [
        (
            f"{keyword}=(known at deployment): must be known at synth: what is copied and waited for is worked out"
            " from it. Write it as text."
        )
    ]


def test_a_right_choice_has_neither_problem_nor_warning() -> None:
    assert problems(prefix="a/b", include=["*.safetensors", "*.json"], hub="https://hub.example.com") == []
    assert list(staging_warnings(FILES, 16 * GB, "eu-west-1")) == []


def test_pickles_are_a_warning() -> None:
    (found,) = staging_warnings(replace(FILES, pickles=True), None, None)
    assert (found.id, found.message) == (
        "tgi-endpoint:picklesStaged",
        (
            f"The copy of {LLAMA} includes pickled weights, which can run code when a container reads them. Leave"
            " pickles out if the repository has safetensors."
        ),
    )


def test_weights_that_may_take_longer_than_a_deployment_can_wait_are_a_warning() -> None:
    (found,) = staging_warnings(FILES, 1000 * GB, "eu-west-1")
    assert (found.id, found.message) == (
        "tgi-endpoint:longStaging",
        (
            f"{LLAMA} has 1000 GB, which take longer than the 690 minutes that a deployment can wait if the hub sends"
            f" less than 24 MB/s. Copy them before with `tgi-endpoint stage {LLAMA} --revision {COMMIT}`; the"
            " deployment then finds them."
        ),
    )


def test_a_region_that_does_not_reach_the_hub_is_a_warning_without_a_mirror() -> None:
    (found,) = staging_warnings(FILES, None, "cn-north-1")
    assert (found.id, found.message) == (
        "tgi-endpoint:hubUnreachable",
        (
            f"The job copies {LLAMA} from the Hugging Face hub, but in cn-north-1 the hub is usually blocked. Name a"
            f" mirror with hub=…, or copy it from elsewhere with `tgi-endpoint stage {LLAMA} --revision {COMMIT}`."
        ),
    )
    assert list(staging_warnings(replace(FILES, hub="https://hub.example.com"), None, "cn-north-1")) == []


def test_a_bucket_beside_the_copy_is_a_warning() -> None:
    found = bucket_warning(LLAMA, "Stack/Weights")
    assert (found.id, found.message) == (
        "tgi-endpoint:bucketBesideCopy",
        (
            f"Stack/Weights is created by the stack that copies {LLAMA} into it. If the first deployment fails,"
            " CloudFormation deletes it, or leaves it behind under a name that the next one does not know, and what was"
            " copied is copied again. Create the bucket in a stack of its own, or import one."
        ),
    )
