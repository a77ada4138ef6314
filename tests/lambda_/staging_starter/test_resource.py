"""What CloudFormation and its wait condition are told, for each request of the custom resource."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.session import get_session
from botocore.validate import validate_parameters
from staging_starter import settling, weights

from tests.lambda_.staging_starter.conftest import (
    BUCKET,
    BUILD,
    COMMIT,
    FOLDER,
    MANIFEST,
    REPOSITORY,
    REQUEST,
    SIGNATURE,
    Deployment,
    keys_in,
    put_weights,
    refusal,
)

LIMIT = refusal("AccountLimitExceededException", "Cannot have more than 0 builds in queue for the account")


def test_without_a_manifest_a_build_starts_and_cloudformation_is_answered_at_once(deployment: Deployment) -> None:
    deployment.send()
    assert deployment.answer == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": f"{BUCKET}/{FOLDER}",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/Team/1",
        "RequestId": "request-1",
        "LogicalResourceId": "Weights",
        "Data": {"Build": BUILD, "Weights": ""},
    }
    assert deployment.code_build.started == [
        {
            "projectName": "project",
            "environmentVariablesOverride": [
                {"name": "WAIT_HANDLE_URL", "value": deployment.handle, "type": "PLAINTEXT"},
                {"name": "UNIQUE_ID", "value": "0123456789", "type": "PLAINTEXT"},
            ],
            "idempotencyToken": "request-1",
        }
    ]
    assert deployment.signals == []


def test_the_same_request_again_starts_with_the_same_token(deployment: Deployment) -> None:
    for _ in range(2):
        deployment.send()
    assert [one["idempotencyToken"] for one in deployment.code_build.started] == ["request-1"] * 2


def test_requests_are_those_of_codebuilds_api(deployment: Deployment) -> None:
    deployment.code_build.replies = [LIMIT]
    deployment.send()
    shape = get_session().get_service_model("codebuild").operation_model("StartBuild").input_shape
    assert len(deployment.code_build.started) == 2
    for one in deployment.code_build.started:
        validate_parameters(one, shape)


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_with_the_weights_the_condition_is_told_at_once_and_nothing_starts(
    deployment: Deployment, s3: Any, request_type: str
) -> None:
    put_weights(s3)
    deployment.send(request_type)
    assert deployment.answer["Status"] == "SUCCESS"
    assert deployment.answer["Data"] == {"Build": "", "Weights": "3 files, 0.0 GB"}
    assert deployment.signals == [
        {
            "Status": "SUCCESS",
            "UniqueId": "0123456789",
            "Reason": f"{REPOSITORY} at {COMMIT} is in {BUCKET} already: 3 files, 0.0 GB",
            "Data": "3 files, 0.0 GB",
        }
    ]
    assert deployment.code_build.started == []


def test_what_is_signed_is_sent_as_it_is_without_a_content_type(deployment: Deployment, s3: Any) -> None:
    put_weights(s3)
    deployment.send()
    assert [(path, kind) for path, _, kind in deployment.puts] == [
        (f"/handle%7C1?{SIGNATURE}", ""),
        (f"/response?{SIGNATURE}", ""),
    ]


def remove(s3: Any) -> None:
    s3.delete_object(Bucket=BUCKET, Key=f"{FOLDER}config.json")


def change(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}model.safetensors", Body=b"v" * 2000)


def add(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}extra/", Body=b"")


def garble(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=MANIFEST, Body=b"{")


def replace_by_other(s3: Any) -> None:
    put_weights(s3, replace(REQUEST, include=("*.json",)))
    other = replace(REQUEST, include=("*.json",)).places.manifest
    s3.copy_object(Bucket=BUCKET, Key=MANIFEST, CopySource={"Bucket": BUCKET, "Key": other})


@pytest.mark.parametrize("fault", [remove, change, add, garble, replace_by_other])
def test_weights_that_are_not_as_the_manifest_says_are_copied(deployment: Deployment, s3: Any, fault: Any) -> None:
    put_weights(s3)
    fault(s3)
    deployment.send()
    assert len(deployment.code_build.started) == 1
    assert deployment.signals == []


def test_a_bucket_that_cannot_be_read_is_left_to_the_copy(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise refusal("AccessDenied", "Access Denied")

    monkeypatch.setattr(weights, "_objects", denied)
    monkeypatch.setattr(settling, "SETTLING_SECONDS", 0.0)
    deployment.send()
    assert len(deployment.code_build.started) == 1
    assert deployment.log()[0] == {
        "level": "WARN",
        "cause": "AccessDenied: Access Denied",
        "outcome": "the bucket cannot be read",
    }


def test_weights_are_found_as_soon_as_the_role_is_in_force(
    deployment: Deployment, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither CodeBuild nor the hub can be reached, a copy that starts at once would fail the deployment."""
    put_weights(s3)
    real, refusals = weights._objects, [refusal("AccessDenied", "Access Denied")] * 2

    def settling_down(*arguments: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return real(*arguments)

    monkeypatch.setattr(weights, "_objects", settling_down)
    deployment.send()
    assert deployment.answer["Data"] == {"Build": "", "Weights": "3 files, 0.0 GB"}
    assert deployment.code_build.started == []


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Request": "{}"}, "staging request: repository is missing; revision is missing; bucket is missing"),
        ({}, "CodeBuild does not start the copy: InvalidInputException: Explicitly denied"),
    ],
)
def test_what_could_not_be_created_can_be_deleted(
    deployment: Deployment, properties: dict[str, str], reason: str
) -> None:
    """A rollback that fails as well, for the same reason, would leave a stack that somebody has to repair."""
    deployment.code_build.replies = [refusal("InvalidInputException", "Explicitly denied.")]
    deployment.send(properties=properties)
    assert deployment.answer["Status"] == "FAILED"
    assert deployment.answer["Reason"] == reason
    physical_id = deployment.answer["PhysicalResourceId"]
    assert physical_id == "staged-weights-Weights"
    deployment.puts.clear()
    deployment.code_build.builds = [deployment.build("IN_PROGRESS")]
    deployment.code_build.replies = [refusal("AccessDeniedException", "Explicitly denied.")]
    deployment.send("Delete", properties=properties, PhysicalResourceId=physical_id)
    assert (deployment.answer["Status"], deployment.answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert deployment.code_build.stopped == []


def test_an_update_that_fails_keeps_the_id_of_what_there_was(deployment: Deployment) -> None:
    before = {"Handle": deployment.handle, "Request": json.dumps(replace(REQUEST, bucket="before").to_json())}
    deployment.send("Update", OldResourceProperties=before, PhysicalResourceId="before/models/")
    assert (deployment.answer["Status"], deployment.answer["PhysicalResourceId"]) == ("FAILED", "before/models/")


def test_an_account_without_builds_of_the_size_is_asked_once_more_for_the_smallest(deployment: Deployment) -> None:
    deployment.code_build.replies = [LIMIT]
    deployment.send()
    assert deployment.answer["Status"] == "SUCCESS"
    first, second = deployment.code_build.started
    assert "computeTypeOverride" not in first
    assert (second["computeTypeOverride"], second["idempotencyToken"]) == ("BUILD_GENERAL1_SMALL", "request-1-s")


@pytest.mark.parametrize(
    ("compute_type", "names"),
    [("BUILD_GENERAL1_MEDIUM", "Linux/Small or Linux/Medium"), ("BUILD_GENERAL1_SMALL", "Linux/Small")],
)
def test_an_account_without_any_builds_fails_with_the_name_of_the_quota(
    deployment: Deployment, compute_type: str, names: str
) -> None:
    deployment.code_build.replies = [LIMIT, LIMIT]
    deployment.send(properties={"ComputeType": compute_type})
    assert deployment.answer["Status"] == "FAILED"
    assert deployment.answer["Reason"] == (
        "CodeBuild allows no build now (Cannot have more than 0 builds in queue for the account): raise its quota"
        f" Concurrently running builds for {names} environment, or run `tgi-endpoint stage` and deploy again"
    )
    assert len(deployment.code_build.started) == 2


@pytest.mark.parametrize(
    "error",
    [
        refusal("AccessDeniedException", "User is not authorized to perform: codebuild:StartBuild"),
        refusal("InvalidInputException", "CodeBuild is not authorized to perform: sts:AssumeRole on service role."),
    ],
)
def test_a_role_that_is_not_in_force_yet_is_waited_for(deployment: Deployment, error: Exception) -> None:
    deployment.code_build.replies = [error, error]
    deployment.send()
    assert deployment.answer["Status"] == "SUCCESS"
    assert len(deployment.code_build.started) == 3


def test_a_role_that_is_not_in_force_for_long_fails(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "SETTLING_SECONDS", 0.0)
    deployment.code_build.replies = [refusal("AccessDeniedException", "Not authorized.")]
    deployment.send()
    assert deployment.answer["Reason"] == ("CodeBuild does not start the copy: AccessDeniedException: Not authorized")


def test_an_update_to_another_bucket_under_the_same_condition_fails_unless_the_weights_are_there(
    deployment: Deployment, s3: Any
) -> None:
    old = {"Handle": deployment.handle, "Request": json.dumps(replace(REQUEST, bucket="before").to_json())}
    deployment.send("Update", OldResourceProperties=old)
    assert deployment.answer["Reason"] == (
        f"{REPOSITORY} is not in {BUCKET}, and this update cannot wait for a copy: its condition has waited already."
        f" First run `tgi-endpoint stage {REPOSITORY} --revision {COMMIT} --bucket {BUCKET}`"
    )
    assert deployment.code_build.started == []
    deployment.puts.clear()
    put_weights(s3)
    deployment.send("Update", OldResourceProperties=old)
    assert deployment.answer["Status"] == "SUCCESS"


def test_an_update_of_something_else_copies_weights_again_that_have_been_deleted(deployment: Deployment) -> None:
    request = json.dumps(REQUEST.to_json())
    deployment.send("Update", OldResourceProperties={"Handle": deployment.handle, "Request": request})
    assert deployment.answer["Status"] == "SUCCESS"
    assert len(deployment.code_build.started) == 1


def test_deleting_stops_the_build_of_this_copy_and_keeps_the_weights(deployment: Deployment, s3: Any) -> None:
    put_weights(s3)
    before = keys_in(s3)
    deployment.code_build.builds = [
        deployment.build("SUCCEEDED", "project:1"),
        deployment.build("IN_PROGRESS", "project:2"),
        deployment.build("IN_PROGRESS", "project:3", variables={"STAGING_REQUEST": "{}"}),
    ]
    deployment.send("Delete")
    assert deployment.code_build.stopped == ["project:2"]
    assert deployment.answer["Status"] == "SUCCESS"
    assert deployment.answer["Data"] == {"Stopped": "1", "Deleted": "0"}
    assert keys_in(s3) == before


def test_deleting_succeeds_without_the_project(deployment: Deployment) -> None:
    deployment.code_build.missing = True
    deployment.send("Delete")
    assert deployment.answer["Status"] == "SUCCESS"


def test_a_build_that_cannot_be_stopped_fails_the_deletion(deployment: Deployment) -> None:
    deployment.code_build.builds = [deployment.build("IN_PROGRESS")]
    deployment.code_build.replies = [refusal("AccessDeniedException", "Not authorized.")]
    deployment.send("Delete")
    assert deployment.answer["Reason"] == "the copy cannot be stopped: AccessDeniedException: Not authorized"


def test_deleting_deletes_what_the_manifest_lists_and_nothing_else_if_asked_for(
    deployment: Deployment, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_weights(s3)
    others = {f"{FOLDER}of-somebody-else", f"models/{REPOSITORY}/other/config.json", "manifests/other.json"}
    for key in others:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    monkeypatch.setattr(weights, "_KEYS_PER_CALL", 2)
    deployment.send("Delete", properties={"Deletes": "true"})
    assert deployment.answer["Data"] == {"Stopped": "0", "Deleted": "3"}
    assert keys_in(s3) == others


def test_without_a_manifest_deleting_deletes_nothing(deployment: Deployment, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}config.json", Body=b"{}")
    deployment.send("Delete", properties={"Deletes": "true"})
    assert deployment.answer["Data"] == {"Stopped": "0", "Deleted": "0"}
    assert keys_in(s3) == {f"{FOLDER}config.json"}


def test_the_manifest_is_deleted_first(deployment: Deployment, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put_weights(s3)

    class Denying:
        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def delete_objects(self, **_: Any) -> dict[str, Any]:
            return {"Errors": [{"Key": f"{FOLDER}config.json", "Message": "Access Denied"}]}

    monkeypatch.setattr(weights, "client", lambda _: Denying(s3))
    deployment.send("Delete", properties={"Deletes": "true"})
    assert deployment.answer["Reason"] == (
        f"weights cannot be deleted from {BUCKET}/{FOLDER}: {FOLDER}config.json: Access Denied"
    )
    assert MANIFEST not in keys_in(s3)


@pytest.mark.parametrize(
    "event",
    [{"ResourceProperties": None}, {"ResourceProperties": {"Request": "{}"}}, {"RequestId": None}],
)
def test_whatever_happens_cloudformation_is_answered_and_nothing_secret_is_logged(
    deployment: Deployment, event: dict[str, Any]
) -> None:
    deployment.send(**({"properties": {"Request": "{}"}} if "ResourceProperties" in event else {}), **event)
    assert deployment.answer["Status"] in ("FAILED", "SUCCESS")
    assert SIGNATURE not in deployment.capsys.readouterr().out


def test_a_service_that_does_not_answer_is_no_defect(deployment: Deployment) -> None:
    deployment.code_build.replies = [ConnectTimeoutError(endpoint_url="https://codebuild.eu-west-1.amazonaws.com/")]
    deployment.send()
    assert deployment.answer["Reason"] == (
        'AWS does not answer: Connect timeout on endpoint URL: "https://codebuild.eu-west-1.amazonaws.com/";'
        " deploy again"
    )


def test_a_defect_is_named_by_its_place_without_what_it_says(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError(f"https://s3/?{SIGNATURE}")

    monkeypatch.setattr("staging_starter.resource.start_build", broken)
    deployment.send()
    assert deployment.answer["Status"] == "FAILED"
    assert deployment.answer["Reason"].startswith(
        "The starter of the copy itself failed: KeyError at test_resource.py:"
    )
    assert SIGNATURE not in deployment.capsys.readouterr().out
