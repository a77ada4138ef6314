from __future__ import annotations

import json
from pathlib import Path

import pytest
from aws_cdk import App, IgnoreMode, Stack, Stage
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib import _assets
from constructs_lib._place import place_of


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two functions, as an installed wheel has them."""
    root = tmp_path / "constructs_lib" / "_lambda"
    for folder in ("front_door", "authorizer"):
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").write_text(f"{folder} = 1\n")
    monkeypatch.setattr(_assets, "_PACKAGE", tmp_path / "constructs_lib")
    return root


def made(scope: Construct, name: str) -> lambda_.Function:
    return lambda_.Function(
        scope,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="front_door.handler",
        code=lambda_.Code.from_inline("Not this."),
    )


def packed(stack: Stack, name: str) -> list[str]:
    """The files of the function's asset, after synthesis."""
    _assets.set_lambda_code(made(stack, name), "front_door", place_of(stack))
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


def test_a_function_that_does_not_exist_is_named(stack: Stack, sources: Path) -> None:
    function = made(stack, "Door")
    with pytest.raises(FileNotFoundError, match="There is no Lambda function 'back_door'"):
        _assets.set_lambda_code(function, "back_door", place_of(stack))


@pytest.mark.parametrize("context", [{}, {"aws:cdk:enable-asset-metadata": True}], ids=["bare", "as the CLI"])
def test_the_template_and_the_asset_are_those_of_code_from_asset(context: dict[str, object], tmp_path: Path) -> None:
    app = App(context=context, outdir=str(tmp_path))
    ours, theirs = Stack(app, "Ours"), Stack(app, "Theirs")
    _assets.set_lambda_code(made(ours, "Door"), "front_door", place_of(ours))
    lambda_.Function(
        theirs,
        "Door",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="front_door.handler",
        code=lambda_.Code.from_asset(
            str(_assets._lambda_root()),
            exclude=["/*", "!/front_door", "__pycache__", "*.pyc"],
            ignore_mode=IgnoreMode.GIT,
        ),
    )
    app.synth()
    templates = [json.loads((tmp_path / f"{name}.template.json").read_text()) for name in ("Ours", "Theirs")]
    functions = [
        resource
        for template in templates
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    assert functions[0] == functions[1]
    assert "S3Key" in functions[0]["Properties"]["Code"]
    assert ("Metadata" in functions[0]) == bool(context)


def test_stacks_share_one_copy_of_a_folder_and_each_names_it_from_its_own_assembly(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    stacks = [Stack(app, "One"), Stack(app, "Two"), Stack(Stage(app, "Beta"), "Three")]
    for stack in stacks:
        _assets.set_lambda_code(made(stack, "Door"), "front_door", place_of(stack))
    app.synth()
    (copy,) = tmp_path.glob("asset.*")
    manifests = [*tmp_path.glob("*.assets.json"), *tmp_path.glob("assembly-Beta/*.assets.json")]
    assert len(manifests) == 3
    for manifest in manifests:
        (file,) = (
            file["source"]
            for file in json.loads(manifest.read_text())["files"].values()
            if file["source"]["packaging"] == "zip"
        )
        assert (manifest.parent / file["path"]).resolve() == copy.resolve()
