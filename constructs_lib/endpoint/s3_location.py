"""Where weights are in a bucket, as SageMaker takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib._tokens import is_token
from constructs_lib.planning.models.s3_location import key_problems, prefix_problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_s3 as s3

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.validation.problem import Problem


class S3Folder:
    """Every object below a prefix, each of them a file of the model.

    Args:
        bucket: The bucket, unless the caller gives something else.
        prefix: The folder, with or without slashes around it.
    """

    data_type, compression = "S3Prefix", "None"

    def __init__(self, bucket: s3.IBucket, prefix: str) -> None:
        self.bucket = bucket
        self._given = prefix
        folder = prefix.strip("/") if isinstance(prefix, str) else ""
        self._prefix = f"{folder}/" if folder else ""

    @property
    def uri(self) -> str:
        """What SageMaker reads."""
        return f"s3://{self.bucket.bucket_name}/{self._prefix}"

    def problems(self) -> Iterable[Problem]:
        """What is wrong with the location inside the bucket."""
        return () if is_token(self._given) else prefix_problems(self._given)

    def allow_read(self, role: ExecutionRole) -> None:
        """Allow the role to read exactly this."""
        role.allow_folder_read(self.bucket, self._prefix)


class S3Archive:
    """One object, which SageMaker unpacks.

    Args:
        bucket: The bucket, unless the caller gives something else.
        key: The object.
    """

    data_type, compression = "S3Object", "Gzip"

    def __init__(self, bucket: s3.IBucket, key: str) -> None:
        self.bucket = bucket
        self._key = key

    @property
    def uri(self) -> str:
        """What SageMaker reads."""
        return f"s3://{self.bucket.bucket_name}/{self._key}"

    def problems(self) -> Iterable[Problem]:
        """What is wrong with the location inside the bucket."""
        return () if is_token(self._key) else key_problems(self._key)

    def allow_read(self, role: ExecutionRole) -> None:
        """Allow the role to read exactly this."""
        role.allow_object_read(self.bucket, self._key)
