"""Reads the contexts `staged`, `staged_bucket` and `staged_bucket_key`: which stacks copy weights into a bucket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib._weights_copier import is_bucket

if TYPE_CHECKING:
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

_KEY = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
_EXAMPLE = "-c staged=LlamaTgiStack=<commit> -c staged_bucket=<bucket>"


@dataclass(frozen=True, kw_only=True)
class Staged:
    """Where a stack copies the weights of its model to, and of which commit.

    Args:
        revision: The commit, 40 hexadecimal digits.
        bucket: A bucket of another stack, or the name of one that exists in the stack's Region.
        bucket_key: ARN of the KMS key that the bucket encrypts with. Default: none, or a key of AWS's.
    """

    revision: str
    bucket: str | s3.IBucket
    bucket_key: str | None = None

    def import_bucket(self, scope: Construct) -> s3.IBucket:
        """The bucket.

        Args:
            scope: The stack.
        """
        if not isinstance(self.bucket, str):
            return self.bucket
        # Imported here, as it costs time and few stacks copy weights.
        from aws_cdk import aws_kms as kms
        from aws_cdk import aws_s3 as s3

        key = kms.Key.from_key_arn(scope, "WeightsKey", self.bucket_key) if self.bucket_key else None
        return s3.Bucket.from_bucket_attributes(scope, "Weights", bucket_name=self.bucket, encryption_key=key)


def read_staged(staged: object, bucket: object, bucket_key: object, *, names: Iterable[str]) -> dict[str, Staged]:
    """What each stack that is named copies.

    Args:
        staged: A list `stack=commit,…`, or an object from cdk.json; None for none.
        bucket: Name of the bucket.
        bucket_key: ARN of its key.
        names: The stacks that have a model.

    Raises:
        SystemExit: The context is invalid.
    """
    if staged is None and bucket is None and bucket_key is None:
        return {}
    if staged is None or bucket is None:
        missing = "staged" if staged is None else "staged_bucket"
        raise SystemExit(f"{missing}: is required to copy weights. Write {_EXAMPLE}.")
    entries = dict(staged) if isinstance(staged, Mapping) else _pairs(str(staged))
    unknown = [name for name in entries if name not in set(names)]
    if unknown or not entries:
        raise SystemExit(
            f"staged={staged}: {', '.join(unknown) or 'nothing'} is no stack with a model. Write {_EXAMPLE}."
        )
    key = None if bucket_key is None else str(bucket_key)
    if not is_bucket(str(bucket)):
        raise SystemExit(f"staged_bucket={bucket}: is not the name of a bucket. Write its name alone.")
    if key is not None and _KEY.fullmatch(key) is None:
        raise SystemExit(
            f"staged_bucket_key={key}: is not the ARN of a KMS key, arn:aws:kms:<Region>:<account>:key/<id>."
        )
    return {
        name: Staged(revision=str(revision), bucket=str(bucket), bucket_key=key) for name, revision in entries.items()
    }


def _pairs(text: str) -> dict[str, str]:
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): revision.strip() for name, _, revision in pairs}
