"""What the copier asks of S3: nothing beyond the rights of the job's role, and never for a key that may be missing."""

from __future__ import annotations

from typing import Any

import pytest
from weights_copier.lock import LockTimes

from local.hub import WrongBytes
from tests.lambda_.weights_copier.conftest import Cloud, Copier

# The statements of the role, by what each allows on which keys or prefixes.
LISTS = {"ListObjectsV2"}
UPLOADS = {"ListMultipartUploads"}
OBJECTS = {
    "HeadObject",
    "GetObject",
    "PutObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
}


@pytest.fixture
def calls(cloud: Cloud) -> list[tuple[str, dict[str, Any]]]:
    """The calls of S3, each with its parameters."""
    made: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        made.append((model.name, dict(params)))

    cloud.client.meta.events.register("provide-client-params.s3", note)
    return made


def test_every_call_is_one_that_the_role_allows(
    copier: Copier, cloud: Cloud, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    cloud.client.create_multipart_upload(Bucket=cloud.name, Key=copier.folder + "left behind")
    cloud.put(copier.lock, b"{}")
    calls.clear()
    copier.hub.faults.add(WrongBytes(), on="cdn")
    copier.fail(times=LockTimes(renew=0.05, stale=0, poll=0.05))
    copier.run()
    copier.run()
    assert {name for name, _ in calls} == LISTS | UPLOADS | OBJECTS
    for name, params in calls:
        assert params["Bucket"] == cloud.name
        if name in LISTS:
            assert params["Prefix"] in (copier.folder, copier.manifest, copier.lock)
        elif name in UPLOADS:
            assert params["Prefix"] == copier.folder
        else:
            key = params["Key"]
            assert key.startswith(copier.folder) or key in (copier.manifest, copier.lock)


def test_no_object_is_asked_for_that_is_not_there(copier: Copier, cloud: Cloud) -> None:
    """S3 answers 403 then, to a role that may list a few prefixes alone."""
    missing: list[str] = []

    def note(http_response: Any, model: Any, **_: object) -> None:
        if http_response.status_code == 404:
            missing.append(model.name)

    cloud.client.meta.events.register("after-call.s3", note)
    copier.run()
    copier.run()
    assert missing == []
