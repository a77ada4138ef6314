from __future__ import annotations

import json
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest
from aws_cdk import App, Stack, Stage
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib import _lambda_root
from constructs_lib._functions import lambda_asset


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two functions, as an installed wheel has them."""
    root = tmp_path / "constructs_lib" / "_lambda"
    for folder in ("front_door", "api_key_authorizer"):
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").write_text(f"{folder} = 1\n")
    monkeypatch.setattr(_lambda_root, "_PACKAGE", tmp_path / "constructs_lib")
    return root


def made(scope: Construct, name: str) -> None:
    code = lambda_asset(Construct(scope, f"{name}Scope"), "front_door")
    function = lambda_.CfnFunction(
        scope,
        name,
        runtime="python3.13",
        handler="front_door.handler",
        role="arn:aws:iam::123456789012:role/door",
        code=lambda_.CfnFunction.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key),
    )
    code.add_resource_metadata(function, "Code")


def packed(stack: Stack, name: str) -> list[str]:
    """The files of the function's asset, after synthesis."""
    made(stack, name)
    out = Path(stack.node.root.synth().directory)  # type: ignore[attr-defined]
    (asset,) = out.glob("asset.*")
    return ZipFile(asset).namelist()


def test_an_asset_has_the_functions_folder_and_no_other(stack: Stack, sources: Path) -> None:
    assert packed(stack, "Door") == ["front_door/__init__.py"]


def test_what_python_compiles_does_not_change_the_asset(stack: Stack, sources: Path) -> None:
    (sources / "front_door" / "deep" / "__pycache__").mkdir(parents=True)
    (sources / "front_door" / "deep" / "__pycache__" / "part.cpython-311.pyc").write_bytes(b"\0")
    (sources / "front_door" / "part.pyc").write_bytes(b"\0")
    (sources / "front_door" / "deep" / "part.py").write_text("")
    assert packed(stack, "Door") == ["front_door/__init__.py", "front_door/deep/part.py"]


def test_a_checkout_has_the_source_beside_the_package() -> None:
    assert _lambda_root.lambda_root() == Path(__file__).resolve().parents[2] / "lambda"


def test_a_function_that_does_not_exist_is_named(stack: Stack, sources: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no Lambda function 'back_door'"):
        lambda_asset(stack, "back_door")


def test_where_the_source_is_does_not_change_the_hash(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(Stack(app, "CheckedOut"), "Door")
    shutil.copytree(_lambda_root.lambda_root(), tmp_path / "constructs_lib" / "_lambda")
    monkeypatch.setattr(_lambda_root, "_PACKAGE", tmp_path / "constructs_lib")
    made(Stack(app, "Installed"), "Door")
    out = Path(app.synth().directory)
    manifests = [json.loads((out / f"{name}.assets.json").read_text()) for name in ("CheckedOut", "Installed")]
    hashes = [
        [key for key, file in manifest["files"].items() if file["source"]["path"].endswith(".zip")]
        for manifest in manifests
    ]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 1


@pytest.mark.parametrize("context", [{}, {"aws:cdk:enable-asset-metadata": True}], ids=["bare", "as the CLI"])
def test_sam_local_is_told_where_the_code_is(context: dict[str, object], tmp_path: Path) -> None:
    app = App(context=context, outdir=str(tmp_path))
    made(Stack(app, "Team"), "Door")
    template = app.synth().get_stack_by_name("Team").template
    (function,) = (each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function")
    (copy,) = tmp_path.glob("asset.*")
    told = {"aws:asset:path": copy.name, "aws:asset:is-bundled": False, "aws:asset:property": "Code"}
    assert function.get("Metadata") == (told if context else None)


def test_stacks_share_one_copy_of_a_folder_and_each_names_it_from_its_own_assembly(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    stacks = [Stack(app, "One"), Stack(app, "Two"), Stack(Stage(app, "Beta"), "Three")]
    for stack in stacks:
        made(stack, "Door")
    app.synth()
    (copy,) = tmp_path.glob("asset.*")
    manifests = [*tmp_path.glob("*.assets.json"), *tmp_path.glob("assembly-Beta/*.assets.json")]
    assert len(manifests) == 3
    for manifest in manifests:
        (file,) = (
            file["source"]
            for file in json.loads(manifest.read_text())["files"].values()
            if file["source"]["path"].endswith(".zip")
        )
        assert (manifest.parent / file["path"]).resolve() == copy.resolve()
