"""The weights that SageMaker gives a container: the objects below a prefix of S3, as files of /opt/ml/model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.deployment.control_plane import ControlPlane

_FIX = "Bring the weights there before the endpoint is created, or name another prefix."


@dataclass(frozen=True, slots=True)
class ModelData:
    """A prefix of S3.

    Args:
        s3: The client of S3.
        uri: `s3://bucket/prefix/`.
    """

    s3: Any
    uri: str

    def download(self, folder: Path) -> bool:
        """Writes the objects to a folder, each at its key without the prefix; returns whether there is the bucket.

        Without the bucket the weights are a placeholder: on AWS they exist already.

        Raises:
            UserError: SageMaker would refuse what there is.
        """
        parts = urlsplit(self.uri)
        bucket, prefix = parts.netloc, parts.path.lstrip("/")
        try:
            pages = list(self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucket":
                return False
            raise
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        if not keys:
            raise UserError(
                f'Failed to download model data for container "container_1" from URL: "{self.uri}". Please ensure that '
                "there is an object located at the URL and that the role passed to CreateModel has permissions to "
                "download the model.",
                _FIX,
            )
        for key in keys:
            _check(key, prefix, keys)
            file = folder / key.removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return True


def _check(key: str, prefix: str, keys: list[str]) -> None:
    """Refuses a key that cannot be a file: S3DataSource in SageMaker's API reference says which."""
    parts = key.removeprefix(prefix).split("/")
    if any(not part.strip() or part in (".", "..") or "\0" in part or len(part.encode()) > 255 for part in parts):
        raise UserError(f"{key}: SageMaker takes no key with such a name of a file or folder.", _FIX)
    if any(other.startswith(f"{key}/") for other in keys):
        raise UserError(f"{key}: SageMaker takes no key that is also a folder of other keys.", _FIX)


def read_model_data(plane: ControlPlane, container: Mapping[str, Any]) -> ModelData | None:
    """The weights of a container that are files; None if there are none or they are an archive."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    if source.get("S3DataType") != "S3Prefix" or source.get("CompressionType") != "None":
        return None
    return ModelData(plane.client("s3"), source["S3Uri"])
