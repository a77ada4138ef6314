"""The weights in the bucket: whether a manifest says that they are complete, and what it lists."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from weights_copier.failure import StagingError
from weights_copier.manifest import Entry, read_manifest
from weights_copier.request import StagingRequest

from staging_starter.clients import client, code_of, message_of
from staging_starter.log import log
from staging_starter.settling import call_settled

_KEYS_PER_CALL = 1000


def find_weights(request: StagingRequest) -> str | None:
    """What is there of the weights; None unless the manifest is, and every file as it lists it.

    Args:
        request: What is to be copied.
    """
    s3, folder = client("s3"), request.places.folder

    def read() -> tuple[Mapping[str, Entry] | None, dict[str, tuple[int, str]]]:
        entries = _entries(s3, request)
        return entries, {} if entries is None else _objects(s3, request.bucket, folder)

    try:
        # Not left to the copy at once: where CodeBuild or the hub are out of reach, only what is there is of use.
        entries, objects = call_settled(read, is_new=lambda error: code_of(error) == "AccessDenied")
    except ClientError as error:
        log("WARN", cause=f"{code_of(error)}: {message_of(error)}", outcome="the bucket cannot be read")
        return None
    # SageMaker would download whatever else is in the folder; the copy says so and fails.
    if entries is None or objects != {f"{folder}{path}": (one.size, one.etag) for path, one in entries.items()}:
        return None
    return f"{len(entries)} files, {sum(entry.size for entry in entries.values()) / 1e9:.1f} GB"


def delete_weights(request: StagingRequest) -> int:
    """Delete the manifest, and then the files that it lists and nothing else.

    Args:
        request: What was copied.

    Returns:
        How many files.

    Raises:
        StagingError: Something could not be deleted.
    """
    s3, places = client("s3"), request.places
    try:
        entries = _entries(s3, request)
        if entries is None:
            return 0
        # First, so that nobody takes what is left for complete.
        s3.delete_object(Bucket=request.bucket, Key=places.manifest)
        keys = [f"{places.folder}{path}" for path in entries]
        for begin in range(0, len(keys), _KEYS_PER_CALL):
            objects = [{"Key": key} for key in keys[begin : begin + _KEYS_PER_CALL]]
            answer = s3.delete_objects(Bucket=request.bucket, Delete={"Objects": objects, "Quiet": True})
            if errors := answer.get("Errors"):
                raise StagingError(_left(request, f"{errors[0].get('Key')}: {errors[0].get('Message')}"))
    except ClientError as error:
        raise StagingError(_left(request, f"{code_of(error)}: {message_of(error)}")) from error
    return len(entries)


def _left(request: StagingRequest, cause: str) -> str:
    return f"weights cannot be deleted from {request.bucket}/{request.places.folder}: {cause}"


def _entries(s3: Any, request: StagingRequest) -> Mapping[str, Entry] | None:
    """The files of the manifest by path; None if there is none, or it is not one of these weights."""
    key = request.places.manifest
    # Asked first: S3 denies reading an object that does not exist to a role that may not list the whole bucket.
    if key not in _objects(s3, request.bucket, key):
        return None
    return read_manifest(s3.get_object(Bucket=request.bucket, Key=key)["Body"].read(), request)


def _objects(s3: Any, bucket: str, prefix: str) -> dict[str, tuple[int, str]]:
    """Size and ETag of every object whose key begins with a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {item["Key"]: (item["Size"], item["ETag"]) for page in pages for item in page.get("Contents", [])}
