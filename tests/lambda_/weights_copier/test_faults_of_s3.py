"""What goes wrong between the copier and S3, and what whoever deploys reads."""

import base64
import io
import json
import zlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from weights_copier.upload import MAX_PARTS, Flow

from tests.lambda_.weights_copier.conftest import FILES, STAGED, WEIGHTS, Cloud, Copier

FILE = "model.safetensors"


def refuse(cloud: Cloud, operation: str, status: int, code: str, message: str = "", times: int | None = None) -> list:
    """Let S3 refuse calls of an operation before they are sent; the list grows with each."""
    refused: list[str] = []

    def answer(request, **_: object) -> AWSResponse | None:
        if times is not None and len(refused) >= times:
            return None
        refused.append(request.url)
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        raw = io.BytesIO(body)
        raw.stream = lambda **_: iter([body])  # type: ignore[attr-defined]
        return AWSResponse(request.url, status, {"content-type": "application/xml"}, raw)

    cloud.client.meta.events.register_first(f"before-send.s3.{operation}", answer)
    return refused


@pytest.fixture(autouse=True)
def _no_waits_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.mark.parametrize("operation", ["UploadPart", "PutObject", "CompleteMultipartUpload", "ListObjectsV2"])
def test_s3_may_ask_to_slow_down(copier: Copier, cloud: Cloud, operation: str) -> None:
    refused = refuse(cloud, operation, 503, "SlowDown", "Please reduce your request rate.", times=2)
    copier.run()
    assert len(refused) == 2
    assert {path: cloud.read(copier.folder + path) for path in STAGED} == {path: FILES[path] for path in STAGED}


def test_s3_that_is_busy_for_ever_ends_the_copy_and_leaves_no_parts(copier: Copier, cloud: Cloud) -> None:
    refuse(cloud, "UploadPart", 503, "SlowDown", "Please reduce your request rate.")
    assert copier.fail() == (
        f"S3 is busy (SlowDown) and did not let the job write s3://{cloud.name}/{copier.folder}{FILE};"
        " start it again to go on"
    )
    assert cloud.uploads == []
    assert copier.manifest not in cloud.keys
    assert json.loads(cloud.read(copier.lock))["state"] == "released"


def test_a_key_that_the_role_may_not_use_is_named(copier: Copier, cloud: Cloud) -> None:
    said = (
        "User: arn:aws:sts::123456789012:assumed-role/Copier/AWSCodeBuild is not authorized to perform:"
        " kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    )
    refuse(cloud, "CreateMultipartUpload", 403, "AccessDenied", said)
    words = copier.fail()
    assert words.startswith(f"S3 does not let the job write s3://{cloud.name}/{copier.folder}{FILE}: AccessDenied: ")
    assert len(words) == 300
    assert cloud.uploads == []


def test_a_bucket_that_is_not_there_is_named(copier: Copier, cloud: Cloud) -> None:
    cloud.name = "no-such-bucket-here"
    assert copier.fail() == (
        f"S3 does not let the job list s3://no-such-bucket-here/{copier.manifest}: NoSuchBucket:"
        " The specified bucket does not exist"
    )


def test_objects_are_encrypted_with_the_key_of_the_request(copier: Copier, cloud: Cloud) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    copier.run(kms_key=key)
    for name in cloud.keys:
        found = cloud.client.head_object(Bucket=cloud.name, Key=name)
        assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key), name


def test_what_does_not_belong_to_the_commit_is_refused_before_anything_is_copied(copier: Copier, cloud: Cloud) -> None:
    cloud.put(copier.folder + "pytorch_model.bin", b"a pickle")
    cloud.put(copier.folder + "zzz")
    assert copier.fail() == (
        f"s3://{cloud.name}/{copier.folder}pytorch_model.bin and 1 more does not belong to the commit; remove it, or"
        " take another prefix"
    )
    assert not [request for request in copier.hub.received if request.on == "cdn"]
    assert copier.manifest not in cloud.keys


def test_what_appears_while_files_are_copied_keeps_the_manifest_away(copier: Copier, cloud: Cloud) -> None:
    def appear(**_: object) -> None:
        cloud.put(copier.folder + "late.json")

    cloud.client.meta.events.register_first("before-send.s3.CompleteMultipartUpload", appear)
    assert copier.fail().startswith(f"s3://{cloud.name}/{copier.folder}late.json does not belong to the commit")
    assert copier.manifest not in cloud.keys


