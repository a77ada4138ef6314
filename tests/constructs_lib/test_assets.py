from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from constructs_lib import _assets


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two functions, as an installed wheel has them."""
    root = tmp_path / "constructs_lib" / "_lambda"
    for folder in ("front_door", "authorizer"):
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").write_text(f"{folder} = 1\n")
    monkeypatch.setattr(_assets, "_PACKAGE", tmp_path / "constructs_lib")
    return root


def packed(stack: Stack, name: str) -> list[str]:
    """The files of the function's asset, after synthesis."""
    lambda_.Function(
        stack,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="front_door.handler",
        code=_assets.lambda_code("front_door"),
    )
    out = Path(stack.node.root.synth().directory)  # type: ignore[attr-defined]
    (asset,) = out.glob("asset.*")
    return sorted(str(file.relative_to(asset)) for file in asset.rglob("*") if file.is_file())


def test_an_asset_has_the_functions_folder_and_no_other(stack: Stack, sources: Path) -> None:
    assert packed(stack, "Door") == ["front_door/__init__.py"]


def test_what_python_compiles_does_not_change_the_asset(stack: Stack, sources: Path) -> None:
    (sources / "front_door" / "deep" / "__pycache__").mkdir(parents=True)
    (sources / "front_door" / "deep" / "__pycache__" / "part.cpython-311.pyc").write_bytes(b"\0")
    (sources / "front_door" / "part.pyc").write_bytes(b"\0")
    (sources / "front_door" / "deep" / "part.py").write_text("")
    assert packed(stack, "Door") == ["front_door/__init__.py", "front_door/deep/part.py"]


def test_a_checkout_has_the_source_beside_the_package() -> None:
    assert _assets._lambda_root() == Path(__file__).resolve().parents[2] / "lambda"


def test_a_function_that_does_not_exist_is_named(sources: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no Lambda function 'back_door'"):
        _assets.lambda_code("back_door")
