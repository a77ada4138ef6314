"""What a container finds in the folder that stands for /opt/ml/model."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.model_container.program import check_model_directory
from local.model_container.tgi.options import LaunchError

WEIGHTS = b"\x02\0\0\0\0\0\0\0{}"


@pytest.mark.parametrize("weights", [{"model.safetensors": WEIGHTS}, {"pytorch_model.bin": b"x"}])
def test_a_configuration_and_weights_are_enough(tmp_path: Path, weights: dict[str, bytes]) -> None:
    for name, content in {"config.json": b"{}", **weights}.items():
        (tmp_path / name).write_bytes(content)
    check_model_directory(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model.safetensors": WEIGHTS}, "OSError: /opt/ml/model has no config.json, only model.safetensors"),
        (
            {"config.json": b"{}", "original/model.safetensors": WEIGHTS},
            "FileNotFoundError: No local weights found in /opt/ml/model, only config.json, original",
        ),
        (
            {"config.json": b"{}", "model.safetensors": b"\x02\0\0\0\0\0\0\0[]"},
            "SafetensorError: Error while deserializing header of model.safetensors: no object",
        ),
        (
            {"config.json": b"{}", "model.safetensors": b"version https://git-lfs.github.com/spec/v1"},
            "SafetensorError: Error while deserializing header of model.safetensors",
        ),
    ],
)
def test_anything_less_does_not_start(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(LaunchError) as caught:
        check_model_directory(tmp_path)
    assert str(caught.value).startswith(message)