@pytest.mark.parametrize("change", ["delete", "overwrite"])
def test_a_file_that_changes_while_others_are_copied_keeps_the_manifest_away(
    copier: Copier, cloud: Cloud, change: str
) -> None:
    key = f"{copier.folder}config.json"

    def happen(**_: object) -> None:
        if change == "overwrite":
            cloud.put(key, b"something else")
        else:
            cloud.client.delete_object(Bucket=cloud.name, Key=key)

    cloud.client.meta.events.register_first("before-send.s3.CompleteMultipartUpload", happen)
    assert copier.fail() == (
        f"s3://{cloud.name}/{key} was deleted or overwritten while files were copied; start it again to go on"
    )
    assert copier.manifest not in cloud.keys


def test_an_upload_that_somebody_else_has_aborted_is_not_taken_for_a_refusal(copier: Copier, cloud: Cloud) -> None:
    refuse(cloud, "UploadPart", 404, "NoSuchUpload", "The specified upload does not exist.")
    assert copier.fail() == (
        f"the upload of s3://{cloud.name}/{copier.folder}{FILE} was aborted by somebody else, such as a job that took"
        " over; start it again to go on"
    )


def test_an_answer_of_s3_that_was_lost_loses_no_file(copier: Copier, cloud: Cloud) -> None:
    """botocore sends the request again then, and S3 may say that there is no such upload any more."""
    original = cloud.client.complete_multipart_upload

    def complete(**about: object) -> None:
        original(**about)
        raise ClientError({"Error": {"Code": "NoSuchUpload", "Message": "No such upload."}}, "CompleteMultipartUpload")

    cloud.client.complete_multipart_upload = complete
    assert copier.run().files == len(STAGED)
    listed = {one["Key"]: one["ETag"] for one in cloud.client.list_objects_v2(Bucket=cloud.name)["Contents"]}
    files = json.loads(cloud.read(copier.manifest))["files"]
    assert {file["path"]: listed[copier.folder + file["path"]] for file in files} == {
        file["path"]: file["etag"] for file in files
    }


def test_an_upload_that_cannot_be_aborted_does_not_hide_why_it_was_to_be(copier: Copier, cloud: Cloud) -> None:
    refuse(cloud, "UploadPart", 403, "AccessDenied", "Not this part.")
    refuse(cloud, "AbortMultipartUpload", 403, "AccessDenied", "Nor this.")
    assert copier.fail().endswith(": AccessDenied: Not this part.")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content | {"include": ["*.bin"]},
        lambda content: content | {"revision": "0" * 40},
        lambda content: content | {"version": 2},
        lambda content: content | {"files": content["files"][1:]},
        lambda content: [],
    ],
)
def test_a_manifest_of_something_else_does_not_count(copier: Copier, cloud: Cloud, change: Callable) -> None:
    copier.run()
    right = json.loads(cloud.read(copier.manifest))
    cloud.put(copier.manifest, json.dumps(change(right)).encode())
    assert copier.run().copied_bytes == 0
    found = json.loads(cloud.read(copier.manifest))
    assert found | {"written": ""} == right | {"written": ""}


def test_parts_that_an_earlier_job_left_behind_are_aborted(copier: Copier, cloud: Cloud) -> None:
    cloud.client.create_multipart_upload(Bucket=cloud.name, Key=copier.folder + FILE)
    cloud.client.create_multipart_upload(Bucket=cloud.name, Key="models/team/other")
    copier.run()
    assert cloud.uploads == ["models/team/other"]
    assert "aborted 1 uploads that an earlier job had left behind" in copier.lines


def test_parts_grow_with_the_file_so_that_they_are_never_too_many() -> None:
    flow = Flow()
    assert flow.part_of(1) == flow.part_of(50 * 10**9) == 64 * 2**20
    assert flow.part_of(5 * 10**12) == 555_555_556
    assert -(-5 * 10**12 // flow.part_of(5 * 10**12)) == MAX_PARTS


def test_s3_is_asked_to_compare_the_whole_object(copier: Copier, cloud: Cloud) -> None:
    seen: dict[str, dict[str, object]] = {}

    def see(params: dict[str, object], model: object, **_: object) -> None:
        seen.setdefault(model.name, params)  # type: ignore[attr-defined]

    for operation in ("CreateMultipartUpload", "CompleteMultipartUpload", "PutObject"):
        cloud.client.meta.events.register(f"provide-client-params.s3.{operation}", see)
    copier.run()
    assert seen["CreateMultipartUpload"]["ChecksumType"] == "FULL_OBJECT"
    completed = seen["CompleteMultipartUpload"]
    assert completed["MpuObjectSize"] == len(WEIGHTS)
    assert completed["ChecksumCRC32"] == crc32_of(WEIGHTS)
    assert "ChecksumSHA256" in seen["PutObject"]


def crc32_of(content: bytes) -> str:
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
