"""The weights of a container: what of S3 becomes its files, and what SageMaker refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.deployment.control_plane import ControlPlane
from local.deployment.model_data import ModelData, read_model_data
from local.errors import UserError

pytestmark = pytest.mark.xdist_group("control_plane")
SOURCE = {"S3DataType": "S3Prefix", "CompressionType": "None", "S3Uri": "s3://weights/models/a/"}


def download(folder: Path, *keys: str) -> bool:
    """Gives a container what a bucket has with these keys."""
    with ControlPlane() as plane:
        s3 = plane.client("s3")
        s3.create_bucket(Bucket="weights")
        for key in keys:
            s3.put_object(Bucket="weights", Key=key, Body=key.encode())
        data = read_model_data(plane, {"ModelDataSource": {"S3DataSource": SOURCE}})
        assert data is not None
        return data.download(folder)


def test_the_objects_below_the_prefix_are_its_files(tmp_path: Path) -> None:
    assert download(tmp_path, "models/a/config.json", "models/a/ü b/x.json", "models/ab", "manifests/a.json")
    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"config.json": "models/a/config.json", "ü b/x.json": "models/a/ü b/x.json"}


def test_a_prefix_without_an_object_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'Failed to download model data .* from URL: "s3://weights/models/a/"'):
        download(tmp_path, "models/b/config.json")


@pytest.mark.parametrize("name", ["x/", "a//b", "../b", " /b", "x" * 256])
def test_a_key_that_cannot_be_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="SageMaker takes no key with such a name of a file or folder"):
        download(tmp_path, f"models/a/{name}")


def test_a_key_that_is_also_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="models/a/w: SageMaker takes no key that is also a folder of other keys"):
        download(tmp_path, "models/a/w", "models/a/w/part1")


def test_without_the_bucket_the_weights_are_a_placeholder(tmp_path: Path) -> None:
    with ControlPlane() as plane:
        assert not ModelData(plane.client("s3"), "s3://elsewhere/a/").download(tmp_path)


@pytest.mark.parametrize(
    "container",
    [
        {},
        {"ModelDataUrl": "s3://weights/model.tar.gz"},
        {"ModelDataSource": {"S3DataSource": {**SOURCE, "S3DataType": "S3Object", "CompressionType": "Gzip"}}},
    ],
)
def test_an_archive_gives_no_files(container: dict[str, object]) -> None:
    with ControlPlane() as plane:
        assert read_model_data(plane, container) is None
