"""What the copier asks of S3. Every refusal becomes words.

No object is ever deleted, and none that may be missing is asked for: without a right to list the whole bucket, S3
answers 403 for what is not there. Lists of one key or one folder say what is.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from weights_copier.failure import StagingError, one_line

_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")
_BUSY = ("SlowDown", "ServiceUnavailable", "Throttling", "InternalError", "RequestTimeout")


@dataclass(frozen=True)
class Listed:
    """An object in a list.

    Args:
        size: Its bytes.
        etag: Its ETag, which changes with its content.
    """

    size: int
    etag: str


@dataclass(frozen=True)
class Content:
    """A small object.

    Args:
        body: Its bytes.
        etag: Its ETag.
        age: Seconds since it was written, by S3's clock.
    """

    body: bytes
    etag: str
    age: float


class Bucket:
    """A bucket.

    Args:
        client: boto3's client of S3.
        name: Its name.
        kms_key: Key that encrypts new objects. None: what the bucket does by default.
    """

    def __init__(self, client: Any, name: str, kms_key: str | None = None) -> None:
        self.client = client
        self.name = name
        self._encryption: dict[str, Any] = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key, "BucketKeyEnabled": True} if kms_key else {}
        )

    def url(self, key: str) -> str:
        """The s3:// URL of a key."""
        return f"s3://{self.name}/{key}"

    def objects(self, prefix: str) -> dict[str, Listed]:
        """The objects whose keys begin with `prefix`, by key."""
        with self._words("list", prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
            objects = [found for page in pages for found in page.get("Contents", ())]
        return {found["Key"]: Listed(found["Size"], found["ETag"]) for found in objects}

    def has(self, key: str) -> bool:
        """Whether there is an object with this key."""
        return key in self.objects(key)

    def metadata(self, key: str) -> dict[str, str]:
        """What was written beside an object that is there."""
        with self._words("read", key):
            found: dict[str, str] = self.client.head_object(Bucket=self.name, Key=key)["Metadata"]
        return found

    def get(self, key: str) -> Content:
        """The content of a small object that is there."""
        with self._words("read", key):
            found = self.client.get_object(Bucket=self.name, Key=key)
            body = found["Body"].read()
        now = found["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        return Content(body, found["ETag"], _seconds_between(found["LastModified"], now))

    def put(self, key: str, body: bytes | bytearray, metadata: dict[str, str] | None = None) -> str:
        """Write an object, which S3 checks against the SHA-256 of the body; answers with its ETag."""
        with self._words("write", key):
            return self._put(key, body, Metadata=metadata or {})

    def put_if(self, key: str, body: bytes, etag: str | None) -> str | None:
        """Write an object if it is still the one with this ETag, or if there is none yet and `etag` is None.

        Returns:
            The new ETag, or None if another one was there.
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        with self._words("write", key):
            try:
                return self._put(key, body, **condition)
            except ClientError as error:
                # 404: what the condition is about has been deleted meanwhile.
                if _code(error) in (*_TAKEN, "NoSuchKey"):
                    return None
                raise

    def _put(self, key: str, body: bytes | bytearray, **more: Any) -> str:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        written = self.client.put_object(
            Bucket=self.name, Key=key, Body=body, ChecksumSHA256=digest, **self._encryption, **more
        )
        etag: str = written["ETag"]
        return etag

    def abort_uploads(self, folder: str) -> int:
        """Abort every upload below a folder that was begun and not completed; answers how many there were."""
        with self._words("list the uploads of", folder):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.name, Prefix=folder)
            left = [found for page in pages for found in page.get("Uploads", ())]
        for found in left:
            self.abort(found["Key"], found["UploadId"])
        return len(left)

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload; none is fine as well."""
        with self._words("abort the upload of", key):
            try:
                self.client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)
            except ClientError as error:
                if _code(error) != "NoSuchUpload":
                    raise

    def begin(self, key: str, metadata: dict[str, str]) -> str:
        """Begin an upload in parts; answers with its id."""
        with self._words("write", key):
            upload_id: str = self.client.create_multipart_upload(
                Bucket=self.name,
                Key=key,
                Metadata=metadata,
                ChecksumAlgorithm="CRC32",
                ChecksumType="FULL_OBJECT",
                **self._encryption,
            )["UploadId"]
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, body: bytes | bytearray) -> dict[str, Any]:
        """Upload a part, counted from 1; answers with what `complete` needs of it."""
        with self._words("write", key):
            part = self.client.upload_part(
                Bucket=self.name, Key=key, UploadId=upload_id, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32"
            )
        return {"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}

    def complete(
        self, key: str, upload_id: str, parts: list[dict[str, Any]], size: int, crc32: int, metadata: dict[str, str]
    ) -> str:
        """Make the parts an object, if all of them together have this size and CRC-32; answers with its ETag."""
        with self._words("write", key):
            try:
                etag: str = self.client.complete_multipart_upload(
                    Bucket=self.name,
                    Key=key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": parts},
                    ChecksumType="FULL_OBJECT",
                    ChecksumCRC32=base64.b64encode(crc32.to_bytes(4, "big")).decode(),
                    MpuObjectSize=size,
                )["ETag"]
            except ClientError as error:
                if _code(error) != "NoSuchUpload" or (found := self._find(key, size, metadata)) is None:
                    raise
                return found.etag  # S3 had done it already, and its answer was lost
        return etag

    def _find(self, key: str, size: int, metadata: dict[str, str]) -> Listed | None:
        """The object with this key, if it has this size and was written with this metadata."""
        found = self.objects(key).get(key)
        return found if found is not None and found.size == size and self.metadata(key) == metadata else None

    @contextmanager
    def _words(self, action: str, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise StagingError(_refusal(action, self.url(key), error)) from error
        except BotoCoreError as error:
            raise StagingError(f"S3 cannot be reached to {action} {self.url(key)}: {error}") from error


def _refusal(action: str, url: str, error: ClientError) -> str:
    code = _code(error)
    said = one_line(str(error.response.get("Error", {}).get("Message", "")))
    if code in _BUSY:
        return f"S3 is busy ({code}) and did not let the job {action} {url}; start it again to go on"
    if code == "NoSuchUpload":
        return (
            f"the upload of {url} was aborted by somebody else, such as a job that took over; start it again to go on"
        )
    # The reason first: it names the action and the key that the role lacks.
    return f"S3 does not let the job {action} {url}: {code}: {said}"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _seconds_between(written: Any, now: str) -> float:
    return float((parsedate_to_datetime(now) - written).total_seconds()) if now else 0.0
