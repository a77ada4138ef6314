"""The weights in the bucket: whether a manifest says that they are complete, and what it lists."""

import json
from typing import Any

from botocore.exceptions import ClientError
from weights_copier.request import StagingRequest

from staging_starter.clients import client, message_of
from staging_starter.errors import StagingError
from staging_starter.log import log

_KEYS_PER_CALL = 1000


def find_weights(request: StagingRequest) -> str | None:
    """What is there of the weights; None unless the manifest is, and every file that it lists, in its size.

    Args:
        request: What is to be copied.
    """
    s3, folder = client("s3"), request.places.folder
    try:
        manifest = _read_manifest(s3, request)
        sizes = {} if manifest is None else _sizes(s3, request.bucket, folder)
    except ClientError as error:
        # The copy meets it as well if it lasts, and its words are heard; a role needs some seconds to be in force.
        log("WARN", cause=message_of(error), outcome="the bucket could not be read: starting the copy")
        return None
    if manifest is None:
        return None
    files = manifest["files"]
    if any(sizes.get(f"{folder}{file['path']}") != file["size"] for file in files):
        return None
    return f"{len(files)} files, {sum(file['size'] for file in files) / 1e9:.1f} GB"


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
        manifest = _read_manifest(s3, request)
        if manifest is None:
            return 0
        keys = [f"{places.folder}{file['path']}" for file in manifest["files"]]
        # First, so that nobody takes what is left for complete.
        s3.delete_object(Bucket=request.bucket, Key=places.manifest)
        for begin in range(0, len(keys), _KEYS_PER_CALL):
            objects = [{"Key": key} for key in keys[begin : begin + _KEYS_PER_CALL]]
            answer = s3.delete_objects(Bucket=request.bucket, Delete={"Objects": objects, "Quiet": True})
            if errors := answer.get("Errors"):
                raise StagingError(_left_words(request, f"{errors[0].get('Key')}: {errors[0].get('Message')}"))
    except ClientError as error:
        raise StagingError(_left_words(request, message_of(error))) from error
    return len(keys)


def _left_words(request: StagingRequest, cause: str) -> str:
    return f"Weights could not be deleted from {request.bucket}/{request.places.folder}: {cause}."


def _read_manifest(s3: Any, request: StagingRequest) -> dict[str, Any] | None:
    """The manifest; None if there is none, or it is not one of these weights."""
    key = request.places.manifest
    # Asked first: S3 denies reading an object that does not exist to a role that may not list the whole bucket.
    if key not in _sizes(s3, request.bucket, key):
        return None
    body = s3.get_object(Bucket=request.bucket, Key=key)["Body"].read()
    try:
        manifest: dict[str, Any] = json.loads(body)
        is_same = (manifest["repository"], manifest["revision"]) == (request.repository, request.revision)
        is_complete = all(isinstance(file["path"], str) and type(file["size"]) is int for file in manifest["files"])
    except (ValueError, KeyError, TypeError):
        return None
    return manifest if is_same and is_complete else None


def _sizes(s3: Any, bucket: str, prefix: str) -> dict[str, int]:
    """The size of every object whose key begins with a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}
